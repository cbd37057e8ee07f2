// Canonical JSON (RFC 8785) for what packages hold: objects, arrays, strings and safe integers.
import { toBytes, toText } from "./bytes.js";

export function canonical(value) {
  if (Array.isArray(value)) return `[${value.map(canonical).join(",")}]`;
  if (value !== null && typeof value === "object") {
    const fields = Object.keys(value).sort().map((key) => `${canonical(key)}:${canonical(value[key])}`);
    return `{${fields.join(",")}}`;
  }
  if (typeof value === "string") {
    if (/\p{Surrogate}/u.test(value)) throw new TypeError("a lone surrogate");
    return JSON.stringify(value);
  }
  if (Number.isSafeInteger(value) && !Object.is(value, -0)) return String(value);
  throw new TypeError("no canonical form");
}

/**
 * The value of canonical bytes with exactly the keys and types of `shape`; throws otherwise.
 * A shape is "string", "integer", an array with the shape of its members, or an object of shapes.
 */
export function decodeStrict(bytes, shape) {
  const text = toText(bytes);
  const value = JSON.parse(text);
  if (!fits(value, shape) || canonical(value) !== text) throw new TypeError("not the expected canonical JSON");
  return value;
}

function fits(value, shape) {
  if (shape === "string") return typeof value === "string";
  if (shape === "integer") return Number.isSafeInteger(value);
  if (Array.isArray(shape)) return Array.isArray(value) && value.every((member) => fits(member, shape[0]));
  if (value === null || typeof value !== "object" || Array.isArray(value)) return false;
  const keys = Object.keys(shape);
  return Object.keys(value).length === keys.length && keys.every((key) => Object.hasOwn(value, key) && fits(value[key], shape[key]));
}

export const encode = (value) => toBytes(canonical(value));

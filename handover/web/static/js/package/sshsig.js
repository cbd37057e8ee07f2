// Ed25519 keys of OpenSSH and SSHSIG (OpenSSH PROTOCOL.sshsig), in the one form that ssh-keygen writes.
import { ed25519, sha512 } from "../../vendor/signatures.js";
import { concat, equal, fromBase64, toBase64, toBytes, toText } from "./bytes.js";
import { Fault } from "./fault.js";

const KIND = toBytes("ssh-ed25519");
const MAGIC = toBytes("SSHSIG");
const HASH = toBytes("sha512");
const NONE = new Uint8Array();
const COLUMNS = 70;

/** The raw key that signed, one of `allowed`; throws a Fault when there is none. */
export function verify(armored, namespace, message, allowed) {
  const { key, namespace: signedFor, signature } = decode(armored);
  if (signedFor !== namespace || !allowed.some((one) => equal(one, key))) throw refused("by a key that is not expected");
  if (!ed25519.verify(signature, signedData(namespace, message), key, { zip215: false })) throw refused("the signed bytes were altered");
  return key;
}

export function sign(seed, namespace, message) {
  return encode(ed25519.getPublicKey(seed), namespace, ed25519.sign(signedData(namespace, message), seed));
}

export const publicLine = (key) => `ssh-ed25519 ${toBase64(concat(string(KIND), string(key)))}`;

/** The 32-byte seed of an unencrypted OpenSSH Ed25519 private key file (PROTOCOL.key). */
export function seedFrom(pem) {
  const lines = toText(pem).trim().split("\n");
  const file = new Fields(fromBase64(lines.slice(1, -1).join("")));
  file.skip(15); // "openssh-key-v1" and its zero byte
  const cipher = toText(file.string());
  file.string();
  file.string();
  const count = file.integer();
  file.string();
  const inner = new Fields(file.string());
  if (cipher !== "none" || count !== 1 || inner.integer() !== inner.integer() || !equal(inner.string(), KIND)) throw refused("the receipt key is malformed");
  inner.string();
  const pair = inner.string();
  if (pair.length !== 64) throw refused("the receipt key is malformed");
  return pair.slice(0, 32);
}

function signedData(namespace, message) {
  return concat(MAGIC, string(toBytes(namespace)), string(NONE), string(HASH), string(sha512(message)));
}

function encode(key, namespace, signature) {
  const blob = concat(
    MAGIC, uint32(1), string(concat(string(KIND), string(key))), string(toBytes(namespace)), string(NONE), string(HASH),
    string(concat(string(KIND), string(signature))),
  );
  const lines = toBase64(blob).match(new RegExp(`.{1,${COLUMNS}}`, "g"));
  return ["-----BEGIN SSH SIGNATURE-----", ...lines, "-----END SSH SIGNATURE-----", ""].join("\n");
}

/** Refuses every file that `encode` would not have written. */
function decode(armored) {
  try {
    const text = toText(armored);
    const fields = new Fields(fromBase64(text.split("\n").slice(1, -2).join("")));
    fields.skip(10);
    const key = new Fields(fields.string()).skipString().string();
    const namespace = toText(fields.string());
    fields.string();
    fields.string();
    const signature = new Fields(fields.string()).skipString().string();
    if (key.length === 32 && signature.length === 64 && encode(key, namespace, signature) === text) return { key, namespace, signature };
  } catch {
    // what is malformed is refused below
  }
  throw refused("not an SSH signature of the accepted form");
}

const refused = (why) => new Fault("package_not_signed_by_expected_key", why);

function uint32(value) {
  const bytes = new Uint8Array(4);
  new DataView(bytes.buffer).setUint32(0, value);
  return bytes;
}

const string = (bytes) => concat(uint32(bytes.length), bytes);

class Fields {
  #bytes;
  #at = 0;

  constructor(bytes) {
    this.#bytes = bytes;
  }

  skip(count) {
    this.#at += count;
  }

  skipString() {
    this.string();
    return this;
  }

  integer() {
    this.#at += 4;
    return new DataView(this.#bytes.buffer, this.#bytes.byteOffset).getUint32(this.#at - 4);
  }

  string() {
    const size = this.integer();
    this.#at += size;
    if (this.#at > this.#bytes.length) throw new RangeError("cut short");
    return this.#bytes.slice(this.#at - size, this.#at);
  }
}

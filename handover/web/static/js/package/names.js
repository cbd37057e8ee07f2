// Paths that are harmless on every system, as handover/archive/names.py defines them; a reader refuses all others.
import { toBytes } from "./bytes.js";
import { Fault } from "./fault.js";

const UNWANTED = /[\x00-\x1f\x7f-\x9f<>:"|?*\\\u00ad\u061c\u180e\u200b-\u200f\u2028-\u202e\u2060-\u206f\ufeff\ufff9-\ufffb\ufdd0-\ufdef\ufffe\uffff\u{e0000}-\u{e007f}]|\p{Surrogate}/u;
const RESERVED = /^(?:CON|PRN|AUX|NUL|CONIN\$|CONOUT\$|COM[0-9¹²³]|LPT[0-9¹²³])[ ]*(?:\..*)?$/i;
const MAX_PART = 200;
const MAX_PATH = 1024;

/** Throws a Fault unless every path is below files/, clean, and alone on file systems that fold case or normalise. */
export class Paths {
  #files = new Set();
  #folders = new Set();

  add(path) {
    const parts = path.split("/");
    if (parts[0] !== "files" || parts.length < 2 || !parts.every(isClean) || toBytes(path).length > MAX_PATH) throw unsafe(path);
    const key = fold(path);
    const folders = parts.slice(1).map((_, at) => fold(parts.slice(0, at + 1).join("/")));
    if (this.#files.has(key) || this.#folders.has(key) || folders.some((folder) => this.#files.has(folder))) throw unsafe(path);
    this.#files.add(key);
    for (const folder of folders) this.#folders.add(folder);
  }
}

function isClean(part) {
  return part !== "" && part !== "." && part !== ".." && !UNWANTED.test(part) && !RESERVED.test(part) && part.normalize("NFC") === part && !/^ |[. ]$/.test(part) && toBytes(part).length <= MAX_PART;
}

/** Upper then lower case comes closest to case folding (ß meets ss). */
const fold = (path) => path.normalize("NFC").toUpperCase().toLowerCase().normalize("NFC");

const unsafe = (path) => new Fault("package_path_unsafe", "a path is not clean, or meets another", path);

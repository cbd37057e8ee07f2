// SHA-256 of a stream in another worker, so that a second core carries it. Pieces travel in a few buffers that come back
// and are used again: a gigabyte makes no more garbage than a megabyte.
const BUFFERS = 4;
/** A batch of ciphertext fits. */
const SIZE = 16 * 65552;

export class Hasher {
  #worker = new Worker(new URL("../hash-worker.js", import.meta.url), { type: "module" });
  #free = Array.from({ length: BUFFERS }, () => new ArrayBuffer(SIZE));
  #wake = () => {};
  #digests = [];

  constructor() {
    this.#worker.addEventListener("message", ({ data }) => {
      if (typeof data === "string") return this.#digests.shift().resolve(data);
      this.#free.push(data);
      this.#wake();
    });
    this.#worker.addEventListener("error", (event) => {
      event.preventDefault();
      for (const open of this.#digests.splice(0)) open.reject(new Error(event.message));
    });
  }

  /** Takes a copy of `bytes`; waits while the other worker is behind. */
  async update(bytes) {
    for (let at = 0; at < bytes.length; at += SIZE) {
      while (!this.#free.length) await new Promise((resolve) => { this.#wake = resolve; });
      const buffer = this.#free.pop();
      const piece = bytes.subarray(at, at + SIZE);
      new Uint8Array(buffer).set(piece);
      this.#worker.postMessage({ buffer, size: piece.length }, [buffer]);
    }
  }

  /** The digest in hex of everything since the last one. */
  finish() {
    return new Promise((resolve, reject) => {
      this.#digests.push({ resolve, reject });
      this.#worker.postMessage(null);
    });
  }

  end() {
    this.#worker.terminate();
  }
}

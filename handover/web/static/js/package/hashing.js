// SHA-256 of a stream in another worker, so that a second core carries it; a few pieces on the way, never more.
const AHEAD = 8;

export class Hasher {
  #worker = new Worker(new URL("../hash-worker.js", import.meta.url), { type: "module" });
  #under = 0;
  #wake = () => {};
  #digests = [];

  constructor() {
    this.#worker.addEventListener("message", ({ data }) => {
      if (data === "done") {
        this.#under--;
        this.#wake();
      } else this.#digests.shift().resolve(data);
    });
    this.#worker.addEventListener("error", (event) => {
      event.preventDefault();
      for (const open of this.#digests.splice(0)) open.reject(new Error(event.message));
    });
  }

  /** Takes the buffer of `bytes` away. */
  async update(bytes) {
    this.#under++;
    this.#worker.postMessage(bytes, [bytes.buffer]);
    while (this.#under > AHEAD) await new Promise((resolve) => { this.#wake = resolve; });
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

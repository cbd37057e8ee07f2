// Reads exactly as many bytes as are asked for out of batches of plaintext.
import { Fault } from "./fault.js";

export class Reader {
  #batches;
  #batch = new Uint8Array();

  constructor(batches) {
    this.#batches = batches;
  }

  /** Some bytes, at most `limit`, none at the end. They stay valid until the next call. */
  async some(limit) {
    while (!this.#batch.length) {
      const { done, value } = await this.#batches.next();
      if (done) return this.#batch;
      this.#batch = value;
    }
    const part = this.#batch.subarray(0, limit);
    this.#batch = this.#batch.subarray(part.length);
    return part;
  }

  /** Exactly `size` bytes, copied. */
  async exactly(size) {
    const whole = new Uint8Array(size);
    for (let at = 0; at < size; ) {
      const part = await this.some(size - at);
      if (!part.length) throw new Fault("package_zip_malformed", "the archive ends early");
      whole.set(part, at);
      at += part.length;
    }
    return whole;
  }

  async expect(bytes, what) {
    const found = await this.exactly(bytes.length);
    if (found.some((byte, at) => byte !== bytes[at])) throw new Fault("package_zip_malformed", what);
  }

  async expectEnd() {
    if ((await this.some(1)).length) throw new Fault("package_zip_malformed", "something follows the archive");
  }
}

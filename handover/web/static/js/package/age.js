// Reads an age file as a stream (C2SP age.md): the header by typage, the payload's chunks here, in large batches.
import { chacha20poly1305, Decrypter, hkdf, sha256 } from "../../vendor/age.js";
import { concat, toBytes } from "./bytes.js";
import { Fault } from "./fault.js";

const CHUNK = 65536;
const TAG = 16;
const SEALED = CHUNK + TAG;
const NONCE = 16;
const BATCH = 16;
const MAX_HEADER = 1 << 18;

/** Takes bytes of any block size out of an async iterator of blocks, without copying more than once. */
class Taker {
  #blocks;
  #block = new Uint8Array();

  constructor(blocks) {
    this.#blocks = blocks[Symbol.asyncIterator]();
  }

  /** Fills `target` as far as the source goes; returns how many bytes there were. */
  async fill(target) {
    let at = 0;
    while (at < target.length && (await this.#refill())) {
      const part = this.#block.subarray(0, target.length - at);
      target.set(part, at);
      at += part.length;
      this.#block = this.#block.subarray(part.length);
    }
    return at;
  }

  /** Everything up to and including the line that begins with "---": an age header. */
  async header() {
    const taken = [];
    let size = 0;
    for (;;) {
      if (!(await this.#refill())) throw malformed("it ends in its header");
      const before = concat(...taken);
      const whole = concat(before, this.#block.subarray(0, MAX_HEADER));
      const end = endOfHeader(whole);
      if (end) {
        this.#block = this.#block.subarray(end - before.length);
        return whole.subarray(0, end);
      }
      size += this.#block.length;
      if (size > MAX_HEADER || !startsRight(whole)) throw malformed("it does not begin like an age file");
      taken.push(this.#block);
      this.#block = new Uint8Array();
    }
  }

  async #refill() {
    while (!this.#block.length) {
      const { done, value } = await this.#blocks.next();
      if (done) return false;
      this.#block = value;
    }
    return true;
  }
}

/**
 * Batches of verified plaintext. Nothing unverified is ever yielded; the file is whole only when the iteration ends
 * without a Fault. `seen(bytes)` gets every byte of the ciphertext once. Buffers are used again: bytes that are given
 * out, to `seen` as well, stay valid until the next step.
 */
export class AgeFile {
  #taker;
  #seen;
  #cipherKey;
  #number = 0;
  #sealed = [new Uint8Array(BATCH * SEALED), new Uint8Array(BATCH * SEALED)];
  #plain = new Uint8Array(BATCH * CHUNK);

  constructor(blocks, seen) {
    this.#taker = new Taker(blocks);
    this.#seen = seen;
  }

  /** Opens the header. Returns its stanza types; throws `wrong_key` when no identity fits. */
  async open(identities) {
    const header = await this.#taker.header();
    const nonce = new Uint8Array(NONCE);
    const fileKey = await unwrap(header, identities);
    if ((await this.#taker.fill(nonce)) < NONCE) throw malformed("it ends before its content");
    this.#cipherKey = hkdf(sha256, fileKey, nonce, toBytes("payload"), 32);
    const kinds = stanzaKinds(header);
    await this.#seen(concat(header, nonce));
    return kinds;
  }

  async *plaintext() {
    let batch = await this.#next();
    for (;;) {
      const following = batch.length === BATCH * SEALED ? await this.#next() : new Uint8Array();
      const plain = this.#decrypt(batch, !following.length);
      await this.#seen(batch);
      yield plain;
      if (!following.length) return;
      batch = following;
    }
  }

  async #next() {
    this.#sealed.reverse(); // one is decrypted while the other tells whether it was the last
    return this.#sealed[0].subarray(0, await this.#taker.fill(this.#sealed[0]));
  }

  #decrypt(batch, last) {
    const count = Math.max(1, Math.ceil(batch.length / SEALED));
    const plain = this.#plain.subarray(0, Math.max(0, batch.length - count * TAG));
    for (let i = 0; i < count; i++) {
      const sealed = batch.subarray(i * SEALED, (i + 1) * SEALED);
      const target = plain.subarray(i * CHUNK, i * CHUNK + Math.max(0, sealed.length - TAG));
      const final = last && i === count - 1;
      if (!this.#openChunk(sealed, final, target)) throw this.#fault(sealed, final);
      if (final && this.#number && !target.length) throw new Fault("age_chunk_damaged", "an empty last chunk", this.#number);
      this.#number++;
    }
    return plain;
  }

  #openChunk(sealed, final, target) {
    if (sealed.length < TAG) return false;
    const nonce = new Uint8Array(12);
    new DataView(nonce.buffer).setUint32(7, this.#number); // 2^32 chunks are 256 TiB
    nonce[11] = final ? 1 : 0;
    try {
      chacha20poly1305(this.#cipherKey, nonce).decrypt(sealed, target);
      return true;
    } catch {
      return false;
    }
  }

  /** Which of the faults of docs/package-format.md it is. */
  #fault(sealed, final) {
    const scratch = new Uint8Array(Math.max(0, sealed.length - TAG));
    if (!final) {
      const trailing = this.#openChunk(sealed, true, scratch);
      return new Fault(trailing ? "age_trailing_data" : "age_chunk_damaged", "a chunk does not verify", this.#number);
    }
    if (sealed.length === SEALED) {
      const short = this.#openChunk(sealed, false, scratch);
      return new Fault(short ? "age_cut_short" : "age_chunk_damaged", "the last chunk does not verify", this.#number);
    }
    return new Fault(sealed.length <= TAG ? "age_cut_short" : "age_last_chunk_invalid", "the last chunk does not verify", this.#number);
  }
}

async function unwrap(header, identities) {
  const decrypter = new Decrypter();
  for (const identity of identities) decrypter.addIdentity(identity);
  try {
    return await decrypter.decryptHeader(header);
  } catch (error) {
    if (error.message.startsWith("no identity matched")) throw new Fault("wrong_key", error.message);
    if (error.message.includes("HMAC")) throw new Fault("age_header_altered", error.message);
    throw malformed(error.message);
  }
}

function stanzaKinds(header) {
  return header.reduce((text, byte) => text + String.fromCharCode(byte), "").split("\n").filter((line) => line.startsWith("-> ")).map((line) => line.split(" ")[1]);
}

/** The position after the MAC line, 0 when it is not there yet. */
function endOfHeader(bytes) {
  for (let at = 0; at < bytes.length; ) {
    const newline = bytes.indexOf(10, at);
    if (newline < 0) return 0;
    if (bytes[at] === 45 && bytes[at + 1] === 45 && bytes[at + 2] === 45) return newline + 1;
    at = newline + 1;
  }
  return 0;
}

function startsRight(bytes) {
  return toBytes("age-encryption.org/v1\n").every((byte, at) => at >= bytes.length || bytes[at] === byte);
}

const malformed = (why) => new Fault("age_header_invalid", why);

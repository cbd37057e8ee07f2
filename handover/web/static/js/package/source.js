// Where the ciphertext comes from: a file of this computer, or the delivery's address with Range where the connection broke.
import { Fault } from "./fault.js";

const BLOCK = 4 << 20;
const AHEAD = 2;
const ATTEMPTS = 5;

/** Blocks of a File; the next ones are read meanwhile. */
export async function* fromFile(file) {
  const coming = [];
  for (let at = 0; at < file.size || coming.length; at += BLOCK) {
    if (at < file.size) coming.push(file.slice(at, at + BLOCK).arrayBuffer());
    if (coming.length > AHEAD || at + BLOCK >= file.size) yield new Uint8Array(await coming.shift());
  }
}

/** Blocks of a download; a broken connection goes on where it stopped, and only with the same file. */
export async function* fromAddress(address, size, etag, signal) {
  let at = 0;
  for (let failures = 0; at < size; ) {
    const before = at;
    try {
      for await (const block of answerFrom(address, at, etag, signal)) {
        at += block.length;
        yield block;
      }
      if (at < size) throw new TypeError("the connection ended early");
    } catch (error) {
      if (error instanceof Fault || signal.aborted) throw error;
      failures = at > before ? 1 : failures + 1;
      if (failures >= ATTEMPTS) throw new Fault("connection_lost", String(error));
      await new Promise((resolve) => setTimeout(resolve, 500 * 2 ** failures));
    }
  }
}

async function* answerFrom(address, at, etag, signal) {
  const headers = at ? { Range: `bytes=${at}-`, "If-Range": etag } : {};
  const answer = await fetch(address, { headers, signal, cache: "no-store" });
  if (!answer.ok) {
    const problem = await answer.json().catch(() => ({}));
    throw new Fault(problem.code ?? "download_refused", problem.detail ?? answer.statusText);
  }
  if (answer.headers.get("ETag") !== etag || answer.status !== (at ? 206 : 200)) {
    throw new Fault("package_differs_from_attestation", "the server offers another file than the one attested");
  }
  const reader = answer.body.getReader();
  try {
    for (;;) {
      const { done, value } = await reader.read();
      if (done) return;
      yield value;
    }
  } finally {
    reader.cancel().catch(() => {});
  }
}

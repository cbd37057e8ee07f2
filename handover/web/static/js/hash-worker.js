// Bytes in, their buffer back; null in, the SHA-256 in hex of all since the last null out.
import { SHA256 } from "../vendor/sha256.js";
import { toHex } from "./package/bytes.js";

const hash = new SHA256();

addEventListener("message", ({ data }) => {
  if (data === null) {
    postMessage(toHex(hash.digest()));
    hash.reset();
  } else {
    hash.update(new Uint8Array(data.buffer, 0, data.size));
    postMessage(data.buffer, [data.buffer]);
  }
});

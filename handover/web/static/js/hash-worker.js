// Bytes in, their buffer back; null in, the SHA-256 in hex of all since the last null out.
import { sha256 } from "../vendor/age.js";
import { toHex } from "./package/bytes.js";

let hash = sha256.create();

addEventListener("message", ({ data }) => {
  if (data === null) {
    postMessage(toHex(hash.digest()));
    hash = sha256.create();
  } else {
    hash.update(new Uint8Array(data.buffer, 0, data.size));
    postMessage(data.buffer, [data.buffer]);
  }
});

// Bytes in, "done" for each piece; null in, the SHA-256 of all since the last null out.
import { sha256 } from "../vendor/age.js";
import { toHex } from "./package/bytes.js";

let hash = sha256.create();

addEventListener("message", ({ data }) => {
  if (data === null) {
    postMessage(toHex(hash.digest()));
    hash = sha256.create();
  } else {
    hash.update(data);
    postMessage("done");
  }
});

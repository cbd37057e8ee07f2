// The two signatures of a manifest, and the one of a receipt.
export { ed25519 } from "@noble/curves/ed25519.js";
export { sha512 } from "@noble/hashes/sha2.js";
export { ml_dsa65 } from "@noble/post-quantum/ml-dsa.js";

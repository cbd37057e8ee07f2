// MANIFEST.json and FILES.jsonl: strict decoding, that they belong together, and that the pinned keys signed the head.
import { sha256 } from "../../vendor/age.js";
import { ml_dsa65 } from "../../vendor/signatures.js";
import { concat, toBytes, toHex } from "./bytes.js";
import { decodeStrict } from "./canonical.js";
import { Fault } from "./fault.js";
import { Paths } from "./names.js";
import { publicLine, verify } from "./sshsig.js";

const NAMESPACE = "handover-manifest@v1";
const MANIFEST = {
  version: "integer",
  package: { number: "string", purpose: "string", case: "string", built_at: "string", software: "string" },
  files: { count: "integer", size: "integer", records: "integer", persons: "integer", root: "string", sha256: "string" },
  recipient: { kind: "string", fingerprint: "string" },
  exclusions: [{ reason: "string", count: "integer" }],
  workflow: { name: "string", version: "integer", sha256: "string" },
  audit_checkpoint: "string",
  receipt_key: "string",
  signers: { ed25519: "string", mldsa65: "string" },
};
const LINE = { path: "string", size: "integer", sha256: "string", media_type: "string", level: "string", records: "integer", redaction: "string", salt: "string" };

export const digest = (bytes) => toHex(sha256(bytes));

export function decodeManifest(bytes) {
  const manifest = strictly(bytes, MANIFEST, "MANIFEST.json");
  if (manifest.version !== 1) throw invalid("MANIFEST.json is of another version");
  return manifest;
}

/** Demands a signature of every pinned kind: an Ed25519 key out of several, and the one ML-DSA-65 key. */
export function checkSigners(bytes, manifest, sshsig, mldsa, pins) {
  if (!sshsig || !mldsa) throw notSigned("a signature is missing");
  const key = verify(sshsig, NAMESPACE, bytes, pins.ed25519);
  if (!holds(mldsa, bytes, pins.mldsa65)) throw notSigned("the ML-DSA-65 signature does not hold");
  const names = { ed25519: fingerprint(key), mldsa65: `SHA256:${digest(pins.mldsa65)}` };
  if (manifest.signers.ed25519 !== names.ed25519 || manifest.signers.mldsa65 !== names.mldsa65) throw notSigned("the manifest names other signers");
}

/** The content was made for the holder of one of these recipient strings, and not encrypted again by somebody. */
export function checkRecipient(manifest, stanzas, recipients) {
  const names = manifest.recipient.fingerprint.split(",");
  if (new Set(stanzas).size !== 1 || stanzas[0] !== manifest.recipient.kind || names.length !== stanzas.length) throw invalid("the manifest names other recipients than the header of the file");
  if (!recipients.some((recipient) => names.includes(digest(toBytes(recipient))))) throw new Fault("package_for_another_recipient", "the manifest was made for another recipient");
}

/** The lines of FILES.jsonl, which are exactly those that the manifest counts. */
export function decodeLines(bytes, manifest) {
  const paths = new Paths();
  const tree = new Tree();
  const lines = [];
  for (let at = 0; at < bytes.length; ) {
    const end = bytes.indexOf(10, at);
    if (end < 0) throw invalid("FILES.jsonl does not end in a newline");
    const raw = bytes.subarray(at, end);
    lines.push(decodeLine(raw, lines.length + 1));
    paths.add(lines.at(-1).path);
    tree.add(raw);
    at = end + 1;
  }
  const sum = (name) => lines.reduce((total, line) => total + line[name], 0);
  const facts = { sha256: digest(bytes), root: tree.root(), count: lines.length, size: sum("size"), records: sum("records") };
  for (const [name, found] of Object.entries(facts)) if (manifest.files[name] !== found) throw invalid(`files.${name} differs`);
  return lines;
}

function decodeLine(raw, number) {
  const line = strictly(raw, LINE, `FILES.jsonl line ${number}`);
  const wellFormed = line.size >= 0 && line.records >= 0 && /^[0-9a-f]{64}$/.test(line.sha256) && /^[0-9a-f]{32}$/.test(line.salt);
  if (!wellFormed) throw invalid(`FILES.jsonl line ${number}: a size, digest or salt is malformed`);
  return line;
}

/** The Merkle tree root of RFC 6962, with one subtree for each bit of the count in memory. */
class Tree {
  #subtrees = [];
  #count = 0;

  add(leaf) {
    let node = sha256(concat(Uint8Array.of(0), leaf));
    for (let rest = this.#count++; rest % 2; rest = Math.floor(rest / 2)) node = join(this.#subtrees.pop(), node);
    this.#subtrees.push(node);
  }

  root() {
    return this.#count ? toHex(this.#subtrees.reduceRight((right, left) => join(left, right))) : digest(new Uint8Array());
  }
}

const join = (left, right) => sha256(concat(Uint8Array.of(1), left, right));

function fingerprint(key) {
  const blob = atob(publicLine(key).split(" ")[1]);
  return `SHA256:${btoa(String.fromCharCode(...sha256(Uint8Array.from(blob, (c) => c.charCodeAt(0))))).replace(/=+$/, "")}`;
}

function holds(signature, message, key) {
  try {
    return ml_dsa65.verify(signature, message, key, { context: toBytes(NAMESPACE) });
  } catch {
    return false;
  }
}

function strictly(bytes, shape, name) {
  try {
    return decodeStrict(bytes, shape);
  } catch (error) {
    throw invalid(`${name}: ${error.message}`);
  }
}

const invalid = (why) => new Fault("package_manifest_invalid", why);
const notSigned = (why) => new Fault("package_not_signed_by_expected_key", why);

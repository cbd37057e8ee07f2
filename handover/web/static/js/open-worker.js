// Opens a package: decrypts, verifies everything, and only then gives the file away. The order of the checks:
// 1. the header opens with the identity; 2. the manifest is canonical, made for this identity, the one that was released,
// and signed by both pinned keys; 3. every entry is the next line of FILES.jsonl, with its size, checksum and SHA-256;
// 4. the archive ends as it must, and the final chunk verifies; 5. the ciphertext is the attested one.
import { Decrypter, armor, identityToRecipient } from "../vendor/age.js";
import { AgeFile } from "./package/age.js";
import { answering } from "./package/answering.js";
import { fromBase64 } from "./package/bytes.js";
import { Fault } from "./package/fault.js";
import { Hasher } from "./package/hashing.js";
import { keeping } from "./package/keeping.js";
import { checkRecipient, checkSigners, decodeLines, decodeManifest, digest } from "./package/manifest.js";
import { Reader } from "./package/reader.js";
import { checkReceiptKey, makeReceipt } from "./package/receipt.js";
import { fromAddress, fromFile } from "./package/source.js";
import { content, directory, nextMember, whole } from "./package/zip.js";

const HEAD = ["README.txt", "MANIFEST.json", "MANIFEST.json.sig", "MANIFEST.json.mldsa", "FILES.jsonl", "RECEIPT.key"];
const LIMITS = { "MANIFEST.json": 1 << 20, "FILES.jsonl": 1 << 27 };
const SMALL = 1 << 18;
const TOLD_EVERY = 250;

let identities = [];
let stop = new AbortController();
let opened = null;

answering({
  /** Reads an identity: the text of a file, encrypted with a passphrase or not. Returns the recipients. */
  async unlock({ text, passphrase }) {
    identities = identityLines(text.includes("BEGIN AGE ENCRYPTED") ? await decryptIdentity(text, passphrase) : text);
    return Promise.all(identities.map(identityToRecipient));
  },

  /** Opens; answers with the verified ZIP and what the manifest says. */
  async open({ file, address, facts, pins }) {
    stop = new AbortController();
    opened = null;
    const known = { ed25519: pins.ed25519.map(fromBase64), mldsa65: fromBase64(pins.mldsa65) };
    const blocks = file ? fromFile(file) : fromAddress(address, facts.size, `"${facts.sha256}"`, stop.signal);
    const kept = await keeping(facts.size);
    const hashers = [new Hasher(), new Hasher()];
    try {
      const verified = await verify(told(blocks, file?.size ?? facts.size), kept, hashers, facts, known);
      const zip = await kept.finish();
      opened = verified;
      return { zip, name: `handover-${facts.number}.zip`, files: verified.manifest.files };
    } catch (error) {
      await kept.discard();
      throw stop.signal.aborted ? new Fault("cancelled", "cancelled") : error;
    } finally {
      for (const hasher of hashers) hasher.end();
    }
  },

  async cancel() {
    stop.abort();
  },

  /** The receipt of what was opened, for the reader to send. */
  async receipt({ defects }) {
    return makeReceipt(opened.seed, opened.manifest, opened.manifestDigest, defects);
  },
});

async function verify(blocks, kept, [cipherHash, fileHash], facts, pins) {
  const file = new AgeFile(blocks, (bytes) => cipherHash.update(bytes));
  const stanzas = await file.open(identities);
  const reader = new Reader(written(file.plaintext(), kept));
  const head = await readHead(reader);
  const manifest = decodeManifest(head.bytes["MANIFEST.json"]);
  checkRecipient(manifest, stanzas, await Promise.all(identities.map(identityToRecipient)));
  checkSigners(head.bytes["MANIFEST.json"], manifest, head.bytes["MANIFEST.json.sig"], head.bytes["MANIFEST.json.mldsa"], pins);
  const manifestDigest = digest(head.bytes["MANIFEST.json"]);
  if (manifestDigest !== facts.manifest) throw new Fault("package_differs_from_attestation", "another manifest than the one that was released");
  const lines = decodeLines(head.bytes["FILES.jsonl"], manifest);
  const seed = checkReceiptKey(head.bytes["RECEIPT.key"], manifest);
  const members = [...head.members, ...(await readFiles(reader, lines, fileHash))];
  await directory(reader, members);
  if ((await cipherHash.finish()) !== facts.sha256) throw new Fault("package_differs_from_attestation", "the SHA-256 of the file is not the attested one");
  return { manifest, manifestDigest, seed };
}

async function readHead(reader) {
  const members = [];
  const bytes = {};
  for (let at = 0; at < HEAD.length; ) {
    const member = await nextMember(reader);
    const found = HEAD.indexOf(member.path, at);
    if (found < 0) throw new Fault("package_zip_malformed", `${member.path} does not stand here`);
    at = found + 1;
    members.push(member);
    bytes[member.path] = await whole(reader, member, LIMITS[member.path] ?? SMALL);
  }
  for (const name of ["README.txt", "MANIFEST.json", "FILES.jsonl"]) if (!bytes[name]) throw new Fault("package_zip_malformed", `${name} is missing`);
  return { members, bytes };
}

async function readFiles(reader, lines, hash) {
  const members = [];
  for (const line of lines) {
    const member = await nextMember(reader);
    if (member.path !== line.path) throw new Fault("package_zip_malformed", `${member.path} is not the next file that FILES.jsonl lists`);
    if (member.size !== line.size) throw new Fault("package_file_altered", "its size differs", line.path);
    await content(reader, member, (piece) => hash.update(piece));
    if ((await hash.finish()) !== line.sha256) throw new Fault("package_file_altered", "its SHA-256 differs", line.path);
    members.push(member);
  }
  return members;
}

/** Passes plaintext on and keeps it under a temporary name. */
async function* written(batches, kept) {
  for await (const batch of batches) {
    kept.write(batch);
    yield batch;
  }
}

/** Passes blocks on, says how far it is, and ends when it is cancelled. */
async function* told(blocks, total) {
  let done = 0;
  let last = 0;
  for await (const block of blocks) {
    if (stop.signal.aborted) throw new Fault("cancelled", "cancelled");
    done += block.length;
    if (performance.now() - last > TOLD_EVERY || done === total) {
      last = performance.now();
      postMessage({ progress: done, total });
    }
    yield block;
  }
}

async function decryptIdentity(text, passphrase) {
  const decrypter = new Decrypter();
  decrypter.addPassphrase(passphrase);
  try {
    return await decrypter.decrypt(armor.decode(text), "text");
  } catch {
    throw new Fault("passphrase_wrong", "the passphrase does not open this identity file");
  }
}

function identityLines(text) {
  const lines = text.split(/\r?\n/).map((line) => line.trim()).filter((line) => line && !line.startsWith("#"));
  if (!lines.length || !lines.every((line) => /^AGE-SECRET-KEY-(PQ-)?1[0-9A-Z]+$/.test(line))) throw new Fault("identity_malformed", "no identity file");
  return lines;
}

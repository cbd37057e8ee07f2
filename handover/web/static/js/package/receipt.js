// The receipt (docs/package-format.md): the statement on its first line, then its SSHSIG by the key inside the package.
import { ed25519 } from "../../vendor/signatures.js";
import { encode } from "./canonical.js";
import { toText } from "./bytes.js";
import { Fault } from "./fault.js";
import { publicLine, seedFrom, sign } from "./sshsig.js";

const NAMESPACE = "handover-receipt@v1";

export function checkReceiptKey(pem, manifest) {
  const seed = seedFrom(pem);
  if (publicLine(ed25519.getPublicKey(seed)) !== manifest.receipt_key) throw new Fault("package_manifest_invalid", "the receipt key is not the one that the manifest names");
  return seed;
}

export function makeReceipt(seed, manifest, manifestDigest, defects) {
  const { count, size, records, persons } = manifest.files;
  const statement = encode({
    version: 1,
    package: manifest.package.number,
    manifest_sha256: manifestDigest,
    counts: { files: count, size, records, persons },
    verified_at: `${new Date().toISOString().slice(0, 19)}Z`,
    defects,
  });
  return `${toText(statement)}\n${sign(seed, NAMESPACE, statement)}`;
}

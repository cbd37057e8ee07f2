"""What stands in front of a package's content: manifest, signatures, list of files and the receipt key.

Its size follows from the files' paths and sizes alone, so content can be placed before its digests are known.
"""

from collections.abc import Sequence
from hashlib import sha256

import msgspec
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from cryptography.hazmat.primitives.asymmetric.mldsa import MLDSA65PrivateKey

from handover.archive import manifest as manifest_format
from handover.archive.manifest import (
    Exclusion,
    FilesHead,
    Manifest,
    PackageHead,
    RecipientHead,
    SignersHead,
    WorkflowHead,
)
from handover.archive.package import FILES, MANIFEST, MLDSA_SIGNATURE, README, RECEIPT_KEY, SSH_SIGNATURE
from handover.archive.texts import readme
from handover.archive.zipformat import Member, stored
from handover.crypto import mldsa, sshsig
from handover.crypto.age import parse_recipient


class Facts(msgspec.Struct, frozen=True, kw_only=True):
    """What the manifest says beyond the files; `persons` counts distinct persons over all of them."""

    package: PackageHead
    persons: int = 0
    exclusions: tuple[Exclusion, ...] = ()
    workflow: WorkflowHead = WorkflowHead()
    audit_checkpoint: str = ""


class SigningKeys(msgspec.Struct, frozen=True):
    """The builder's signing keys; the service has both, a standalone package may have one or none."""

    ed25519: Ed25519PrivateKey | None = None
    mldsa65: MLDSA65PrivateKey | None = None


class SealResult(msgspec.Struct, frozen=True, kw_only=True):
    """What is recorded about a finished package; digests are hex, that of the ciphertext is empty where none was made."""

    manifest: bytes
    manifest_sha256: str
    files_root: str
    files_count: int
    files_size: int
    records: int
    persons: int
    header_sha256: str
    stanza_kinds: tuple[str, ...]
    receipt_key: str
    ciphertext_sha256: str
    size: int


class Head:
    """The head of one package, with a receipt key of its own."""

    def __init__(self, recipients: Sequence[str], facts: Facts, keys: SigningKeys | None) -> None:
        self.kinds = tuple(parse_recipient(recipient).kind for recipient in recipients)
        self._fingerprints = ",".join(manifest_format.recipient_fingerprint(recipient) for recipient in recipients)
        self._facts, self._keys = facts, keys or SigningKeys()
        receipt = sshsig.generate()
        self._receipt_private = sshsig.private_to_openssh(receipt)
        self._receipt_public = sshsig.public_line(receipt.public_key().public_bytes_raw())

    def manifest(self, files: FilesHead) -> Manifest:
        """The manifest over these files."""
        ed25519, mldsa65 = self._keys.ed25519, self._keys.mldsa65
        return Manifest(
            package=self._facts.package,
            files=files,
            recipient=RecipientHead(self.kinds[0] if self.kinds else "", self._fingerprints),
            exclusions=list(self._facts.exclusions),
            workflow=self._facts.workflow,
            audit_checkpoint=self._facts.audit_checkpoint,
            receipt_key=self._receipt_public,
            signers=SignersHead(
                sshsig.fingerprint(ed25519.public_key().public_bytes_raw()) if ed25519 else "",
                mldsa.fingerprint(mldsa65.public_key()) if mldsa65 else "",
            ),
        )

    def files(self, manifest: bytes, listing: Member) -> list[tuple[Member, bytes | None]]:
        """The entries in front, the manifest signed; the bytes of `FILES.jsonl`, whose record `listing` is, are left to the caller."""
        head: list[tuple[str, bytes | None]] = [(README, readme()), (MANIFEST, manifest)]
        if self._keys.ed25519:
            head.append((SSH_SIGNATURE, sshsig.sign(self._keys.ed25519, manifest_format.NAMESPACE, manifest)))
        if self._keys.mldsa65:
            head.append((MLDSA_SIGNATURE, mldsa.sign(self._keys.mldsa65, manifest_format.NAMESPACE, manifest)))
        head += [(FILES, None), (RECEIPT_KEY, self._receipt_private)]
        return [(listing if data is None else stored(name, data), data) for name, data in head]

    def blank(self, count: int, size: int, files_jsonl_size: int) -> list[Member]:
        """The entries in front by name and size, for so many files of so many bytes; nothing is signed for it."""
        files = FilesHead(count=count, size=size, records=0, persons=0, root="0" * 64, sha256="0" * 64)
        sizes = {README: len(readme()), MANIFEST: len(self.manifest(files).encode())}
        if self._keys.ed25519:
            sizes[SSH_SIGNATURE] = len(sshsig.sign(sshsig.generate(), manifest_format.NAMESPACE, b""))
        if self._keys.mldsa65:
            sizes[MLDSA_SIGNATURE] = mldsa.SIGNATURE_SIZE
        sizes |= {FILES: files_jsonl_size, RECEIPT_KEY: len(self._receipt_private)}
        return [Member(name, 0, size, size) for name, size in sizes.items()]

    def result(self, manifest: Manifest, *, header_sha256: str, size: int, ciphertext_sha256: str = "") -> SealResult:
        """What is recorded about the package with this manifest."""
        encoded, files = manifest.encode(), manifest.files
        return SealResult(
            manifest=encoded,
            manifest_sha256=sha256(encoded).hexdigest(),
            files_root=files.root,
            files_count=files.count,
            files_size=files.size,
            records=files.records,
            persons=files.persons,
            header_sha256=header_sha256,
            stanza_kinds=self.kinds,
            receipt_key=self._receipt_public,
            ciphertext_sha256=ciphertext_sha256,
            size=size,
        )

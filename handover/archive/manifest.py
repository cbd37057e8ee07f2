"""MANIFEST.json and FILES.jsonl of package format version 1: exact keys, canonical bytes, strict decoding.

Integers and strings only. What was not determined is 0 or the empty string: in packages of the purpose `standalone`
nothing was classified, counted or checked against a workflow.
"""

import os
from collections.abc import Iterator, Sequence
from hashlib import sha256
from typing import Literal

import msgspec

from handover.archive.errors import ManifestError
from handover.crypto import canonical
from handover.crypto.errors import CanonicalError

#: Namespace of the SSHSIG and context of the ML-DSA signature over MANIFEST.json.
NAMESPACE = "handover-manifest@v1"
SALT_SIZE = 16
#: A manifest is some kilobytes, most of it the checkpoint; more is an attack on the reader.
MAX_MANIFEST = 1 << 20
#: About a million files.
MAX_FILES_JSONL = 1 << 29


class PackageHead(msgspec.Struct, frozen=True, forbid_unknown_fields=True, kw_only=True):
    """Which package this is; `built_at` is UTC, RFC 3339 with Z."""

    number: str
    purpose: str
    case: str
    built_at: str
    software: str


class FilesHead(msgspec.Struct, frozen=True, forbid_unknown_fields=True, kw_only=True):
    """Totals over FILES.jsonl; `root` is the RFC 6962 root over its lines, `sha256` its hash."""

    count: int
    size: int
    records: int
    persons: int
    root: str
    sha256: str


class RecipientHead(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """For whom it was encrypted: stanza kind, and SHA-256 of each recipient string, joined with commas."""

    kind: str
    fingerprint: str


class Exclusion(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """How many records were left out, and why."""

    reason: str
    count: int


class WorkflowHead(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """The state machine that governed the case."""

    name: str = ""
    version: int = 0
    sha256: str = ""


class SignersHead(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """Fingerprints of the keys that sign the manifest; empty where there is no such signature."""

    ed25519: str = ""
    mldsa65: str = ""


class Manifest(msgspec.Struct, frozen=True, forbid_unknown_fields=True, kw_only=True):
    """The signed head of a package."""

    version: Literal[1] = 1
    package: PackageHead
    files: FilesHead
    recipient: RecipientHead
    exclusions: list[Exclusion]
    workflow: WorkflowHead
    audit_checkpoint: str
    receipt_key: str
    signers: SignersHead

    def encode(self) -> bytes:
        """The bytes of MANIFEST.json."""
        return canonical.encode(self)


class FileLine(msgspec.Struct, frozen=True, forbid_unknown_fields=True, kw_only=True):
    """One line of FILES.jsonl; the salt (hex) keeps the line's hash from being guessed back to a small file."""

    path: str
    size: int
    sha256: str
    media_type: str
    level: str
    records: int
    redaction: str
    salt: str


def salts() -> Iterator[str]:
    """A random salt for each of any number of lines."""
    while True:
        yield from new_salts(256)


def new_salts(count: int) -> list[str]:
    """So many random salts; the system is asked once."""
    block = os.urandom(count * SALT_SIZE).hex()
    return [block[i : i + 2 * SALT_SIZE] for i in range(0, len(block), 2 * SALT_SIZE)]


def encode_lines(lines: Sequence[FileLine]) -> bytes:
    """The bytes of FILES.jsonl, or of a part of it."""
    return canonical.encode_lines(lines)


def recipient_fingerprint(recipient: str) -> str:
    """Hex SHA-256 of a recipient string."""
    return sha256(recipient.encode()).hexdigest()


def decode_manifest(data: bytes) -> Manifest:
    """Strict inverse of `Manifest.encode`.

    Raises:
        ManifestError: malformed, of another version, or not canonical.
    """
    try:
        return canonical.decode_strict(data, Manifest)
    except CanonicalError as error:
        raise ManifestError(f"MANIFEST.json: {error.message}") from error

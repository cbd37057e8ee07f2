"""MANIFEST.json and FILES.jsonl of package format version 1: exact keys, canonical bytes, strict decoding.

Integers and strings only. What was not determined is 0 or the empty string: in packages of the purpose `standalone`
nothing was classified, counted or checked against a workflow.
"""

import os
from collections.abc import Iterable, Iterator
from hashlib import sha256
from typing import Literal

import msgspec

from handover.archive import names
from handover.archive.errors import ManifestError
from handover.crypto import canonical
from handover.crypto.errors import CanonicalError
from handover.crypto.merkle import Frontier, leaf_hash

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
        block = os.urandom(256 * SALT_SIZE).hex()  # the system is asked once for many
        yield from (block[i : i + 2 * SALT_SIZE] for i in range(0, len(block), 2 * SALT_SIZE))


def encode_line(line: FileLine) -> bytes:
    """One line with its newline."""
    return canonical.encode_struct(line) + b"\n"


def encode_lines(lines: Iterable[FileLine]) -> bytes:
    """The bytes of FILES.jsonl."""
    return b"".join(map(encode_line, lines))


def files_root(files_jsonl: bytes) -> str:
    """Hex root over the lines, each without its newline."""
    frontier = Frontier()
    frontier.extend(leaf_hash(line) for line in _raw_lines(files_jsonl))
    return frontier.root().hex()


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


def decode_lines(data: bytes) -> list[FileLine]:
    """Strict inverse of `encode_lines`; paths are clean and unique, sizes and digests well-formed.

    Raises:
        ManifestError: names the line.
        UnsafePathError: names the path.
    """
    lines: list[FileLine] = []
    paths = names.UniquePaths()
    for number, raw in enumerate(_raw_lines(data), start=1):
        line = _decode_line(raw, number)
        names.check_path(line.path)
        paths.add(line.path)
        lines.append(line)
    return lines


def check_totals(manifest: Manifest, files_jsonl: bytes, lines: list[FileLine]) -> None:
    """Refuses a manifest that does not belong to these lines.

    Raises:
        ManifestError: names what differs.
    """
    head = manifest.files
    facts = {
        "sha256": (head.sha256, sha256(files_jsonl).hexdigest()),
        "root": (head.root, files_root(files_jsonl)),
        "count": (head.count, len(lines)),
        "size": (head.size, sum(line.size for line in lines)),
        "records": (head.records, sum(line.records for line in lines)),
    }
    for name, (claimed, found) in facts.items():
        if claimed != found:
            raise ManifestError(f"FILES.jsonl is not the one that the manifest names: files.{name} differs")


def _raw_lines(data: bytes) -> Iterator[bytes]:
    if data and not data.endswith(b"\n"):
        raise ManifestError("FILES.jsonl does not end in a newline")
    start = 0
    while start < len(data):
        end = data.index(b"\n", start)
        yield data[start:end]
        start = end + 1


def _decode_line(raw: bytes, number: int) -> FileLine:
    try:
        line = canonical.decode_strict(raw, FileLine)
    except CanonicalError as error:
        raise ManifestError(f"FILES.jsonl line {number}: {error.message}") from error
    if line.size < 0 or line.records < 0 or not _is_hex(line.sha256, 32) or not _is_hex(line.salt, SALT_SIZE):
        raise ManifestError(f"FILES.jsonl line {number}: a size, digest or salt is malformed")
    return line


def _is_hex(text: str, size: int) -> bool:
    return len(text) == 2 * size and not set(text) - set("0123456789abcdef")

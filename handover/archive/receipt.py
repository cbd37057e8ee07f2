"""Receipts: the buyer's statement, made after full verification, signed with the one-time key inside the package.

A receipt is a text file: the canonical JSON statement on its first line, then its SSHSIG (namespace
`handover-receipt@v1`) over that line without the newline. It proves access to the inside of this very package, not who had it.
"""

from collections.abc import Sequence
from datetime import UTC, datetime
from pathlib import Path
from typing import Literal

import msgspec

from handover.archive.errors import ReceiptError
from handover.archive.open import verify_package
from handover.archive.package import RECEIPT_KEY, Package, Progress
from handover.crypto import canonical, sshsig
from handover.crypto.age import Passphrase
from handover.crypto.errors import CryptoError, SignatureError
from handover.crypto.trust import Trust

NAMESPACE = "handover-receipt@v1"
#: A statement with some thousand defects; a larger upload is no receipt.
MAX_RECEIPT = 1 << 20


class Defect(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """Something the buyer found wrong with a verified file, in their words."""

    path: str
    defect: str


class Counts(msgspec.Struct, frozen=True, forbid_unknown_fields=True, kw_only=True):
    """What was received."""

    files: int
    size: int
    records: int
    persons: int


class Receipt(msgspec.Struct, frozen=True, forbid_unknown_fields=True, kw_only=True):
    """The signed statement; `verified_at` is UTC, RFC 3339 with Z, by the buyer's clock."""

    version: Literal[1] = 1
    package: str
    manifest_sha256: str
    counts: Counts
    verified_at: str
    defects: list[Defect]


def make_receipt(
    path: Path,
    identities: Sequence[str | Passphrase],
    *,
    trust: Trust | None = None,
    defects: Sequence[Defect] = (),
    at: datetime | None = None,
    progress: Progress | None = None,
) -> bytes:
    """Verifies the whole package and signs for it.

    Raises:
        ArchiveError, CryptoError: the package does not hold; there is then no receipt.
    """
    opened = verify_package(path, identities, trust=trust, progress=progress)
    with path.open("rb") as source:
        key = sshsig.private_from_openssh(Package(source, identities).head(RECEIPT_KEY))
    if sshsig.public_line(key.public_key().public_bytes_raw()) != opened.manifest.receipt_key:
        raise ReceiptError("the receipt key inside the package is not the one that its manifest names")
    files = opened.manifest.files
    statement = canonical.encode(
        Receipt(
            package=opened.manifest.package.number,
            manifest_sha256=opened.manifest_sha256,
            counts=Counts(files=files.count, size=files.size, records=files.records, persons=files.persons),
            verified_at=(at or datetime.now(UTC)).astimezone(UTC).strftime("%Y-%m-%dT%H:%M:%SZ"),
            defects=list(defects),
        )
    )
    return statement + b"\n" + sshsig.sign(key, NAMESPACE, statement)


def verify_receipt(data: bytes, *, receipt_key: str, manifest_sha256: str) -> Receipt:
    """The statement, after it was found to be signed by the key of this package about this manifest.

    Raises:
        ReceiptError: malformed, by another key, or about another package.
    """
    receipt, statement, signature = _split(data)
    try:
        sshsig.verify(signature, NAMESPACE, statement, [sshsig.parse_public_line(receipt_key)])
    except SignatureError as error:
        raise ReceiptError(f"the receipt is not signed with the key inside the package: {error.message}") from error
    if receipt.manifest_sha256 != manifest_sha256:
        raise ReceiptError("the receipt is about another manifest than the one that was released")
    return receipt


def read_receipt(data: bytes) -> Receipt:
    """What a receipt says, unverified."""
    return _split(data)[0]


def _split(data: bytes) -> tuple[Receipt, bytes, bytes]:
    if len(data) > MAX_RECEIPT:
        raise ReceiptError("the receipt is larger than a receipt can be")
    statement, _, signature = data.partition(b"\n")
    try:
        return canonical.decode_strict(statement, Receipt), statement, signature
    except CryptoError as error:
        raise ReceiptError(f"the file is no receipt: {error.message}") from error

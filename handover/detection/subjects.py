"""The keyed digest under which a customer is known: the same in the ledger and inside the parsing children.

HMAC-SHA-256 under the case's subject key, so that a short customer number cannot be guessed back from the database.
"""

import hmac
import unicodedata


def normalise(reference: str) -> str:
    """One reference written two ways (full width, spaces, case) is one subject."""
    return unicodedata.normalize("NFKC", reference).strip().casefold()


def subject_digest(key: bytes, reference: str) -> str:
    """Hex digest of a subject reference."""
    return hmac.digest(key, b"subject\0" + normalise(reference).encode(), "sha256").hex()

"""Subject references: which person a record is about, as a keyed digest that reveals nothing without the key."""

import hashlib
import hmac
import unicodedata

#: 128 bits: distinct persons never collide in practice, and a set of a million stays small.
DIGEST_BYTES = 16
_BLOCK = 64


def normal_subject(value: str) -> str:
    """One spelling per reference: compatibility forms, case and surrounding space do not count."""
    return unicodedata.normalize("NFKC", value).strip().casefold()


def subject_digest(key: bytes, value: str) -> bytes:
    """HMAC-SHA-256 of the normal form, cut to 16 bytes; compare a consent list's references by it."""
    message = b"subject\0" + normal_subject(value).encode("utf-8", "surrogatepass")
    return hmac.digest(key, message, "sha256")[:DIGEST_BYTES]


def padded_key(key: bytes) -> bytes:
    """The key as one block of the hash (RFC 2104)."""
    return (hashlib.sha256(key).digest() if len(key) > _BLOCK else key).ljust(_BLOCK, b"\0")


class SubjectDigester:
    """The same digest for many values: the key's two hash states are computed once and copied."""

    def __init__(self, key: bytes) -> None:
        block = padded_key(key)
        self._inner = hashlib.sha256(bytes(byte ^ 0x36 for byte in block) + b"subject\0")
        self._outer = hashlib.sha256(bytes(byte ^ 0x5C for byte in block))

    def __call__(self, value: str) -> bytes:
        inner = self._inner.copy()
        plain = value if value.isascii() else unicodedata.normalize("NFKC", value)
        inner.update(plain.strip().casefold().encode("utf-8", "surrogatepass"))
        outer = self._outer.copy()
        outer.update(inner.digest())
        return outer.digest()[:DIGEST_BYTES]

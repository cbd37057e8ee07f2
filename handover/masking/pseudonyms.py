"""Keyed tokens: HMAC-SHA-256(key, kind ‖ 0 ‖ normal form), 130 bits of it as base32.

The same person is the same token in every file made under one key, and another token under another key. Without the key a
token can't be tested against guesses; with it, it can, so the key is destroyed with the case.
"""

import hashlib

from handover.detection.subjects import padded_key
from handover.masking.normal_form import normal_form
from handover.masking.surrogates import surrogate

#: 26 characters of 5 bits: above the 128 bits at which chance collisions are out of the question.
TOKEN_CHARACTERS = 26
_TOKEN_BYTES = 17
#: Two characters for ten bits: four times faster than the standard library's base32 (a test compares them).
_PAIRS = tuple(a + b for a in "ABCDEFGHIJKLMNOPQRSTUVWXYZ234567" for b in "ABCDEFGHIJKLMNOPQRSTUVWXYZ234567")
_SHIFTS = tuple(range(17 * 8 - 10, 17 * 8 - 131, -10))
#: A cache of tokens: records of one person usually stand together, and names repeat.
_CACHE = 200_000


class Pseudonymiser:
    """Tokens under one key; the key's two hash states are computed once and copied (several times cheaper than `hmac`)."""

    def __init__(self, key: bytes) -> None:
        block = padded_key(key)
        self._inner = hashlib.sha256(bytes(byte ^ 0x36 for byte in block))
        self._outer = hashlib.sha256(bytes(byte ^ 0x5C for byte in block))
        self._cache: dict[tuple[str, str], str] = {}

    def token(self, kind: str, value: str) -> str:
        """`mobile-` and 26 characters."""
        known = self._cache.get((kind, value))
        if known is not None:
            return known
        token = f"{kind}-{_base32(self._digest(kind, value))}"
        if len(self._cache) < _CACHE:
            self._cache[kind, value] = token
        return token

    def surrogate(self, kind: str, value: str) -> str:
        """A value of the same form that can't be real (`surrogates`); a token where the kind has no such form."""
        return surrogate(kind, self._digest(kind, value)) or self.token(kind, value)

    def _digest(self, kind: str, value: str) -> bytes:
        return self._hmac(kind.encode() + b"\0" + normal_form(kind, value).encode("utf-8", "surrogatepass"))

    def _hmac(self, message: bytes) -> bytes:
        inner = self._inner.copy()
        inner.update(message)
        outer = self._outer.copy()
        outer.update(inner.digest())
        return outer.digest()


def _base32(digest: bytes) -> str:
    bits = int.from_bytes(digest[:_TOKEN_BYTES], "big")
    return "".join([_PAIRS[bits >> shift & 1023] for shift in _SHIFTS])

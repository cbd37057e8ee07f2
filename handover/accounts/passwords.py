"""Passwords: argon2id (RFC 9106), bounded concurrency, NFC; length matters, composition rules do not."""

import secrets
import threading
import unicodedata
from base64 import b64encode

from argon2 import PasswordHasher
from argon2.exceptions import InvalidHashError, VerificationError
from argon2.low_level import ARGON2_VERSION

from handover.errors import InvalidInputError

#: More than anyone types; bounds what one attempt can cost.
MAX_LENGTH = 256
#: Each hash takes 64 MiB and a core; more at once would only slow all of them down.
_SLOTS = threading.BoundedSemaphore(2)
_COMMON = frozenset(
    {
        "password1234", "123456789012", "qwertyuiop12", "passwordpassword", "administrator", "letmein12345",
        "iloveyou1234", "welcome12345", "111111111111", "000000000000", "abcdefghijkl", "aaaaaaaaaaaa",
        "woaini123456", "qwerty123456", "1234567890ab", "p@ssw0rd1234", "changeme1234", "handover1234",
    }
)  # fmt: skip


class Passwords:
    """Hashes and verifies; `hasher` is argon2-cffi's default profile unless a test makes it cheaper."""

    def __init__(self, hasher: PasswordHasher | None = None) -> None:
        self._hasher = hasher or PasswordHasher()
        self._dummy = _nobodys(self._hasher)

    def check_new(self, password: str, *, minimum: int) -> str:
        """The normal form of an acceptable password.

        Raises:
            InvalidInputError: too short, too long, a NUL, or one that everybody tries first.
        """
        text = unicodedata.normalize("NFC", password)
        if "\x00" in text:
            raise InvalidInputError("a password holds no NUL character", field="password")
        if not minimum <= len(text) <= MAX_LENGTH:
            raise InvalidInputError(f"a password has {minimum} to {MAX_LENGTH} characters", field="password")
        if text.casefold() in _COMMON or len(set(text)) < 4:
            raise InvalidInputError("this password is tried first by everybody; take another", field="password")
        return text

    def hash(self, password: str) -> str:
        with _SLOTS:
            return self._hasher.hash(password)

    def matches(self, stored: str | None, password: str) -> bool:
        """False also for an account without a password, after the same work."""
        text = unicodedata.normalize("NFC", password)
        with _SLOTS:
            try:
                self._hasher.verify(stored or self._dummy, text[:MAX_LENGTH])
            except (VerificationError, InvalidHashError):
                return False
        return stored is not None and len(text) <= MAX_LENGTH


def _nobodys(hasher: PasswordHasher) -> str:
    """What no password matches, at the cost of any other; made without a hash, which would delay every start."""
    costs = f"m={hasher.memory_cost},t={hasher.time_cost},p={hasher.parallelism}"
    salt, digest = (
        b64encode(secrets.token_bytes(length)).decode().rstrip("=") for length in (hasher.salt_len, hasher.hash_len)
    )
    return f"$argon2id$v={ARGON2_VERSION}${costs}${salt}${digest}"

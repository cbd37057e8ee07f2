"""Seals small values (key ring entries, encrypted columns) to the place where they belong.

ChaCha20-Poly1305 (RFC 8439) with a random nonce; the associated data is the canonical encoding of a tuple that
names the place, so a value moved elsewhere does not open. A key may seal about 2^32 values (random 96-bit nonces).
"""

import os

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import ChaCha20Poly1305

from handover.crypto import canonical
from handover.crypto.errors import SealedValueError

KEY_SIZE = 32
_VERSION = b"\x01"
_NONCE_SIZE = 12
_TAG_SIZE = 16


def new_key() -> bytes:
    """A random 32-byte key."""
    return os.urandom(KEY_SIZE)


def seal(key: bytes, value: bytes, place: tuple[str | int, ...]) -> bytes:
    """Version byte ‖ nonce ‖ ciphertext of `value`, bound to `place`."""
    nonce = os.urandom(_NONCE_SIZE)
    return _VERSION + nonce + ChaCha20Poly1305(key).encrypt(nonce, value, _associated(place))


def unseal(key: bytes, sealed: bytes, place: tuple[str | int, ...]) -> bytes:
    """The value that was sealed for exactly this place.

    Raises:
        SealedValueError: another key, another place, or altered bytes.
    """
    if sealed[:1] != _VERSION or len(sealed) < 1 + _NONCE_SIZE + _TAG_SIZE:
        raise SealedValueError("the sealed value is of an unknown form or cut short")
    try:
        return ChaCha20Poly1305(key).decrypt(sealed[1 : 1 + _NONCE_SIZE], sealed[1 + _NONCE_SIZE :], _associated(place))
    except InvalidTag as error:
        raise SealedValueError("the sealed value does not open with this key in this place") from error


def _associated(place: tuple[str | int, ...]) -> bytes:
    return canonical.encode([*place])

"""The post-quantum recipient type of age: MLKEM768-X25519 by HPKE (RFC 9180), `age1pq1…`."""

from hashlib import shake_256
from typing import NamedTuple

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.asymmetric.mlkem import MLKEM768PrivateKey, MLKEM768PublicKey
from cryptography.hazmat.primitives.asymmetric.x25519 import X25519PrivateKey, X25519PublicKey
from cryptography.hazmat.primitives.hpke import (
    AEAD,
    KDF,
    KEM,
    MLKEM768X25519PrivateKey,
    MLKEM768X25519PublicKey,
    Suite,
)

from handover.crypto.age.header import Stanza, b64decode, b64encode
from handover.crypto.errors import HeaderError, KeyFormatError

KIND = "mlkem768x25519"
_INFO = b"age-encryption.org/mlkem768x25519"
_SUITE = Suite(KEM.MLKEM768_X25519, KDF.HKDF_SHA256, AEAD.CHACHA20_POLY1305)
_ENC_SIZE = 1120
_BODY_SIZE = 32
_MLKEM_PUBLIC = 1184
_MLKEM_CIPHERTEXT = 1088
_MLKEM_SEED = 64
PUBLIC_SIZE = _MLKEM_PUBLIC + 32


class HybridRecipient(NamedTuple):
    """The public half: ML-KEM-768 key ‖ X25519 key, 1,216 bytes."""

    public: bytes
    kind: str = KIND

    def wrap(self, file_key: bytes) -> Stanza:
        """The stanza that only this recipient opens."""
        try:
            key = MLKEM768X25519PublicKey(
                MLKEM768PublicKey.from_public_bytes(self.public[:_MLKEM_PUBLIC]),
                X25519PublicKey.from_public_bytes(self.public[_MLKEM_PUBLIC:]),
            )
            sealed = _SUITE.encrypt(file_key, key, _INFO)
        except ValueError as error:
            raise KeyFormatError("the recipient is not a usable ML-KEM-768 and X25519 key") from error
        return Stanza(KIND, (b64encode(sealed[:_ENC_SIZE]),), sealed[_ENC_SIZE:])


class HybridIdentity(NamedTuple):
    """The private half: a 32-byte seed of both keys."""

    seed: bytes

    @property
    def recipient(self) -> HybridRecipient:
        """The public half."""
        mlkem, x25519 = self._keys()
        return HybridRecipient(mlkem.public_key().public_bytes_raw() + x25519.public_key().public_bytes_raw())

    def unwrap(self, stanzas: tuple[Stanza, ...]) -> bytes | None:
        """The file key, or None when no stanza is for this key."""
        mlkem, x25519 = self._keys()
        for stanza in stanzas:
            if stanza.type == KIND and (file_key := _open(mlkem, x25519, stanza)) is not None:
                return file_key
        return None

    def _keys(self) -> tuple[MLKEM768PrivateKey, X25519PrivateKey]:
        expanded = shake_256(self.seed).digest(_MLKEM_SEED + 32)
        return (
            MLKEM768PrivateKey.from_seed_bytes(expanded[:_MLKEM_SEED]),
            X25519PrivateKey.from_private_bytes(expanded[_MLKEM_SEED:]),
        )


def _open(mlkem: MLKEM768PrivateKey, x25519: X25519PrivateKey, stanza: Stanza) -> bytes | None:
    enc = b64decode(stanza.args[0]) if len(stanza.args) == 1 else b""
    if len(enc) != _ENC_SIZE or len(stanza.body) != _BODY_SIZE:
        raise HeaderError("an mlkem768x25519 recipient line is malformed")
    try:
        x25519.exchange(X25519PublicKey.from_public_bytes(enc[_MLKEM_CIPHERTEXT:]))
    except ValueError as error:  # HPKE reports this like a wrong key, the specification as a malformed header
        raise HeaderError("an mlkem768x25519 recipient line holds a point of low order") from error
    try:
        return _SUITE.decrypt(enc + stanza.body, MLKEM768X25519PrivateKey(mlkem, x25519), _INFO)
    except InvalidTag:
        return None

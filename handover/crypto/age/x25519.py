"""The X25519 recipient type of age: `age1…`."""

from typing import NamedTuple

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.asymmetric.x25519 import X25519PrivateKey, X25519PublicKey
from cryptography.hazmat.primitives.ciphers.aead import ChaCha20Poly1305

from handover.crypto.age.header import Stanza, b64decode, b64encode, hkdf
from handover.crypto.errors import HeaderError, KeyFormatError

KIND = "X25519"
_INFO = b"age-encryption.org/v1/X25519"
_ZERO_NONCE = bytes(12)  # safe: every wrap key is used for one encryption
_SHARE_SIZE = 32
_BODY_SIZE = 32


class X25519Recipient(NamedTuple):
    """The public half: 32 bytes."""

    public: bytes
    kind: str = KIND

    def wrap(self, file_key: bytes) -> Stanza:
        """The stanza that only this recipient opens."""
        ephemeral = X25519PrivateKey.generate()
        share = ephemeral.public_key().public_bytes_raw()
        try:
            shared = ephemeral.exchange(X25519PublicKey.from_public_bytes(self.public))
        except ValueError as error:
            raise KeyFormatError("the recipient is a point of low order: nobody holds a key for it") from error
        key = hkdf(shared, share + self.public, _INFO)
        return Stanza(KIND, (b64encode(share),), ChaCha20Poly1305(key).encrypt(_ZERO_NONCE, file_key, None))


class X25519Identity(NamedTuple):
    """The private half: 32 bytes."""

    secret: bytes

    @property
    def recipient(self) -> X25519Recipient:
        """The public half."""
        return X25519Recipient(X25519PrivateKey.from_private_bytes(self.secret).public_key().public_bytes_raw())

    def unwrap(self, stanzas: tuple[Stanza, ...]) -> bytes | None:
        """The file key, or None when no stanza is for this key."""
        private = X25519PrivateKey.from_private_bytes(self.secret)
        public = private.public_key().public_bytes_raw()
        for stanza in stanzas:
            if stanza.type == KIND and (file_key := _open(private, public, stanza)) is not None:
                return file_key
        return None


def _open(private: X25519PrivateKey, public: bytes, stanza: Stanza) -> bytes | None:
    share = b64decode(stanza.args[0]) if len(stanza.args) == 1 else b""
    if len(share) != _SHARE_SIZE or len(stanza.body) != _BODY_SIZE:
        raise HeaderError("an X25519 recipient line is malformed")
    try:
        shared = private.exchange(X25519PublicKey.from_public_bytes(share))
    except ValueError as error:  # all-zero shared secret
        raise HeaderError("an X25519 recipient line holds a point of low order") from error
    try:
        return ChaCha20Poly1305(hkdf(shared, share + public, _INFO)).decrypt(_ZERO_NONCE, stanza.body, None)
    except InvalidTag:
        return None

"""The scrypt recipient type of age, for personal key files only: packages are never made for a passphrase."""

import os
import re
from typing import NamedTuple

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import ChaCha20Poly1305
from cryptography.hazmat.primitives.kdf.scrypt import Scrypt

from handover.crypto.age.header import Stanza, b64decode, b64encode
from handover.crypto.errors import HeaderError

KIND = "scrypt"
_LABEL = b"age-encryption.org/v1/scrypt"
_ZERO_NONCE = bytes(12)  # safe: every wrap key is used for one encryption
_SALT_SIZE = 16
_BODY_SIZE = 32
#: About a second and 256 MiB on a laptop: the default of the age tool.
DEFAULT_WORK_FACTOR = 18
#: 2^22 takes 4 GiB; a file that asks for more is an attack on the reader, as the age tool holds too.
MAX_WORK_FACTOR = 22
_DECIMAL = re.compile(r"[1-9][0-9]*", re.ASCII)


class Passphrase(NamedTuple):
    """A passphrase; it serves as recipient and as identity, and never together with another recipient."""

    value: str
    work_factor: int = DEFAULT_WORK_FACTOR
    kind: str = KIND

    def wrap(self, file_key: bytes) -> Stanza:
        """The one stanza of a passphrase file."""
        salt = os.urandom(_SALT_SIZE)
        body = self._cipher(salt, self.work_factor).encrypt(_ZERO_NONCE, file_key, None)
        return Stanza(KIND, (b64encode(salt), str(self.work_factor)), body)

    def unwrap(self, stanzas: tuple[Stanza, ...]) -> bytes | None:
        """The file key, or None when this is no passphrase file or the passphrase is another."""
        found = [stanza for stanza in stanzas if stanza.type == KIND]
        if not found:
            return None
        if len(stanzas) != 1:
            raise HeaderError("a passphrase stands beside another recipient in the header")
        salt, factor = _arguments(found[0])
        try:
            return self._cipher(salt, factor).decrypt(_ZERO_NONCE, found[0].body, None)
        except InvalidTag:
            return None

    def _cipher(self, salt: bytes, factor: int) -> ChaCha20Poly1305:
        return ChaCha20Poly1305(Scrypt(_LABEL + salt, 32, 1 << factor, 8, 1).derive(self.value.encode()))


def _arguments(stanza: Stanza) -> tuple[bytes, int]:
    if len(stanza.args) != 2 or len(stanza.body) != _BODY_SIZE or not _DECIMAL.fullmatch(stanza.args[1]):
        raise HeaderError("the scrypt line of the header is malformed")
    salt = b64decode(stanza.args[0])
    if len(salt) != _SALT_SIZE or len(stanza.args[1]) > 2 or int(stanza.args[1]) > MAX_WORK_FACTOR:
        raise HeaderError(f"the scrypt line has a wrong salt or a work factor over {MAX_WORK_FACTOR}")
    return salt, int(stanza.args[1])

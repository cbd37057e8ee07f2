"""Signed notes (C2SP signed-note): text with signature lines by named keys, and the keys' `vkey` form.

Ed25519 lines are type 0x01 of the specification. ML-DSA-65 has no assigned type: its lines use 0xff followed by
`ML-DSA-65 handover-checkpoint@v1`, and sign the text with the context `handover-checkpoint@v1`. Verifying demands a
valid line of every key given, so that an attacker who breaks one algorithm gains nothing.
"""

import base64
import binascii
from collections.abc import Sequence
from hashlib import sha256
from typing import Protocol

import msgspec
from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey, Ed25519PublicKey
from cryptography.hazmat.primitives.asymmetric.mldsa import MLDSA65PrivateKey

from handover.crypto import mldsa
from handover.crypto.errors import KeyFormatError, NoteError, SignatureError

MLDSA_CONTEXT = "handover-checkpoint@v1"
_ED25519_TYPE = b"\x01"
_MLDSA_TYPE = b"\xffML-DSA-65 handover-checkpoint@v1"
#: 16 signatures must be accepted; an ML-DSA one has about 4.5 kB in base64.
MAX_NOTE_SIZE = 1 << 20
_DASH = "\u2014 "


class NoteKey(msgspec.Struct, frozen=True):
    """A key that verifies note lines: name, signature type bytes, raw public key."""

    name: str
    type: bytes
    public: bytes

    @property
    def key_id(self) -> bytes:
        """The four bytes that a signature line begins with."""
        return sha256(self.name.encode() + b"\n" + self.type + self.public).digest()[:4]

    @property
    def vkey(self) -> str:
        """`name+id+base64(type ‖ key)`."""
        return f"{self.name}+{self.key_id.hex()}+{base64.b64encode(self.type + self.public).decode()}"

    def verify(self, text: bytes, signature: bytes) -> None:
        """Raises `SignatureError` unless `signature` holds for `text`."""
        if self.type == _MLDSA_TYPE:
            mldsa.verify(mldsa.public_from_bytes(self.public), MLDSA_CONTEXT, text, signature)
            return
        try:
            Ed25519PublicKey.from_public_bytes(self.public).verify(signature, text)
        except (InvalidSignature, ValueError) as error:
            raise SignatureError(f"the note's signature by {self.name} does not hold") from error


class NoteSigner(Protocol):
    """What signs a note: see `Ed25519Signer` and `MldsaSigner`."""

    @property
    def key(self) -> NoteKey:
        """The verifying half."""

    def sign(self, text: bytes) -> bytes:
        """The raw signature."""


class Ed25519Signer:
    """Signs notes with Ed25519 under a key name."""

    def __init__(self, name: str, private: Ed25519PrivateKey) -> None:
        self.key = NoteKey(_checked_name(name), _ED25519_TYPE, private.public_key().public_bytes_raw())
        self._private = private

    def sign(self, text: bytes) -> bytes:
        """64 bytes."""
        return self._private.sign(text)


class MldsaSigner:
    """Signs notes with ML-DSA-65 under a key name."""

    def __init__(self, name: str, private: MLDSA65PrivateKey) -> None:
        self.key = NoteKey(_checked_name(name), _MLDSA_TYPE, private.public_key().public_bytes_raw())
        self._private = private

    def sign(self, text: bytes) -> bytes:
        """3,309 bytes."""
        return mldsa.sign(self._private, MLDSA_CONTEXT, text)


class Note(msgspec.Struct, frozen=True):
    """A parsed note: the signed text with its final newline, and (name, key id, signature) of each line."""

    text: str
    signatures: tuple[tuple[str, bytes, bytes], ...]


def parse_vkey(vkey: str) -> NoteKey:
    """A verifier key; inverse of `NoteKey.vkey`.

    Raises:
        KeyFormatError: malformed, of an unknown type, or its id is not that of its key.
    """
    name, _, rest = vkey.strip().partition("+")
    identifier, _, encoded = rest.partition("+")
    try:
        material = base64.b64decode(encoded, validate=True)
    except (ValueError, binascii.Error) as error:
        raise KeyFormatError("the verifier key is not NAME+ID+BASE64") from error
    for kind, size in ((_ED25519_TYPE, 32), (_MLDSA_TYPE, mldsa.PUBLIC_SIZE)):
        if material.startswith(kind) and len(material) == len(kind) + size:
            key = NoteKey(_checked_name(name), kind, material[len(kind) :])
            if key.vkey != vkey.strip() or key.key_id.hex() != identifier:
                raise KeyFormatError(f"the verifier key of {name} does not match its id")
            return key
    raise KeyFormatError(f"the verifier key of {name} is of a type that is not read here")


def parse_vkeys(text: str) -> list[NoteKey]:
    """The keys of a `log.vkey` file: one a line, `#` begins a comment line."""
    return [parse_vkey(line) for line in text.splitlines() if line.strip() and not line.startswith("#")]


def sign_note(text: str, signers: Sequence[NoteSigner]) -> bytes:
    """The note with one line per signer, in the order given."""
    _check_text(text)
    body = text.encode()
    lines = (
        f"{_DASH}{signer.key.name} {base64.b64encode(signer.key.key_id + signer.sign(body)).decode()}\n"
        for signer in signers
    )
    return body + b"\n" + "".join(lines).encode()


def parse_note(data: bytes) -> Note:
    """Splits a note; says nothing about whether it is signed by anyone in particular.

    Raises:
        NoteError: malformed.
    """
    if len(data) > MAX_NOTE_SIZE:
        raise NoteError("the note is larger than a note can be")
    try:
        whole = data.decode()
    except UnicodeDecodeError as error:
        raise NoteError("the note is not UTF-8") from error
    text, separator, tail = whole.rpartition("\n\n")
    if not separator or not tail.endswith("\n"):
        raise NoteError("the note has no signature lines after an empty line")
    text += "\n"
    _check_text(text)
    return Note(text, tuple(_parse_line(line) for line in tail[:-1].split("\n")))


def verify_note(data: bytes, keys: Sequence[NoteKey]) -> Note:
    """The parsed note, after a valid line of every one of `keys` was found; other lines are ignored.

    Raises:
        NoteError: malformed.
        SignatureError: a line by one of the keys is missing or does not hold.
    """
    if not keys:
        raise SignatureError("no key was given that the note should be signed by")
    note = parse_note(data)
    body = note.text.encode()
    for key in keys:
        lines = [raw for name, identifier, raw in note.signatures if (name, identifier) == (key.name, key.key_id)]
        if not lines:
            raise SignatureError(f"the note is not signed by the expected key {key.name}+{key.key_id.hex()}")
        for raw in lines:
            key.verify(body, raw)
    return note


def _parse_line(line: str) -> tuple[str, bytes, bytes]:
    name, _, encoded = line.removeprefix(_DASH).partition(" ")
    try:
        raw = base64.b64decode(encoded, validate=True)
    except (ValueError, binascii.Error) as error:
        raise NoteError("a signature line is not base64") from error
    canonical_line = f"{_DASH}{name} {base64.b64encode(raw).decode()}"
    if line != canonical_line or len(raw) < 5 or not _is_name(name):
        raise NoteError("a signature line is malformed")
    return name, raw[:4], raw[4:]


def _check_text(text: str) -> None:
    if not text.endswith("\n") or any(character < " " and character != "\n" for character in text):
        raise NoteError("a note's text ends in a newline and has no other control character")


def _is_name(name: str) -> bool:
    return bool(name) and "+" not in name and not any(character.isspace() for character in name)


def _checked_name(name: str) -> str:
    if not _is_name(name):
        raise KeyFormatError(f"key name {name!r} is empty or has a space or a plus sign")
    return name

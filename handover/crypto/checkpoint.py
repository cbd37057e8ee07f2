"""Checkpoints of a transparency log (C2SP tlog-checkpoint): origin, size and root hash as a signed note.

Extension lines are refused: nobody audits them. Consistency between two checkpoints is `merkle.verify_consistency`.
"""

import base64
import binascii
from collections.abc import Sequence

import msgspec

from handover.crypto.errors import NoteError
from handover.crypto.note import NoteKey, NoteSigner, parse_note, sign_note, verify_note


class Checkpoint(msgspec.Struct, frozen=True):
    """The head of a log: its name, number of leaves and RFC 6962 root (32 bytes)."""

    origin: str
    size: int
    root: bytes

    @property
    def text(self) -> str:
        """What is signed."""
        return f"{self.origin}\n{self.size}\n{base64.b64encode(self.root).decode()}\n"


def sign_checkpoint(checkpoint: Checkpoint, signers: Sequence[NoteSigner]) -> bytes:
    """The signed note."""
    if _parse(checkpoint.text) != checkpoint:
        raise NoteError("the checkpoint's origin, size or root is not of the form that a checkpoint has")
    return sign_note(checkpoint.text, signers)


def verify_checkpoint(data: bytes, keys: Sequence[NoteKey], origin: str | None = None) -> Checkpoint:
    """The checkpoint, after a valid signature of every key; `origin` demands one particular log.

    Raises:
        NoteError: malformed, or of another log.
        SignatureError: a signature is missing or does not hold.
    """
    checkpoint = _parse(verify_note(data, keys).text)
    if origin is not None and checkpoint.origin != origin:
        raise NoteError(f"the checkpoint is of the log {checkpoint.origin!r}, not of {origin!r}")
    return checkpoint


def read_checkpoint(data: bytes) -> Checkpoint:
    """What a checkpoint says, unverified: for showing it, or for comparing it with a verified one."""
    return _parse(parse_note(data).text)


def _parse(text: str) -> Checkpoint:
    lines = text.split("\n")
    if len(lines) != 4 or not lines[0]:
        raise NoteError("a checkpoint has three lines: origin, size, root hash")
    origin, size, encoded, _ = lines
    try:
        root = base64.b64decode(encoded, validate=True)
    except (ValueError, binascii.Error) as error:
        raise NoteError("the checkpoint's root hash is not base64") from error
    if not (size.isascii() and size.isdecimal()) or len(size) > 19 or len(root) != 32:
        raise NoteError("the checkpoint's size or root hash is malformed")
    checkpoint = Checkpoint(origin, int(size), root)
    if checkpoint.text != text:
        raise NoteError("the checkpoint is not in its one encoding")
    return checkpoint

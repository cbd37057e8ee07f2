"""Whole files and byte strings to and from age; a target file appears under its name only when it is whole."""

import contextlib
import io
import os
import stat
from collections.abc import Iterator, Sequence
from io import FileIO
from pathlib import Path
from typing import BinaryIO

from handover.crypto.age import armor, parallel
from handover.crypto.age.header import Header, parse
from handover.crypto.age.offsets import BINARY
from handover.crypto.age.passphrase import Passphrase
from handover.crypto.age.reader import Reader
from handover.crypto.age.source import BufferedSource
from handover.crypto.age.stream import NONCE, ByteSource
from handover.crypto.age.writer import Writer, start

_BLOCK = 1 << 20
_PRIVATE = 0o600
_SHARED = 0o666  # less the umask: ciphertext is for passing on


def encrypt_file(source: Path, target: Path, recipients: Sequence[str | Passphrase]) -> None:
    """Encrypts `source` to `target`.

    Raises:
        KeyFormatError: a recipient is malformed, or kinds are mixed.
        SourceChangedError: `source` became shorter while it was read.
    """
    with source.open("rb", buffering=0) as plain, whole_file(target, _SHARED) as sink:
        size = _regular_size(plain)
        if size is not None:
            begun = start(recipients)
            parallel.seal_file(plain.fileno(), size, sink.fileno(), begun.prefix, begun.cipher)
            return
        with Writer(sink, recipients) as writer:
            block = memoryview(bytearray(_BLOCK))
            while read := plain.readinto(block):
                writer.write(block[:read])


def decrypt_file(source: Path, target: Path, identities: Sequence[str | Passphrase]) -> None:
    """Decrypts `source` to `target`; on any error `target` is untouched.

    Raises:
        NoMatchError, HeaderError, PayloadError, ArmorError: what is wrong with the file.
    """
    with source.open("rb", buffering=0) as sealed, whole_file(target, _PRIVATE) as sink:
        reader = Reader(sealed, identities)
        size = _regular_size(sealed)
        if size is not None and not reader.armored:
            offset = len(reader.header.raw) + NONCE
            if parallel.open_file(sealed.fileno(), offset, size - offset, sink.fileno(), reader.cipher):
                return
            # Reading in order says what is wrong, and where.
            os.ftruncate(sink.fileno(), 0)
            sealed.seek(0)
            reader = Reader(sealed, identities)
        for block in reader.batches():
            sink.write(block)


def encrypt_bytes(data: bytes, recipients: Sequence[str | Passphrase], *, armored: bool = False) -> bytes:
    """An age file of `data` in memory."""
    sink = io.BytesIO()
    with Writer(sink, recipients) as writer:
        writer.write(data)
    return armor.encode(sink.getvalue()) if armored else sink.getvalue()


def decrypt_bytes(data: bytes, identities: Sequence[str | Passphrase]) -> bytes:
    """The plaintext of an age file in memory, armored or not."""
    return Reader(io.BytesIO(data), identities).readall()


def parse_header(source: ByteSource) -> Header:
    """The header at the beginning of a binary or armored file, for looking at its stanzas; nothing is verified."""
    buffered = BufferedSource(source)
    if buffered.looks_armored():
        buffered = BufferedSource(armor.ArmorReader(buffered))
    return parse(buffered)


def _regular_size(file: FileIO) -> int | None:
    """The size of a file that can be read by offset; None for what is a stream, as files of /proc are that claim no size."""
    status = os.fstat(file.fileno())
    return status.st_size or None if stat.S_ISREG(status.st_mode) else None


@contextlib.contextmanager
def whole_file(target: Path, mode: int) -> Iterator[BinaryIO]:
    """A file that takes the name `target` only when the block ends without an error and its bytes are on disk.

    It is open for reading too, so that what was written can be verified before it gets its name.
    """
    temporary = target.with_name(f".{target.name}.{os.urandom(8).hex()}.part")
    try:
        # In the block: an interrupt may come as soon as the file is there.
        descriptor = os.open(temporary, os.O_RDWR | os.O_CREAT | os.O_EXCL | BINARY, mode)
        with os.fdopen(descriptor, "w+b") as sink:
            yield sink
            sink.flush()
            os.fsync(sink.fileno())
        temporary.replace(target)
        sync_folder(target.parent)
    finally:
        temporary.unlink(missing_ok=True)


def sync_folder(folder: Path) -> None:
    """Makes renames in `folder` durable, where folders can be opened for that (not on Windows)."""
    if not hasattr(os, "O_DIRECTORY"):
        return
    descriptor = os.open(folder, os.O_RDONLY | os.O_DIRECTORY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)

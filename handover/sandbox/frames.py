"""Length-prefixed frames: how parameters, keys, data and reports cross a child's stdin and stdout.

A frame is one kind byte, four bytes of big-endian length, and the payload. Keys travel here and nowhere else: argv
and environment are readable by others. The end of a stream is a frame of its own, so a pipe that breaks off is never
mistaken for a whole file.
"""

import os
import struct
from collections.abc import Iterable, Iterator
from enum import IntEnum
from typing import BinaryIO

from handover.sandbox.errors import SandboxCrashError

_HEADER = struct.Struct(">BI")
#: A larger frame is an error of ours, not data: senders cut their pieces well below.
MAX_FRAME = 64 * 1024 * 1024
_PIECE = 1 << 20


class FrameKind(IntEnum):
    """What a frame holds."""

    PARAMETERS = 1
    DATA = 2
    END = 3
    REPORT = 4
    #: The child refuses the input, with the reason as JSON.
    REFUSED = 5
    #: Rows of an extra stream beside the data (spans, subject digests).
    SIDE = 6
    #: Instead of a stream of data: the number of the descriptor that the child has it under.
    FILE = 7
    #: A file that the child was to write could not be written; `errno` as text.
    UNWRITTEN = 8


def pack(kind: FrameKind, payload: bytes = b"") -> bytes:
    """One frame."""
    return _HEADER.pack(kind, len(payload)) + payload


def pack_stream(chunks: Iterable[bytes]) -> Iterator[bytes]:
    """A stream as data frames and an end frame."""
    for chunk in chunks:
        for start in range(0, len(chunk), _PIECE):
            yield pack(FrameKind.DATA, chunk[start : start + _PIECE])
    yield pack(FrameKind.END)


def read_frame(stream: BinaryIO) -> tuple[FrameKind, bytes]:
    """The next frame of a blocking stream.

    Raises:
        SandboxCrashError: the stream broke off or is no frame.
    """
    kind, length = _HEADER.unpack(_exactly(stream, _HEADER.size))
    if length > MAX_FRAME:
        raise SandboxCrashError("a message between processes is malformed")
    return FrameKind(kind), _exactly(stream, length)


def read_stream(stream: BinaryIO) -> Iterator[bytes]:
    """The payloads of data frames up to the end frame, or what a file holds."""
    while True:
        kind, payload = read_frame(stream)
        if kind is FrameKind.END:
            return
        if kind is FrameKind.FILE:
            yield from _pieces_of(int(payload))
            return
        yield payload


def _pieces_of(descriptor: int) -> Iterator[bytes]:
    # By offset, since two streams may share the descriptor.
    at = 0
    while piece := os.pread(descriptor, _PIECE, at):
        yield piece
        at += len(piece)


def _exactly(stream: BinaryIO, size: int) -> bytes:
    data = stream.read(size)
    if len(data) != size:
        raise SandboxCrashError("a message between processes broke off")
    return data


class FrameParser:
    """Cuts the frames out of pieces as they arrive."""

    def __init__(self) -> None:
        self._buffer = bytearray()

    def feed(self, data: bytes) -> Iterator[tuple[FrameKind, bytes]]:
        """The frames that `data` completes."""
        self._buffer += data
        start = 0
        while len(self._buffer) - start >= _HEADER.size:
            kind, length = _HEADER.unpack_from(self._buffer, start)
            if length > MAX_FRAME:
                raise SandboxCrashError("a message between processes is malformed")
            end = start + _HEADER.size + length
            if len(self._buffer) < end:
                break
            yield FrameKind(kind), bytes(self._buffer[start + _HEADER.size : end])
            start = end
        del self._buffer[:start]

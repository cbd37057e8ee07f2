"""Reads files of a disk into memory that others seal from: each once, in order, with its CRC-32 and SHA-256.

It may run in a process of its own (`beside`), which knows the files and the memory, and no key of the package.
"""

import os
import struct
from array import array
from collections.abc import Iterator, Sequence
from hashlib import sha256
from itertools import islice
from typing import NamedTuple, Self

from isal.isal_zlib import crc32

from handover.archive.errors import SourceChangedError
from handover.archive.sources import Sources
from handover.archive.zipmany import HEADER_SIZE, small_header
from handover.crypto.age.offsets import BINARY, NOFOLLOW, read_all, read_into

#: What is read at once stays in the core's cache until it is hashed.
_BLOCK = 256 << 10
_FLAGS = os.O_RDONLY | NOFOLLOW | BINARY | getattr(os, "O_CLOEXEC", 0)
_REQUEST = struct.Struct("<QIIQ")
_DIGEST_SIZE = 32


class Found(NamedTuple):
    """CRC-32s and SHA-256s of files that were read, one behind the other."""

    checksums: Sequence[int]
    digests: bytes

    @classmethod
    def decode(cls, answer: bytes) -> Self:
        """From an answer of `Reading`."""
        count = len(answer) // (_DIGEST_SIZE + 4)
        return cls(array("I", answer[: 4 * count]), answer[4 * count :])

    def encode(self) -> bytes:
        """As an answer."""
        return array("I", self.checksums).tobytes() + self.digests


def whole_files(first: int, count: int, at: int) -> bytes:
    """Asks for so many files with their headers in front, one behind the other from `at` in the memory on."""
    return _REQUEST.pack(first, count, 0, at)


def next_part(number: int, size: int, at: int) -> bytes:
    """Asks for the next `size` bytes of one file; what is found of it comes with its last."""
    return _REQUEST.pack(number, 0, size, at)


class Reading:
    """Answers requests, for files of `sources` in their order; some may be left out."""

    def __init__(self, sources: Sources, memory: memoryview) -> None:
        self._memory = memory
        self._columns = zip(sources.files(), sources.names(), sources.sizes, strict=True)
        #: Files that were passed over.
        self._passed = 0
        self._one: _One | None = None

    def __call__(self, request: bytes) -> bytes:
        """What was found.

        Raises:
            SourceChangedError: a file can't be read, or its size is another than when it was listed.
        """
        first, count, size, at = _REQUEST.unpack(request)
        return self._read_whole(first, count, at).encode() if count else self._read_part(first, size, at)

    def close(self) -> None:
        """Closes what is open."""
        if self._one:
            self._one.close()

    def _next(self, first: int, count: int) -> Iterator[tuple[str, bytes, int]]:
        begin, self._passed = first - self._passed, first + count
        return islice(self._columns, begin, begin + count)

    def _read_whole(self, first: int, count: int, begin: int) -> Found:
        memory, checksums, digests = self._memory, [], []
        for path, name, size in self._next(first, count):
            content_at = begin + HEADER_SIZE + len(name)
            end = content_at + size
            content = memory[content_at:end]
            file = _open(path)
            try:
                if not read_all(file, content):
                    raise _changed(path)
            finally:
                os.close(file)
            checksum = crc32(content)
            memory[begin:content_at] = small_header(name, checksum, size)
            checksums.append(checksum)
            digests.append(sha256(content).digest())
            begin = end
        return Found(checksums, b"".join(digests))

    def _read_part(self, number: int, size: int, at: int) -> bytes:
        if self._one is None:
            ((path, _, whole),) = self._next(number, 1)
            self._one = _One(path, whole)
        one = self._one
        one.read(self._memory[at : at + size])
        if one.left:
            return b""
        self._one = None
        return one.end().encode()


class _One:
    """A file that is read part by part."""

    def __init__(self, path: str, size: int) -> None:
        self._path, self._file = path, _open(path)
        self._digest, self._checksum = sha256(), 0
        #: Bytes to come.
        self.left = size

    def read(self, room: memoryview) -> None:
        """Fills `room`."""
        done = 0
        while done < len(room):
            size = read_into(self._file, room[done : done + _BLOCK])
            if not size:
                raise _changed(self._path)
            block = room[done : done + size]
            self._digest.update(block)
            self._checksum = crc32(block, self._checksum)
            done += size
        self.left -= done

    def end(self) -> Found:
        """What was found, if this is all of the file."""
        try:
            if os.read(self._file, 1):
                raise _changed(self._path)
        finally:
            self.close()
        return Found([self._checksum], self._digest.digest())

    def close(self) -> None:
        """Closes the file."""
        os.close(self._file)


def _open(path: str) -> int:
    try:
        return os.open(path, _FLAGS)
    except OSError as error:
        raise SourceChangedError(f"{path}: can't be read: {error.strerror}", path=path) from error


def _changed(path: str) -> SourceChangedError:
    return SourceChangedError(f"{path}: changed while it was packed; repeat when nobody writes to it", path=path)

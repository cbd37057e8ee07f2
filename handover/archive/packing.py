"""Puts files of a disk into a package that is written by offset: each is read once, straight into the writer's buffers.

Files are read in turns, small ones many at a time; what was filled is sealed beside the turns.
"""

import os
from bisect import bisect_left
from collections import deque
from collections.abc import Iterator, Sequence
from hashlib import sha256
from itertools import islice
from typing import NamedTuple

from isal.isal_zlib import crc32

from handover.archive.errors import SourceChangedError
from handover.archive.sources import Sources, lines
from handover.archive.zipformat import Member, local_header
from handover.archive.zipmany import HEADER_SIZE, small_header
from handover.crypto.age.offsets import BINARY, NOFOLLOW, read_into
from handover.crypto.age.placed import PlacedWriter

#: What is read at once stays in the core's cache until it is hashed.
_BLOCK = 256 << 10
#: Small files read in one turn, at most.
_RUN = 512
_FLAGS = os.O_RDONLY | NOFOLLOW | BINARY | getattr(os, "O_CLOEXEC", 0)


class Packed(NamedTuple):
    """Files that were packed, one behind the other: their CRC-32s, their lines in FILES.jsonl, and their bytes."""

    checksums: Sequence[int]
    lines: bytes
    size: int


class Packing:
    """Files on their way into `writer`, from its position on."""

    def __init__(self, writer: PlacedWriter, sources: Sources) -> None:
        self._writer, self._sources = writer, sources
        self._files, self._names = sources.files(), sources.names()
        self._runs: deque[_Run] = deque()
        #: Bytes of content that were read, or are being read.
        self.done = 0

    def steps(self) -> Iterator[None]:
        """What `PlacedWriter.run` asks for.

        Raises:
            SourceChangedError: a file can't be read, or its size is another than when it was found.
        """
        ends, first, count = self._sources.ends, 0, len(self._sources)
        while first < count:
            room_end = ends[first] + len(self._writer.room())
            last = bisect_left(ends, room_end, first + 1, min(first + _RUN, count) + 1) - 1
            if last > first:
                run = self._next(first, last)
                self.done += sum(run.sizes)
                # In the turn: of two threads that open and read small files, each waits for the interpreter most of the time.
                run.read(self._writer.room())
                self._writer.advance(ends[last] - ends[first])
                yield
            else:
                last = first + 1
                yield from self._in_blocks(self._next(first, last), ends[last] - ends[first])
            first = last

    def packed(self) -> Iterator[Packed]:
        """What was packed since the last call, in the order of the files."""
        while self._runs and (packed := self._runs[0].packed):
            self._runs.popleft()
            yield packed

    def _next(self, first: int, last: int) -> "_Run":
        count = last - first
        run = _Run(
            list(islice(self._files, count)), list(islice(self._names, count)), self._sources.sizes[first:last].tolist()
        )
        self._runs.append(run)
        return run

    def _in_blocks(self, run: "_Run", whole: int) -> Iterator[None]:
        """One file of any size; its header goes where it was left out when the checksum is known."""
        (path,), (name,), (left,) = run.files, run.names, run.sizes
        writer, begin = self._writer, self._writer.position
        writer.position += whole - left
        digest, checksum = sha256(), 0
        file = _open(path)
        try:
            while left:
                room = writer.room()[: min(left, _BLOCK)]
                size = read_into(file, room)
                if not size:
                    raise _changed(path)
                digest.update(room[:size])
                checksum = crc32(room[:size], checksum)
                writer.advance(size)
                left -= size
                self.done += size
                if writer.full:
                    yield
            if os.read(file, 1):
                raise _changed(path)
        finally:
            os.close(file)
        end, writer.position = writer.position, begin
        writer.write(local_header(Member(name.decode(), checksum, run.sizes[0], run.sizes[0])))
        writer.position = end
        run.finish([checksum], [digest.hexdigest()])


class _Run:
    """Files that stand one behind the other; `packed` when they do."""

    def __init__(self, files: list[str], member_names: list[bytes], sizes: list[int]) -> None:
        self.files, self.names, self.sizes = files, member_names, sizes
        self.packed: Packed | None = None

    def read(self, room: memoryview) -> None:
        """Reads headers and content to where they belong in one batch."""
        end = 0
        checksums, digests = [], []
        for path, name, size in zip(self.files, self.names, self.sizes, strict=True):
            begin = end
            content_at = begin + HEADER_SIZE + len(name)
            end = content_at + size
            file = _open(path)
            try:
                # A byte more is asked for, which there must not be; if there is, what it spoils is never finished.
                if read_into(file, room[content_at : end + 1]) != size:
                    raise _changed(path)
            finally:
                os.close(file)
            content = room[content_at:end]
            checksum = crc32(content)
            room[begin:content_at] = small_header(name, checksum, size)
            checksums.append(checksum)
            digests.append(sha256(content).hexdigest())
        self.finish(checksums, digests)

    def finish(self, checksums: list[int], digests: list[str]) -> None:
        """Says that all were read."""
        self.packed = Packed(checksums, lines(self.names, self.sizes, digests), sum(self.sizes))


def _open(path: str) -> int:
    try:
        return os.open(path, _FLAGS)
    except OSError as error:
        raise SourceChangedError(f"{path}: can't be read: {error.strerror}", path=path) from error


def _changed(path: str) -> SourceChangedError:
    return SourceChangedError(f"{path}: changed while it was packed; repeat when nobody writes to it", path=path)

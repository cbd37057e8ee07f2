"""Puts files of a disk into a package that is written by offset: each is read once, straight into the writer's buffers.

Threads fill batches with small files side by side; what a large file is hashed to depends on all before, so it is read in turns.
"""

import os
from collections import deque
from collections.abc import Callable, Iterable, Iterator
from hashlib import sha256
from typing import NamedTuple

from isal.isal_zlib import crc32

from handover.archive.errors import SourceChangedError
from handover.archive.sources import Source
from handover.archive.zipformat import header_size_of, local_header
from handover.crypto.age.offsets import BINARY, NOFOLLOW, read_into
from handover.crypto.age.placed import Claim, PlacedWriter

#: What is read at once stays in the core's cache until it is hashed.
_BLOCK = 256 << 10
#: Small files that one thread reads while others wait for their turn or read others.
_RUN = 512
_FLAGS = os.O_RDONLY | NOFOLLOW | BINARY | getattr(os, "O_CLOEXEC", 0)


class Packed(NamedTuple):
    """A file that was packed, its CRC-32 and SHA-256."""

    source: Source
    checksum: int
    digest: bytes


class Packing:
    """Files on their way into `writer`, from its position on."""

    def __init__(self, writer: PlacedWriter, sources: Iterable[Source]) -> None:
        self._writer, self._sources = writer, sources
        self._runs: deque[_Run] = deque()
        #: Bytes of content that were read, or are being read.
        self.done = 0

    def steps(self) -> Iterator[Callable[[], None] | None]:
        """What `PlacedWriter.run` asks for.

        Raises:
            SourceChangedError: a file can't be read, or its size is another than when it was found; also from what it gives.
        """
        writer = self._writer
        run, room, end = _Run(), writer.room(), 0
        for source in self._sources:
            whole = header_size_of(source.path, source.size) + source.size
            if end + whole < len(room) and len(run.sources) < _RUN:
                run.sources.append(source)
                end += whole
                continue
            if run.sources:
                yield self._claimed(run, end)
                run, room, end = _Run(), writer.room(), 0
            if whole < len(room):
                run.sources.append(source)
                end = whole
                continue
            yield from self._in_blocks(source)
            room = writer.room()
        if run.sources:
            yield self._claimed(run, end)

    def packed(self) -> Iterator[Packed]:
        """What was packed since the last call, in the order of the files."""
        while self._runs and self._runs[0].whole:
            yield from self._runs.popleft().packed

    def _claimed(self, run: "_Run", size: int) -> Callable[[], None]:
        self._runs.append(run)
        claim = self._writer.claim(size)
        self.done += sum(source.size for source in run.sources)
        return lambda: run.read(claim)

    def _in_blocks(self, source: Source) -> Iterator[None]:
        """A file of any size; its header goes where it was left out when the checksum is known."""
        writer, begin, left = self._writer, self._writer.position, source.size
        writer.position += header_size_of(source.path, source.size)
        digest, checksum = sha256(), 0
        file = _open(source)
        try:
            while left:
                room = writer.room()[: min(left, _BLOCK)]
                size = read_into(file, room)
                if not size:
                    raise _changed(source)
                digest.update(room[:size])
                checksum = crc32(room[:size], checksum)
                writer.advance(size)
                left -= size
                self.done += size
                if writer.full:
                    yield
            if os.read(file, 1):
                raise _changed(source)
        finally:
            os.close(file)
        end, writer.position = writer.position, begin
        writer.write(local_header(source.member(checksum)))
        writer.position = end
        run = _Run()
        run.packed.append(Packed(source, checksum, digest.digest()))
        run.whole = True
        self._runs.append(run)


class _Run:
    """Files that stand one behind the other, in one batch; `packed` when `whole`."""

    def __init__(self) -> None:
        self.sources: list[Source] = []
        self.packed: list[Packed] = []
        self.whole = False

    def read(self, claim: Claim) -> None:
        """Reads headers and content to where they belong."""
        room, begin = claim.room, 0
        for source in self.sources:
            content_at = begin + header_size_of(source.path, source.size)
            end = content_at + source.size
            file = _open(source)
            try:
                # A byte more is asked for, which there must not be; if there is, what it spoils is never finished.
                if read_into(file, room[content_at : end + 1]) != source.size:
                    raise _changed(source)
            finally:
                os.close(file)
            content = room[content_at:end]
            checksum = crc32(content)
            room[begin:content_at] = local_header(source.member(checksum))
            self.packed.append(Packed(source, checksum, sha256(content).digest()))
            begin = end
        claim.filled()
        self.whole = True


def _open(source: Source) -> int:
    try:
        return os.open(source.file, _FLAGS)
    except OSError as error:
        raise SourceChangedError(f"{source.file}: can't be read: {error.strerror}", path=source.file) from error


def _changed(source: Source) -> SourceChangedError:
    return SourceChangedError(
        f"{source.file}: changed while it was packed; repeat when nobody writes to it", path=source.file
    )

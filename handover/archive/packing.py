"""Puts files of a disk into a package that is written by offset: whoever reads them fills the writer's memory.

What is to be read is asked for ahead, small files many at a time; what is there is listed, and sealed beside that.
"""

from bisect import bisect_left
from collections import deque
from collections.abc import Iterator, Sequence
from itertools import islice
from typing import NamedTuple

from handover.archive.beside import Here
from handover.archive.reading import Found, next_part, whole_files
from handover.archive.sources import Sources, lines
from handover.archive.zipformat import Member, local_header
from handover.crypto.age.placed import PlacedWriter, Room

#: Small files asked for at once, at most.
_RUN = 512


class Packed(NamedTuple):
    """Files that were packed, one behind the other: their CRC-32s, their lines in FILES.jsonl, and their bytes."""

    checksums: Sequence[int]
    lines: bytes
    size: int


class _Asked(NamedTuple):
    """What was asked for: its place, and the files that are whole with it."""

    room: Room | None
    size: int
    files: range
    #: Where the header of a file belongs that is read in parts.
    header_at: int | None = None


class Packing:
    """Files that `worker` reads on their way into `writer`, from its position on."""

    def __init__(self, writer: PlacedWriter, sources: Sources, worker: Here) -> None:
        self._writer, self._sources, self._worker = writer, sources, worker
        self._names = sources.names()
        #: Bytes of content that were read.
        self.done = 0

    def steps(self) -> Iterator[Packed | None]:
        """What is packed, in the order of the files, and None whenever there is something to seal.

        Raises:
            SourceChangedError: a file can't be read, or its size is another than when it was found.
        """
        requests, asked = self._requests(), deque[_Asked]()
        while True:
            asked.extend(islice(requests, self._worker.depth - len(asked)))
            if not asked:
                return
            yield self._take(asked.popleft())

    def _take(self, asked: _Asked) -> Packed | None:
        """Waits for an answer."""
        answer, writer = self._worker.answer(), self._writer
        if asked.room:
            writer.filled(asked.room)
        self.done += asked.size
        if not asked.files:
            return None
        found = Found.decode(answer)
        sizes = self._sources.sizes[asked.files.start : asked.files.stop].tolist()
        member_names = list(islice(self._names, len(sizes)))
        if asked.header_at is not None:
            end, writer.position = writer.position, asked.header_at
            member = Member(member_names[0].decode(), found.checksums[0], sizes[0], sizes[0])
            writer.write(local_header(member))
            writer.position = end
        return Packed(found.checksums, lines(member_names, sizes, found.digests), sum(sizes))

    def _requests(self) -> Iterator[_Asked]:
        """Asks for all."""
        ends, first, count, writer = self._sources.ends, 0, len(self._sources), self._writer
        while first < count:
            room_end = ends[first] + writer.left
            last = bisect_left(ends, room_end, first + 1, min(first + _RUN, count) + 1) - 1
            if last > first:
                room = writer.claim(ends[last] - ends[first])
                self._worker.ask(whole_files(first, last - first, room.at))
                yield _Asked(room, sum(self._sources.sizes[first:last]), range(first, last))
            else:
                last = first + 1
                yield from self._parts(first, ends[last] - ends[first])
            first = last

    def _parts(self, number: int, whole: int) -> Iterator[_Asked]:
        """One file of any size, whose header goes where it is left out when the checksum is known."""
        writer, left = self._writer, self._sources.sizes[number]
        header_at = writer.position
        writer.position += whole - left
        while True:
            room = writer.claim(min(left, writer.left)) if left else None
            size = len(room.plain) if room else 0
            left -= size
            self._worker.ask(next_part(number, size, room.at if room else 0), here=False)
            if not left:
                yield _Asked(room, size, range(number, number + 1), header_at)
                return
            yield _Asked(room, size, range(0))

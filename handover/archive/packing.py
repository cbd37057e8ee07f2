"""Puts files of a disk into a package that is written by offset: each is read once, straight into the writer's buffers."""

import os
from collections.abc import Callable, Iterable, Iterator
from hashlib import sha256

from isal.isal_zlib import crc32

from handover.archive.errors import SourceChangedError
from handover.archive.sources import Source
from handover.archive.zipformat import header_size_of, local_header
from handover.crypto.age.offsets import BINARY, NOFOLLOW, read_into
from handover.crypto.age.placed import PlacedWriter

#: What is read at once stays in the core's cache until it is hashed.
_BLOCK = 256 << 10
_FLAGS = os.O_RDONLY | NOFOLLOW | BINARY | getattr(os, "O_CLOEXEC", 0)

#: Takes a file that was packed, its CRC-32 and SHA-256.
Packed = Callable[[Source, int, bytes], None]


def pack(writer: PlacedWriter, sources: Iterable[Source], packed: Packed) -> Iterator[int]:
    """Writes headers and content from the writer's position on; gives the bytes of content done whenever batches are full.

    `packed` may write elsewhere, if it returns the writer to its position.

    Raises:
        SourceChangedError: a file can't be read, or its size is another than when it was found.
    """
    done = at = 0
    room = writer.room()
    for source in sources:
        file = _open(source)
        try:
            content_at = at + header_size_of(source.path, source.size)
            end = content_at + source.size
            if end < len(room):
                checksum, digest = _pack_at_once(source, file, room[at:], content_at - at)
                at = end
            else:
                writer.advance(at)
                content = _Content(source, file)
                for left in content.blocks(writer, content_at - at):
                    if writer.full:
                        yield done + source.size - left
                checksum, digest = content.checksum, content.digest.digest()
                room, at = writer.room(), 0
        finally:
            os.close(file)
        packed(source, checksum, digest)
        done += source.size
        if writer.full:
            yield done
    writer.advance(at)


def _open(source: Source) -> int:
    try:
        return os.open(source.file, _FLAGS)
    except OSError as error:
        raise SourceChangedError(f"{source.file}: can't be read: {error.strerror}", path=source.file) from error


def _pack_at_once(source: Source, file: int, room: memoryview, header_size: int) -> tuple[int, bytes]:
    """A file that fits the batch; a byte more is asked for, which there must not be."""
    end = header_size + source.size
    if read_into(file, room[header_size : end + 1]) != source.size:
        raise _changed(source)
    content = room[header_size:end]
    checksum = crc32(content)
    room[:header_size] = local_header(source.member(checksum))
    return checksum, sha256(content).digest()


class _Content:
    """A file of any size, block by block."""

    def __init__(self, source: Source, file: int) -> None:
        self._source, self._file = source, file
        self.digest, self.checksum = sha256(), 0

    def blocks(self, writer: PlacedWriter, header_size: int) -> Iterator[int]:
        """Writes it, and says how much is left; its header goes where it was left out when the checksum is known."""
        begin, left = writer.position, self._source.size
        writer.position += header_size
        while left:
            room = writer.room()[: min(left, _BLOCK)]
            size = read_into(self._file, room)
            if not size:
                raise _changed(self._source)
            self.digest.update(room[:size])
            self.checksum = crc32(room[:size], self.checksum)
            writer.advance(size)
            left -= size
            yield left
        if os.read(self._file, 1):
            raise _changed(self._source)
        end, writer.position = writer.position, begin
        writer.write(local_header(self._source.member(self.checksum)))
        writer.position = end


def _changed(source: Source) -> SourceChangedError:
    return SourceChangedError(
        f"{source.file}: changed while it was packed; repeat when nobody writes to it", path=source.file
    )

"""Puts files of a disk into a package that is written by offset: each is read once, straight into the writer's buffers."""

import os
from collections.abc import Callable
from hashlib import sha256

from isal.isal_zlib import crc32

from handover.archive.errors import SourceChangedError
from handover.archive.sources import Source
from handover.archive.zipformat import header_size_of, local_header
from handover.crypto.age.offsets import BINARY, NOFOLLOW, read_into
from handover.crypto.age.placed import PlacedWriter

#: What is read at once stays in the core's cache until it is hashed.
_BLOCK = 256 << 10


def pack(writer: PlacedWriter, source: Source, packed: Callable[[int], None]) -> tuple[int, str]:
    """Writes header and content at the writer's position; returns CRC-32 and hex SHA-256. Tells how far a large file is.

    Raises:
        SourceChangedError: it can't be read, or its size is another than when it was found.
    """
    try:
        file = os.open(source.file, os.O_RDONLY | NOFOLLOW | BINARY)
    except OSError as error:
        raise SourceChangedError(f"{source.file}: can't be read: {error.strerror}", path=source.file) from error
    try:
        header_size, room = header_size_of(source.path, source.size), writer.room()
        if header_size + source.size < len(room):
            return _pack_at_once(writer, source, file, header_size, room)
        return _pack_in_blocks(writer, source, file, header_size, packed)
    finally:
        os.close(file)


def _pack_at_once(
    writer: PlacedWriter, source: Source, file: int, header_size: int, room: memoryview
) -> tuple[int, str]:
    """A file that fits the batch; a byte more is asked for, which there must not be."""
    end = header_size + source.size
    if read_into(file, room[header_size : end + 1]) != source.size:
        raise _changed(source)
    content = room[header_size:end]
    checksum = crc32(content)
    room[:header_size] = local_header(source.member(checksum))
    writer.advance(end)
    return checksum, sha256(content).hexdigest()


def _pack_in_blocks(
    writer: PlacedWriter, source: Source, file: int, header_size: int, packed: Callable[[int], None]
) -> tuple[int, str]:
    """A file of any size; its header goes where it was left out when the checksum is known."""
    begin = writer.position
    writer.position += header_size
    digest, checksum, left = sha256(), 0, source.size
    while left:
        room = writer.room()[: min(left, _BLOCK)]
        size = read_into(file, room)
        if not size:
            raise _changed(source)
        digest.update(room[:size])
        checksum = crc32(room[:size], checksum)
        writer.advance(size)
        left -= size
        packed(source.size - left)
    if os.read(file, 1):
        raise _changed(source)
    end, writer.position = writer.position, begin
    writer.write(local_header(source.member(checksum)))
    writer.position = end
    return checksum, digest.hexdigest()


def _changed(source: Source) -> SourceChangedError:
    return SourceChangedError(
        f"{source.file}: changed while it was packed; repeat when nobody writes to it", path=source.file
    )

"""Reads the ZIP of a package strictly: every byte belongs to a record that the one encoder would have written.

Entries follow one another without gap or overlap, names are unique, every local header says what the directory says;
links, encrypted entries, data descriptors, comments and extra fields are refused by comparison with the encoder.
"""

from collections.abc import Iterator
from typing import Any, Protocol

from isal import isal_zlib

from handover.archive.errors import FileAlteredError, ZipFormatError
from handover.archive.zipformat import (
    DEFLATED,
    END_64_SIZE,
    END_SIZE,
    LOCATOR_SIZE,
    STORED,
    Member,
    central_header,
    end_records,
    local_header,
    parse_central,
    parse_end,
)

_BLOCK = 1 << 20
#: The library's types call this class an instance.
_INFLATE_ERROR: Any = isal_zlib.error
#: A million entries with long names; a larger directory is an attack on memory.
MAX_DIRECTORY = 1 << 29


class RandomAccess(Protocol):
    """What `SeekableReader` offers."""

    size: int

    def read_at(self, offset: int, size: int) -> bytes:
        """Exactly `size` bytes, fewer only at the end."""


class ZipReader:
    """The entries of an archive, in order, by path.

    Raises:
        ZipFormatError: when made, or from `read` where a local header differs.
    """

    def __init__(self, source: RandomAccess) -> None:
        self._source = source
        self.members: dict[str, Member] = {}
        self._offsets: dict[str, int] = {}
        directory, offset = self._directory()
        position = 0
        view = memoryview(directory)
        while view:
            member, length = _parse(view, position)
            if member.path in self.members:
                raise ZipFormatError(f"{member.path}: the archive holds this name twice")
            self.members[member.path] = member
            self._offsets[member.path] = position
            position += member.total_size
            view = view[length:]
        if position != offset or self._count != len(self.members):
            raise ZipFormatError("the entries of the archive do not fill it, or overlap")

    def read(self, path: str) -> Iterator[bytes]:
        """The content of an entry in blocks of at most 1 MiB, at most its declared size, its checksum checked.

        Raises:
            ZipFormatError: the local header differs.
            FileAlteredError: the content does not match.
        """
        member, offset = self.members[path], self._offsets[path]
        header = local_header(member)
        if self._source.read_at(offset, len(header)) != header:
            raise ZipFormatError(f"{path}: its header differs from the directory of the archive")
        blocks = self._blocks(offset + len(header), member.compressed_size)
        checksum = size = 0
        for block in blocks if member.method == STORED else _inflate(blocks, member):
            checksum = isal_zlib.crc32(block, checksum)
            size += len(block)
            yield block
        if size != member.size or checksum != member.crc32:
            raise FileAlteredError(path, "its content does not match its checksum")

    def read_whole(self, path: str, limit: int) -> bytes:
        """An entry in memory.

        Raises:
            ZipFormatError: missing, or declared larger than `limit`.
        """
        if path not in self.members:
            raise ZipFormatError(f"the package holds no {path}")
        if self.members[path].size > limit:
            raise ZipFormatError(f"{path} is larger than such a file can be")
        return b"".join(self.read(path))

    def _directory(self) -> tuple[bytes, int]:
        tail_size = min(self._source.size, END_SIZE + LOCATOR_SIZE + END_64_SIZE)
        tail = self._source.read_at(self._source.size - tail_size, tail_size)
        try:
            self._count, size, offset = parse_end(tail)
        except ValueError as error:
            raise ZipFormatError("the content is no ZIP archive, or something follows it") from error
        end = end_records(self._count, size, offset)
        if size > MAX_DIRECTORY or offset + size + len(end) != self._source.size or not tail.endswith(end):
            raise ZipFormatError("the end of the archive is not of the form that a package has")
        return self._source.read_at(offset, size), offset

    def _blocks(self, offset: int, size: int) -> Iterator[bytes]:
        end = offset + size
        while offset < end:
            block = self._source.read_at(offset, min(_BLOCK, end - offset))
            offset += len(block)
            yield block


def _parse(view: memoryview, position: int) -> tuple[Member, int]:
    try:
        member, offset, length = parse_central(view)
    except ValueError as error:  # UnicodeDecodeError is one
        raise ZipFormatError("the directory of the archive is malformed") from error
    if member.method not in (STORED, DEFLATED) or (member.method == STORED and member.size != member.compressed_size):
        raise ZipFormatError(f"{member.path}: not stored or deflated")
    if offset != position or central_header(member, offset) != view[:length]:
        raise ZipFormatError(f"{member.path}: its record in the archive is not of the form that a package has")
    return member, length


def _inflate(blocks: Iterator[bytes], member: Member) -> Iterator[bytes]:
    """At most `member.size` bytes, whatever the deflate stream claims."""
    inflater = isal_zlib.decompressobj(-isal_zlib.MAX_WBITS)
    left = member.size
    for block in blocks:
        if inflater.eof:
            raise FileAlteredError(member.path, "something follows its compressed content")
        for plain in _inflate_block(inflater, block, member, left):
            left -= len(plain)
            yield plain
    if not inflater.eof or inflater.unused_data:
        raise FileAlteredError(member.path, "its compressed content is cut short, or something follows it")


def _inflate_block(inflater: Any, data: bytes, member: Member, left: int) -> Iterator[bytes]:
    while not inflater.eof:
        limit = min(_BLOCK, left + 1)
        try:
            plain = inflater.decompress(data, limit)
        except _INFLATE_ERROR as error:
            raise FileAlteredError(member.path, "its compressed content is malformed") from error
        left -= len(plain)
        if left < 0:
            raise FileAlteredError(member.path, "it unpacks to more than the package lists")
        if plain:
            yield plain
        data = inflater.unconsumed_tail
        if not data and len(plain) < limit:  # a full output buffer may hide more, even without input left
            return

"""Reads the ZIP of a package strictly: every byte belongs to a record that the one encoder would have written.

Entries follow one another without gap or overlap, every local header says what the directory says;
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

#: What is unpacked and hashed next stays in the core's cache.
_BLOCK = 256 << 10
#: The library's types call this class an instance.
_INFLATE_ERROR: Any = isal_zlib.error
#: An entry up to this size is read together with its header.
_SMALL = 64 << 10
#: A directory record with the longest name and extra field.
_LONGEST_RECORD = 46 + 2 * 0xFFFF
#: A million entries with long names; a larger directory is an attack on memory.
MAX_DIRECTORY = 1 << 29


class RandomAccess(Protocol):
    """What `SeekableReader` offers."""

    size: int

    def read_at(self, offset: int, size: int) -> bytes:
        """Exactly `size` bytes, fewer only at the end."""


class ZipReader:
    """The entries of an archive, in order.

    Raises:
        ZipFormatError: when made, and from all that it does.
    """

    def __init__(self, source: RandomAccess) -> None:
        self._source = source
        tail_size = min(source.size, END_SIZE + LOCATOR_SIZE + END_64_SIZE)
        tail = source.read_at(source.size - tail_size, tail_size)
        try:
            self._count, self._size, self._offset = parse_end(tail)
        except ValueError as error:
            raise ZipFormatError("the content is no ZIP archive, or something follows it") from error
        end = end_records(self._count, self._size, self._offset)
        if self._size > MAX_DIRECTORY or self._offset + self._size + len(end) != source.size or not tail.endswith(end):
            raise ZipFormatError("the end of the archive is not of the form that a package has")

    def entries(self) -> Iterator[tuple[Member, int]]:
        """Each entry and where it stands. That they fill the archive is certain at the end; that names differ is the caller's to see."""
        position = count = 0
        rest = b""
        left = self._size
        for block in self._blocks(self._offset, self._size):
            left -= len(block)
            records, done = memoryview(rest + block), 0
            end = len(records) - (_LONGEST_RECORD if left else 0)
            while done < end:
                member, length = _parse(records[done:], position)
                yield member, position
                position += member.total_size
                done += length
                count += 1
            rest = bytes(records[done:])
        if position != self._offset or count != self._count:
            raise ZipFormatError("the entries of the archive do not fill it, or overlap")

    def read(self, member: Member, offset: int) -> Iterator[bytes]:
        """The content of an entry in blocks of at most 256 KiB, at most its declared size, its checksum checked.

        Raises:
            ZipFormatError: the local header differs.
            FileAlteredError: the content does not match.
        """
        checksum = size = 0
        raw = self.read_raw(member, offset)
        for block in raw if member.method == STORED else _inflate(raw, member):
            checksum = isal_zlib.crc32(block, checksum)
            size += len(block)
            yield block
        if size != member.size or checksum != member.crc32:
            raise FileAlteredError(member.path, "its content does not match its checksum")

    def read_raw(self, member: Member, offset: int) -> Iterator[bytes]:
        """What stands behind the header of an entry, compressed or not, unchecked."""
        header = local_header(member)
        # A small entry is read at once.
        first = self._source.read_at(offset, len(header) + min(member.compressed_size, _SMALL))
        if not first.startswith(header):
            raise ZipFormatError(f"{member.path}: its header differs from the directory of the archive")
        if len(first) > len(header):
            yield first[len(header) :]
        yield from self._blocks(offset + len(first), len(header) + member.compressed_size - len(first))

    def read_whole(self, member: Member, offset: int, limit: int) -> bytes:
        """An entry in memory.

        Raises:
            ZipFormatError: declared larger than `limit`.
        """
        if member.size > limit:
            raise ZipFormatError(f"{member.path} is larger than such a file can be")
        return b"".join(self.read(member, offset))

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

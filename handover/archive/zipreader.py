"""Reads the ZIP of a package strictly: every byte belongs to a record that the one encoder would have written.

Entries follow one another without gap or overlap, every local header says what the directory says;
links, encrypted entries, data descriptors, comments and extra fields are refused by comparison with the encoder.
"""

from collections.abc import Iterator, Sequence
from typing import Any, Protocol

from isal import isal_zlib
from isal.isal_zlib import crc32

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
from handover.archive.zipmany import (
    HEADER_SIZE,
    StoredEntries,
    find_stored,
    plain_records_size,
    small_header,
    stored_size,
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

    def entries(self) -> "Directory":
        """Each entry and where it stands."""
        return Directory(self._blocks(self._offset, self._size), self._count, self._offset)

    def read(self, member: Member, offset: int) -> Iterator[bytes]:
        """The content of an entry in blocks of at most 256 KiB, at most its declared size, its checksum checked.

        Raises:
            ZipFormatError: the local header differs.
            FileAlteredError: the content does not match.
        """
        checksum = size = 0
        raw = self.read_raw(member, offset)
        for block in raw if member.method == STORED else _inflate(raw, member):
            checksum = crc32(block, checksum)
            size += len(block)
            yield block
        if size != member.size or checksum != member.crc32:
            raise other_checksum(member.path)

    def content_at(self, member: Member, offset: int) -> int:
        """Where the content of an entry begins, whose header is as it must be."""
        header = local_header(member)
        if self._source.read_at(offset, len(header)) != header:
            raise _other_header(member.path)
        return offset + len(header)

    def read_stored(self, begin: int, paths: Sequence[bytes], sizes: Sequence[int]) -> bytes:
        """Headers and content of small stored entries from `begin` on, unchecked."""
        return self._source.read_at(begin, stored_size(paths, sizes))

    def read_raw(self, member: Member, offset: int) -> Iterator[bytes]:
        """What stands behind the header of an entry, compressed or not, unchecked."""
        header = local_header(member)
        # A small entry is read at once.
        first = self._source.read_at(offset, len(header) + min(member.compressed_size, _SMALL))
        if not first.startswith(header):
            raise _other_header(member.path)
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


def split_stored(
    data: bytes, paths: Sequence[bytes], checksums: Sequence[int], sizes: Sequence[int]
) -> Iterator[memoryview]:
    """The content of each entry in what `read_stored` gave.

    Raises:
        ZipFormatError: a local header differs.
        FileAlteredError: the content does not match its checksum.
    """
    view, end = memoryview(data), 0
    for path, checksum, size in zip(paths, checksums, sizes, strict=True):
        begin = end
        content_at = begin + HEADER_SIZE + len(path)
        end = content_at + size
        if data[begin:content_at] != small_header(path, checksum, size):
            raise _other_header(path.decode())
        content = view[content_at:end]
        if len(content) != size or crc32(content) != checksum:
            raise other_checksum(path.decode())
        yield content


def _other_header(path: str) -> ZipFormatError:
    return ZipFormatError(f"{path}: its header differs from the directory of the archive")


def other_checksum(path: str) -> FileAlteredError:
    """The error of an entry whose content does not match."""
    return FileAlteredError(path, "its content does not match its checksum")


class Directory:
    """Entries and where they stand. That they fill the archive is certain at the end; that names differ is the caller's to see."""

    def __init__(self, blocks: Iterator[bytes], count: int, end: int) -> None:
        self._blocks, self._left, self._end = blocks, count, end
        self._records, self._done = memoryview(b""), 0
        self._position = 0

    def __iter__(self) -> Iterator[tuple[Member, int]]:
        return self

    def __next__(self) -> tuple[Member, int]:
        if not self._there(_LONGEST_RECORD):
            if self._position != self._end or self._left:
                raise ZipFormatError("the entries of the archive do not fill it, or overlap")
            raise StopIteration
        position = self._position
        member, length = _parse(self._records[self._done :], position)
        self._position += member.total_size
        self._done += length
        self._left -= 1
        return member, position

    def stored(self, names: Sequence[bytes], sizes: Sequence[int]) -> StoredEntries | None:
        """The next entries if they are stored and have these names and sizes; otherwise None, and none is passed over."""
        size = plain_records_size(names)
        self._there(size)
        found = find_stored(bytes(self._records[self._done : self._done + size]), names, sizes, self._position)
        if found is None:
            return None
        entries, self._position = found
        self._done += size
        self._left -= len(names)
        return entries

    def _there(self, size: int) -> bool:
        """Sees that so many bytes of records are there, or all that are left; whether there are any."""
        while len(self._records) - self._done < size and (block := next(self._blocks, b"")):
            self._records, self._done = memoryview(bytes(self._records[self._done :]) + block), 0
        return self._done < len(self._records)


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

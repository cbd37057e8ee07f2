"""The records of a ZIP file (PKWARE APPNOTE 6.3), in the one form that packages use.

Stored or deflate, UTF-8 names, sizes up front (no data descriptors), ZIP64 fields only where a value needs them, one
fixed date. Offsets follow from sizes, so equal entries give equal bytes; the reader refuses everything else by comparison.
"""

import struct
from collections.abc import Iterable, Iterator
from typing import Literal

import msgspec
from isal.isal_zlib import crc32

STORED: Literal[0] = 0
DEFLATED: Literal[8] = 8
_UTF8_FLAG = 0x0800
_DOS_TIME = 0
_DOS_DATE = 0x21  # 1980-01-01: the archive is older than no clock, and says nothing about when it was built
_MADE_BY_UNIX = 3 << 8
_REGULAR_FILE = 0o100644 << 16
_LIMIT_32 = 0xFFFFFFFF
_LIMIT_16 = 0xFFFF
_VERSION, _VERSION_64 = 20, 45

_LOCAL = struct.Struct("<4sHHHHHIIIHH")
_CENTRAL = struct.Struct("<4sHHHHHHIIIHHHHHII")
#: Records are passed on in pieces of this size.
_BLOCK = 1 << 16
END_SIZE = 22
LOCATOR_SIZE = 20
END_64_SIZE = 56


class Member(msgspec.Struct, frozen=True):
    """One entry, all known before its first byte."""

    path: str
    crc32: int
    size: int
    compressed_size: int
    method: int = STORED

    @property
    def total_size(self) -> int:
        """Bytes of local header and data."""
        return header_size_of(self.path, max(self.size, self.compressed_size)) + self.compressed_size


def stored(path: str, data: bytes) -> Member:
    """The record of an entry that is kept as it is."""
    return Member(path, crc32(data), len(data), len(data))


def header_size_of(path: str, size: int) -> int:
    """Bytes of the header of an entry whose larger size is `size`."""
    return 30 + len(path.encode()) + (20 if size >= _LIMIT_32 else 0)


def local_header(member: Member) -> bytes:
    """The header in front of the data."""
    name = member.path.encode()
    big = member.size >= _LIMIT_32 or member.compressed_size >= _LIMIT_32
    extra = struct.pack("<HHQQ", 1, 16, member.size, member.compressed_size) if big else b""
    return (
        _LOCAL.pack(
            b"PK\x03\x04",
            _VERSION_64 if big else _VERSION,
            _UTF8_FLAG,
            member.method,
            _DOS_TIME,
            _DOS_DATE,
            member.crc32,
            _LIMIT_32 if big else member.compressed_size,
            _LIMIT_32 if big else member.size,
            len(name),
            len(extra),
        )
        + name
        + extra
    )


def central_header(member: Member, offset: int) -> bytes:
    """The directory's record; each of the three values moves to the ZIP64 field only where it must."""
    name = member.path.encode()
    size, compressed, short_offset, extra, large = member.size, member.compressed_size, offset, b"", False
    if max(size, compressed, offset) >= _LIMIT_32:
        values = (size, compressed, offset)
        size, compressed, short_offset = (min(value, _LIMIT_32) for value in values)
        over = [value for value in values if value >= _LIMIT_32]
        extra, large = struct.pack(f"<HH{len(over)}Q", 1, 8 * len(over), *over), True
    version = _VERSION_64 if large else _VERSION
    return (
        _CENTRAL.pack(
            b"PK\x01\x02",
            _MADE_BY_UNIX | version,
            version,
            _UTF8_FLAG,
            member.method,
            _DOS_TIME,
            _DOS_DATE,
            member.crc32,
            compressed,
            size,
            len(name),
            len(extra),
            0,
            0,
            0,
            _REGULAR_FILE,
            short_offset,
        )
        + name
        + extra
    )


def central_size(member: Member, offset: int) -> int:
    """Bytes of `central_header`."""
    size = 46 + len(member.path.encode())
    if max(member.size, member.compressed_size, offset) < _LIMIT_32:
        return size
    return size + 4 + 8 * sum(value >= _LIMIT_32 for value in (member.size, member.compressed_size, offset))


def directory(members: Iterable[Member]) -> Iterator[bytes]:
    """The records behind entries that follow one another from the beginning of the archive."""
    offset = size = count = 0
    block = bytearray()
    for member in members:
        block += central_header(member, offset)
        offset += member.total_size
        count += 1
        if len(block) >= _BLOCK:
            yield bytes(block)
            size += len(block)
            block.clear()
    yield bytes(block) + end_records(count, size + len(block), offset)


def end_records(count: int, directory_size: int, directory_offset: int) -> bytes:
    """What stands at the end of the archive."""
    end_64 = b""
    if count >= _LIMIT_16 or directory_size >= _LIMIT_32 or directory_offset >= _LIMIT_32:
        end_64 = struct.pack(
            "<4sQHHIIQQQQ",
            b"PK\x06\x06",
            END_64_SIZE - 12,
            _MADE_BY_UNIX | _VERSION_64,
            _VERSION_64,
            0,
            0,
            count,
            count,
            directory_size,
            directory_offset,
        ) + struct.pack("<4sIQI", b"PK\x06\x07", 0, directory_offset + directory_size, 1)
    return end_64 + struct.pack(
        "<4sHHHHIIH",
        b"PK\x05\x06",
        0,
        0,
        min(count, _LIMIT_16),
        min(count, _LIMIT_16),
        min(directory_size, _LIMIT_32),
        min(directory_offset, _LIMIT_32),
        0,
    )


def parse_central(data: memoryview) -> tuple[Member, int, int]:
    """Member, its offset, and the length of the first directory record in `data`.

    Lenient on purpose: the caller re-encodes what this returns and compares.

    Raises:
        ValueError: not a directory record.
    """
    try:
        fields = _CENTRAL.unpack_from(data)
        name_size, extra_size = fields[10], fields[11]
        length = 46 + name_size + extra_size
        if fields[0] != b"PK\x01\x02" or len(data) < length:
            raise ValueError("no directory record")
        large = (
            list(struct.unpack_from(f"<{max(0, extra_size - 4) // 8}Q", data, 46 + name_size + 4)) if extra_size else []
        )
    except struct.error as error:
        raise ValueError("no directory record") from error
    size, compressed, offset = (
        large.pop(0) if value == _LIMIT_32 and large else value for value in (fields[9], fields[8], fields[16])
    )
    path = bytes(data[46 : 46 + name_size]).decode()
    return Member(path, fields[7], size, compressed, fields[4]), offset, length


def parse_end(tail: bytes) -> tuple[int, int, int]:
    """Count, directory size and directory offset from the last bytes of an archive (up to 98).

    Raises:
        ValueError: no end record stands exactly at the end.
    """
    if len(tail) < END_SIZE or tail[-END_SIZE:][:4] != b"PK\x05\x06":
        raise ValueError("no end record")
    count, size, offset = struct.unpack("<HII", tail[-12:-2])
    rest = tail[:-END_SIZE]
    if (count == _LIMIT_16 or _LIMIT_32 in (size, offset)) and len(rest) >= END_64_SIZE + LOCATOR_SIZE:
        count, size, offset = struct.unpack_from("<QQQ", rest, len(rest) - LOCATOR_SIZE - END_64_SIZE + 32)
    return count, size, offset

"""Records of many stored entries at once, from columns of their values: byte for byte those that `zipformat` makes of each.

Where no value needs a ZIP64 field, records differ in few places only, and the rest is packed once.
"""

import struct
from array import array
from collections.abc import Iterable, Sequence
from itertools import accumulate
from operator import add
from typing import NamedTuple

from handover.archive.zipformat import Member, central_header, central_size, header_size_of

_LIMIT_32 = 0xFFFFFFFF
#: Bytes of a header and of a record in the directory, beside the name.
HEADER_SIZE, _RECORD_SIZE = 30, 46
#: Signature and version, UTF-8, stored, the one date; then checksum, sizes, length of the name, no extra field.
_LOCAL = struct.Struct("<14sIIIHxx")
_LOCAL_BEGIN = b"PK\x03\x04\x14\x00\x00\x08\x00\x00\x00\x00\x21\x00"
#: As above; then nothing further, a regular file of mode 0644, and where it stands.
_CENTRAL = struct.Struct("<16sIIIH12sI")
_CENTRAL_BEGIN = b"PK\x01\x02\x14\x03" + _LOCAL_BEGIN[4:]
_CHECKSUM, _CHECKSUM_AT = struct.Struct("<I"), 16
_CENTRAL_REST = bytes(10) + b"\xa4\x81"


def small_header(name: bytes, checksum: int, size: int) -> bytes:
    """`local_header` of a stored entry below 4 GiB."""
    return _LOCAL.pack(_LOCAL_BEGIN, checksum, size, size, len(name)) + name


def entry_ends(name_sizes: Sequence[int], sizes: Sequence[int]) -> "array[int]":
    """0, then where each entry ends, header and content, if they follow one another from 0 on."""
    whole = array("Q", map(add, map(HEADER_SIZE.__add__, name_sizes), sizes))
    if max(sizes, default=0) >= _LIMIT_32:
        for i, size in enumerate(sizes):
            whole[i] = header_size_of("", size) + name_sizes[i] + size
    return array("Q", accumulate(whole, initial=0))


def records_size(name_sizes: Sequence[int], sizes: Sequence[int], ends: Sequence[int], begin: int) -> int:
    """Bytes of the directory's records of entries that stand at `begin` and `ends` as above."""
    size = sum(name_sizes)
    if begin + ends[-1] < _LIMIT_32:
        return size + _RECORD_SIZE * len(sizes)
    blank = (Member("", 0, one, one) for one in sizes)
    return size + sum(central_size(member, begin + end) for member, end in zip(blank, ends, strict=False))


def stored_size(names: Sequence[bytes], sizes: Sequence[int]) -> int:
    """Bytes of headers and content of stored entries below 4 GiB."""
    return HEADER_SIZE * len(names) + sum(map(len, names)) + sum(sizes)


class StoredEntries(NamedTuple):
    """Stored entries that follow one another: where they stand, CRC-32s and sizes."""

    offsets: Sequence[int]
    checksums: Sequence[int]
    sizes: Sequence[int]


def find_stored(
    found: bytes, names: Sequence[bytes], sizes: Sequence[int], position: int
) -> tuple[StoredEntries, int] | None:
    """The entries at `position` if `found` says that they are stored and have these names and sizes.

    With it, where the last of them ends; None where `found` says anything else, or one would need a ZIP64 field.
    """
    ends = entry_ends(list(map(len, names)), sizes)
    end = position + ends[-1]
    if end >= _LIMIT_32 or len(found) != plain_records_size(names):
        return None
    offsets = list(map(position.__add__, ends))
    offsets.pop()
    places = accumulate((_RECORD_SIZE + len(name) for name in names), initial=_CHECKSUM_AT)
    unpack = _CHECKSUM.unpack_from
    checksums = [unpack(found, place)[0] for _, place in zip(names, places, strict=False)]
    if records(names, checksums, sizes, offsets, end) != found:
        return None
    return StoredEntries(offsets, checksums, sizes), end


def plain_records_size(names: Sequence[bytes]) -> int:
    """Bytes of directory records of these names that need no ZIP64 field."""
    return _RECORD_SIZE * len(names) + sum(map(len, names))


def records(
    member_names: Sequence[bytes], checksums: Sequence[int], sizes: Sequence[int], offsets: Iterable[int], end: int
) -> bytes:
    """`central_header` of each, one behind the other; the last of them ends at `end`."""
    columns = zip(member_names, checksums, sizes, offsets, strict=True)
    if end >= _LIMIT_32:
        return b"".join(
            central_header(Member(name.decode(), checksum, size, size), offset)
            for name, checksum, size, offset in columns
        )
    pack = _CENTRAL.pack
    return b"".join(
        [
            pack(_CENTRAL_BEGIN, checksum, size, size, len(name), _CENTRAL_REST, offset) + name
            for name, checksum, size, offset in columns
        ]
    )

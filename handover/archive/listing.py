"""FILES.jsonl, block by block: its totals as lines come, its strict reading, and what is kept of each file in few bytes.

A package may list a million files, so neither the lines nor objects made of them are held.
"""

import re
from array import array
from bisect import bisect_right
from collections.abc import Iterable, Iterator, Sequence
from hashlib import sha256
from itertools import accumulate, islice, pairwise, repeat
from typing import NamedTuple

from handover.archive import names
from handover.archive.errors import ManifestError
from handover.archive.manifest import SALT_SIZE, FileLine, FilesHead
from handover.archive.zipformat import DEFLATED, STORED, Member
from handover.archive.zipmany import StoredEntries
from handover.crypto import canonical
from handover.crypto.errors import CanonicalError
from handover.crypto.merkle import Frontier

_DIGEST_AND_SALT = re.compile(f"[0-9a-f]{{64}}[.][0-9a-f]{{{2 * SALT_SIZE}}}").fullmatch
_DIGEST_SIZE = 32
#: Most files of a run; empty ones take little room.
_RUN = 512
#: A path has at most 1,024 bytes, and little stands beside it.
_MAX_LINE = 64 << 10


class Totals:
    """What the manifest says of FILES.jsonl, made from whole lines in their order."""

    def __init__(self) -> None:
        self.count = self.size = self.records = 0
        self._sha256, self._tree = sha256(), Frontier()

    def add(self, lines: Sequence[FileLine], encoded: bytes) -> None:
        """Counts lines and the bytes that they stand for."""
        for line in lines:
            self.records += line.records
        self.add_encoded(encoded, len(lines), sum(line.size for line in lines))

    def add_encoded(self, encoded: bytes, count: int, size: int) -> None:
        """Counts so many lines that stand for no records and so many bytes of content."""
        self.count += count
        self.size += size
        self._sha256.update(encoded)
        self._tree.extend([sha256(b"\x00" + line).digest() for line in encoded.split(b"\n")[:-1]])

    def head(self, persons: int = 0) -> FilesHead:
        """Over all lines so far."""
        return FilesHead(
            count=self.count,
            size=self.size,
            records=self.records,
            persons=persons,
            root=self._tree.root().hex(),
            sha256=self._sha256.hexdigest(),
        )


def read_listing(blocks: Iterable[bytes], totals: Totals) -> Iterator[list[FileLine]]:
    """The lines in blocks of any size, strictly, some at a time; paths are clean and unique, sizes and digests well-formed.

    Raises:
        ManifestError: names the line.
        UnsafePathError: names the path.
    """
    paths, rest = names.UniquePaths(), b""
    for block in blocks:
        whole, newline, rest_of_block = bytes(block).rpartition(b"\n")
        if not newline:
            rest += rest_of_block
            if len(rest) > _MAX_LINE:
                raise ManifestError(f"FILES.jsonl line {totals.count + 1}: longer than a line can be")
            continue
        encoded, rest = rest + whole + newline, rest_of_block
        lines = _decode(encoded, totals.count)
        totals.add(lines, encoded)
        found = [line.path for line in lines]
        names.check_paths(found)
        paths.add_all(found)
        yield lines
    if rest:
        raise ManifestError("FILES.jsonl does not end in a newline")


def _decode(encoded: bytes, before: int) -> list[FileLine]:
    try:
        lines = canonical.decode_lines(encoded, FileLine)
    except CanonicalError:
        lines = [_decode_one(raw, before + i) for i, raw in enumerate(encoded.split(b"\n")[:-1], start=1)]
    for number, line in enumerate(lines, start=before + 1):
        if (
            not _DIGEST_AND_SALT(f"{line.sha256}.{line.salt}")
            or not 0 <= line.size <= canonical.MAX_INTEGER
            or not 0 <= line.records <= canonical.MAX_INTEGER
        ):
            raise ManifestError(f"FILES.jsonl line {number}: a size, digest or salt is malformed")
    return lines


def _decode_one(raw: bytes, number: int) -> FileLine:
    try:
        return canonical.decode_strict(raw, FileLine)
    except CanonicalError as error:
        raise ManifestError(f"FILES.jsonl line {number}: {error.message}") from error


class Listed(NamedTuple):
    """One file of a package: its record, where it stands in the archive, and the SHA-256 that its line says."""

    member: Member
    offset: int
    sha256: bytes


class Run(NamedTuple):
    """Stored files that stand one behind the other: where, their paths, CRC-32s, sizes and SHA-256s."""

    begin: int
    paths: Sequence[bytes]
    checksums: Sequence[int]
    sizes: Sequence[int]
    digests: Sequence[bytes]


class Listing:
    """The files of a package in their order, about 70 bytes and its path for each."""

    def __init__(self) -> None:
        #: Paths one behind the other, and where each begins and the last ends.
        self._paths, self._begins = bytearray(), array("Q", [0])
        self._digests, self._methods = bytearray(), bytearray()
        self._checksums = array("I")
        self.sizes, self._packed_sizes, self._offsets = array("Q"), array("Q"), array("Q")

    def append(self, member: Member, offset: int, digest: str) -> None:
        """Adds a file; `digest` is hex."""
        self._add_paths([member.path.encode()])
        self._digests += bytes.fromhex(digest)
        self._methods.append(member.method)
        self._checksums.append(member.crc32)
        self.sizes.append(member.size)
        self._packed_sizes.append(member.compressed_size)
        self._offsets.append(offset)

    def extend(self, paths: Sequence[bytes], entries: StoredEntries, digests: Iterable[str]) -> None:
        """Adds stored files; `digests` are hex."""
        self._add_paths(paths)
        self._digests += bytes.fromhex("".join(digests))
        self._methods.extend(repeat(STORED, len(paths)))
        self._checksums.extend(entries.checksums)
        self.sizes.extend(entries.sizes)
        self._packed_sizes.extend(entries.sizes)
        self._offsets.extend(entries.offsets)

    def __len__(self) -> int:
        return len(self._offsets)

    def __getitem__(self, number: int) -> Listed:
        member = Member(
            self._path(number).decode(),
            self._checksums[number],
            self.sizes[number],
            self._packed_sizes[number],
            self._methods[number],
        )
        begin = number * _DIGEST_SIZE
        return Listed(member, self._offsets[number], bytes(self._digests[begin : begin + _DIGEST_SIZE]))

    def __iter__(self) -> Iterator[Listed]:
        return map(self.__getitem__, range(len(self)))

    def runs(self, most: int) -> Iterator[range]:
        """All numbers in order: of stored files together that take at most `most` bytes with their headers, of others one by one."""
        first = 0
        while first < len(self):
            last = bisect_right(self._offsets, self._offsets[first] + most, first, min(first + _RUN, len(self))) - 1
            compressed = self._methods.find(DEFLATED, first, last)
            last = max(first + 1, last if compressed < 0 else compressed)
            yield range(first, last)
            first = last

    def run(self, numbers: range) -> Run:
        """What is known of files that `runs` put together."""
        first, last = numbers.start, numbers.stop
        paths, begins = bytes(self._paths[self._begins[first] : self._begins[last]]), self._begins[first : last + 1]
        skipped, size = begins[0], _DIGEST_SIZE
        return Run(
            self._offsets[first],
            [paths[begin - skipped : end - skipped] for begin, end in pairwise(begins)],
            self._checksums[first:last],
            self.sizes[first:last],
            [bytes(self._digests[i : i + size]) for i in range(first * size, last * size, size)],
        )

    def number(self, path: str) -> int | None:
        """Which file has this path; `files/` in front may be left out."""
        wanted = (path.encode("utf-8", "surrogatepass"), f"{names.ROOT}{path}".encode("utf-8", "surrogatepass"))
        return next((number for number in range(len(self)) if self._path(number) in wanted), None)

    def _path(self, number: int) -> bytes:
        return bytes(self._paths[self._begins[number] : self._begins[number + 1]])

    def _add_paths(self, paths: Sequence[bytes]) -> None:
        self._begins.extend(islice(accumulate(map(len, paths), initial=len(self._paths)), 1, None))
        self._paths += b"".join(paths)

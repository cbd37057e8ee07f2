"""FILES.jsonl, block by block: its totals as lines come, its strict reading, and what is kept of each file in few bytes.

A package may list a million files, so neither the lines nor objects made of them are held.
"""

import re
from array import array
from collections.abc import Iterable, Iterator, Sequence
from hashlib import sha256
from itertools import islice
from typing import NamedTuple

from handover.archive import names
from handover.archive.errors import ManifestError
from handover.archive.manifest import SALT_SIZE, FileLine, FilesHead
from handover.archive.zipformat import Member
from handover.crypto import canonical
from handover.crypto.errors import CanonicalError
from handover.crypto.merkle import Frontier

_DIGEST = re.compile("[0-9a-f]{64}")
_SALT = re.compile(f"[0-9a-f]{{{2 * SALT_SIZE}}}")
_DIGEST_SIZE = 32
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


def read_listing(blocks: Iterable[bytes], totals: Totals) -> Iterator[FileLine]:
    """The lines in blocks of any size, strictly; paths are clean and unique, sizes and digests well-formed.

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
        for line in lines:
            names.check_path(line.path)
            paths.add(line.path)
            yield line
    if rest:
        raise ManifestError("FILES.jsonl does not end in a newline")


def _decode(encoded: bytes, before: int) -> list[FileLine]:
    try:
        lines = canonical.decode_lines(encoded, FileLine)
    except CanonicalError:
        lines = [_decode_one(raw, before + i) for i, raw in enumerate(encoded.split(b"\n")[:-1], start=1)]
    for number, line in enumerate(lines, start=before + 1):
        well_formed = _DIGEST.fullmatch(line.sha256) and _SALT.fullmatch(line.salt)
        if (
            not well_formed
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


class Texts:
    """Strings in one buffer, by number."""

    def __init__(self) -> None:
        self._data, self._ends = bytearray(), array("Q", [0])

    @property
    def size(self) -> int:
        """Bytes of all."""
        return len(self._data)

    def append(self, text: str) -> None:
        """Adds one; names of files may hold bytes that are no text."""
        self._data += text.encode("utf-8", "surrogatepass")
        self._ends.append(len(self._data))

    def __len__(self) -> int:
        return len(self._ends) - 1

    def __getitem__(self, number: int) -> str:
        return self._data[self._ends[number] : self._ends[number + 1]].decode("utf-8", "surrogatepass")

    def __iter__(self) -> Iterator[str]:
        begin = 0
        for end in islice(self._ends, 1, None):
            yield self._data[begin:end].decode("utf-8", "surrogatepass")
            begin = end


class Listed(NamedTuple):
    """One file of a package: its record, where it stands in the archive, and the SHA-256 that its line says."""

    member: Member
    offset: int
    sha256: bytes


class Listing:
    """The files of a package in their order, about 70 bytes and its path for each."""

    def __init__(self) -> None:
        self._paths, self._digests, self._methods = Texts(), bytearray(), bytearray()
        self._checksums = array("I")
        self._sizes, self._packed_sizes, self._offsets = array("Q"), array("Q"), array("Q")

    def append(self, member: Member, offset: int, digest: str) -> None:
        """Adds a file; `digest` is hex."""
        self._paths.append(member.path)
        self._digests += bytes.fromhex(digest)
        self._methods.append(member.method)
        self._checksums.append(member.crc32)
        self._sizes.append(member.size)
        self._packed_sizes.append(member.compressed_size)
        self._offsets.append(offset)

    def __len__(self) -> int:
        return len(self._paths)

    def __getitem__(self, number: int) -> Listed:
        member = Member(
            self._paths[number],
            self._checksums[number],
            self._sizes[number],
            self._packed_sizes[number],
            self._methods[number],
        )
        begin = number * _DIGEST_SIZE
        return Listed(member, self._offsets[number], bytes(self._digests[begin : begin + _DIGEST_SIZE]))

    def __iter__(self) -> Iterator[Listed]:
        return map(self.__getitem__, range(len(self)))

    def find(self, path: str) -> Listed | None:
        """The file with this path; `files/` in front may be left out."""
        for number in range(len(self)):
            if self._paths[number] in (path, names.ROOT + path):
                return self[number]
        return None

"""The regular files below paths of a disk, with the clean path that each gets in a package."""

import os
from array import array
from collections.abc import Iterable, Iterator, Sequence
from itertools import chain, groupby, islice
from operator import attrgetter, methodcaller
from pathlib import Path
from typing import NamedTuple

from handover.archive import names
from handover.archive.errors import SourceChangedError
from handover.archive.manifest import SALT_SIZE, new_salts
from handover.archive.zipmany import entry_ends, records, records_size

#: What the canonical encoder makes of a `FileLine` in which nothing was classified: clean paths hold nothing to escape.
_LINE = '{"level":"","media_type":"%s","path":"%s","records":0,"redaction":"","salt":"%s","sha256":"%s","size":%d}\n'
_LINE_SIZE = len(_LINE % ("", "", "0" * 2 * SALT_SIZE, "0" * 64, 0)) - 1
_HEX_SIZE = 64
#: On average.
_SMALL = 64 << 10
#: Files of one folder that are looked at together.
_SIDE = 1024
_UNKNOWN = "application/octet-stream"
#: Named here rather than guessed by the system's tables, which differ between machines.
_MEDIA_TYPES = {
    "csv": "text/csv",
    "docx": "application/vnd.openxmlformats-officedocument.wordprocessingml.document",
    "eml": "message/rfc822",
    "html": "text/html",
    "jpeg": "image/jpeg",
    "jpg": "image/jpeg",
    "json": "application/json",
    "jsonl": "application/jsonl",
    "pdf": "application/pdf",
    "png": "image/png",
    "sqlite": "application/vnd.sqlite3",
    "txt": "text/plain",
    "xlsx": "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet",
    "zip": "application/zip",
}


class Side(NamedTuple):
    """Files of one folder: their paths on the disk and in the package, and their sizes when they were found."""

    files: list[str]
    paths: list[str]
    sizes: list[int]


class Sources:
    """Files that were found, in few bytes for each, by number."""

    def __init__(self, found: Iterable[Side]) -> None:
        #: Joined, since a string for each would take twice the room; no path holds a zero.
        self._files: list[str] = []
        self._paths: list[bytes] = []
        self.sizes, name_sizes = array("Q"), array("H")
        beside = 0
        for files, paths, sizes in found:
            joined = "\0".join(paths).encode()
            self._files.append("\0".join(files))
            self._paths.append(joined)
            self.sizes.extend(sizes)
            name_sizes.extend(map(len, joined.split(b"\0")))
            beside += len("".join(map(_media_type, paths))) + len("".join(map(str, sizes)))
        self._name_sizes = name_sizes
        #: Bytes of all.
        self.size = sum(self.sizes)
        #: 0, then where the entry of each ends, if they begin at 0.
        self.ends = entry_ends(name_sizes, self.sizes)
        #: Bytes of FILES.jsonl, known before its digests and salts are, since these have one length.
        self.list_size = len(self) * _LINE_SIZE + beside + sum(name_sizes)

    def __len__(self) -> int:
        return len(self.sizes)

    @property
    def small(self) -> bool:
        """Whether most of the work with them is done by the interpreter, so that a second thread would only wait for it."""
        return self.size < len(self) * _SMALL

    def files(self) -> Iterator[str]:
        """Their paths on the disk."""
        return chain.from_iterable(joined.split("\0") for joined in self._files)

    def names(self) -> Iterator[bytes]:
        """Their paths in the package."""
        return chain.from_iterable(joined.split(b"\0") for joined in self._paths)

    def records_size(self, begin: int) -> int:
        """Bytes of the directory's records, if the first entry stands at `begin`."""
        return records_size(self._name_sizes, self.sizes, self.ends, begin)

    def records(self, checksums: Sequence[int], begin: int) -> Iterator[bytes]:
        """The directory's records, some at a time."""
        first = 0
        for joined in self._paths:
            names = joined.split(b"\0")
            last = first + len(names)
            offsets = map(begin.__add__, self.ends[first:last])
            yield records(names, checksums[first:last], self.sizes[first:last], offsets, begin + self.ends[last])
            first = last


def lines(names: Sequence[bytes], sizes: Sequence[int], digests: bytes) -> bytes:
    """Lines of FILES.jsonl with new salts, as the canonical encoder would write them; nothing was classified."""
    paths = b"\0".join(names).decode().split("\0")
    kinds, salts, hashes = map(_media_type, paths), new_salts(len(paths)), digests.hex()
    hexes = [hashes[i : i + _HEX_SIZE] for i in range(0, len(hashes), _HEX_SIZE)]
    return "".join(map(_LINE.__mod__, zip(kinds, paths, salts, hexes, sizes, strict=True))).encode()


def sources_below(paths: Sequence[Path]) -> Iterator[Side]:
    """Every regular file, in a fixed order; a folder's own name stays in the path.

    Raises:
        SourceChangedError: a path is a link or a device, or is missing.
        UnsafePathError: a path is too long or deep.
    """
    taken = names.UniquePaths()
    for path in paths:
        root = os.path.abspath(path)  # noqa: PTH100 - resolve() would follow links
        if os.path.islink(root) or not os.path.exists(root):  # noqa: PTH110, PTH114 - likewise
            raise SourceChangedError(f"{path}: there is no such file or folder, or it is a link", path=str(path))
        relative = names.ROOT + os.path.basename(root)  # noqa: PTH119 - likewise
        if os.path.isfile(root):  # noqa: PTH113 - likewise
            used = taken.add_numbered(names.clean_path(relative))
            yield Side([root], [used], [os.path.getsize(root)])  # noqa: PTH202 - likewise
        else:
            yield from _below(root, relative, taken)


def _below(root: str, relative: str, taken: names.UniquePaths) -> Iterator[Side]:
    with os.scandir(root) as found:
        entries = sorted(found, key=attrgetter("name"))
    for files, some in groupby(entries, methodcaller("is_file", follow_symlinks=False)):
        if files:
            yield from _side(some, names.clean_path(relative), taken)
            continue
        for entry in some:
            if not entry.is_dir(follow_symlinks=False):
                raise SourceChangedError(f"{entry.path}: a link or device can't be packed", path=entry.path)
            yield from _below(entry.path, f"{relative}/{entry.name}", taken)


def _side(files: Iterable["os.DirEntry[str]"], folder: str, taken: names.UniquePaths) -> Iterator[Side]:
    files = iter(files)
    while some := list(islice(files, _SIDE)):
        used = taken.add_names(folder, names.clean_names(folder, [entry.name for entry in some]))
        sizes = [entry.stat(follow_symlinks=False).st_size for entry in some]
        yield Side([entry.path for entry in some], used, sizes)


def _media_type(path: str) -> str:
    suffix = path.rpartition(".")[2]
    return _MEDIA_TYPES.get(suffix) or _MEDIA_TYPES.get(suffix.lower(), _UNKNOWN)

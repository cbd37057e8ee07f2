"""The regular files below paths of a disk, with the clean path that each gets in a package."""

import os
from array import array
from collections.abc import Iterable, Iterator, Sequence
from operator import attrgetter
from pathlib import Path
from typing import NamedTuple

from handover.archive import names
from handover.archive.errors import SourceChangedError
from handover.archive.listing import Texts
from handover.archive.manifest import SALT_SIZE
from handover.archive.zipformat import Member

#: What the canonical encoder makes of a `FileLine` in which nothing was classified: clean paths hold nothing to escape.
_LINE = '{"level":"","media_type":"%s","path":"%s","records":0,"redaction":"","salt":"%s","sha256":"%s","size":%d}\n'
_LINE_SIZE = len(_LINE % ("", "", "0" * 2 * SALT_SIZE, "0" * 64, 0)) - 1
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


class Source(NamedTuple):
    """A file on the disk, its path in the package, and its size when it was found."""

    file: str
    path: str
    size: int

    def member(self, checksum: int) -> Member:
        """Its record in the archive."""
        return Member(self.path, checksum, self.size, self.size)

    def line(self, digest: str, salt: str) -> str:
        """Its line in FILES.jsonl, as the canonical encoder would write it; nothing was classified."""
        return _LINE % (_media_type(self.path), self.path, salt, digest, self.size)


class Sources:
    """Files that were found, in few bytes for each."""

    def __init__(self, found: Iterable[Source]) -> None:
        self._files, self._paths, self._sizes = Texts(), Texts(), array("Q")
        beside = 0
        for file, path, size in found:
            self._files.append(file)
            self._paths.append(path)
            self._sizes.append(size)
            beside += len(_media_type(path)) + len(str(size))
        #: Bytes of all.
        self.size = sum(self._sizes)
        #: Bytes of FILES.jsonl, known before its digests and salts are, since these have one length.
        self.list_size = len(self) * _LINE_SIZE + beside + self._paths.size

    def __len__(self) -> int:
        return len(self._sizes)

    def __iter__(self) -> Iterator[Source]:
        return map(Source, self._files, self._paths, self._sizes)

    def members(self, checksums: Iterable[int]) -> Iterator[Member]:
        """Their records in the archive."""
        return map(Member, self._paths, checksums, self._sizes, self._sizes)


def sources_below(paths: Sequence[Path]) -> Iterator[Source]:
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
            yield Source(root, used, os.path.getsize(root))  # noqa: PTH202 - likewise
        else:
            yield from _below(root, relative, taken)


def _below(root: str, relative: str, taken: names.UniquePaths) -> Iterator[Source]:
    with os.scandir(root) as found:
        entries = sorted(found, key=attrgetter("name"))
    folder = ""
    for entry in entries:
        name = entry.name
        if entry.is_file(follow_symlinks=False):
            folder = folder or names.clean_path(relative)
            used = taken.add_name(folder, names.clean_name(folder, name))
            yield Source(entry.path, used, entry.stat(follow_symlinks=False).st_size)
        elif entry.is_dir(follow_symlinks=False):
            yield from _below(entry.path, f"{relative}/{name}", taken)
        else:
            raise SourceChangedError(f"{entry.path}: a link or device can't be packed", path=entry.path)


def _media_type(path: str) -> str:
    return _MEDIA_TYPES.get(path.rpartition(".")[2].lower(), _UNKNOWN)

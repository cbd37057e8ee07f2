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
from handover.archive.manifest import SALT_SIZE, FileLine, encode_lines
from handover.archive.zipformat import Member

#: As long as real ones.
_DIGEST, _SALT = "0" * 64, "0" * 2 * SALT_SIZE
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

    def line(self, digest: str, salt: str) -> FileLine:
        """Its line in FILES.jsonl; nothing was classified."""
        return FileLine(
            path=self.path,
            size=self.size,
            sha256=digest,
            media_type=_MEDIA_TYPES.get(self.path.rpartition(".")[2].lower(), _UNKNOWN),
            level="",
            records=0,
            redaction="",
            salt=salt,
        )


class Sources:
    """Files that were found, in few bytes for each."""

    def __init__(self, found: Iterable[Source]) -> None:
        self._files, self._paths, self._sizes = Texts(), Texts(), array("Q")
        #: Bytes of FILES.jsonl, known before its digests and salts are, since these have one length.
        self.list_size = 0
        for source in found:
            self._files.append(source.file)
            self._paths.append(source.path)
            self._sizes.append(source.size)
            self.list_size += len(encode_lines([source.line(_DIGEST, _SALT)]))
        #: Bytes of all.
        self.size = sum(self._sizes)

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
        for file, relative, size in _below(root, os.path.basename(root)):  # noqa: PTH119 - likewise
            yield Source(file, taken.add_numbered(names.clean_path(names.ROOT + relative)), size)


def _below(file: str, relative: str) -> Iterator[tuple[str, str, int]]:
    if os.path.isfile(file):  # noqa: PTH113 - as above
        yield file, relative, os.path.getsize(file)  # noqa: PTH202 - as above
        return
    with os.scandir(file) as found:
        entries = sorted(found, key=attrgetter("name"))
    for entry in entries:
        if entry.is_dir(follow_symlinks=False):
            yield from _below(entry.path, f"{relative}/{entry.name}")
        elif entry.is_file(follow_symlinks=False):
            yield entry.path, f"{relative}/{entry.name}", entry.stat(follow_symlinks=False).st_size
        else:
            raise SourceChangedError(f"{entry.path}: a link or device can't be packed", path=entry.path)

"""ZIP archives: every file in it is read by its own format, and rebuilt by it.

The archive's own records are its files, with the field `file_name` (the path without its ending) and the comments. The output has the
files under their new names and nothing else: no dates, comments, extra fields or empty folders.
"""

import io
import zipfile
import zlib
from collections.abc import Callable, Iterable, Iterator, Sequence
from pathlib import PurePosixPath
from typing import IO

from handover.formats.errors import refuse
from handover.formats.members import MemberWriter, Nest, OutputNames, stem_and_extension
from handover.formats.records import Batch, Column, Notes, Table, Writer
from handover.formats.whole import whole
from handover.formats.zip_directory import entries

#: Held in memory whole, twice when it is rewritten; one within another may be half as large.
MAX_ARCHIVE = 256 * 1024 * 1024
_PIECE = 1 << 18
#: What file managers leave behind; no one misses it.
_LITTER = frozenset({".DS_Store", "Thumbs.db", "desktop.ini"})
_EPOCH = (1980, 1, 1, 0, 0, 0)


def read(chunks: Iterable[bytes], notes: Notes, nest: Nest) -> Iterator[Batch]:
    """The archive's files as records, then the records of each file.

    Raises:
        FormatRefusedError: the archive, or (unless the nest is tolerant) a file in it, can't be inspected.
    """
    archive, found = entries(whole(chunks, MAX_ARCHIVE >> nest.depth, "ZIP"))
    notes.dropped += [path for _, path in found if _is_litter(path)]
    files = [(entry, path) for entry, path in found if not _is_litter(path)]
    yield _directory([path for _, path in files], _comments(archive, [entry for entry, _ in files]))
    done = len(files)
    for number, (entry, path) in enumerate(files):
        for batch in nest.batches(number, path, _unpacked(archive, entry), notes, done):
            last = batch.first + batch.count
            yield batch
            done = last


def _is_litter(path: str) -> bool:
    parts = PurePosixPath(path).parts
    return parts[0] == "__MACOSX" or parts[-1] in _LITTER


def _directory(paths: list[str], comments: list[str]) -> Batch:
    count = len(paths)
    columns = [Column("file_name", [stem_and_extension(path)[0] for path in paths], range(count))]
    if count and any(comments):
        columns.append(Column("comment", comments, range(count)))
    return Batch(Table(), 0, count, columns, origin=paths)


def _comments(archive: zipfile.ZipFile, files: list[zipfile.ZipInfo]) -> list[str]:
    """The comment on each file; that on the archive stands with the first."""
    raw = [entry.comment for entry in files]
    if raw:
        raw[0] = b"\n".join(filter(None, [archive.comment, raw[0]]))
    return [comment.decode("utf-8", "replace") for comment in raw]


def _unpacked(archive: zipfile.ZipFile, entry: zipfile.ZipInfo) -> Iterator[bytes]:
    try:
        with archive.open(entry) as file:
            while piece := file.read(_PIECE):
                yield piece
    except (zipfile.BadZipFile, zlib.error, EOFError, RuntimeError, NotImplementedError):
        raise refuse("在压缩包里已损坏，无法解压。", "It is damaged in the archive and can't be unpacked.") from None


class ZipWriter:
    """Rebuilds an archive in memory; its bytes come out at the end."""

    def __init__(self, open_writer: Callable[[str, str], Writer]) -> None:
        self._buffer = io.BytesIO()
        self._archive = zipfile.ZipFile(self._buffer, "w", zipfile.ZIP_DEFLATED)
        self._members = MemberWriter(open_writer, self._take)
        self._names: list[str] = []
        self._open: tuple[int, IO[bytes]] | None = None

    def write(self, batch: Batch, keep: Sequence[bool] | None = None) -> bytes:
        """Takes the directory or a batch of a file; a file whose record is not kept loses its name alone."""
        if batch.table.member:
            self._members.write(batch, keep)
            return b""
        stems = next((column.output() for column in batch.columns if column.name == "file_name"), None)
        names = OutputNames()
        for number, path in enumerate(batch.origin):
            stem = "" if stems is None or (keep is not None and not keep[number]) else stems[number]
            self._names.append(names.choose(number, path, stem))
        return b""

    def finish(self) -> bytes:
        self._members.finish()
        self._close()
        self._archive.close()
        return self._buffer.getvalue()

    def _take(self, number: int, piece: bytes) -> None:
        if self._open is None or self._open[0] != number:
            self._close()
            entry = zipfile.ZipInfo(self._names[number], _EPOCH)
            entry.compress_type = zipfile.ZIP_DEFLATED
            entry.external_attr = 0o644 << 16
            self._open = number, self._archive.open(entry, "w")
        self._open[1].write(piece)

    def _close(self) -> None:
        if self._open is not None:
            self._open[1].close()
        self._open = None

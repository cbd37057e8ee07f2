"""Files within a file (the entries of an archive, the attachments of a mail): read and rewritten by their own formats.

A member's batches pass as they are, with its path before the names of their fields; the writer of the container hands
them to the member's own writer. What all members may use together is bounded over every level of nesting.
"""

import re
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass, field, replace
from pathlib import PurePosixPath
from typing import Any, Protocol

from handover.formats.errors import FormatRefusedError, refuse
from handover.formats.records import Batch, Column, Notes, Reading, Table, Writer

#: A file in an archive in an archive: more is a trick more often than a filing habit.
MAX_DEPTH = 3
MAX_MEMBERS = 5000
_MIB = 1024 * 1024
MAX_UNPACKED = 2047 * _MIB  # also the most that an archive entry without ZIP64 can be
#: Paths longer than this are no file's; they are shown in every report.
_MAX_PATH = 400


@dataclass(slots=True)
class Budget:
    """What is left for the members of one upload."""

    members: int = MAX_MEMBERS
    unpacked: int = MAX_UNPACKED

    def take(self, chunks: Iterable[bytes]) -> Iterator[bytes]:
        """The chunks of a further member.

        Raises:
            FormatRefusedError: all members together are too many or too large.
        """
        self.members -= 1
        if self.members < 0:
            raise refuse(
                f"里面的文件超过 {MAX_MEMBERS} 个。请拆分。",
                f"There are more than {MAX_MEMBERS} files inside. Split it.",
            )
        for chunk in chunks:
            self.unpacked -= len(chunk)
            if self.unpacked < 0:
                raise refuse(
                    f"里面的文件合计超过 {MAX_UNPACKED // _MIB} MiB。请拆分。",
                    f"The files inside are larger than {MAX_UNPACKED // _MIB} MiB together. Split it.",
                )
            yield chunk


class Opener(Protocol):
    """`open_records`, for a file within another."""

    def __call__(self, chunks: Iterable[bytes], name: str, *, nest: "Nest") -> Reading: ...


@dataclass(frozen=True, slots=True)
class Nest:
    """How a file is opened that may hold others."""

    open: Opener
    #: True notes why a member can't be inspected and goes on, so that a report covers the rest.
    tolerant: bool = False
    depth: int = 0
    budget: Budget = field(default_factory=Budget)

    def batches(self, number: int, path: str, chunks: Iterable[bytes], notes: Notes, first: int) -> Iterator[Batch]:
        """The batches of one member, numbered from `first`, their fields named `path!field`.

        Raises:
            FormatRefusedError: with the member's path, unless the nest is tolerant.
        """
        inner: Reading | None = None
        notes.members[path] = ""
        try:
            if self.depth >= MAX_DEPTH:
                raise refuse(f"嵌套超过 {MAX_DEPTH} 层。", f"Files are nested more than {MAX_DEPTH} deep.")
            whole = _peeked(self.budget.take(chunks))
            if whole is None:
                yield Batch(Table(member=path), first, 0, [], origin=_Origin(number, path, "", None, ""))
                return
            inner = self.open(whole, path, nest=replace(self, depth=self.depth + 1))
            notes.members[path] = inner.format
            for batch in inner.batches:
                yield _wrapped(batch, number, path, inner.format, first)
        except FormatRefusedError as error:
            if not self.tolerant:
                raise refuse(f"{path}：{error.reason.zh}", f"{path}: {error.reason.en}") from None
            notes.blocked[path] = error.reason
        finally:
            if inner is not None:
                _join(notes, inner.notes, path)


def _peeked(chunks: Iterator[bytes]) -> Iterator[bytes] | None:
    """The same chunks, or None when there is not a byte in them."""
    for chunk in chunks:
        if chunk:
            return _before(chunk, chunks)
    return None


def _before(chunk: bytes, chunks: Iterator[bytes]) -> Iterator[bytes]:
    yield chunk
    yield from chunks


def _join(notes: Notes, inner: Notes, path: str) -> None:
    notes.ragged += inner.ragged
    notes.hidden_tables += [f"{path}!{name}" for name in inner.hidden_tables]
    notes.dropped += [f"{path}!{name}" for name in inner.dropped]
    notes.members |= {f"{path}!{name}": kind for name, kind in inner.members.items()}
    notes.blocked |= {f"{path}!{name}": reason for name, reason in inner.blocked.items()}


@dataclass(slots=True)
class _Origin:
    """What a member's batch was before it got its member's name."""

    number: int
    path: str
    format: str
    origin: Any
    member: str


def _wrapped(batch: Batch, number: int, path: str, kind: str, first: int) -> Batch:
    inner = batch.table.member
    prefix = f"{path}!"
    return Batch(
        replace(batch.table, member=prefix + inner if inner else path),
        first + batch.first,
        batch.count,
        [Column(prefix + column.name, column.values, column.records, column.replaced) for column in batch.columns],
        origin=_Origin(number, path, kind, batch.origin, inner),
    )


class MemberWriter:
    """Rebuilds members one after the other; `sink` takes (number, piece) in their order, empty files as one empty piece."""

    def __init__(self, open_writer: Callable[[str, str], Writer], sink: Callable[[int, bytes], None]) -> None:
        self._open, self._sink = open_writer, sink
        self._number: int | None = None
        self._writer: Writer | None = None

    def write(self, batch: Batch, keep: Sequence[bool] | None) -> None:
        """Takes a batch that `Nest.batches` gave."""
        was: _Origin = batch.origin
        if was.number != self._number:
            self.finish()
            self._number = was.number
            self._writer = self._open(was.format, was.path) if was.format else None
        prefix = f"{was.path}!"
        inner = Batch(
            replace(batch.table, member=was.member),
            batch.first,
            batch.count,
            [replace(column, name=column.name.removeprefix(prefix)) for column in batch.columns],
            was.origin,
        )
        self._sink(was.number, self._writer.write(inner, keep) if self._writer else b"")

    def finish(self) -> None:
        """Ends the member that is open, if one is."""
        if self._writer is not None and self._number is not None:
            self._sink(self._number, self._writer.finish())
        self._writer = None


#: Endings that say what a file is and nothing of whom it is about; any other is part of the name.
_EXTENSIONS = frozenset({
    "csv", "db", "db3", "docx", "eml", "htm", "html", "jpeg", "jpg", "json", "jsonl", "log", "md", "ndjson", "pdf", "png", "sqlite",
    "sqlite3", "tab", "tsv", "txt", "xlsm", "xlsx", "zip",
})  # fmt: skip
#: Control characters, and those that turn the direction in which a name is shown.
_DECEIVING = re.compile("[\x00-\x1f\x7f-\x9f\u200e\u200f\u202a-\u202e\u2066-\u2069]")
#: What the common systems don't allow in a file's name.
_FORBIDDEN = str.maketrans(dict.fromkeys([*'<>:"|?*\\!', *map(chr, range(32))], "_"))


def check_path(path: str) -> None:
    """Refuses a path that leads outside, or that programs would read differently.

    Raises:
        FormatRefusedError: with the path.
    """
    parts = path.split("/")
    bad = path.startswith("/") or "\\" in path or any(part in {"", ".", ".."} for part in parts)
    if bad or path[1:2] == ":" or len(path) > _MAX_PATH or _DECEIVING.search(path):
        shown = path[:80]
        raise refuse(f"里面有不安全的文件名：{shown!a}。", f"A file inside has an unsafe name: {shown!a}.")


def stem_and_extension(path: str) -> tuple[str, str]:
    """The part of a path that may hold personal data, and its ending with the dot where that is a known one."""
    suffix = PurePosixPath(path).suffix
    if suffix[1:].lower() in _EXTENSIONS:
        return path[: -len(suffix)], suffix
    return path, ""


class OutputNames:
    """The names of the members in the output: each different from all others, none leading anywhere."""

    def __init__(self) -> None:
        self._taken: set[str] = set()

    def choose(self, number: int, path: str, stem: str) -> str:
        """The name for member `number`, whose path is `path` and whose stem has become `stem`."""
        extension = stem_and_extension(path)[1]
        parts = [part.strip(" .") for part in stem.translate(_FORBIDDEN).split("/")]
        clean = "/".join(part for part in parts if part) or f"file-{number + 1}"
        name, again = clean + extension, 1
        while name.casefold() in self._taken:
            again += 1
            name = f"{clean}-{again}{extension}"
        self._taken.add(name.casefold())
        return name

"""Records in batches of columns: the one shape in which every format is inspected and rewritten.

A batch holds the same records for all its columns. A CSV column has one value per record; a JSONL path may be absent
from a record or occur several times in it, so each value carries the record that it belongs to.
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from typing import Any, NamedTuple, Protocol

from handover.i18n import Text

#: Records per batch: large enough that per-batch work vanishes, small enough to stay in the processor's cache.
BATCH_RECORDS = 4096
#: A batch also ends at this many characters, so that long narratives do not pile up.
BATCH_CHARACTERS = 4_000_000


class Edit(NamedTuple):
    """One stretch of a value and what stands in its place; positions are code points."""

    start: int
    end: int
    text: str


@dataclass(slots=True)
class Column:
    """The values of one field in one batch, as text."""

    name: str
    values: list[str]
    #: For each value the index of its record within the batch.
    records: Sequence[int]
    #: What a writer puts in their place; None leaves every value as it came.
    replaced: list[str] | None = None
    #: Where in a value the replacements stand, by index of the value; a document's layout is kept around them.
    edits: dict[int, list[Edit]] = field(default_factory=dict)

    def output(self) -> list[str]:
        return self.values if self.replaced is None else self.replaced

    def changes(self, index: int) -> list[Edit]:
        """What changes within one value; the whole of it where nothing more is known."""
        old, new = self.values[index], self.output()[index]
        if old == new:
            return []
        return self.edits.get(index) or [Edit(0, len(old), new)]


@dataclass(slots=True)
class Table:
    """What is known of a table before its first record."""

    #: The sheet; empty for formats that have one table.
    name: str = ""
    #: The header as it was written; None when the file has none.
    header: list[str] | None = None
    hidden: bool = False
    #: Which file within a container the table is from, nested ones joined by `!`; the names of its columns begin with it.
    member: str = ""


@dataclass(slots=True)
class Batch:
    """Some consecutive records of one table."""

    table: Table
    #: Number of the first record, counted from 0 over the whole file.
    first: int
    count: int
    columns: list[Column]
    #: What the format's own writer needs to keep types and order.
    origin: Any = None


@dataclass(slots=True)
class Notes:
    """What a reader noticed; complete once its batches are exhausted."""

    ragged: int = 0
    #: The line of the first ragged record, counted from 1.
    ragged_first_line: int | None = None
    hidden_tables: list[str] = field(default_factory=list)
    encoding: str = ""
    #: How many pages a document has that is looked at page by page; 0 where there are records alone.
    pages: int = 0
    #: The files within a container and their formats (empty for an empty file), by path, nested ones joined by `!`.
    members: dict[str, str] = field(default_factory=dict)
    #: Why some of them can't be inspected; only a tolerant reader goes on after one.
    blocked: dict[str, Text] = field(default_factory=dict)
    #: What a rewrite leaves out without a trace (views of a database, `__MACOSX` of an archive), by name.
    dropped: list[str] = field(default_factory=list)


@dataclass(slots=True)
class Reading:
    """An open file: its format, its records, and what was noticed on the way."""

    format: str
    batches: Iterator[Batch]
    notes: Notes


class Writer(Protocol):
    """Rebuilds a clean file from batches."""

    def write(self, batch: Batch, keep: Sequence[bool] | None = None) -> bytes:
        """The bytes of this batch, of the records that `keep` marks (all without it)."""

    def finish(self) -> bytes:
        """What closes the file."""


def unique_names(labels: list[str], prefix: str = "") -> list[str]:
    """Field names for a header: blanks get `column_N`, repeats get `_2`, `_3`, …"""
    seen: dict[str, int] = {}
    names = []
    for position, label in enumerate(labels, 1):
        name = label.strip() or f"column_{position}"
        seen[name] = seen.get(name, 0) + 1
        names.append(prefix + (name if seen[name] == 1 else f"{name}_{seen[name]}"))
    return names


def looks_like_header(cells: list[str]) -> bool:
    """False when the first row is data already: a number, an address of any kind, a long digit run, or all blank."""
    return any(cells) and not any(_is_data(cell.strip()) for cell in cells)


def _is_data(cell: str) -> bool:
    digits = sum(c.isdigit() for c in cell)
    return "@" in cell or digits >= 6 or (digits > 0 and digits >= len(cell.replace(".", "").replace("-", "")) - 1)

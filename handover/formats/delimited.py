"""CSV and TSV (RFC 4180, read leniently, written strictly).

Reading loses nothing: rows of another width than the header are counted and kept. Writing gives UTF-8 with BOM and
CR LF, which Excel opens rightly, with no live formula in any cell.
"""

import contextlib
import csv
import io
import itertools
from collections.abc import Iterable, Iterator, Sequence

from handover.formats import formulas
from handover.formats.encoding import decode
from handover.formats.errors import refuse
from handover.formats.lines import MAX_LINE, lines
from handover.formats.records import (
    BATCH_CHARACTERS,
    BATCH_RECORDS,
    Batch,
    Column,
    Notes,
    Table,
    looks_like_header,
    unique_names,
)

#: More columns than any spreadsheet program can hold.
_MAX_COLUMNS = 16_384


def read(chunks: Iterable[bytes], delimiter: str, notes: Notes) -> Iterator[Batch]:
    """The records of a delimited text.

    Raises:
        FormatRefusedError: a quote that never ends, an encoding that changes, too many columns.
    """
    csv.field_size_limit(MAX_LINE)
    taken = _Taken()
    reader = csv.reader(lines(taken.watch(decode(chunks))), delimiter=delimiter)
    with _told(reader):
        first = next((row for row in reader if row), None)
        if first is None:
            raise refuse("文件里没有记录。", "The file contains no records.")
        has_header = looks_like_header(first)
        table = Table(header=first if has_header else None)
        names = unique_names(first if has_header else [""] * len(first))
        # An empty line separates nothing and holds nothing.
        rows = filter(None, reader if has_header else itertools.chain([first], reader))
        yield from _records(rows, reader, table, names, taken, notes)


def read_on(
    pieces: Iterable[str], delimiter: str, header: list[str] | None, names: list[str], notes: Notes
) -> Iterator[Batch]:
    """Records of a text whose header was read before."""
    csv.field_size_limit(MAX_LINE)
    taken = _Taken()
    reader = csv.reader(lines(taken.watch(pieces)), delimiter=delimiter)
    with _told(reader):
        yield from _records(filter(None, reader), reader, Table(header=header), names, taken, notes)


def _records(
    rows: Iterator[list[str]],
    reader: "csv._reader",  # type: ignore[name-defined,unused-ignore]
    table: Table,
    names: list[str],
    taken: "_Taken",
    notes: Notes,
) -> Iterator[Batch]:
    done = 0
    for batch in _batches(rows, reader, len(names), taken, notes):
        yield Batch(table, done, len(batch), _columns(batch, names))
        done += len(batch)
    if not done:
        yield Batch(table, 0, 0, _columns([], names))


@contextlib.contextmanager
def _told(reader: "csv._reader") -> Iterator[None]:  # type: ignore[name-defined,unused-ignore]
    try:
        yield
    except csv.Error:
        raise refuse(
            f"第 {reader.line_num} 行附近的引号没有配对，或单元格过长；文件可能损坏。",
            f"Near line {reader.line_num} a quote is not closed or a cell is too long; the file may be damaged.",
        ) from None


def first_names(text: str, delimiter: str) -> tuple[list[str] | None, list[str], int]:
    """The header (None when the table has none), the names of its columns, and the UTF-8 bytes that the header takes.

    Raises:
        FormatRefusedError: there is no record.
    """
    csv.field_size_limit(MAX_LINE)
    taken = 0

    def counted() -> Iterator[str]:
        nonlocal taken
        for line in io.StringIO(text, newline=""):
            taken += len(line.encode())
            yield from lines([line])

    try:
        first = next(filter(None, csv.reader(counted(), delimiter=delimiter)), None)
    except csv.Error:
        first = None
    if first is None:
        raise refuse("文件里没有记录。", "The file contains no records.")
    if looks_like_header(first):
        return first, unique_names(first), taken
    return None, unique_names([""] * len(first)), 0


class _Taken:
    """How much text was read: measured piece by piece, for measuring every cell costs more than reading it."""

    def __init__(self) -> None:
        self.characters = 0

    def watch(self, pieces: Iterable[str]) -> Iterator[str]:
        for piece in pieces:
            self.characters += len(piece)
            yield piece


def _batches(
    rows: Iterator[list[str]],
    reader: "csv._reader",  # type: ignore[name-defined,unused-ignore]
    width: int,
    taken: _Taken,
    notes: Notes,
) -> Iterator[list[list[str]]]:
    while True:
        batch: list[list[str]] = []
        end = taken.characters + BATCH_CHARACTERS
        for row in itertools.islice(rows, BATCH_RECORDS):
            if len(row) != width:
                _note_ragged(row, reader.line_num, notes)
            batch.append(row)
            if taken.characters >= end:
                break
        if not batch:
            return
        yield batch


def _note_ragged(row: list[str], line: int, notes: Notes) -> None:
    notes.ragged += 1
    notes.ragged_first_line = notes.ragged_first_line or line
    if len(row) > _MAX_COLUMNS:
        raise refuse(f"第 {line} 行有超过 {_MAX_COLUMNS} 列。", f"Line {line} has more than {_MAX_COLUMNS} columns.")


def _columns(rows: list[list[str]], names: list[str]) -> list[Column]:
    width = len(names)
    everyone = range(len(rows))
    widest = max(map(len, rows), default=width)
    if min(map(len, rows), default=width) < width:
        padded = [row if len(row) >= width else row + [""] * (width - len(row)) for row in rows]
    else:
        padded = rows
    columns = [
        Column(name, list(values), everyone) for name, values in zip(names, zip(*padded, strict=False), strict=False)
    ]
    if not rows:
        columns = [Column(name, [], everyone) for name in names]
    for position in range(width, widest):
        owners = [index for index, row in enumerate(rows) if len(row) > position]
        columns.append(Column(f"column_{position + 1}", [rows[index][position] for index in owners], owners))
    return columns


def output_delimiter(name: str) -> str:
    """A table keeps its tabs when its name says so; every other gets commas."""
    return "\t" if name.lower().endswith((".tsv", ".tab")) else ","


class DelimitedWriter:
    """Writes what Excel opens rightly."""

    def __init__(self, delimiter: str = ",") -> None:
        self._text = io.StringIO(newline="")
        self._csv = csv.writer(self._text, delimiter=delimiter, lineterminator="\r\n")
        self._started = False

    def start_without_header(self) -> None:
        """What is written follows what was written elsewhere."""
        self._started = True

    def write(self, batch: Batch, keep: Sequence[bool] | None = None) -> bytes:
        """The rows of a batch; cells beyond the header stay at the end of their row."""
        if not self._started and batch.table.header is not None:
            self._csv.writerow(formulas.neutralise(batch.table.header))
        dense = [column for column in batch.columns if len(column.values) == batch.count]
        rows: Iterable[Sequence[str]] = zip(*(formulas.neutralise(column.output()) for column in dense), strict=True)
        if len(dense) < len(batch.columns):
            rows = _with_extras(rows, [column for column in batch.columns if len(column.values) != batch.count])
        self._csv.writerows(rows if keep is None else itertools.compress(rows, keep))
        return self._take()

    def finish(self) -> bytes:
        return self._take()

    def _take(self) -> bytes:
        data = self._text.getvalue().encode("utf-8" if self._started else "utf-8-sig")
        self._started = True
        self._text.seek(0)
        self._text.truncate()
        return data


def _with_extras(rows: Iterable[Sequence[str]], extras: list[Column]) -> Iterator[Sequence[str]]:
    by_record: dict[int, list[str]] = {}
    for column in extras:
        for record, value in zip(column.records, formulas.neutralise(column.output()), strict=True):
            by_record.setdefault(record, []).append(value)
    for index, row in enumerate(rows):
        yield [*row, *by_record[index]] if index in by_record else row

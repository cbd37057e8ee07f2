"""Excel workbooks: every sheet is read, hidden ones too, and rebuilt from its cell values alone.

Read by calamine (the values that Excel last computed), written by xlsxwriter: no formula, hidden sheet, comment, defined name
or cache survives a rewrite. Both hold the workbook in memory: the child's memory limit is the bound.
"""

import datetime as dt
import io
from collections.abc import Iterable, Iterator, Sequence
from itertools import chain, islice
from typing import Any

from handover.formats import xlsx_archive, xlsx_carriers, xlsx_forms
from handover.formats.errors import refuse
from handover.formats.records import BATCH_RECORDS, Batch, Column, Notes, Table, looks_like_header, unique_names

_MAX_CELL_TEXT = 32_767  # what one cell of the format can hold
_MAX_SHEET_NAME = 31
_FORBIDDEN_IN_NAMES = str.maketrans(dict.fromkeys("[]:*?/\\", "_"))
#: Marks the batch of what stands beside the cells.
_BESIDE = object()
#: Marks cells given out once more, so that they are understood; what is written are the cells themselves.
_TOLD = object()


def read(chunks: Iterable[bytes], notes: Notes) -> Iterator[Batch]:
    """The records of all sheets in order; fields are `sheet!field` when there are several sheets.

    Raises:
        FormatRefusedError: damaged, encrypted, too large unpacked, or holding parts that can't be inspected.
    """
    import python_calamine as calamine  # loaded only when a workbook comes: it would slow every start

    data = b"".join(chunks)
    package = xlsx_archive.opened(data)
    try:
        book = calamine.CalamineWorkbook.from_filelike(io.BytesIO(data))
        done = 0
        names = [sheet.name for sheet in book.sheets_metadata]
        # No record of the data: they are counted from the first row on.
        yield Batch(Table(), 0, 0, xlsx_carriers.carriers(package, names), origin=_BESIDE)
        several = len(book.sheets_metadata) > 1
        for sheet in book.sheets_metadata:
            hidden = sheet.visible != calamine.SheetVisibleEnum.Visible
            if hidden:
                notes.hidden_tables.append(sheet.name)
            rows = iter(book.get_sheet_by_name(sheet.name).to_python(skip_empty_area=True))
            for batch in _sheet(rows, sheet.name, done, hidden=hidden, prefix=f"{sheet.name}!" if several else ""):
                done += batch.count
                yield batch
    except calamine.PasswordError:
        raise refuse(
            "工作簿有打开密码，无法检查。", "The workbook is protected by a password and can't be inspected."
        ) from None
    except (calamine.CalamineError, calamine.XmlError, calamine.ZipError, ValueError, OSError):
        raise refuse("工作簿已损坏，无法读取。", "The workbook is damaged and can't be read.") from None


def _sheet(rows: Iterator[list[Any]], sheet: str, first: int, *, hidden: bool, prefix: str) -> Iterator[Batch]:
    top = next((row for row in rows if any(cell != "" for cell in row)), None)
    if top is None:
        yield Batch(Table(sheet, None, hidden), first, 0, [])
        return
    labels, second = [as_text(cell) for cell in top], next(rows, None)
    if second is not None:
        rows = chain([second], rows)
    has_header = looks_like_header(labels) and not xlsx_forms.is_form(top, second or ())
    table = Table(sheet, labels if has_header else None, hidden)
    names = unique_names(labels if has_header else [""] * len(labels), prefix)
    source = rows if has_header else chain([top], rows)
    empty = True
    while batch := list(islice(source, BATCH_RECORDS)):
        empty = False
        yield _batch(table, first, batch, names)
        pairs = list(xlsx_forms.told(list(zip(*batch, strict=True))))
        if pairs:
            yield Batch(table, first, 0, [Column(prefix + xlsx_forms.FORMS, pairs, [0] * len(pairs))], origin=_TOLD)
        first += len(batch)
    if empty:
        yield _batch(table, first, [], names)


def _batch(table: Table, first: int, rows: list[list[Any]], names: list[str]) -> Batch:
    raw = list(zip(*rows, strict=True)) if rows else [()] * len(names)
    everyone = range(len(rows))
    columns = [
        Column(name, [as_text(cell) for cell in cells], everyone) for name, cells in zip(names, raw, strict=True)
    ]
    return Batch(table, first, len(rows), columns, origin=raw)


def as_text(cell: Any) -> str:
    """A cell as a person sees it: whole numbers without a point, dates in ISO form."""
    if isinstance(cell, str):
        return cell
    if isinstance(cell, bool):
        return "TRUE" if cell else "FALSE"
    if isinstance(cell, float) and cell.is_integer() and abs(cell) < 1e18:
        return str(int(cell))
    if isinstance(cell, dt.datetime):
        return cell.date().isoformat() if cell.time() == dt.time() else cell.isoformat(" ")
    return str(cell)


class XlsxWriter:
    """Rebuilds a workbook in memory; its bytes come out at the end."""

    def __init__(self) -> None:
        import xlsxwriter  # loaded only when a workbook is written: it would slow every start

        self._buffer = io.BytesIO()
        # In memory: xlsxwriter's other mode keeps the customers' records in temporary files.
        self._book = xlsxwriter.Workbook(
            self._buffer,
            {
                "in_memory": True,
                "strings_to_formulas": False,
                "strings_to_urls": False,
                "strings_to_numbers": False,
                "default_date_format": "yyyy-mm-dd hh:mm:ss",
            },
        )
        self._book.set_properties({"created": dt.datetime(2000, 1, 1)})  # noqa: DTZ001 - the format has no zone
        self._sheet: Any = None
        self._name: str | None = None
        self._row = 0
        self._renamed: dict[str, str] = {}

    def write(self, batch: Batch, keep: Sequence[bool] | None = None) -> bytes:
        if batch.origin is _BESIDE:
            sheets = next((column for column in batch.columns if column.name == xlsx_carriers.SHEETS), None)
            self._renamed = dict(zip(sheets.values, sheets.output(), strict=True)) if sheets else {}
            return b""
        if batch.origin is _TOLD:
            return b""
        if batch.table.name != self._name or self._sheet is None:
            self._start(batch.table)
        replaced = [column.output() for column in batch.columns]
        for record in range(batch.count):
            if keep is not None and not keep[record]:
                continue
            for position, column in enumerate(batch.columns):
                self._cell(position, batch.origin[position][record], column.values[record], replaced[position][record])
            self._row += 1
        return b""

    def finish(self) -> bytes:
        if self._sheet is None:
            self._book.add_worksheet()
        self._book.close()
        return self._buffer.getvalue()

    def _start(self, table: Table) -> None:
        self._sheet = self._book.add_worksheet(self._title(table.name))
        self._name, self._row = table.name, 0
        for position, label in enumerate(table.header or ()):
            self._sheet.write_string(0, position, label[:_MAX_CELL_TEXT])
        self._row = 1 if table.header is not None else 0

    def _title(self, name: str) -> str:
        """The sheet's name, or what replaces it as far as the format allows."""
        new = self._renamed.get(name, name)
        return name if new == name else new.translate(_FORBIDDEN_IN_NAMES)[:_MAX_SHEET_NAME]

    def _cell(self, position: int, raw: Any, old: str, new: str) -> None:
        if new == "":
            return
        if new != old or isinstance(raw, str):
            self._sheet.write_string(self._row, position, new[:_MAX_CELL_TEXT])
        elif isinstance(raw, bool):
            self._sheet.write_boolean(self._row, position, raw)
        elif isinstance(raw, int | float):
            self._sheet.write_number(self._row, position, raw)
        elif isinstance(raw, dt.date | dt.time | dt.timedelta):
            self._sheet.write_datetime(self._row, position, raw)
        else:
            self._sheet.write_string(self._row, position, new)

"""Paragraphs of a part in order, with tables put back together: rows read as rows, and columns under their header."""

from typing import Any, Protocol

from handover.formats.docx.names import A, W
from handover.formats.docx.texts import Text, paragraphs_of
from handover.formats.records import looks_like_header, unique_names

_LONGEST_LABEL = 20
#: Two columns are labels and their values more often than a list.
_FEWEST_COLUMNS, _FEWEST_ROWS = 3, 2


class Sink(Protocol):
    """Takes texts."""

    def add(self, name: str, text: Text) -> None: ...

    def add_row(self, row: dict[str, Text]) -> None: ...


def read(root: Any, name: str, records: Sink) -> None:
    """Hands on all texts of paragraphs below `root`."""
    texts = {paragraph: (text, code) for paragraph, text, code in paragraphs_of(root)}
    done: set[Any] = set()
    number = 0
    for element in root.iter(W + "p", A + "p", W + "rt", W + "tbl"):
        if element.tag == W + "tbl":
            number += 1
            _table(element, f"table_{number}!", name, texts, done, records)
        elif element not in done:
            records.add(name, texts[element][0])
    for _, code in texts.values():
        records.add("field_codes", code)


def _table(
    table: Any, prefix: str, name: str, texts: dict[Any, tuple[Text, Text]], done: set[Any], records: Sink
) -> None:
    rows = [[_cell(cell, texts) for cell in row.iter(W + "tc") if _row_of(cell) is row] for row in table.iter(W + "tr")]
    if any(cell is None for row in rows for cell in row) or not rows:
        return  # a cell of several paragraphs, or a table in a table: its paragraphs are read one by one
    done.update(paragraph for paragraph in table.iter(W + "p") if _is_direct(paragraph))
    cells = [[cell for cell in row if cell is not None] for row in rows]
    labels = [cell.value.strip() for cell in cells[0]]
    if _has_header(labels, cells):
        records.add(name, _row(cells[0]))
        fields = unique_names(labels, prefix)
        for row in cells[1:]:
            records.add_row(dict(zip(fields, row, strict=True)))
    else:
        for row in cells:
            records.add(name, _row(row))


def _cell(cell: Any, texts: dict[Any, tuple[Text, Text]]) -> Text | None:
    """The text of a cell with at most one paragraph that says something."""
    if cell.find(".//" + W + "tbl") is not None:
        return None
    paragraphs = [texts[paragraph][0] for paragraph in cell.iter(W + "p") if _is_direct(paragraph)]
    filled = [text for text in paragraphs if text.value.strip()]
    return None if len(filled) > 1 else filled[0] if filled else Text()


def _row_of(cell: Any) -> Any:
    return next(cell.iterancestors(W + "tr"))


def _is_direct(paragraph: Any) -> bool:
    """False inside a text box of the cell."""
    return bool(next(paragraph.iterancestors(W + "tc", W + "txbxContent")).tag == W + "tc")


def _has_header(labels: list[str], rows: list[list[Text]]) -> bool:
    return (
        len(labels) >= _FEWEST_COLUMNS
        and len(rows) >= _FEWEST_ROWS
        and all(len(row) == len(labels) for row in rows)
        and all(0 < len(label) <= _LONGEST_LABEL for label in labels)
        and looks_like_header(labels)
    )


def _row(cells: list[Text]) -> Text:
    """A row as one text; a form's boxes for single digits read as one number."""
    row = Text()
    last = ""
    for cell in cells:
        joint = "" if len(cell.value.strip()) == 1 == len(last) else "  "
        last = cell.value.strip()
        row.join(cell, joint)
    return row

"""Text of a workbook outside its cells: comments, names, properties, headers, validation lists, charts, pivot caches, links.

It is inspected, so that the report tells of it; a rebuilt workbook has none of it. Only sheets' names are carried over.
"""

import re
from collections.abc import Iterator
from typing import Any

from handover.formats.ooxml import PROGRAM_PROPERTIES, OfficePackage, parsed
from handover.formats.records import Column

SHEETS = "(sheets)"
_FIELDS = (
    ("(comments)", re.compile(r"xl/(comments|threadedComments|persons)")),
    ("(comments)", re.compile(r"xl/drawings/.*\.vml")),
    ("(drawings)", re.compile(r"xl/(drawings|diagrams)/.*\.xml")),
    ("(charts)", re.compile(r"xl/(charts|chartsheets)/.*\.xml")),
    (
        "(pivot_cache)",
        re.compile(r"xl/(pivotCache|pivotTables|slicers?|slicerCaches|timelines?|timelineCaches)/.*\.xml"),
    ),
    ("(external_links)", re.compile(r"xl/(externalLinks|queryTables|connections)|.*_rels/.*\.rels")),
    ("(names)", re.compile(r"xl/(workbook|tables/.*)\.xml")),
    ("(page_setup)", re.compile(r"xl/worksheets/.*\.xml")),
    ("(metadata)", re.compile(r"docProps/.*\.xml|customXml/.*\.xml|docMetadata/.*\.xml")),
)
#: Written by the program, or the cells themselves.
_NO_TEXT = re.compile(r"xl/(styles|sharedStrings|calcChain|metadata|theme/.*)\.xml|\[Content_Types\]\.xml")
_CELLS = re.compile(rb"<(?:\w+:)?sheetData\b.*</(?:\w+:)?sheetData\s*>", re.DOTALL)
_FORMULA_WITH_TEXT = re.compile(rb'<(?:\w+:)?f\b[^>]*>([^<]*(?:"|&quot;)[^<]*)<')
#: Names that a program gives.
_ORDINARY_SHEET = re.compile(r"(Sheet|工作表|工作簿|Feuil|Tabelle)\s?[0-9]{0,4}")
#: Attributes that people write texts into; others are settings.
_WORDS = frozenset(
    {"name", "descr", "title", "tooltip", "display", "prompt", "promptTitle", "error", "errorTitle", "author", "string", "displayName",
        "caption",
        "comment",
        "help",
        "description",
        "statusBar",
        "refreshedBy", "lastRefreshedBy",
        "userName", "v", "u", "alt", "uniqueName", "connection", "sourceFile", "url", "command", "location"}
)  # fmt: skip
_NUMBER = re.compile(r"-?[0-9]{1,6}(\.[0-9]+)?")
_OUTSIDE = "TargetMode"


def carriers(package: OfficePackage, sheets: list[str]) -> list[Column]:
    """A column for each kind of such text.

    Raises:
        FormatRefusedError: a part is damaged or too large.
    """
    named = [sheet for sheet in sheets if not _ORDINARY_SHEET.fullmatch(sheet)]
    found: dict[str, dict[str, None]] = {SHEETS: dict.fromkeys(named)}
    for name in package.names:
        field = next((field for field, pattern in _FIELDS if pattern.match(name)), "(other)")
        if _NO_TEXT.fullmatch(name) or not name.endswith((".xml", ".vml", ".rels")):
            continue
        if field == "(page_setup)":
            texts = _sheet(package.read(name))
        else:
            texts = _texts(package.xml(name), links=name.endswith(".rels"))
        found.setdefault(field, {}).update(dict.fromkeys(texts))
    return [Column(field, list(texts), [0] * len(texts)) for field, texts in found.items() if texts]


def _sheet(data: bytes) -> Iterator[str]:
    """What stands around a sheet's cells, and the formulas that quote text."""
    cells = _CELLS.search(data)
    if cells is not None:
        data = data[: cells.start()] + data[cells.end() :]
        for formula in _FORMULA_WITH_TEXT.findall(cells[0]):
            yield formula.decode("utf-8", "replace").replace("&quot;", '"')
    yield from _texts(parsed(data))


def _texts(root: Any, *, links: bool = False) -> Iterator[str]:
    if links:
        yield from (element.get("Target", "") for element in root.iter() if element.get(_OUTSIDE) == "External")
        return
    for element in root.iter():
        if isinstance(element.tag, str):
            # Runs of one comment or text box are one text.
            if element.tag.endswith(("}is", "}text", "}p")):
                yield "".join(element.itertext()).strip()
            local = element.tag.rpartition("}")[2]
            if local in PROGRAM_PROPERTIES or local == "sheet":
                continue
            values = [element.text or "", element.tail or ""]
            values += [value for key, value in element.attrib.items() if key in _WORDS]
            yield from (value.strip() for value in values if _says_something(value.strip()))


def _says_something(value: str) -> bool:
    return len(value) > 1 and not _NUMBER.fullmatch(value) and not value.startswith(("http://schemas.", "{"))

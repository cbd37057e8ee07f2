"""The texts of a document as records, part by part; tables with a header row become columns of their own."""

import posixpath
import re
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from typing import Any

from handover.formats import ocr, picture
from handover.formats.docx import tables
from handover.formats.docx.cleaning import clean
from handover.formats.docx.names import MAIN, RELATIONSHIPS, Fate, fate_of, field_of
from handover.formats.docx.texts import NUMBER, Text, attributes, others, paragraphs_of
from handover.formats.errors import refuse
from handover.formats.ooxml import PROGRAM_PROPERTIES, OfficePackage
from handover.formats.records import Batch, Column, Table

_RELATIONSHIP = RELATIONSHIPS + "Relationship"
_TEXT_TAG = re.compile(r"\}(t|delText|lpstr|lpwstr|instrText)$")


@dataclass(slots=True)
class Document:
    """An open document: the cleaned parts that go into the output."""

    package: OfficePackage
    fates: dict[str, Fate]
    roots: dict[str, Any] = field(default_factory=dict)
    relationships: dict[str, Any] = field(default_factory=dict)
    pictures: dict[str, Any] = field(default_factory=dict)
    lines: list[tuple[str, ocr.Line]] = field(default_factory=list)


class Records:
    """Gathers texts into columns; a text is a record of its own unless a table's row holds it."""

    def __init__(self) -> None:
        self.count = 0
        self._columns: dict[str, tuple[list[str], list[int], list[Text | None]]] = {}

    def add(self, name: str, text: Text | str) -> None:
        self.add_row({name: text})

    def add_row(self, row: dict[str, Any]) -> None:
        """Texts of one record; blank ones are left out."""
        filled = {name: text for name, text in row.items() if (text if isinstance(text, str) else text.value).strip()}
        for name, text in filled.items():
            values, records, texts = self._columns.setdefault(name, ([], [], []))
            values.append(text if isinstance(text, str) else text.value)
            records.append(self.count)
            texts.append(None if isinstance(text, str) else text)
        self.count += bool(filled)

    def batch(self, document: Document) -> Batch:
        columns = [Column(name, values, records) for name, (values, records, _) in self._columns.items()]
        return Batch(
            Table(), 0, self.count, columns, origin=(document, [texts for _, _, texts in self._columns.values()])
        )


def read(chunks: Iterable[bytes]) -> Iterator[Batch]:
    """The records of a document: `body`, `table_1!…`, `header`, `comments`, `metadata.…`, `tracked_deletions`, `image`, ….

    Raises:
        FormatRefusedError: damaged, encrypted, too large unpacked, or holding what can't be inspected.
    """
    package = OfficePackage(b"".join(chunks))
    if MAIN not in package.names:
        raise refuse("这个压缩文件不是 DOCX 文档。", "This archive is not a DOCX document.")
    document = Document(package, {name: fate_of(name) for name in package.names})
    records = Records()
    kept = sorted((name for name, fate in document.fates.items() if fate is Fate.TEXT), key=lambda name: name != MAIN)
    for name in kept:
        _read_kept(name, document, records)
    for name, fate in document.fates.items():
        if fate is Fate.INSPECTED:
            _read_left_behind(name, package.xml(name), records)
        elif fate is Fate.PICTURE:
            _read_picture(name, document, records)
    yield records.batch(document)


def _read_kept(name: str, document: Document, records: Records) -> None:
    root = document.package.xml(name)
    for deleted in clean(root, _relationships(name, document, records)):
        records.add("tracked_deletions", deleted)
    document.roots[name] = root
    tables.read(root, field_of(name), records)
    for text in others(root):
        records.add(field_of(name), text)
    for text in attributes(root):
        records.add("attributes", text)


def _relationships(name: str, document: Document, records: Records) -> frozenset[str]:
    """The ids of what a part may go on pointing to; addresses outside are inspected."""
    folder, _, stem = name.rpartition("/")
    source = f"{folder}/_rels/{stem}.rels"
    kept: dict[str, Any] = {}
    if source in document.package.names:
        for relationship in document.package.xml(source).iter(_RELATIONSHIP):
            target = relationship.get("Target", "")
            if relationship.get("TargetMode") == "External":
                records.add("links", target)
                continue
            part = posixpath.normpath(posixpath.join(folder, target)) if target[:1] != "/" else target[1:]
            if document.fates.get(part) in {Fate.TEXT, Fate.PICTURE}:
                kept[relationship.get("Id", "")] = (relationship.get("Type", ""), part)
    document.relationships[name] = kept
    return frozenset(kept)


def _read_left_behind(name: str, root: Any, records: Records) -> None:
    """Every text of a part that the output will not have."""
    covered: set[Any] = set()
    label = field_of(name)
    for _, text, code in paragraphs_of(root):
        covered.update(spot.element for spot in (*text.spots, *code.spots))
        records.add(label, text.value + code.value)
    for element in root.iter():
        content = (element.text or "").strip()
        local = element.tag.rpartition("}")[2]
        by_program = label == "metadata" and local in PROGRAM_PROPERTIES
        if content and element not in covered and not by_program and not NUMBER.fullmatch(content):
            records.add(
                f"metadata.{local.lower()}" if label == "metadata" and not _TEXT_TAG.search(element.tag) else label,
                content,
            )
    for text in attributes(root):
        records.add("authors" if text.spots[0].where.endswith(("author", "initials")) else label, text.value)


def _read_picture(name: str, document: Document, records: Records) -> None:
    kind = "png" if name.lower().endswith("png") else "jpeg"
    image, metadata = picture.opened(document.package.read(name), kind)
    document.pictures[name] = (kind, image)
    for label, values in metadata.items():
        for value in values:
            records.add(f"image_{label}", value)
    for line in ocr.lines_in(image):
        if line.text.strip():
            document.lines.append((name, line))
            records.add("image", line.text)

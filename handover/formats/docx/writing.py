"""Writes the clean package: the kept parts, their relationships, and minimal settings."""

import posixpath
from collections.abc import Sequence
from typing import Any

from lxml import etree

from handover.formats import ocr, picture
from handover.formats.docx.names import CONTENT_TYPES, MAIN, RELATIONSHIPS, SETTINGS, Fate, W
from handover.formats.docx.reading import Document
from handover.formats.ooxml import written
from handover.formats.records import Batch, Edit

_OFFICE = "http://schemas.openxmlformats.org/officeDocument/2006/relationships/"
_TYPES = "application/vnd.openxmlformats-officedocument."
_WORD = _TYPES + "wordprocessingml."
_BY_STEM = {
    "document": _WORD + "document.main+xml",
    "header": _WORD + "header+xml",
    "footer": _WORD + "footer+xml",
    "footnotes": _WORD + "footnotes+xml",
    "endnotes": _WORD + "endnotes+xml",
    "styles": _WORD + "styles+xml",
    "numbering": _WORD + "numbering+xml",
    "settings": _WORD + "settings+xml",
    "theme": _TYPES + "theme+xml",
    "chart": _TYPES + "drawingml.chart+xml",
    "data": _TYPES + "drawingml.diagramData+xml",
    "layout": _TYPES + "drawingml.diagramLayout+xml",
    "quickStyle": _TYPES + "drawingml.diagramStyle+xml",
    "colors": _TYPES + "drawingml.diagramColors+xml",
    "drawing": "application/vnd.ms-office.drawingml.diagramDrawing+xml",
}
_SETTINGS_XML = (
    f'<w:settings xmlns:w="{W[1:-1]}"><w:compat><w:compatSetting w:name="compatibilityMode" '
    'w:uri="http://schemas.microsoft.com/office/word" w:val="15"/></w:compat></w:settings>'
).encode()


class DocxWriter:
    """Rebuilds a document in memory; its bytes come out at the end."""

    def __init__(self) -> None:
        self._document: Document | None = None

    def write(self, batch: Batch, keep: Sequence[bool] | None = None) -> bytes:
        document, texts = batch.origin
        self._document = document
        lines = iter(document.lines)
        for column, sources in zip(batch.columns, texts, strict=True):
            for index, source in enumerate(sources):
                line = next(lines) if column.name == "image" else None
                kept = keep is None or keep[column.records[index]]
                edits = column.changes(index) if kept else [Edit(0, len(column.values[index]), "")]
                if source is not None:
                    source.apply(edits)
                elif line is not None:
                    _, image = document.pictures[line[0]]
                    ocr.cover(image, line[1], edits)
        return b""

    def finish(self) -> bytes:
        return b"" if self._document is None else written(_parts(self._document))


def _parts(document: Document) -> dict[str, bytes]:
    reached = _reached(document)
    parts: dict[str, bytes] = {"[Content_Types].xml": _content_types(reached), "_rels/.rels": _root_relationships()}
    for name in reached:
        if document.fates[name] is Fate.PICTURE:
            kind, image = document.pictures[name]
            parts[name] = picture.encoded(image, kind)
            continue
        parts[name] = etree.tostring(document.roots[name], xml_declaration=True, encoding="UTF-8", standalone=True)
        folder, _, stem = name.rpartition("/")
        links = {key: link for key, link in document.relationships[name].items() if link[1] in reached}
        if name == MAIN:
            links["rIdSettings"] = (_OFFICE + "settings", SETTINGS)
        if links:
            parts[f"{folder}/_rels/{stem}.rels"] = _relationships(links, folder)
    parts[SETTINGS] = _SETTINGS_XML
    return parts


def _reached(document: Document) -> list[str]:
    """Parts that the document leads to; one that nothing points at would be a place to hide."""
    reached = [MAIN]
    for name in reached:
        reached += [
            part
            for _, part in document.relationships.get(name, {}).values()
            if part not in reached and part != SETTINGS
        ]
    return list(dict.fromkeys(reached))


def _relationships(links: dict[str, Any], folder: str) -> bytes:
    root = etree.Element(RELATIONSHIPS + "Relationships", nsmap={None: RELATIONSHIPS[1:-1]})
    for key, (kind, part) in links.items():
        target = posixpath.relpath(part, folder)
        etree.SubElement(root, RELATIONSHIPS + "Relationship", Id=key, Type=kind, Target=target)
    return bytes(etree.tostring(root, xml_declaration=True, encoding="UTF-8", standalone=True))


def _root_relationships() -> bytes:
    return _relationships({"rId1": (_OFFICE + "officeDocument", MAIN)}, "")


def _content_types(names: list[str]) -> bytes:
    root = etree.Element(CONTENT_TYPES + "Types", nsmap={None: CONTENT_TYPES[1:-1]})
    extensions = {"rels": "application/vnd.openxmlformats-package.relationships+xml", "xml": "application/xml"}
    for name in names:
        extension = name.rpartition(".")[2]
        if extension.lower() in {"png", "jpg", "jpeg"}:
            extensions[extension] = "image/png" if extension.lower() == "png" else "image/jpeg"
    for extension, kind in extensions.items():
        etree.SubElement(root, CONTENT_TYPES + "Default", Extension=extension, ContentType=kind)
    for name in [*(name for name in names if name.endswith(".xml")), SETTINGS]:
        stem = name.rpartition("/")[2].removesuffix(".xml").rstrip("0123456789")
        if stem in _BY_STEM:
            etree.SubElement(root, CONTENT_TYPES + "Override", PartName=f"/{name}", ContentType=_BY_STEM[stem])
    return bytes(etree.tostring(root, xml_declaration=True, encoding="UTF-8", standalone=True))

"""Names of WordprocessingML, and what becomes of each part of a package."""

import re
from enum import Enum

from handover.formats.errors import refuse

W = "{http://schemas.openxmlformats.org/wordprocessingml/2006/main}"
A = "{http://schemas.openxmlformats.org/drawingml/2006/main}"
M = "{http://schemas.openxmlformats.org/officeDocument/2006/math}"
C = "{http://schemas.openxmlformats.org/drawingml/2006/chart}"
R = "{http://schemas.openxmlformats.org/officeDocument/2006/relationships}"
XML = "{http://www.w3.org/XML/1998/namespace}"
RELATIONSHIPS = "{http://schemas.openxmlformats.org/package/2006/relationships}"
CONTENT_TYPES = "{http://schemas.openxmlformats.org/package/2006/content-types}"

MAIN = "word/document.xml"
SETTINGS = "word/settings.xml"


class Fate(Enum):
    """What becomes of a part."""

    #: Inspected, cleaned and kept.
    TEXT = "text"
    #: A picture: read by OCR, covered, encoded anew.
    PICTURE = "picture"
    #: Its texts are inspected; it is not carried over.
    INSPECTED = "inspected"
    #: Holds no text of anybody; not carried over.
    DROPPED = "dropped"
    #: The package's own bookkeeping, written anew.
    STRUCTURE = "structure"


_FATES: tuple[tuple[Fate, re.Pattern[str]], ...] = (
    (Fate.STRUCTURE, re.compile(r"\[Content_Types\]\.xml|(.*/)?_rels/[^/]*\.rels")),
    (Fate.TEXT, re.compile(r"word/(document|header\d*|footer\d*|footnotes|endnotes|styles|numbering)\.xml")),
    (Fate.TEXT, re.compile(r"word/(diagrams|charts|drawings|theme)/[^/]+\.xml")),
    (Fate.PICTURE, re.compile(r"word/media/[^/]+\.(png|jpe?g)", re.IGNORECASE)),
    (
        Fate.DROPPED,
        re.compile(r"docProps/thumbnail\.[a-z]+|word/fonts/.*|word/printerSettings/.*|.*/|_xmlsignatures/.*"),
    ),
    (Fate.INSPECTED, re.compile(r"(word/[A-Za-z0-9]+|word/glossary/.*|customXml/.*|docProps/.*|docMetadata/.*)\.xml")),
)
_FIELDS = {"document": "body", "footnotes": "footnotes", "endnotes": "endnotes", "comments": "comments"}


def fate_of(part: str) -> Fate:
    """What becomes of a part.

    Raises:
        FormatRefusedError: it holds what can't be inspected.
    """
    for fate, pattern in _FATES:
        if pattern.fullmatch(part):
            return fate
    patterns = {"vba": "macro", "word/media/": "picture", r"word/embeddings/.*\.(xls|doc|ppt).?$": "file"}
    kind = next((kind for pattern, kind in patterns.items() if re.search(pattern, part, re.IGNORECASE)), "object")
    zh = {
        "macro": "宏",
        "picture": "PNG、JPEG 以外的图片",
        "file": "嵌入的文件，例如图表背后的工作簿（可把图表粘贴为图片）",
        "object": "嵌入的对象或未知部件",
    }[kind]
    en = {
        "macro": "macros",
        "picture": "a picture other than PNG or JPEG",
        "file": "an embedded file, such as the workbook behind a chart (paste the chart as a picture)",
        "object": "an embedded object or unknown part",
    }[kind]
    raise refuse(
        f"文档里有不能检查的内容：{zh}。请删除后另存。",
        f"The document holds what can't be inspected: {en}. Save a copy without it.",
    )


def field_of(part: str) -> str:
    """The field that a part's running text is reported under."""
    stem = part.rpartition("/")[2].removesuffix(".xml").rstrip("0123456789")
    if part.startswith("docProps/"):
        return "metadata"
    return _FIELDS.get(stem, stem) if part.startswith("word/") else "custom_xml"

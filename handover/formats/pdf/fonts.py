"""What the codes in a content stream show: characters and widths of a font (ISO 32000-2, 9.5 to 9.10).

Encodings, predefined CMaps and the metrics of the standard fonts are pdfminer's. A font that it can't read with certainty
(Type 3, vertical) raises `UnreadableFontError`, and the page is treated as a picture.
"""

import logging
import re
import unicodedata
from collections.abc import Iterator
from typing import Any, NamedTuple

import pikepdf

from handover.formats.pdf.limits import MAX_CONTENT, bounded

logging.getLogger("pdfminer").setLevel(logging.CRITICAL)  # it quotes the file in its warnings

_MAX_DEPTH = 12
_MAX_CMAP_RANGE = 0xFFFF
_CMAP_BLOCK = re.compile(rb"begincid(range|char)(.*?)endcid", re.DOTALL)
_CMAP_RANGE = re.compile(rb"<([0-9A-Fa-f]+)>\s*<([0-9A-Fa-f]+)>\s*(\d+)")
_CMAP_CHARACTER = re.compile(rb"<([0-9A-Fa-f]+)>()\s*(\d+)")


class UnreadableFontError(Exception):
    """The font's codes can't be told for certain."""


class Code(NamedTuple):
    """One shown code."""

    raw: bytes
    #: Empty when the font does not say what it shows.
    text: str
    #: Advance in thousandths of the font's size.
    width: float
    #: A single-byte space, to which word spacing applies.
    is_space: bool
    #: True where the file's table says another letter or digit than the font's encoding.
    is_contradicted: bool = False


class Font:
    """One font resource."""

    def __init__(self, resource: pikepdf.Object) -> None:
        from pdfminer import pdffont  # loaded only when a PDF comes
        from pdfminer.cmapdb import IdentityCMap, IdentityCMapByte
        from pdfminer.pdfinterp import PDFResourceManager
        from pdfminer.psparser import PSException

        subtype = str(resource.get("/Subtype", ""))
        self._widths: dict[int, float] = {}
        self._font: Any
        try:
            spec = _converted(resource)
            manager = PDFResourceManager(caching=False)
            if subtype == "/Type0":
                self._font = manager.get_font(None, spec)
                encoding = resource.get("/Encoding")
                if isinstance(encoding, pikepdf.Stream):
                    self._font.cmap = _embedded(bounded(encoding, MAX_CONTENT))
                cmap = self._font.cmap
                identity = 1 if isinstance(cmap, IdentityCMapByte) else 2 if isinstance(cmap, IdentityCMap) else 0
                self._identity = identity
                if cmap.is_vertical() or (not identity and not cmap.code2cid):
                    raise UnreadableFontError
            elif subtype in {"/Type1", "/TrueType", "/MMType1"}:
                self._font = (pdffont.PDFTrueTypeFont if subtype == "/TrueType" else pdffont.PDFType1Font)(
                    manager, spec
                )
                self._identity = 1
                first = int(spec.get("FirstChar", 0))
                self._widths = {first + index: float(width) for index, width in enumerate(spec.get("Widths", []))}
            else:
                raise UnreadableFontError
        except (PSException, KeyError, TypeError, ValueError, IndexError, AttributeError, OverflowError):
            raise UnreadableFontError from None
        self._has_table = isinstance(resource.get("/ToUnicode"), pikepdf.Stream)
        self._is_simple = subtype != "/Type0"
        #: Without an encoding of its own a subset's codes are arbitrary, and only the table knows.
        self._encoded: dict[int, str] = (
            self._font.cid2unicode if self._is_simple and self._has_table and "/Encoding" in resource else {}
        )
        self._known: dict[bytes, Code] = {}

    def decode(self, string: bytes) -> Iterator[Code]:
        """The codes of a shown string.

        Raises:
            UnreadableFontError: bytes that the encoding does not know.
        """
        for raw, cid in self._cids(string):
            code = self._known.get(raw)
            if code is None:
                text = self._text(raw, cid)
                doubtful = _contradict(text, self._encoded.get(cid, ""))
                code = self._known[raw] = Code(raw, text, self._width(cid), raw == b" ", doubtful)
            yield code

    def _cids(self, string: bytes) -> Iterator[tuple[bytes, int]]:
        if self._identity:
            size = self._identity
            if len(string) % size:
                raise UnreadableFontError
            for start in range(0, len(string), size):
                raw = string[start : start + size]
                yield raw, int.from_bytes(raw, "big")
            return
        start = 0
        node: Any = self._font.cmap.code2cid
        for position, byte in enumerate(string, 1):
            node = node.get(byte)
            if isinstance(node, int):
                yield string[start:position], node
                start, node = position, self._font.cmap.code2cid
            elif node is None:
                raise UnreadableFontError
        if start != len(string):
            raise UnreadableFontError

    def _text(self, raw: bytes, cid: int) -> str:
        from pdfminer.pdffont import PDFUnicodeNotDefined

        try:
            # The table of the file is keyed by code, those of the character collections by CID.
            text = self._font.to_unichr(int.from_bytes(raw, "big") if self._has_table else cid)
        except (PDFUnicodeNotDefined, KeyError):
            return ""
        return text if isinstance(text, str) and not _is_private(text) else ""

    def _width(self, cid: int) -> float:
        if self._is_simple and cid in self._widths:
            return self._widths[cid]
        return float(self._font.char_width(cid)) * 1000


def _contradict(text: str, other: str) -> bool:
    text, other = (unicodedata.normalize("NFKC", one).casefold() for one in (text, other))
    return text.isalnum() and other.isalnum() and text != other


def _embedded(data: bytes) -> Any:
    """The CMap of the file itself, as far as it is plain: `<code> cid` and `<first> <last> cid`."""
    from pdfminer.cmapdb import FileCMap

    if b"usecmap" in data or re.search(rb"/WMode\s+1", data):
        raise UnreadableFontError
    cmap = FileCMap()
    for kind, body in _CMAP_BLOCK.findall(data):
        for first, last, cid in (_CMAP_RANGE if kind == b"range" else _CMAP_CHARACTER).findall(body):
            start, end = int(first, 16), int(last or first, 16)
            if end - start > _MAX_CMAP_RANGE:
                raise UnreadableFontError
            for code in range(start, end + 1):
                raw = code.to_bytes(len(first) // 2, "big")
                cmap.add_code2cid(raw.decode("latin-1"), int(cid) + code - start)
    return cmap


def _is_private(text: str) -> bool:
    """Private use, replacement and control characters say nothing of what is seen."""
    return any("\ue000" <= c <= "\uf8ff" or c == "\ufffd" or (c < " " and c not in "\t\n\r") for c in text)


def _converted(value: Any, depth: int = 0) -> Any:
    """An object of pikepdf in pdfminer's form."""
    from pdfminer.pdftypes import PDFStream
    from pdfminer.psparser import LIT

    if depth > _MAX_DEPTH:
        raise UnreadableFontError
    if isinstance(value, pikepdf.Stream):
        return PDFStream(_dictionary(value, depth, {"/Filter", "/DecodeParms", "/Length"}), bounded(value))
    if isinstance(value, pikepdf.Dictionary):
        return _dictionary(value, depth, {"/Parent"})
    if isinstance(value, pikepdf.Array):
        return [_converted(item, depth + 1) for item in value]
    if isinstance(value, pikepdf.Name):
        return LIT(str(value)[1:])
    if isinstance(value, pikepdf.String):
        return bytes(value)
    if isinstance(value, int | bool) or value is None:
        return value
    return float(value)


def _dictionary(value: Any, depth: int, without: set[str]) -> dict[str, Any]:
    return {key[1:]: _converted(item, depth + 1) for key, item in value.items() if key not in without}

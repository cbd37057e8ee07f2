"""What PDFium shows of a page: its picture, its characters, and the places of both in one another's coordinates."""

import ctypes
import math
from typing import Any

import pypdfium2
import pypdfium2.raw as pdfium
from PIL import Image

from handover.formats.errors import refuse
from handover.formats.ocr import PixelBox
from handover.formats.pdf.glyphs import Box, Glyph

_DPI = 150
#: A poster is drawn coarser instead: 20 megapixels take 60 MB.
_MAX_PIXELS = 20_000_000
_POINTS = 72
_FRACTIONS = 16
#: What a line takes from the lowest to the highest stroke, in ems.
_LINE = 1.2
_BASELINE = 0.25


class Surface:
    """A document as PDFium sees it; the bytes are those that qpdf has normalised."""

    def __init__(self, data: bytes) -> None:
        try:
            self._document = pypdfium2.PdfDocument(data)
        except pypdfium2.PdfiumError:
            raise refuse("PDF 已损坏，无法读取。", "The PDF is damaged and can't be read.") from None

    @property
    def pages(self) -> int:
        return len(self._document)

    def page(self, index: int) -> "PageSurface":
        try:
            return PageSurface(self._document[index])
        except pypdfium2.PdfiumError:
            raise refuse(f"第 {index + 1} 页已损坏。", f"Page {index + 1} is damaged.") from None

    def close(self) -> None:
        self._document.close()


class PageSurface:
    """One page."""

    def __init__(self, page: Any) -> None:
        self._page = page
        self.width, self.height = page.get_size()
        pixels = self.width * self.height * (_DPI / _POINTS) ** 2
        self.scale = _DPI / _POINTS * min(1.0, math.sqrt(_MAX_PIXELS / max(pixels, 1)))

    def text(self) -> str:
        text_page = self._page.get_textpage()
        try:
            return str(text_page.get_text_range())
        finally:
            text_page.close()

    def glyphs(self) -> list[Glyph]:
        """The characters; one that PDFium can't tell is `\\ufffd`."""
        text_page = self._page.get_textpage()
        try:
            return [glyph for index in range(text_page.count_chars()) if (glyph := _glyph(text_page, index))]
        finally:
            text_page.close()

    def has_pictures(self) -> bool:
        """True when any picture is on the page, however deep it is nested."""
        return next(self._page.get_objects(filter=(pdfium.FPDF_PAGEOBJ_IMAGE,), max_depth=8), None) is not None

    def is_drawn(self) -> bool:
        """True when anything but text is on the page."""
        return any(item.type != pdfium.FPDF_PAGEOBJ_TEXT for item in self._page.get_objects(max_depth=1))

    def picture(self) -> Image.Image:
        """The page as it looks, upright, without annotations and form fields."""
        bitmap = self._page.render(scale=self.scale, may_draw_forms=False, draw_annots=False)
        picture: Image.Image = bitmap.to_pil().convert("RGB")
        return picture

    def picture_without_text(self) -> Image.Image:
        """The same with nothing but what is not text; the page can't be used for anything else afterwards."""
        for item in list(self._page.get_objects(filter=(pdfium.FPDF_PAGEOBJ_TEXT,), max_depth=1)):
            self._page.remove_obj(item)
        return self.picture()

    def pictures(self) -> list[Any]:
        """The pictures that stand on the page itself."""
        return list(self._page.get_objects(filter=(pdfium.FPDF_PAGEOBJ_IMAGE,), max_depth=1))

    def at(self, x: float, y: float) -> tuple[float, float]:
        """A point of the page on its picture, to a fraction of a pixel."""
        size = math.ceil(self.width * self.scale) * _FRACTIONS, math.ceil(self.height * self.scale) * _FRACTIONS
        left, top = ctypes.c_int(), ctypes.c_int()
        pdfium.FPDF_PageToDevice(self._page, 0, 0, *size, 0, x, y, ctypes.byref(left), ctypes.byref(top))
        return left.value / _FRACTIONS, top.value / _FRACTIONS

    def in_pixels(self, box: Box) -> PixelBox:
        """A box of the page on its picture."""
        size = math.ceil(self.width * self.scale), math.ceil(self.height * self.scale)
        xs, ys = [], []
        for x, y in ((box[0], box[1]), (box[2], box[3]), (box[0], box[3]), (box[2], box[1])):
            left, top = ctypes.c_int(), ctypes.c_int()
            pdfium.FPDF_PageToDevice(self._page, 0, 0, *size, 0, x, y, ctypes.byref(left), ctypes.byref(top))
            xs.append(float(left.value))
            ys.append(float(top.value))
        return min(xs), min(ys), max(xs), max(ys)


def _glyph(text_page: Any, index: int) -> Glyph | None:
    point = pdfium.FPDFText_GetUnicode(text_page, index)
    if pdfium.FPDFText_IsGenerated(text_page, index) == 1 or (point <= 0x20 and not _is_unknown(text_page, index)):
        return None
    left, bottom, right, top = text_page.get_charbox(index, loose=True)
    turn = round(pdfium.FPDFText_GetCharAngle(text_page, index) / (math.pi / 2)) % 4
    along, across = (right - left, top - bottom) if turn % 2 == 0 else (top - bottom, right - left)
    size = across / _LINE or 1.0
    cos, sin = ((1, 0), (0, 1), (-1, 0), (0, -1))[turn]
    corner = ((left, bottom), (right, bottom), (right, top), (left, top))[turn]
    shift = _BASELINE * size
    place = (size * cos, size * sin, -size * sin, size * cos, corner[0] - shift * sin, corner[1] + shift * cos)
    text = "\ufffd" if _is_unknown(text_page, index) or not 0 < point < 0x110000 else chr(point)
    return Glyph(text, place, along / size)


def _is_unknown(text_page: Any, index: int) -> bool:
    return bool(pdfium.FPDFText_HasUnicodeMapError(text_page, index) == 1)

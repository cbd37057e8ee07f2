"""The texts of a PDF as records: first what no page shows, then page after page from top to bottom."""

import io
import unicodedata
from collections import Counter
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from typing import Any

import pikepdf

from handover.formats import ocr
from handover.formats.errors import FormatRefusedError, refuse
from handover.formats.pdf import limits
from handover.formats.pdf.carriers import carriers
from handover.formats.pdf.fonts import Font
from handover.formats.pdf.glyphs import Glyph
from handover.formats.pdf.interpreter import DoubtfulFontError, PageContent, VisualPageError
from handover.formats.pdf.layout import Page, Unit, page_of
from handover.formats.pdf.seen import shows_pictures_whole
from handover.formats.pdf.surface import Surface
from handover.formats.records import Batch, Column, Notes, Table
from handover.formats.unread import unread

#: Pictures smaller than this on the page, in points, hold no line of text that could be read.
_LEGIBLE_WIDTH, _LEGIBLE_HEIGHT = 24.0, 6.0
#: With fewer characters than this beside a drawing, the drawing may be the text.
_HARDLY_ANY_TEXT = 5


@dataclass(slots=True)
class Document:
    """An open PDF."""

    pdf: pikepdf.Pdf
    surface: Surface
    fonts: dict[Any, Font] = field(default_factory=dict)
    #: Pages on which a font's table contradicts its encoding: what is drawn counts.
    doubtful: set[int] = field(default_factory=set)


@dataclass(slots=True)
class PageText:
    """What the writer needs of a page: `content` is absent where the page is handled as a picture."""

    document: Document
    index: int
    content: PageContent | None
    #: Parallel to the batch's columns.
    units: list[list[Unit]] | None = None
    lines: list[ocr.Line] = field(default_factory=list)


def read(chunks: Iterable[bytes], notes: Notes) -> Iterator[Batch]:
    """The records of a PDF: fields `metadata.…`, `outline`, `annotations`, …, then `body`, `line_breaks` and `image`.

    Raises:
        FormatRefusedError: damaged, encrypted, too large, with attachments, or with pictures when OCR is not installed.
    """
    data = b"".join(chunks)
    limits.check_raw(data)
    try:
        with pikepdf.open(io.BytesIO(data), suppress_warnings=True) as pdf:
            if pdf.is_encrypted:
                raise _encrypted()
            if len(pdf.objects) > limits.MAX_OBJECTS or len(pdf.pages) > limits.MAX_PAGES:
                raise _too_many()
            notes.pages = len(pdf.pages)
            yield from _batches(pdf)
    except pikepdf.PasswordError:
        raise _encrypted() from None
    except (pikepdf.PdfError, pikepdf.DataDecodingError, ValueError, TypeError, RuntimeError, OverflowError):
        raise refuse("PDF 已损坏，无法读取。", "The PDF is damaged and can't be read.") from None


def _encrypted() -> FormatRefusedError:
    return refuse(
        "PDF 已加密，无法检查。请去掉密码后另存。",
        "The PDF is encrypted and can't be inspected. Save it without a password.",
    )


def _too_many() -> FormatRefusedError:
    return refuse(
        f"PDF 超过 {limits.MAX_PAGES} 页或对象过多。请拆分文件。",
        f"The PDF has more than {limits.MAX_PAGES} pages or too many objects. Split the file.",
    )


def _batches(pdf: pikepdf.Pdf) -> Iterator[Batch]:
    if not pdf.pages:
        raise refuse("PDF 里没有页面。", "The PDF has no pages.")
    hidden = carriers(pdf)
    normalised = io.BytesIO()
    # Both readers look at the same objects: a table of contents that each resolves in its own way is settled here.
    pdf.save(normalised)
    document = Document(pdf, Surface(normalised.getvalue()))
    table = Table()
    count = max((len(column.values) for column in hidden), default=0)
    yield Batch(table, 0, count, hidden, origin=None)
    for index in range(len(pdf.pages)):
        batch = _page(document, index, table, count)
        count += batch.count
        yield batch


def _page(document: Document, index: int, table: Table, first: int) -> Batch:
    surface = document.surface.page(index)
    content: PageContent | None = None
    try:
        content = PageContent(document.pdf.pages[index], document.fonts)
        if not agrees("".join(glyph.text for glyph in content.glyphs), surface.text()):
            content = None
        elif content.images and ocr.is_installed() and not shows_pictures_whole(surface):
            # Its picture may be carried over; a picture's hidden parts may not.
            content, surface = None, document.surface.page(index)
    except DoubtfulFontError:
        document.doubtful.add(index)
    except VisualPageError:
        pass
    glyphs = content.glyphs if content else surface.glyphs()
    page = page_of(glyphs)
    text = PageText(document, index, content)
    text.lines = _pictured(document, index, content, glyphs)
    return _batch(table, first, page, text)


def _pictured(document: Document, index: int, content: PageContent | None, glyphs: list[Glyph]) -> list[ocr.Line]:
    """What is read off the page's picture; nothing where everything that looks like text is known as such."""
    surface = document.surface.page(index)
    drawn_only = len(glyphs) < _HARDLY_ANY_TEXT and surface.is_drawn()
    if content is not None:
        if drawn_only or _has_legible_picture(content):
            return ocr.lines_in(surface.picture_without_text())
        if not ocr.is_installed() or not surface.is_drawn():
            return []
        drawing = surface.picture_without_text()
        return ocr.lines_in(drawing) if unread(drawing, []) else []
    if not ocr.is_installed():
        raise ocr.missing()
    picture = surface.picture()
    unknown = any(glyph.text == "\ufffd" for glyph in glyphs)
    if drawn_only or unknown or index in document.doubtful or surface.has_pictures():
        return ocr.lines_in(picture)
    known = [surface.in_pixels(glyph.box) for glyph in glyphs]
    return ocr.lines_in(picture) if unread(picture, known) else []


def _has_legible_picture(content: PageContent) -> bool:
    """Judged together: a scan may come in strips too low for a line."""
    if not content.images:
        return False
    corners = [
        (a * x + c * y + e, b * x + d * y + f)
        for _, (a, b, c, d, e, f) in content.images
        for x in (0, 1)
        for y in (0, 1)
    ]
    xs, ys = [x for x, _ in corners], [y for _, y in corners]
    return max(xs) - min(xs) >= _LEGIBLE_WIDTH and max(ys) - min(ys) >= _LEGIBLE_HEIGHT


def _batch(table: Table, first: int, page: Page, text: PageText) -> Batch:
    pictured = [Unit(line.text, []) for line in text.lines]
    columns, text.units, count = [], [], 0
    for name, units in (("body", page.units), ("line_breaks", page.broken), ("image", pictured)):
        if units:
            columns.append(Column(name, [unit.text for unit in units], range(count, count + len(units))))
            text.units.append(units)
            count += len(units)
    return Batch(table, first, count, columns, origin=text)


def agrees(text: str, other: str) -> bool:
    """True when another reader sees nothing on the page that `text` does not say."""
    return not _letters(other) - _letters(text)


def _letters(text: str) -> Counter[str]:
    return Counter(filter(str.isalnum, unicodedata.normalize("NFKC", text)))

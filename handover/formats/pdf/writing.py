"""Writes the clean PDF page by page; a page that fails its check becomes a picture."""

from collections.abc import Sequence

import pikepdf

from handover.formats import ocr
from handover.formats.pdf.interpreter import PageContent, VisualPageError
from handover.formats.pdf.output import CleanDocument
from handover.formats.pdf.reading import PageText, agrees
from handover.formats.pdf.rewriting import Replacement, lines_of
from handover.formats.pdf.surface import Surface
from handover.formats.records import Batch, Edit

#: Shorter pieces stand in other words too; their absence proves nothing.
_TELLING = 4
#: What pikepdf says of objects that PDFium draws all the same; the page's picture shows them.
_DAMAGED = (pikepdf.PdfError, pikepdf.DataDecodingError, ValueError, TypeError, RuntimeError)


class PdfWriter:
    """Rebuilds a PDF in memory; its bytes come out at the end."""

    def __init__(self) -> None:
        self._clean = CleanDocument()

    def write(self, batch: Batch, keep: Sequence[bool] | None = None) -> bytes:
        """One page; records that are not kept are taken out of it as hits are."""
        text: PageText | None = batch.origin
        if text is None:
            return b""  # what no page shows is not carried over
        in_text, in_picture = _changes(batch, text, keep)
        if text.content is None or in_picture or not self._as_text(text, text.content, in_text):
            self._as_picture(text, in_text, in_picture)
        return b""

    def finish(self) -> bytes:
        return self._clean.finish()

    def _as_text(self, text: PageText, content: PageContent, replacements: list[Replacement]) -> bool:
        page = text.document.pdf.pages[text.index]
        pages = len(self._clean.pdf.pages)
        try:
            written = self._clean.add_text_page(page, content, replacements)
        except (VisualPageError, *_DAMAGED):
            return False
        if replacements:
            surface = Surface(self._clean.alone(written))
            holds = _is_clean(surface.page(0).text(), content, replacements)
            surface.close()
            if not holds:
                while len(self._clean.pdf.pages) > pages:
                    self._clean.drop_last_page()
                return False
        return True

    def _as_picture(
        self, text: PageText, in_text: list[Replacement], in_picture: list[tuple[ocr.Line, list[Edit]]]
    ) -> None:
        surface = text.document.surface.page(text.index)
        picture = surface.picture()
        for replacement in in_text:
            boxes = [surface.in_pixels(box) for box, _ in lines_of(replacement.glyphs)]
            ocr.paint(picture, boxes, replacement.text)
        for line, edits in in_picture:
            ocr.cover(picture, line, edits)
        self._clean.add_picture_page(picture, surface.width, surface.height)


def _changes(
    batch: Batch, text: PageText, keep: Sequence[bool] | None
) -> tuple[list[Replacement], list[tuple[ocr.Line, list[Edit]]]]:
    in_text: list[Replacement] = []
    in_picture: list[tuple[ocr.Line, list[Edit]]] = []
    for column, units in zip(batch.columns, text.units or [], strict=True):
        for index, unit in enumerate(units):
            kept = keep is None or keep[column.records[index]]
            edits = column.changes(index) if kept else [Edit(0, len(unit.text), "")]
            if column.name != "image":
                in_text += [Replacement(unit.shown(edit.start, edit.end), edit.text) for edit in edits]
            elif edits or not text.lines[index].readable:
                in_picture.append((text.lines[index], edits))
    return in_text, in_picture


def _is_clean(output: str, content: PageContent, replacements: list[Replacement]) -> bool:
    """True when another reader finds none of what was taken out, and nothing besides what stays and the labels."""
    dense = "".join(output.split())
    removed = {id(glyph) for replacement in replacements for glyph in replacement.glyphs}
    for replacement in replacements:
        gone = "".join(glyph.text for glyph in replacement.glyphs).strip()
        if len(gone) >= _TELLING and gone in dense:
            return False
    kept = [glyph for glyph in content.glyphs if id(glyph) not in removed]
    labels = "".join(replacement.text for replacement in replacements)
    return agrees("".join(glyph.text for glyph in kept) + labels, output)

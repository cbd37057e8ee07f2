"""PDF (ISO 32000-2): text pages are rewritten as text, all others become pictures in which hits are covered.

Every page of the output is checked with PDFium, another reader than the one that rewrote it; what fails the check is turned into
a picture. What no page shows (metadata, notes, forms, scripts, older revisions) is inspected and not carried over.
A page that hides a part of one of its pictures becomes a picture as well (`seen`).
Letters that are drawn (outlines, patterns) are read off the page's picture or covered. Left out: an embedded font whose glyphs
are not those that its table and encoding both say.
"""

from handover.formats.pdf.reading import read
from handover.formats.pdf.writing import PdfWriter

__all__ = ["PdfWriter", "read"]

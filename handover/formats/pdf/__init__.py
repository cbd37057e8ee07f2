"""PDF (ISO 32000-2): text pages are rewritten as text, all others become pictures in which hits are covered.

Every page of the output is checked with PDFium, another reader than the one that rewrote it; what fails the check is turned into
a picture. What no page shows (metadata, notes, forms, scripts, older revisions) is inspected and not carried over.
Left out: text whose table of characters lies about what is drawn, and outlines of letters among other text.
"""

from handover.formats.pdf.reading import read
from handover.formats.pdf.writing import PdfWriter

__all__ = ["PdfWriter", "read"]

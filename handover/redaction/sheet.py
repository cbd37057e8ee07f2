"""One page of a redacted document as it looks, drawn by PDFium; runs in the child alone, and reads nothing by OCR."""

import math

from PIL import Image

from handover.formats import picture
from handover.formats.errors import refuse
from handover.formats.pdf.surface import PageSurface, Surface

#: An A4 page at 150 dpi has 2.2 megapixels. In colour and full of noise this many stay below the limit of the answer.
_PIXELS_MAX = 4_000_000
_LINES_MAX = 400
_PDF = ".pdf"


def picture_of(data: bytes, name: str, number: int) -> Image.Image:
    """The page in RGB, upright, made smaller where it is very large.

    Raises:
        FormatRefusedError: damaged, or no such page.
    """
    if name.endswith(_PDF):
        page = _page(data, number).picture()
    else:
        page, _ = picture.opened(data, name.rpartition(".")[2])
    share = math.sqrt(_PIXELS_MAX / (page.width * page.height))
    if share < 1:
        page = page.resize((max(1, int(page.width * share)), max(1, int(page.height * share))))
    return page


def lines_of(data: bytes, name: str, number: int) -> list[str]:
    """The lines that are text on the page; a page that is a picture has none.

    Raises:
        FormatRefusedError: damaged, or no such page.
    """
    if not name.endswith(_PDF):
        return []
    return [line for line in _page(data, number).text().splitlines() if line.strip()][:_LINES_MAX]


def _page(data: bytes, number: int) -> PageSurface:
    surface = Surface(data)
    if number >= surface.pages:
        raise refuse(f"没有第 {number + 1} 页。", f"There is no page {number + 1}.")
    return surface.page(number)

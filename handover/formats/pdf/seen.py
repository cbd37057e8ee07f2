"""Whether a page shows its pictures as they are: one that is carried over holds no text that the page hides.

A picture may be clipped, cut off by the page's edge, painted over, masked, or placed so small that its text is not legible; what was
read off the page is then less than what the picture holds.
"""

import math
from typing import Any

import pypdfium2
from PIL import Image

from handover.formats.pdf.surface import PageSurface
from handover.formats.unread import unread

#: Pictures with more pixels than this, or with more of them together on a page, are not unpacked to be looked at.
_MAX_PIXELS, _MAX_TOGETHER = 40_000_000, 80_000_000
#: What a picture counts at least: a page of very many takes time for each of them.
_LEAST = 20_000
#: They are looked at no larger than this: an A4 page at 300 dpi.
_LOOKED_AT = 9_000_000
#: So many times finer than the page's picture it may be: type of five pixels there has ten in it.
_FINER = 2.1
#: Greys of 255 that the two may differ by where both are blurred so far, in pixels.
_UNLIKE, _BLUR = 36, 9
#: Pixels at the picture's edges that are not compared.
_EDGE = 3


def shows_pictures_whole(surface: PageSurface) -> bool:
    """True when every picture on the page is without text, or stands on it as it is; the page's texts are taken out of it."""
    drawing: Any = None
    left = _MAX_TOGETHER
    for item in surface.pictures():
        try:
            width, height = item.get_px_size()
            left -= max(width * height, _LEAST)
            if width * height > _MAX_PIXELS or left < 0:
                return False
            inner = _pixels(item)
        except (pypdfium2.PdfiumError, ValueError, KeyError):
            return False
        if not unread(_smaller(inner), []):
            continue
        if drawing is None:
            drawing = surface.picture_without_text()
        corners = _corners(item, surface)
        left -= _area(corners)
        if left < 0 or not _is_shown(inner, drawing, corners):
            return False
    return True


def _pixels(item: Any) -> Image.Image:
    """The picture itself, as large as it is stored and without its mask."""
    picture: Image.Image = item.get_bitmap(render=False).to_pil().convert("L")
    return picture


def _smaller(picture: Image.Image) -> Image.Image:
    scale = math.sqrt(_LOOKED_AT / (picture.width * picture.height))
    return (
        picture if scale >= 1 else picture.resize((int(picture.width * scale) or 1, int(picture.height * scale) or 1))
    )


def _corners(item: Any, surface: PageSurface) -> list[tuple[float, float]]:
    """Where the top left, top right and bottom left corners stand on the page's picture."""
    a, b, c, d, e, f = item.get_matrix().get()
    return [surface.at(a * x + c * y + e, b * x + d * y + f) for x, y in ((0, 1), (1, 1), (0, 0))]


def _area(corners: list[tuple[float, float]]) -> int:
    """What comparing a picture takes: the pixels that it covers on the page."""
    start, right, down = corners
    return int(math.dist(start, right) * math.dist(start, down))


def _is_shown(inner: Image.Image, drawing: Image.Image, corners: list[tuple[float, float]]) -> bool:
    import cv2
    import numpy

    start, right, down = (numpy.array(corner) for corner in corners)
    width, height = float(numpy.hypot(*(right - start))), float(numpy.hypot(*(down - start)))
    if inner.width > _FINER * width or inner.height > _FINER * height:
        return False
    far = right + down - start
    for x, y in (start, right, down, far):
        if not (-_EDGE <= x <= drawing.width + _EDGE and -_EDGE <= y <= drawing.height + _EDGE):
            return False
    size = max(1, round(width)), max(1, round(height))
    pixels = cv2.resize(numpy.asarray(inner), size, interpolation=cv2.INTER_AREA)
    place = numpy.array([(right - start) / size[0], (down - start) / size[1], start]).T
    # The middle of a pixel is half a pixel off its corner.
    place[:, 2] += place[:, :2] @ (0.5, 0.5) - 0.5
    expected = numpy.asarray(drawing.convert("L"))
    back = cv2.warpAffine(
        expected, place, size, flags=cv2.INTER_LINEAR | cv2.WARP_INVERSE_MAP, borderMode=cv2.BORDER_REPLICATE
    )
    unlike = cv2.absdiff(cv2.blur(pixels, (_BLUR, _BLUR)), cv2.blur(back, (_BLUR, _BLUR)))
    inside = unlike[_EDGE:-_EDGE, _EDGE:-_EDGE]
    return inside.size == 0 or bool(inside.max() <= _UNLIKE)

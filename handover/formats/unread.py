"""Finds what looks like text on a picture where no text was read, so that nothing legible is passed on without inspection.

Signs of similar height in a row, dark on light or light on dark, are text for this purpose. Drawings and photographs are
seldom taken for it; single signs, and type lower than five pixels, are not looked for.
"""

from collections.abc import Sequence
from typing import Any

from PIL import Image

#: Left, top, right, bottom, in pixels.
PixelBox = tuple[float, float, float, float]

#: Heights of signs, in pixels; and the longest one in heights: rules and frames are longer.
_LOWEST, _HIGHEST, _LONGEST = 5, 140, 12
#: A sign differs from what lies around it by at least this much of 255.
_CONTRAST = 28
#: Signs in a row: how many make a text, how far apart they may stand, and how unlike in height they may be.
_FEWEST, _APART, _UNLIKE = 4, 1.6, 2.2
#: Around each character that was read this share of its height counts as read too: their boxes are estimates.
_READ_AROUND, _READ_BESIDE = 0.35, 1.2


def unread(picture: Image.Image, read: Sequence[PixelBox]) -> list[PixelBox]:
    """The boxes of what may be text, apart from the characters that were read."""
    import cv2
    import numpy

    grey = numpy.asarray(picture.convert("L"))
    seen = numpy.zeros(grey.shape, numpy.uint8)
    for left, top, right, bottom in read:
        around, beside = _READ_AROUND * (bottom - top), _READ_BESIDE * min(bottom - top, right - left + bottom - top)
        corner = (int(left - beside), int(top - around))
        cv2.rectangle(seen, corner, (int(right + beside), int(bottom + around)), 255, -1)
    found: list[PixelBox] = []
    surroundings = cv2.blur(grey, (41, 41))
    for darker in (cv2.subtract(surroundings, grey), cv2.subtract(grey, surroundings)):
        ink = (darker > _CONTRAST).astype(numpy.uint8)
        _, _, stats, middles = cv2.connectedComponentsWithStats(ink, connectivity=8)
        found += _rows(_signs(stats[1:], middles[1:], seen))
    return found


def _signs(stats: Any, middles: Any, seen: Any) -> list[PixelBox]:
    """Components that could be signs or parts of them, and lie outside what was read; from left to right."""
    import numpy

    width, height, area = stats[:, 2], stats[:, 3], stats[:, 4]
    likely = (height >= _LOWEST) & (height <= _HIGHEST) & (width <= _LONGEST * height) & (area > 0.08 * width * height)
    x, y = middles[:, 0].astype(numpy.int64), middles[:, 1].astype(numpy.int64)
    likely &= seen[y, x] == 0
    return sorted((int(a), int(b), int(a + c), int(b + d)) for a, b, c, d, _ in stats[likely])


def _rows(signs: list[PixelBox]) -> list[PixelBox]:
    """Signs that stand beside one another, as one box for each row of them."""
    rows: list[tuple[PixelBox, int]] = []
    open_rows: list[tuple[PixelBox, int]] = []
    for sign in signs:
        # A row that ends far to the left of this sign has all its signs.
        ended = [row for row in open_rows if sign[0] - row[0][2] > _APART * _HIGHEST]
        rows += ended
        open_rows = [row for row in open_rows if row not in ended]
        for index, (row, count) in enumerate(open_rows):
            if _continues(row, sign):
                joined = (row[0], min(row[1], sign[1]), max(row[2], sign[2]), max(row[3], sign[3]))
                open_rows[index] = (joined, count + 1)
                break
        else:
            open_rows.append((sign, 1))
    return [row for row, count in rows + open_rows if count >= _FEWEST]


def _continues(row: PixelBox, sign: PixelBox) -> bool:
    tall, high = row[3] - row[1], sign[3] - sign[1]
    shared = min(row[3], sign[3]) - max(row[1], sign[1])
    return (
        sign[0] - row[2] <= _APART * max(tall, high)
        and shared >= 0.5 * min(tall, high)
        and max(tall, high) <= _UNLIKE * min(tall, high)
    )

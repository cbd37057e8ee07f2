"""A character on a page, and its place in the page's own coordinates (points, y upwards)."""

import math
from dataclasses import dataclass

#: a b c d e f of ISO 32000-2, 8.3.3.
Matrix = tuple[float, float, float, float, float, float]
#: Left, bottom, right, top.
Box = tuple[float, float, float, float]

#: What a line of text takes below and above its baseline, in ems; generous, for boxes that must cover.
_BELOW, _ABOVE = 0.25, 0.95


def multiply(m: Matrix, n: Matrix) -> Matrix:
    """`m` applied first, then `n`."""
    return (
        m[0] * n[0] + m[1] * n[2],
        m[0] * n[1] + m[1] * n[3],
        m[2] * n[0] + m[3] * n[2],
        m[2] * n[1] + m[3] * n[3],
        m[4] * n[0] + m[5] * n[2] + n[4],
        m[4] * n[1] + m[5] * n[3] + n[5],
    )


@dataclass(slots=True, eq=False)
class Glyph:
    """One shown code: what it says and where; `place` maps the unit em square to the page."""

    text: str
    place: Matrix
    #: In ems.
    width: float

    @property
    def angle(self) -> int:
        """Of the baseline, in degrees."""
        return round(math.degrees(math.atan2(self.place[1], self.place[0]))) % 360

    @property
    def size(self) -> float:
        """Height of an em, in points."""
        return math.hypot(self.place[2], self.place[3])

    @property
    def box(self) -> Box:
        corners = [self._at(x, y) for x in (0.0, self.width) for y in (-_BELOW, _ABOVE)]
        xs, ys = [x for x, _ in corners], [y for _, y in corners]
        return min(xs), min(ys), max(xs), max(ys)

    def along(self, angle: int) -> tuple[float, float, float]:
        """Start and end on a baseline of this angle, and the height of the baseline."""
        turn = math.radians(angle)
        cos, sin = math.cos(turn), math.sin(turn)
        (x, y), (x2, y2) = self._at(0, 0), self._at(self.width, 0)
        return x * cos + y * sin, x2 * cos + y2 * sin, y * cos - x * sin

    def _at(self, x: float, y: float) -> tuple[float, float]:
        a, b, c, d, e, f = self.place
        return a * x + c * y + e, b * x + d * y + f


def glyph_in(text: str, box: Box) -> Glyph:
    """A character of which only the box is known."""
    height = (box[3] - box[1]) / (_BELOW + _ABOVE) or 1.0
    return Glyph(text, (height, 0, 0, height, box[0], box[1] + _BELOW * height), (box[2] - box[0]) / height)

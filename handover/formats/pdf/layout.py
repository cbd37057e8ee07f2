"""Puts characters together into what a reader sees as one text: wrapped paragraphs, and rows of cells.

Places decide, not the order of drawing: a number drawn digit by digit in any order is read as it looks. A paragraph's lines
are one text, because a value may break at a line's end; a token cut in two by such a break is given out once more, whole.
"""

import re
import unicodedata
from collections import defaultdict
from collections.abc import Iterable
from dataclasses import dataclass, field
from itertools import pairwise

from handover.formats.pdf.glyphs import Glyph

#: Baselines closer than this are one line; in ems, like all below.
_SAME_LINE = 0.35
_SPACE, _WIDE_SPACE, _CELL_GAP = 0.17, 0.6, 0.9
#: The same character drawn again this close is boldness, not text.
_OVERPRINT = 0.15
_LEADING, _INDENT, _RAGGED, _SHORTEST_WRAPPED = 2.2, 2.6, 2.0, 12.0
#: Ligatures, and the radicals and duplicates that fonts' tables often give instead of the character itself.
_FORMS = re.compile("[\u2f00-\u2fdf\uf900-\ufaff\ufb00-\ufb06]")
_TOKEN_END = re.compile(r"[A-Za-z0-9@._+\-]{2,40}\Z")
_TOKEN_START = re.compile(r"[A-Za-z0-9@._+\-]{1,40}")


@dataclass(slots=True)
class Unit:
    """A text and, for each of its characters, the glyphs that show it (none for spaces between them)."""

    text: str
    glyphs: list[tuple[Glyph, ...]]

    def shown(self, start: int, end: int) -> list[Glyph]:
        return [glyph for group in self.glyphs[start:end] for glyph in group]


@dataclass(slots=True)
class _Segment:
    """A stretch of one line without a gap as wide as that between two cells."""

    size: float
    height: float
    left: float
    right: float
    characters: list[tuple[str, tuple[Glyph, ...]]] = field(default_factory=list)


@dataclass(slots=True)
class Page:
    """The texts of a page from top to bottom, and the tokens that line breaks cut in two."""

    units: list[Unit] = field(default_factory=list)
    broken: list[Unit] = field(default_factory=list)


def page_of(glyphs: Iterable[Glyph]) -> Page:
    """The texts that glyphs make up; each direction of writing is read on its own."""
    turned: dict[int, list[Glyph]] = defaultdict(list)
    for glyph in glyphs:
        if glyph.text.strip() and glyph.size > 0:
            turned[glyph.angle].append(glyph)
    page = Page()
    for angle, group in sorted(turned.items()):
        _read(_lines(group, angle), page)
    return page


def _lines(glyphs: list[Glyph], angle: int) -> list[list[_Segment]]:
    placed = sorted(((glyph.along(angle), glyph) for glyph in glyphs), key=lambda item: -item[0][2])
    rows: list[list[tuple[tuple[float, float, float], Glyph]]] = []
    for item in placed:
        if rows and rows[-1][0][0][2] - item[0][2] < _SAME_LINE * item[1].size:
            rows[-1].append(item)
        else:
            rows.append([item])
    return [_segments(sorted(row, key=lambda item: item[0][0])) for row in rows]


def _segments(row: list[tuple[tuple[float, float, float], Glyph]]) -> list[_Segment]:
    segments: list[_Segment] = []
    for (left, right, height), glyph in row:
        text = _FORMS.sub(lambda found: unicodedata.normalize("NFKC", found[0]), glyph.text)
        last = segments[-1] if segments else None
        gap = (left - last.right) / glyph.size if last else _CELL_GAP
        if last is None or gap >= _CELL_GAP:
            last = _Segment(glyph.size, height, left, right)
            segments.append(last)
        elif last.characters[-1][0] == text[-1] and left - _left_of(last) < _OVERPRINT * glyph.size:
            last.characters[-1] = (text[-1], (*last.characters[-1][1], glyph))
            continue
        elif gap > (_WIDE_SPACE if _is_wide(text[0]) and _is_wide(last.characters[-1][0]) else _SPACE):
            last.characters.append((" ", ()))
        last.characters += [(character, (glyph,)) for character in text]
        last.right = max(last.right, right)
        last.size = max(last.size, glyph.size)
    return segments


def _left_of(segment: _Segment) -> float:
    glyph = segment.characters[-1][1][0]
    return glyph.along(glyph.angle)[0]


def _read(lines: list[list[_Segment]], page: Page) -> None:
    """Joins segments that a paragraph wraps, and cells that stand in one row."""
    below: dict[int, _Segment] = {}
    wrapped: set[int] = set()
    for upper, lower in pairwise(lines):
        for segment in upper:
            following = next((other for other in lower if id(other) not in wrapped and _wraps(segment, other)), None)
            if following is not None:
                below[id(segment)] = following
                wrapped.add(id(following))
    for line in lines:
        row: list[_Segment] = []
        for segment in line:
            if id(segment) in below or id(segment) in wrapped:
                if id(segment) not in wrapped:
                    _paragraph(segment, below, page)
            else:
                row.append(segment)
        if row:
            page.units.append(_joined([segment.characters for segment in row], "  "))


def _wraps(upper: _Segment, lower: _Segment) -> bool:
    size = upper.size
    return (
        upper.height - lower.height < _LEADING * size
        and abs(lower.size - size) < 0.2 * size
        and -0.6 * size < upper.left - lower.left + 0.6 * size < (_INDENT + 0.6) * size
        and upper.right > lower.right - _RAGGED * size
        and upper.right - upper.left > _SHORTEST_WRAPPED * size
    )


def _paragraph(first: _Segment, below: dict[int, _Segment], page: Page) -> None:
    lines = [first]
    while (following := below.get(id(lines[-1]))) is not None:
        lines.append(following)
    pieces = [lines[0].characters]
    for upper, lower in pairwise(lines):
        cut = _is_wide(upper.characters[-1][0]) or _is_wide(lower.characters[0][0])
        pieces[-1] = [*pieces[-1], *([] if cut else [(" ", ())])]
        pieces.append(lower.characters)
        page.broken += _cut_token(upper.characters, lower.characters)
    page.units.append(_joined(pieces, ""))


def _cut_token(upper: list[tuple[str, tuple[Glyph, ...]]], lower: list[tuple[str, tuple[Glyph, ...]]]) -> list[Unit]:
    end = _TOKEN_END.search("".join(character for character, _ in upper))
    start = _TOKEN_START.match("".join(character for character, _ in lower))
    if end is None or start is None:
        return []
    characters = upper[end.start() :] + lower[: start.end()]
    text = "".join(character for character, _ in characters)
    return [_joined([characters], "")] if "@" in text or sum(map(str.isdigit, text)) > 5 else []


def _joined(pieces: list[list[tuple[str, tuple[Glyph, ...]]]], joint: str) -> Unit:
    characters: list[tuple[str, tuple[Glyph, ...]]] = []
    for piece in pieces:
        if characters:
            characters += [(character, ()) for character in joint]
        characters += piece
    return Unit("".join(character for character, _ in characters), [glyphs for _, glyphs in characters])


def _is_wide(character: str) -> bool:
    return unicodedata.east_asian_width(character) in "WF"

"""Values that a picture shows in several lines: one sign in each box of a form, broken at a line's end, or beside the word for them.

The recogniser gives out each line and each cell of a table on its own. What is put together here is inspected once more as a whole.
"""

import math
import re
import statistics
from collections.abc import Sequence
from itertools import pairwise
from typing import NamedTuple

#: Left, top, right, bottom, in pixels.
PixelBox = tuple[float, float, float, float]
Text = tuple[str, list[PixelBox]]

#: Middles of lines closer than this, in heights, are one row.
_SAME_ROW = 0.5
#: Signs in boxes stand this close, in heights of a sign; so many of them make a value, of which one cell holds at most so many.
_BOXED, _FEWEST_BOXED, _IN_A_BOX = 2.6, 6, 4
#: Rows of a paragraph: how far the next one may be below, and its start to the left or right, in heights; how long it must be.
_LEADING, _INDENT, _LONG = 2.4, 4.0, 8.0
_TOKEN_END = re.compile(r"[A-Za-z0-9@._+\-]{1,40}\Z")
_TOKEN_START = re.compile(r"[A-Za-z0-9@._+\-]{1,40}")
_SIGNS = re.compile(r"[A-Za-z0-9]+")
_FEWEST_DIGITS = 6
#: Words for a name, as a cell of its own or a column's head.
_NAME = re.compile(r"姓\s*名|联系人|收件人|经办人|负责人|代表人|签字人|\bname\b|\bcontact person\b", re.IGNORECASE)
_LONGEST_NAME, _LONGEST_WORD = 30, 20
#: A direction is told from a line of so many characters, and never by one that is further askew than this.
_TELLING, _ASKEW = 6, math.pi / 8


class _Item(NamedTuple):
    """A line turned so that it is read from left to right."""

    text: str
    boxes: list[PixelBox]
    left: float
    middle: float
    right: float
    height: float


def joined(lines: Sequence[Text]) -> list[Text]:
    """What lines say together, apart from what each of them says by itself."""
    items = _turned([line for line in lines if line[0].strip()])
    rows = _rows(items)
    found = [text for row in rows for text in _boxed(row)]
    found += [text for upper, lower in pairwise(rows) for a in upper for text in _broken(a, lower)]
    return found + _named(rows)


def _turned(lines: list[Text]) -> list[_Item]:
    """The lines on a level page; most of them decide which way it is turned."""
    telling = [_direction(boxes) for text, boxes in lines if len(text) >= _TELLING]
    quarters = [round(angle / (math.pi / 2)) % 4 for angle in telling]
    quarter = statistics.mode(quarters) if quarters else 0
    askew = [_rest(angle, quarter) for angle in telling]
    askew = [angle for angle in askew if abs(angle) < _ASKEW]
    angle = quarter * math.pi / 2 + (statistics.median(askew) if askew else 0.0)
    cos, sin = math.cos(angle), math.sin(angle)
    items = []
    for text, boxes in lines:
        along, across, halves = [], [], []
        for left, top, right, bottom in boxes:
            x, y = (left + right) / 2, (top + bottom) / 2
            half = (right - left, bottom - top) if quarter % 2 == 0 else (bottom - top, right - left)
            along += [x * cos + y * sin - half[0] / 2, x * cos + y * sin + half[0] / 2]
            across.append(y * cos - x * sin)
            halves.append(half[1])
        items.append(
            _Item(text, boxes, min(along), statistics.median(across), max(along), statistics.median(halves) or 1.0)
        )
    return items


def _direction(boxes: list[PixelBox]) -> float:
    (a, b, c, d), (e, f, g, h) = boxes[0], boxes[-1]
    return math.atan2(f + h - b - d, e + g - a - c)


def _rest(angle: float, quarter: int) -> float:
    rest = angle - quarter * math.pi / 2
    return math.atan2(math.sin(rest), math.cos(rest))


def _rows(items: list[_Item]) -> list[list[_Item]]:
    """Items beside one another, from top to bottom."""
    rows: list[list[_Item]] = []
    for item in sorted(items, key=lambda item: item.middle):
        first = rows[-1][0] if rows else None
        if first is not None and item.middle - first.middle < _SAME_ROW * min(item.height, first.height):
            rows[-1].append(item)
        else:
            rows.append([item])
    return [sorted(row, key=lambda item: item.left) for row in rows]


def _boxed(row: list[_Item]) -> list[Text]:
    """Single signs at even distances, as one word."""
    runs: list[list[_Item]] = []
    for item in row:
        sign = item.text.strip()
        if len(sign) > _IN_A_BOX or not _SIGNS.fullmatch(sign):
            continue
        last = runs[-1][-1] if runs else None
        if last is not None and item.left - last.right < _BOXED * min(item.height, last.height):
            runs[-1].append(item)
        else:
            runs.append([item])
    return [
        _together([(item.text.strip(), _dense(item)) for item in run])
        for run in runs
        if len(run) > 1 and sum(len(item.text.strip()) for item in run) >= _FEWEST_BOXED
    ]


def _dense(item: _Item) -> list[PixelBox]:
    start = len(item.text) - len(item.text.lstrip())
    return item.boxes[start : start + len(item.text.strip())]


def _broken(upper: _Item, row: list[_Item]) -> list[Text]:
    """A number or an address of mail that goes on at the start of the next line."""
    end = _TOKEN_END.search(upper.text)
    if end is None or upper.right - upper.left < _LONG * upper.height:
        return []
    found = []
    for lower in row:
        start = _TOKEN_START.match(lower.text)
        near = abs(lower.left - upper.left) < _INDENT * upper.height
        if start is None or not near or lower.middle - upper.middle > _LEADING * upper.height:
            continue
        text = end[0] + start[0]
        if "@" in text or sum(map(str.isdigit, text)) >= _FEWEST_DIGITS:
            found.append(_together([(end[0], upper.boxes[end.start() :]), (start[0], lower.boxes[: start.end()])]))
    return found


def _named(rows: list[list[_Item]]) -> list[Text]:
    """Cells that the word before them or at the head of their column says to be names, together with it."""
    found: list[Text] = []
    heads: list[_Item] = []
    for row in rows:
        for before, item in [(None, row[0]), *pairwise(row)]:
            if _is_word(item):
                continue
            if len(item.text) > _LONGEST_NAME or any(map(str.isdigit, item.text)):
                continue
            word = before if before is not None and _is_word(before) else None
            word = word or next(
                (head for head in heads if min(head.right, item.right) > max(head.left, item.left)), None
            )
            if word is not None:
                colon = "" if word.text.rstrip().endswith((":", "：")) else "："
                found.append(
                    _together([(word.text, word.boxes), (colon, word.boxes[-1:] * len(colon)), (item.text, item.boxes)])
                )
        if any(_is_word(item) for item in row):
            heads = [item for item in row if _is_word(item)] if len(row) > 2 else []
    return found


def _is_word(item: _Item) -> bool:
    return (
        len(item.text) <= _LONGEST_WORD and _NAME.search(item.text) is not None and not item.text.strip()[-1].isdigit()
    )


def _together(parts: Sequence[Text]) -> Text:
    return "".join(text for text, _ in parts), [box for _, boxes in parts for box in boxes]

"""Draws records as a table in grey, or takes a page as it is, with the reader's name, case and time in the pixels themselves."""

import io
import unicodedata
from functools import cache

from PIL import Image, ImageDraw, ImageFont

from handover.redaction.excerpt import Excerpt
from handover.resources import data_folder

_SIZE, _LINE, _PAD = 16, 22, 8
#: Widest column and most lines of one cell, in pixels and lines: a picture of 25 records stays one that can be read.
_COLUMN_MAX, _LINES_MAX = 300, 5
_PAPER, _INK, _RULE, _HEAD = 255, 20, 205, 232
#: The mark: dark enough to survive a photograph of the screen, light enough to read through.
_MARK_GREY, _MARK_SHARE, _MARK_SIZE, _MARK_ANGLE = 120, 0.30, 26, 24
_MIN_WIDTH = 640


def picture(excerpt: Excerpt, watermark: str) -> bytes:
    """A PNG of the records."""
    heads = ["#", *excerpt.columns]
    rows = [[str(excerpt.first + n), *row] for n, row in enumerate(excerpt.rows, 1)]
    widths = [_width(at, heads, rows) for at in range(len(heads))]
    table = [[_wrapped(cell, width) for cell, width in zip(row, widths, strict=True)] for row in (heads, *rows)]
    heights = [max(len(cell) for cell in row) * _LINE + _PAD for row in table]
    wide = max(sum(width + 2 * _PAD for width in widths), _MIN_WIDTH, int(_font().getlength(watermark)) + 2 * _PAD)
    image = Image.new("L", (wide, sum(heights) + _LINE + 2 * _PAD), _PAPER)
    _table(ImageDraw.Draw(image), table, widths, heights)
    return _finished(image, sum(heights), watermark)


def marked(page: Image.Image, watermark: str) -> bytes:
    """A PNG of a page in RGB, with a line of its own for the mark."""
    wide = max(page.width, _MIN_WIDTH, int(_font().getlength(watermark)) + 2 * _PAD)
    image = Image.new("RGB", (wide, page.height + _LINE + 2 * _PAD), (_PAPER,) * 3)
    image.paste(page, (0, 0))
    return _finished(image, page.height, watermark)


def _finished(image: Image.Image, height: int, watermark: str) -> bytes:
    ImageDraw.Draw(image).text((_PAD, height + _PAD), watermark, fill=_grey(image, _INK), font=_font())
    _mark(image, watermark)
    out = io.BytesIO()
    image.save(out, "PNG")
    return out.getvalue()


def _grey(image: Image.Image, level: int) -> int | tuple[int, ...]:
    return level if image.mode == "L" else (level,) * 3


def _table(pen: ImageDraw.ImageDraw, table: list[list[list[str]]], widths: list[int], heights: list[int]) -> None:
    top = 0
    for number, (row, height) in enumerate(zip(table, heights, strict=True)):
        if number == 0:
            pen.rectangle((0, 0, pen.im.size[0], height), fill=_HEAD)
        left = 0
        for lines, width in zip(row, widths, strict=True):
            for at, line in enumerate(lines):
                pen.text((left + _PAD, top + _PAD // 2 + at * _LINE), line, fill=_INK, font=_font())
            left += width + 2 * _PAD
        top += height
        pen.line((0, top, pen.im.size[0], top), fill=_RULE)


def _mark(image: Image.Image, text: str) -> None:
    """The text again and again at a slant; no record can be cut out without it."""
    font = _font(_MARK_SIZE)
    flat = Image.new("L", (int(font.getlength(text)) + _MARK_SIZE, 2 * _MARK_SIZE), 0)
    ImageDraw.Draw(flat).text((0, 0), text, fill=int(255 * _MARK_SHARE), font=font)
    mark = flat.rotate(_MARK_ANGLE, Image.Resampling.BICUBIC, expand=True)
    for number, top in enumerate(range(-mark.height // 2, image.height, mark.height)):
        for left in range(-(number % 2) * mark.width // 2, image.width, mark.width):
            image.paste(_grey(image, _MARK_GREY), (left, top), mark)


def _width(at: int, heads: list[str], rows: list[list[str]]) -> int:
    longest = max((_length(_visible(row[at][:80])) for row in (heads, *rows)), default=0)
    return min(_COLUMN_MAX, int(longest) + 1)


def _wrapped(text: str, width: int) -> list[str]:
    lines, line, used = [], "", 0.0
    for character in _visible(text):
        step = _advance(character)
        if used + step > width and line:
            lines.append(line)
            line, used = "", 0.0
            if len(lines) == _LINES_MAX:
                lines[-1] = lines[-1][:-1] + "…"
                return lines
        line, used = line + character, used + step
    return [*lines, line]


def _visible(text: str) -> str:
    """Signs that would turn or break the line are shown as a dot: what is drawn is what is there."""
    return "".join("·" if unicodedata.category(c)[0] == "C" else c for c in text)


def _length(text: str) -> float:
    return sum(map(_advance, text))


@cache
def _advance(character: str) -> float:
    return _font().getlength(character)


@cache
def _font(size: int = _SIZE) -> ImageFont.FreeTypeFont:
    path = data_folder("templates") / "documents" / "fonts" / "NotoSansSC-Regular.ttf"
    # The plain layout: shaping by another library on strangers' text would add more than it shows.
    return ImageFont.truetype(str(path), size, layout_engine=ImageFont.Layout.BASIC)

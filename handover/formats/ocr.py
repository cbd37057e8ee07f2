"""Reads text off pictures: lines, and where each of their characters stands (RapidOCR, models in its wheel).

An optional extra: without it a file with pictures is refused, never passed. What was read is kept by the picture's digest, so the
second pass over a file costs nothing. It reads print; handwriting, ornament and very small type may escape it.
"""

import contextlib
import hashlib
import importlib.util
import logging
from collections.abc import Sequence
from functools import cache
from typing import Any, NamedTuple

from PIL import Image, ImageDraw, ImageFont

from handover.formats.errors import FormatRefusedError, refuse
from handover.formats.records import Edit

#: Left, top, right, bottom, in pixels.
PixelBox = tuple[float, float, float, float]

#: Widest and highest picture handed to the recogniser at once: it scales larger ones down until small type is lost.
_TILE, _OVERLAP = 1900, 160
#: Boxes of characters are estimated along the line; this share of the line's height is painted beyond them.
_MARGIN = 0.25
#: Scores of print are above .9; below this the text is as good as unread. Shorter marks are rather dirt than text.
_READABLE, _FEWEST = 0.5, 4
_GREY = (224, 224, 224)
_SMALLEST_LABEL = 7


class Line(NamedTuple):
    """One recognised line and the box of each of its characters."""

    text: str
    boxes: list[PixelBox]
    #: False where there is text that the recogniser can't make out: it can't be inspected, so it is covered.
    readable: bool = True


def missing() -> FormatRefusedError:
    """The refusal of a picture when nothing is installed that could read it."""
    return refuse(
        "文件里有图片，但没有安装文字识别（OCR）：pip install 'handover[ocr]'。",
        "The file holds pictures, but OCR is not installed: pip install 'handover[ocr]'.",
    )


def is_installed() -> bool:
    return all(importlib.util.find_spec(name) is not None for name in ("rapidocr", "onnxruntime", "cv2"))


_known: dict[bytes, list[Line]] = {}


def lines_in(picture: Image.Image) -> list[Line]:
    """The lines of text on a picture in RGB, and the text of QR codes, each as a line.

    Raises:
        FormatRefusedError: OCR is not installed.
    """
    tiles = [_tile(picture, left, top) for left, top in _tiles(picture)]
    digest = hashlib.sha256(repr(picture.size).encode())
    for _, _, tile in tiles:
        digest.update(tile.tobytes())
    key = digest.digest()
    if key not in _known:
        if not is_installed():
            raise missing()
        _known[key] = [line for tile in tiles for line in _recognised(*tile)] + _codes(picture)
    return _known[key]


def _tile(picture: Image.Image, left: int, top: int) -> tuple[int, int, Image.Image]:
    return left, top, picture.crop((left, top, min(left + _TILE, picture.width), min(top + _TILE, picture.height)))


def _tiles(picture: Image.Image) -> list[tuple[int, int]]:
    step = _TILE - _OVERLAP
    return [
        (left, top)
        for top in range(0, max(1, picture.height - _OVERLAP), step)
        for left in range(0, max(1, picture.width - _OVERLAP), step)
    ]


def _recognised(left: int, top: int, tile: Image.Image) -> list[Line]:
    import numpy

    pixels = numpy.asarray(tile)[:, :, ::-1]  # the recogniser wants blue first
    try:
        result = _engine()(pixels, return_word_box=True)
    except Exception as error:
        if "bad_alloc" in str(error):
            raise MemoryError from None
        raise
    if not result.txts:
        return []
    lines = []
    for text, score, words in zip(result.txts, result.scores, result.word_results, strict=True):
        line = _line(text, words)
        boxes = [(a + left, b + top, c + left, d + top) for a, b, c, d in line.boxes]
        lines.append(Line(line.text, boxes, score >= _READABLE or len(text) < _FEWEST))
    return lines


def _line(text: str, words: Sequence[Any]) -> Line:
    """Shares a line's word boxes out among its characters; spaces lie between their neighbours."""
    placed: list[tuple[str, PixelBox]] = []
    for word, _, corners in words:
        xs, ys = [float(x) for x, _ in corners], [float(y) for _, y in corners]
        width = (max(xs) - min(xs)) / max(len(word), 1)
        for index, character in enumerate(word):
            if not character.isspace():
                start = min(xs) + index * width
                placed.append((character, (start, min(ys), start + width, max(ys))))
    boxes: list[PixelBox] = []
    following = iter(placed)
    last = placed[0][1] if placed else (0.0, 0.0, 0.0, 0.0)
    if [c for c, _ in placed] != [c for c in text if not c.isspace()]:
        return Line("".join(c for c, _ in placed), [box for _, box in placed])
    for character in text:
        last = last if character.isspace() else next(following)[1]
        boxes.append(last)
    return Line(text, boxes)


def _codes(picture: Image.Image) -> list[Line]:
    """QR codes: their text, every character of which stands on the whole code."""
    import cv2
    import numpy

    grey = picture.convert("L")
    grey.thumbnail((_TILE, _TILE))
    scale = picture.width / grey.width
    with contextlib.suppress(cv2.error):
        found, texts, corners, _ = cv2.QRCodeDetector().detectAndDecodeMulti(numpy.asarray(grey))
        if found:
            return [
                Line(text, [_around(square)] * len(text))
                for text, square in zip(texts, corners * scale, strict=True)
                if text
            ]
    return []


def _around(corners: Any) -> PixelBox:
    xs, ys = [float(x) for x, _ in corners], [float(y) for _, y in corners]
    return min(xs), min(ys), max(xs), max(ys)


@cache
def _engine() -> Any:
    from rapidocr import RapidOCR

    logging.disable(logging.CRITICAL)  # it names what it reads
    # One line at a time and no arena: a batch of six needs a gigabyte more.
    return RapidOCR(
        params={
            "Global.log_level": "critical",
            # Its look for lines that stand upside down turns good ones over, which then read as nothing.
            "Global.use_cls": False,
            "Global.text_score": 0.0,
            "Rec.rec_batch_num": 1,
            "EngineConfig.onnxruntime.intra_op_num_threads": 2,
            "EngineConfig.onnxruntime.inter_op_num_threads": 1,
            "EngineConfig.onnxruntime.enable_cpu_mem_arena": False,
        }
    )


def cover(picture: Image.Image, line: Line, edits: list[Edit]) -> None:
    """Covers what changes in a line; all of it where it can't be read."""
    if not line.readable:
        edits = [Edit(0, len(line.text), "")]
    for edit in edits:
        paint(picture, line.boxes[edit.start : edit.end], edit.text)


def paint(picture: Image.Image, boxes: list[PixelBox], text: str) -> None:
    """Covers characters, line by line, and writes the replacement there if it fits."""
    draw = ImageDraw.Draw(picture)
    for left, top, right, bottom in _by_line(boxes):
        margin = _MARGIN * min(bottom - top, right - left)
        draw.rectangle((left - margin, top - margin, right + margin, bottom + margin), fill=_GREY)
        size = min(bottom - top, (right - left) / (0.6 * len(text))) if text else 0
        if size >= _SMALLEST_LABEL and text.isascii():
            font = ImageFont.load_default(size)
            draw.text((left, (top + bottom) / 2), text, fill="black", font=font, anchor="lm")
        text = ""


def _by_line(boxes: list[PixelBox]) -> list[PixelBox]:
    lines: list[PixelBox] = []
    for box in boxes:
        last = lines[-1] if lines else None
        if last is not None and min(last[3], box[3]) - max(last[1], box[1]) > 0.5 * (box[3] - box[1]):
            lines[-1] = min(last[0], box[0]), min(last[1], box[1]), max(last[2], box[2]), max(last[3], box[3])
        else:
            lines.append(box)
    return lines

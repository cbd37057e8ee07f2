"""Reads text off pictures: lines, and where each of their characters stands (RapidOCR, models in its wheel).

An optional extra: without it a file with pictures is refused, never passed. What was read is kept by the picture's digest, so the
second pass over a file costs nothing. What can't be read with certainty, and what looks like text but was not seen as such
(`unread`), is a line that is not readable: it is covered. Measured on A4 pages of 36 mixed lines at 150, 200 and 300 dpi, grainy,
turned by 1.5 degrees, JPEG quality 60: 60 of 60 values read on each.
"""

import contextlib
import hashlib
import importlib.util
import logging
import math
from collections.abc import Sequence
from functools import cache
from typing import Any, NamedTuple

from PIL import Image, ImageDraw, ImageFont

from handover.formats.errors import FormatRefusedError, refuse
from handover.formats.joined import joined
from handover.formats.records import Edit
from handover.formats.unread import unread

#: Left, top, right, bottom, in pixels.
PixelBox = tuple[float, float, float, float]

#: Pixels that are read at once: an A4 page at 200 dpi, whose type of 6 points is 17 pixels high. More takes more than the memory.
_AT_ONCE = 3_900_000
#: A picture longer than this (a screenshot of a talk) is read in pieces; values may lie across their borders, so they overlap.
_LONGEST, _OVERLAP = 1.6, 0.25
#: Boxes of characters are estimated along the line; this share of the line's height is painted beyond them.
_MARGIN = 0.25
#: Scores of upright print are above .97, of print that is misread for blur below .95, of upside-down print .5 to .75.
_READABLE = 0.95
#: Signs and numerals score lower, and no value is as short; below this they are dirt or stand on their heads.
_SHORT, _SHORT_READABLE = 3, 0.5
#: The recogniser turns boxes this much higher than wide, so that they read downwards.
_UPRIGHT = 1.5
_CODE_SIDE = 1900
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
    """The lines of text on a picture in RGB, the text of QR codes, and what looks like text and can't be read.

    Raises:
        FormatRefusedError: OCR is not installed.
    """
    key = hashlib.sha256(repr(picture.size).encode() + picture.tobytes()).digest()
    if key not in _known:
        if not is_installed():
            raise missing()
        lines = [line for piece in _pieces(picture) for line in _of_piece(picture, *piece)]
        whole = joined([(line.text, line.boxes) for line in lines if line.readable])
        _known[key] = lines + [Line(*text) for text in whole] + _codes(picture)
    return _known[key]


class _Piece(NamedTuple):
    """A part of the picture, in its pixels, and the share of it that no other piece has."""

    box: tuple[int, int, int, int]
    share: tuple[float, float, float, float]


def _pieces(picture: Image.Image) -> list[_Piece]:
    """Cut from top to bottom only: across, a cut would go through every line."""
    width, height = picture.size
    if height <= _LONGEST * width:
        return [_Piece((0, 0, width, height), (0, 0, width, height))]
    tall, overlap = round(_LONGEST * width), round(_OVERLAP * width)
    pieces = []
    for top in range(0, height - overlap, tall - overlap):
        bottom = min(height, top + tall)
        first, last = top and top + overlap / 2, bottom if bottom == height else bottom - overlap / 2
        pieces.append(_Piece((0, top, width, bottom), (0, first, width, last)))
    return pieces


def _of_piece(picture: Image.Image, box: tuple[int, int, int, int], share: PixelBox) -> list[Line]:
    """The lines whose middle lies in the piece's share; of long ones it can't be told who has them whole."""
    piece = picture.crop(box)
    scale = min(1.0, math.sqrt(_AT_ONCE / (piece.width * piece.height)))
    if scale < 1:
        piece = piece.resize((int(piece.width * scale), int(piece.height * scale)), Image.Resampling.LANCZOS)
    lines = [_moved(line, 1 / scale, box[0], box[1]) for line in _read(piece)]
    longest = _OVERLAP / 2 * min(picture.size)
    return [line for line in lines if _is_within(_hull(line.boxes), share, longest)]


def _is_within(box: PixelBox, share: PixelBox, longest: float) -> bool:
    x, y = (box[0] + box[2]) / 2, (box[1] + box[3]) / 2
    inside = share[0] <= x <= share[2] and share[1] <= y <= share[3]
    crosses = not inside and (box[2] - box[0] if not share[0] <= x <= share[2] else box[3] - box[1]) > longest
    return inside or crosses


def _moved(line: Line, scale: float, left: float, top: float) -> Line:
    return line._replace(
        boxes=[(a * scale + left, b * scale + top, c * scale + left, d * scale + top) for a, b, c, d in line.boxes]
    )


def _read(picture: Image.Image) -> list[Line]:
    """The lines of a picture, the right way up or on its head."""
    lines = _recognised(picture)
    if _readable_share(lines) < 0.5:
        turned = _recognised(picture.transpose(Image.Transpose.ROTATE_180))
        if _readable_share(turned) > _readable_share(lines):
            width, height = picture.size
            lines = [
                line._replace(boxes=[(width - c, height - d, width - a, height - b) for a, b, c, d in line.boxes])
                for line in turned
            ]
    return lines + [
        Line("", [box], readable=False) for box in unread(picture, [box for line in lines for box in line.boxes])
    ]


def _readable_share(lines: list[Line]) -> float:
    everything = sum(len(line.boxes) for line in lines)
    return sum(len(line.boxes) for line in lines if line.readable) / everything if everything else 1.0


def _recognised(picture: Image.Image) -> list[Line]:
    import numpy

    pixels = numpy.asarray(picture)[:, :, ::-1]  # the recogniser wants blue first
    try:
        result = _engine()(pixels, return_word_box=True)
    except Exception as error:
        if "bad_alloc" in str(error):
            raise MemoryError from None
        raise
    if not result.txts:
        return []
    return [
        _line(text, words, corners)._replace(readable=score >= (_SHORT_READABLE if len(text) <= _SHORT else _READABLE))
        for text, score, words, corners in zip(
            result.txts, result.scores, result.word_results, result.boxes, strict=True
        )
    ]


def _line(text: str, words: Sequence[Any], corners: Any) -> Line:
    """Shares a line's word boxes out among its characters; spaces lie between their neighbours."""
    line = _around(corners)
    downwards = line[3] - line[1] >= _UPRIGHT * (line[2] - line[0])
    placed: list[tuple[str, PixelBox]] = []
    for word, _, square in words:
        left, top, right, bottom = _around(square)
        for index, character in enumerate(word):
            if not character.isspace():
                start, end = index / len(word), (index + 1) / len(word)
                if downwards:
                    box = (left, top + start * (bottom - top), right, top + end * (bottom - top))
                else:
                    box = (left + start * (right - left), top, left + end * (right - left), bottom)
                placed.append((character, box))
    if [c for c, _ in placed] != [c for c in text if not c.isspace()]:
        return Line(text, [line] * len(text))
    boxes: list[PixelBox] = []
    following = iter(placed)
    last = placed[0][1] if placed else line
    for character in text:
        last = last if character.isspace() else next(following)[1]
        boxes.append(last)
    return Line(text, boxes)


def _codes(picture: Image.Image) -> list[Line]:
    """QR codes: their text, every character of which stands on the whole code."""
    import cv2
    import numpy

    grey = picture.convert("L")
    grey.thumbnail((_CODE_SIDE, _CODE_SIDE))
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


def _hull(boxes: Sequence[PixelBox]) -> PixelBox:
    lefts, tops, rights, bottoms = zip(*boxes, strict=True)
    return min(lefts), min(tops), max(rights), max(bottoms)


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
            # The picture has its size already.
            "Global.max_side_len": 20_000,
            "Rec.rec_batch_num": 1,
            "EngineConfig.onnxruntime.intra_op_num_threads": 2,
            "EngineConfig.onnxruntime.inter_op_num_threads": 1,
            "EngineConfig.onnxruntime.enable_cpu_mem_arena": False,
        }
    )


def cover(picture: Image.Image, line: Line, edits: list[Edit]) -> None:
    """Covers what changes in a line; all of it where it can't be read."""
    if not line.readable:
        paint(picture, line.boxes, "")
        return
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

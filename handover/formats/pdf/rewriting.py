"""Takes characters out of a page's content and puts labels in their place; all other text stays text."""

import re
from collections.abc import Iterable
from typing import Any, NamedTuple

import pikepdf

from handover.formats.pdf.glyphs import Box, Glyph
from handover.formats.pdf.interpreter import Operation, PageContent, VisualPageError

#: Gaps are whole multiples of this (thousandths of the font's size): an exact one would tell the width of what was there.
_GAP = 500
_LABEL_FONT = "/HandoverLabel"
#: Every character of Courier is this wide, in ems.
_COURIER = 0.6
_SMALLEST, _LARGEST = 2.5, 0.85
_TOKEN = re.compile(r"([a-z_]+)-[A-Z2-7]{26}\Z")
_GREY = 0.88
#: Operators that name a resource, and where it stands.
USERS = {"Do": "/XObject", "gs": "/ExtGState", "cs": "/ColorSpace", "CS": "/ColorSpace", "sh": "/Shading"}
USERS |= {"scn": "/Pattern", "SCN": "/Pattern", "Tf": "/Font"}
#: Colour spaces that are no resources.
_DEVICES = frozenset({"/DeviceGray", "/DeviceRGB", "/DeviceCMYK", "/Pattern"})


class Replacement(NamedTuple):
    """Glyphs to be taken out, and what is written there as far as it fits."""

    glyphs: list[Glyph]
    text: str


def new_names(content: PageContent, resources: pikepdf.Object) -> dict[tuple[str, str], str]:
    """By category and name, what a resource is called in the output: a name can say anything, and nobody would see it.

    Raises:
        VisualPageError: there is no such resource.
    """
    names: dict[tuple[str, str], str] = {}
    for operation in content.operations:
        category = USERS.get(operation.operator, "")
        known: Any = resources.get(category, pikepdf.Dictionary()) if category else {}
        for value in operation.operands if category else ():
            if not isinstance(value, pikepdf.Name) or str(value) in _DEVICES:
                continue
            if str(value) not in known:
                raise VisualPageError
            names.setdefault((category, str(value)), f"/R{len(names) + 1}")
    return names


def rewritten(
    content: PageContent, replacements: Iterable[Replacement], names: dict[tuple[str, str], str]
) -> tuple[bytes, bool]:
    """The page's new content under new names of its resources, and whether it uses the label font."""
    replacements = list(replacements)
    removed = {id(glyph) for replacement in replacements for glyph in replacement.glyphs}
    instructions = [_instruction(operation, removed, names) for operation in content.operations]
    body = pikepdf.unparse_content_stream(instructions)
    labels = b"".join(_label(replacement) for replacement in replacements)
    # The page may leave its graphics state changed; labels are drawn in a fresh one.
    return b"q\n" + body + b"\nQ\n" + labels, b"Tf" in labels


def kept_codes(content: PageContent, replacements: Iterable[Replacement]) -> dict[str, dict[bytes, str]]:
    """By font resource, the codes that are still shown and what they say."""
    removed = {id(glyph) for replacement in replacements for glyph in replacement.glyphs}
    codes: dict[str, dict[bytes, str]] = {}
    for operation in content.operations:
        for piece in operation.shown or ():
            if piece.glyph is not None and id(piece.glyph) not in removed:
                codes.setdefault(operation.font, {})[piece.raw] = piece.glyph.text
    return codes


def _instruction(
    operation: Operation, removed: set[int], names: dict[tuple[str, str], str]
) -> pikepdf.ContentStreamInstruction:
    if operation.shown is None:
        category = USERS.get(operation.operator, "")
        operands = [
            pikepdf.Name(names.get((category, str(value)), str(value))) if isinstance(value, pikepdf.Name) else value
            for value in operation.operands
        ]
        return pikepdf.ContentStreamInstruction(operands, pikepdf.Operator(operation.operator))
    pieces: list[pikepdf.String | float] = []
    held, gap, in_gap = b"", 0.0, False

    def flush() -> None:
        nonlocal held, gap, in_gap
        if held:
            pieces.append(pikepdf.String(held))
        if in_gap:
            gap = round(gap / _GAP) * _GAP
        if gap:
            pieces.append(round(gap, 3))
        held, gap, in_gap = b"", 0.0, False

    for piece in operation.shown:
        if piece.glyph is not None and id(piece.glyph) not in removed:
            if gap or in_gap:
                flush()
            held += piece.raw
        elif piece.glyph is not None:
            if not in_gap:
                flush()
            in_gap = True
            gap += piece.advance
        else:
            gap += piece.adjust
    flush()
    return pikepdf.ContentStreamInstruction([pikepdf.Array(pieces)], pikepdf.Operator("TJ"))


def lines_of(glyphs: list[Glyph]) -> list[tuple[Box, Glyph]]:
    """The boxes of glyphs, one for each line, with a glyph of that line."""
    lines: list[tuple[Box, Glyph]] = []
    for glyph in glyphs:
        box = glyph.box
        if lines and glyph.angle == lines[-1][1].angle and _overlap(lines[-1][0], box):
            last = lines[-1][0]
            box = min(last[0], box[0]), min(last[1], box[1]), max(last[2], box[2]), max(last[3], box[3])
            lines[-1] = box, lines[-1][1]
        else:
            lines.append((box, glyph))
    return lines


def _overlap(a: Box, b: Box) -> bool:
    """True for boxes of one line: they share most of their height (or, when written upwards, width)."""
    return min(a[3], b[3]) - max(a[1], b[1]) > 0.5 * (b[3] - b[1]) or min(a[2], b[2]) - max(a[0], b[0]) > 0.5 * (
        b[2] - b[0]
    )


def _label(replacement: Replacement) -> bytes:
    parts = []
    text = replacement.text
    for (left, bottom, right, top), glyph in lines_of(replacement.glyphs):
        parts.append(f"q {_GREY} g {left:.2f} {bottom:.2f} {right - left:.2f} {top - bottom:.2f} re f Q\n")
        fitting = fitted(text, right - left, glyph.size) if glyph.angle == 0 else None
        if fitting is not None:
            label, size = fitting
            literal = label.replace("\\", r"\\").replace("(", r"\(").replace(")", r"\)")
            baseline = glyph.place[5]
            parts.append(f"BT 0 g {_LABEL_FONT} {size:.2f} Tf {left:.2f} {baseline:.2f} Td ({literal}) Tj ET\n")
        text = ""
    return "".join(parts).encode("ascii")


def fitted(text: str, width: float, size: float) -> tuple[str, float] | None:
    """A label for a gap and its size in points: the replacement itself, or its kind where the token is too long."""
    token = _TOKEN.match(text)
    for label in [text, f"[{token[1]}]"] if token else [text]:
        if label and label.isascii() and label.isprintable():
            fits = min(_LARGEST * size, width / (_COURIER * len(label)))
            if fits >= _SMALLEST:
                return label, fits
    return None


def label_font(pdf: pikepdf.Pdf) -> tuple[str, pikepdf.Object]:
    """The resource that labels are written in."""
    font = pikepdf.Dictionary(
        Type=pikepdf.Name.Font,
        Subtype=pikepdf.Name.Type1,
        BaseFont=pikepdf.Name.Courier,
        Encoding=pikepdf.Name.WinAnsiEncoding,
    )
    return _LABEL_FONT, pdf.make_indirect(font)

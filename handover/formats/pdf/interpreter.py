"""Walks a page's content and notes where every character stands (ISO 32000-2, 8.4 and 9.4).

Only what it follows with certainty counts as text. Anything else (form XObjects, inline pictures, invisible text, soft masks,
patterns, hidden layers, unknown codes) raises `VisualPageError`: such a page is handled as a picture.
"""

from dataclasses import dataclass, field
from typing import Any

import pikepdf

from handover.formats.pdf.fonts import Font, UnreadableFontError
from handover.formats.pdf.glyphs import Glyph, Matrix, multiply
from handover.formats.pdf.limits import MAX_CONTENT, bounded, too_large

_IDENTITY: Matrix = (1.0, 0.0, 0.0, 1.0, 0.0, 0.0)
#: Operators that only mark content: alternative texts and layers hang on them.
_MARKS = frozenset({"BMC", "BDC", "EMC", "MP", "DP", "BX", "EX"})
_MAX_NESTING = 256


class VisualPageError(Exception):
    """The page can't be rewritten as text."""


class DoubtfulFontError(VisualPageError):
    """A font's table of characters contradicts its own encoding."""


@dataclass(slots=True)
class Shown:
    """A piece of a show operator: an adjustment in thousandths, or a code with its glyph."""

    adjust: float = 0.0
    raw: bytes = b""
    glyph: Glyph | None = None
    #: The advance as an adjustment would express it.
    advance: float = 0.0


@dataclass(slots=True)
class Operation:
    """One operator of the rewritten page; `shown` for those that show text."""

    operator: str
    operands: list[Any] = field(default_factory=list)
    shown: list[Shown] | None = None
    font: str = ""


@dataclass(slots=True)
class _Text:
    font: Font | None = None
    name: str = ""
    size: float = 0.0
    character: float = 0.0
    word: float = 0.0
    scale: float = 1.0
    leading: float = 0.0
    rise: float = 0.0

    def copy(self) -> "_Text":
        return _Text(self.font, self.name, self.size, self.character, self.word, self.scale, self.leading, self.rise)


class PageContent:
    """The operations and glyphs of one page."""

    def __init__(self, page: pikepdf.Page, fonts: dict[Any, Font]) -> None:
        self.operations: list[Operation] = []
        self.glyphs: list[Glyph] = []
        self.images: list[tuple[str, Matrix]] = []
        self._resources = page.obj.get("/Resources", pikepdf.Dictionary())
        self._fonts = fonts
        self._stack: list[tuple[Matrix, _Text]] = []
        self._matrix, self._text = _IDENTITY, _Text()
        self._line: Matrix = _IDENTITY
        self._at: Matrix = _IDENTITY
        _check_size(page)
        try:
            for instruction in pikepdf.parse_content_stream(page):
                if isinstance(instruction, pikepdf.ContentStreamInlineImage):
                    raise VisualPageError
                self._run(str(instruction.operator), list(instruction.operands))
        except (pikepdf.PdfError, UnreadableFontError, ValueError, TypeError, IndexError, KeyError, AttributeError):
            raise VisualPageError from None

    def _run(self, operator: str, operands: list[Any]) -> None:
        if operator in _MARKS:
            if operator == "BDC" and str(operands[0]) == "/OC":
                raise VisualPageError
            return
        handler = getattr(self, f"_op_{_NAMES.get(operator, operator)}", None)
        if handler is not None:
            handler(*operands)
        elif operator not in _PLAIN:
            raise VisualPageError  # it could be any word
        if operator not in _SHOWING:
            self.operations.append(Operation(operator, operands))

    # Graphics state

    def _op_ri(self, intent: Any) -> None:
        if str(intent) not in _INTENTS:
            raise VisualPageError

    def _op_q(self) -> None:
        if len(self._stack) > _MAX_NESTING:
            raise VisualPageError
        self._stack.append((self._matrix, self._text.copy()))

    def _op_Q(self) -> None:  # noqa: N802 - the operator's name
        self._matrix, self._text = self._stack.pop()

    def _op_cm(self, *numbers: Any) -> None:
        self._matrix = multiply(_matrix(numbers), self._matrix)

    def _op_gs(self, name: Any) -> None:
        state = self._resources["/ExtGState"][str(name)]
        if "/Font" in state or isinstance(state.get("/SMask"), pikepdf.Dictionary):
            raise VisualPageError

    def _op_pattern(self, *operands: Any) -> None:
        if operands and isinstance(operands[-1], pikepdf.Name):
            pattern = self._resources["/Pattern"][str(operands[-1])]
            if int(pattern.get("/PatternType", 1)) == 1:
                raise VisualPageError

    def _op_Do(self, name: Any) -> None:  # noqa: N802 - the operator's name
        picture = self._resources["/XObject"][str(name)]
        if str(picture.get("/Subtype")) != "/Image" or "/OC" in picture:
            raise VisualPageError
        self.images.append((str(name), self._matrix))

    # Text state

    def _op_BT(self) -> None:  # noqa: N802 - the operator's name
        self._line = self._at = _IDENTITY

    def _op_Tf(self, name: Any, size: Any) -> None:  # noqa: N802 - the operator's name
        resource = self._resources["/Font"][str(name)]
        key = resource.objgen if resource.is_indirect else (id(self), str(name))
        if key not in self._fonts:
            self._fonts[key] = Font(resource)
        self._text.font, self._text.name, self._text.size = self._fonts[key], str(name), float(size)

    def _op_Tc(self, value: Any) -> None:  # noqa: N802 - the operator's name
        self._text.character = float(value)

    def _op_Tw(self, value: Any) -> None:  # noqa: N802 - the operator's name
        self._text.word = float(value)

    def _op_Tz(self, value: Any) -> None:  # noqa: N802 - the operator's name
        self._text.scale = float(value) / 100

    def _op_TL(self, value: Any) -> None:  # noqa: N802 - the operator's name
        self._text.leading = float(value)

    def _op_Ts(self, value: Any) -> None:  # noqa: N802 - the operator's name
        self._text.rise = float(value)

    def _op_Tr(self, mode: Any) -> None:  # noqa: N802 - the operator's name
        if int(mode) in {3, 7}:
            raise VisualPageError  # unseen text, as over a scan

    # Text position

    def _op_Td(self, x: Any, y: Any) -> None:  # noqa: N802 - the operator's name
        self._line = self._at = multiply((1, 0, 0, 1, float(x), float(y)), self._line)

    def _op_TD(self, x: Any, y: Any) -> None:  # noqa: N802 - the operator's name
        self._text.leading = -float(y)
        self._op_Td(x, y)

    def _op_Tm(self, *numbers: Any) -> None:  # noqa: N802 - the operator's name
        self._line = self._at = _matrix(numbers)

    def _op_next_line(self) -> None:
        self._op_Td(0, -self._text.leading)

    # Showing

    def _op_Tj(self, string: Any) -> None:  # noqa: N802 - the operator's name
        self._show([string])

    def _op_TJ(self, pieces: Any) -> None:  # noqa: N802 - the operator's name
        self._show(list(pieces))

    def _op_quote(self, string: Any) -> None:
        self._run("T*", [])
        self._show([string])

    def _op_double_quote(self, word: Any, character: Any, string: Any) -> None:
        self._run("Tw", [word])
        self._run("Tc", [character])
        self._op_quote(string)

    def _show(self, pieces: list[Any]) -> None:
        state = self._text
        if state.font is None:
            raise VisualPageError
        shown: list[Shown] = []
        for piece in pieces:
            if not isinstance(piece, pikepdf.String):
                shown.append(Shown(adjust=float(piece)))
                self._move(-float(piece) / 1000 * state.size * state.scale)
                continue
            for code in state.font.decode(bytes(piece)):
                extra = state.character + (state.word if code.is_space else 0.0)
                advance = (code.width / 1000 * state.size + extra) * state.scale
                if code.is_contradicted:
                    raise DoubtfulFontError
                if not code.text:
                    raise VisualPageError
                glyph = self._glyph(code.text, code.width, state)
                thousandths = -code.width - (extra * 1000 / state.size if state.size else 0.0)
                shown.append(Shown(raw=code.raw, glyph=glyph, advance=thousandths))
                self.glyphs.append(glyph)
                self._move(advance)
        self.operations.append(Operation("TJ", shown=shown, font=state.name))

    def _glyph(self, text: str, width: float, state: _Text) -> Glyph:
        scaled = multiply((state.size * state.scale, 0, 0, state.size, 0, state.rise), self._at)
        return Glyph(text, multiply(scaled, self._matrix), width / 1000)

    def _move(self, distance: float) -> None:
        self._at = multiply((1, 0, 0, 1, distance, 0), self._at)


#: Operators that the rewritten page shows by `TJ` alone.
_SHOWING = frozenset({"Tj", "TJ", "'", '"'})
#: Operators that are taken over as they are: paths, colours, line styles, ends of texts.
_PLAIN = frozenset(
    [
        "w",
        "J",
        "j",
        "M",
        "d",
        "i",
        "m",
        "l",
        "c",
        "v",
        "y",
        "h",
        "re",
        "S",
        "s",
        "f",
        "F",
        "f*",
        "B",
        "B*",
        "b",
        "b*",
        "n",
        "W",
        "W*",
        "CS",
        "cs",
        "SC",
        "sc",
        "G",
        "g",
        "RG",
        "rg",
        "K",
        "k",
        "sh",
        "ET",
    ]
)
_INTENTS = frozenset({"/AbsoluteColorimetric", "/RelativeColorimetric", "/Saturation", "/Perceptual"})
_NAMES = {"T*": "next_line", "'": "quote", '"': "double_quote", "scn": "pattern", "SCN": "pattern"}


def _matrix(numbers: tuple[Any, ...]) -> Matrix:
    a, b, c, d, e, f = (float(number) for number in numbers)
    return a, b, c, d, e, f


def _check_size(page: pikepdf.Page) -> None:
    contents = page.obj.get("/Contents")
    streams = list(contents) if isinstance(contents, pikepdf.Array) else [contents]
    left = MAX_CONTENT
    for stream in streams:
        if stream is not None:
            left -= len(bounded(stream, MAX_CONTENT))
    if left < 0:
        raise too_large()

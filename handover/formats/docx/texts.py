"""The texts of a part, each with the nodes that hold it, so that a value is found and replaced across runs.

Whatever text is in none of the known places is a text of its own: nothing in a part escapes inspection by being unusual.
"""

import re
from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Any

from handover.formats.docx.names import XML, A, C, M, W
from handover.formats.records import Edit

#: A reading above characters (`rt`) is a text of its own: among theirs it would tear values apart.
_PARAGRAPHS = (W + "p", A + "p", W + "rt")
_TEXT = frozenset({W + "t", A + "t", M + "t"})
_CODE = W + "instrText"
_SIGNS = {W + "tab": "\t", W + "ptab": "\t", W + "br": "\n", W + "cr": "\n", W + "noBreakHyphen": "-", A + "br": "\n"}
_SYMBOL, _PRIVATE, _BEYOND, _IN_ADDRESSES = W + "sym", 0xF000, 0x10000, frozenset("@.-_+")
#: Attributes that people write texts into.
_WORDS = frozenset({"descr", "title", "name", "alt", "string", "tooltip", "instr", "displayText", "value", "author"})
NUMBER = re.compile(r"-?[0-9]{1,10}(\.[0-9]+)?")
_LONG_NUMBER = re.compile(r"[0-9](?:[^A-Za-z]?[0-9]){6,}")
_IDENTIFIERS = frozenset({"uri", "guid", "type", "id"})


@dataclass(slots=True)
class Spot:
    """One node's share of a text: an element's text, its tail, an attribute, or a sign such as a tab."""

    element: Any
    length: int
    #: `.text`, `.tail`, `.sign`, or the name of an attribute.
    where: str = ".text"

    def replace(self, start: int, end: int, text: str) -> None:
        if self.where == ".sign":
            parent = self.element.getparent()
            if parent is not None:
                parent.remove(self.element)
            return
        if self.where == ".text":
            self.element.text = _spliced(self.element.text, start, end, text)
            if self.element.tag == W + "t":
                self.element.set(XML + "space", "preserve")
        elif self.where == ".tail":
            self.element.tail = _spliced(self.element.tail, start, end, text)
        else:
            self.element.set(self.where, _spliced(self.element.get(self.where), start, end, text))


def _spliced(old: str | None, start: int, end: int, text: str) -> str:
    return (old or "")[:start] + text + (old or "")[end:]


@dataclass(slots=True)
class Text:
    """A text and its nodes in order."""

    value: str = ""
    spots: list[Spot] = field(default_factory=list)

    def add(self, value: str, element: Any, where: str = ".text") -> None:
        if value:
            self.value += value
            self.spots.append(Spot(element, len(value), where))

    def join(self, other: "Text", joint: str) -> None:
        """Takes another text in; the joint between them stands nowhere."""
        if self.value and other.value and joint:
            self.value += joint
            self.spots.append(Spot(None, len(joint)))
        self.value += other.value
        self.spots += other.spots

    def apply(self, edits: list[Edit]) -> None:
        """Writes replacements; each goes into the first of its nodes and takes on that run's looks."""
        for edit in sorted(edits, reverse=True):
            start, pending = 0, edit.text
            for spot in self.spots:
                end = start + spot.length
                if spot.element is not None and start < edit.end and edit.start < end:
                    is_text = spot.where != ".sign"
                    spot.replace(max(edit.start - start, 0), min(edit.end, end) - start, pending if is_text else "")
                    pending = "" if is_text else pending
                start = end


def paragraphs_of(root: Any) -> Iterator[tuple[Any, Text, Text]]:
    """Each paragraph with its text and its field codes; paragraphs within others (text boxes) come on their own."""
    for paragraph in root.iter(*_PARAGRAPHS):
        text, code = Text(), Text()
        _gather(paragraph, text, code)
        yield paragraph, text, code


def _gather(element: Any, text: Text, code: Text) -> None:
    for child in element:
        if child.tag in _PARAGRAPHS:
            continue
        if child.tag in _TEXT:
            text.add(child.text or "", child)
        elif child.tag == _CODE:
            code.add(child.text or "", child)
        elif child.tag in _SIGNS:
            text.add(_SIGNS[child.tag], child, ".sign")
        elif child.tag == _SYMBOL:
            text.add(_symbol(child), child, ".sign")
        else:
            _gather(child, text, code)


def _symbol(element: Any) -> str:
    """The letter or digit that a symbol's code stands for; other symbols are no part of a value."""
    try:
        code = int(element.get(W + "char", ""), 16)
    except ValueError:
        return ""
    # Fonts of symbols keep the codes of ASCII in the private range (ECMA-376 part 1, 17.3.3.30).
    shown = chr(code - _PRIVATE if _PRIVATE <= code < _PRIVATE + 0x100 else code) if 0 < code < _BEYOND else ""
    return shown if shown.isalnum() or shown in _IN_ADDRESSES else ""


def others(root: Any) -> Iterator[Text]:
    """Texts outside paragraphs' runs: chart values, positions, anything unknown."""
    for element in root.iter():
        known = element.tag in _TEXT or element.tag == _CODE
        in_paragraph = known and any(parent.tag in _PARAGRAPHS for parent in element.iterancestors())
        for where, value in ((".text", element.text), (".tail", element.tail)):
            if where == ".text" and in_paragraph:
                continue
            if value and value.strip() and (element.tag == C + "v" or not NUMBER.fullmatch(value.strip())):
                text = Text()
                text.add(value, element, where)
                yield text


def attributes(root: Any) -> Iterator[Text]:
    """Attributes that hold words, or could hold a person's data."""
    for element in root.iter():
        for name, value in element.attrib.items():
            local = name.rpartition("}")[2]
            if local in _IDENTIFIERS or NUMBER.fullmatch(value):
                continue
            written = local in _WORDS and len(value) > 1
            if written or not value.isascii() or "@" in value or _LONG_NUMBER.search(value):
                text = Text()
                text.add(value, element, name)
                yield text

"""Values known from structured columns, looked for wherever else they occur: names in a narrative, above all.

Bounded in memory, and never leaves the child that collected it.
"""

import re
from collections.abc import Iterable, Iterator
from typing import TYPE_CHECKING

from handover.detection.detectors.person_name import is_chinese_name, plain_chinese_names
from handover.detection.names.cues import ORGANISATION
from handover.detection.spans import Span

if TYPE_CHECKING:
    from handover.detection.number_table import Hashes, NumberTable
    from handover.detection.screening import Screen

#: Names beyond this are not remembered; the report of a larger file says that its free text was searched for these.
MAX_NAMES = 500_000
MAX_NUMBERS = 2_000_000
_MIN_NUMBER = 7  # shorter digit strings occur by chance
_CAPITALISED = re.compile(r"[A-ZÀ-Þ](?<![A-Za-zÀ-ſ].)[A-Za-zÀ-ſ'’-]+")
_WORD = re.compile("[A-Za-z]+")
_SAINT = re.compile(r"(?<![A-Za-z])(?:St\.?|San|Santa|Saint|Mount|Mt\.?|Fort|Lake|[Tt]he) \Z")
_OF = ("'s", "’s")
#: Behind a surname alone: it is a firm's, or a street's.
_FIRM = re.compile(rf"(?:['’]s)? (?:& [A-Z]|(?i:{'|'.join(sorted(ORGANISATION))})\b)|[-.&][A-Za-z]")
_DIGITS = re.compile(r"[0-9](?:[ -]?[0-9]){6,24}")
_SEPARATORS = str.maketrans("", "", " -")


def beginnings(heads: Iterable[str]) -> re.Pattern[str]:
    """Where names may begin, of which these are the first two characters: at any of the first with any of the second behind it."""
    first, second = ("".join(map(re.escape, set(characters))) for characters in zip(*heads, strict=True))
    return re.compile(f"[{first}](?=[{second}])")


class KnownValues:
    """A dictionary of names and numbers with a search in running text."""

    def __init__(self) -> None:
        #: First two characters of a Chinese name → the lengths of the names that begin with them, longest first.
        self._chinese: dict[str, list[int]] = {}
        #: First word of a Latin name → the whole names.
        self._latin: dict[str, list[str]] = {}
        self._names: set[str] = set()
        self._numbers: dict[str, str] = {}
        self._pattern: re.Pattern[str] | None = None
        self.full = False
        #: Numbers of a large table.
        self.table: NumberTable | None = None
        #: The compiled search for these values; dropped when one is added.
        self.screen: Screen | None = None

    def add_names(self, values: Iterable[str]) -> None:
        names = self._names
        new = [value for value in dict.fromkeys(values) if value not in names]
        plain = plain_chinese_names(new)
        if len(names) + len(plain) <= MAX_NAMES:
            for head, length in {(name[:2], len(name)) for name in plain}:
                self._remember_head(head, length)
            names |= plain
        for value in new:
            if value not in names:
                self.add_name(value)

    def add_numbers(self, values: Iterable[str], kind: str) -> None:
        if self.table is not None:
            self.table.add("".join(f"{value}\n" for value in values if "\n" not in value).encode(), kind)
            self.screen = None
            return
        for value in dict.fromkeys(values):
            if value not in self._numbers:
                self.add_number(value, kind)

    def add_number_hashes(self, hashes: "Hashes") -> None:
        """Numbers for `table`."""
        assert self.table is not None  # noqa: S101 - set before
        self.table.add_hashes(hashes)
        self.screen = None

    def add_name(self, value: str) -> None:
        name = value.strip()
        if name in self._names:
            return
        if len(self._names) >= MAX_NAMES:
            self.full = True
            return
        if is_chinese_name(name):
            self._remember_chinese(name)
        elif " " in name:
            self._latin.setdefault(name.split(" ", 1)[0].rstrip(","), []).append(name)
            self._names.add(name)
            self.screen = None
        # One Latin word is too common a word.

    def add_surname(self, word: str) -> None:
        """A surname in Latin script of somebody whose whole name was found."""
        if word not in self._names and len(self._names) < MAX_NAMES:
            self._latin.setdefault(word, []).append(word)
            self._names.add(word)
            self.screen = None

    def add_found(self, name: str) -> None:
        """A name in Chinese characters that was found in running text; it may be a foreigner's."""
        if name not in self._names and len(self._names) < MAX_NAMES:
            self._remember_chinese(name)

    def _remember_chinese(self, name: str) -> None:
        self._remember_head(name[:2], len(name))
        self._names.add(name)

    def _remember_head(self, head: str, length: int) -> None:
        lengths = self._chinese.get(head)
        if lengths is None:
            self._chinese[head] = [length]
            self._pattern = None
        elif length not in lengths:
            lengths.append(length)
            lengths.sort(reverse=True)
        self.screen = None

    def add_number(self, value: str, kind: str) -> None:
        number = value.translate(_SEPARATORS)
        if len(number) >= _MIN_NUMBER and number.isascii() and number.isdigit() and len(self._numbers) < MAX_NUMBERS:
            self._numbers.setdefault(number, kind)
            self.screen = None

    def names_for_kernel(self) -> tuple[set[str], set[str], set[str]]:
        """The Chinese names, the characters that they begin with, and the word that each other name begins with."""
        others = {name for names in self._latin.values() for name in names}
        words = {word[0] for name in others if (word := _WORD.match(name))}
        return self._names - others, {head[0] for head in self._chinese}, words

    def numbers_for_kernel(self) -> Iterator[tuple[str, list[str]]]:
        """The numbers that are not in `table`, by kind."""
        for kind in ("phone", "resident_id", "bank_card"):
            yield kind, [number for number, its in self._numbers.items() if its == kind]

    def __bool__(self) -> bool:
        return bool(self._names or self._numbers or (self.table and self.table.count))

    def find(self, text: str, *, numbers: bool = True) -> Iterator[Span]:
        """Every known value in the text; without `numbers` names alone."""
        if self._chinese and not text.isascii():
            yield from self._find_chinese(text)
        if self._latin:
            yield from self._find_latin(text)
        if numbers and (self._numbers or self.table):
            yield from self._find_numbers(text)

    def _find_chinese(self, text: str) -> Iterator[Span]:
        if self._pattern is None:
            self._pattern = beginnings(self._chinese)
        for match in self._pattern.finditer(text):
            start = match.start()
            for length in self._chinese.get(text[start : start + 2], ()):
                if start + length <= len(text) and text[start : start + length] in self._names:
                    yield Span(start, start + length, "person_name", 0.82)
                    break

    def _find_latin(self, text: str) -> Iterator[Span]:
        latin = self._latin
        for match in _CAPITALISED.finditer(text):
            word = match[0][:-2] if match[0].endswith(_OF) else match[0]
            for name in latin.get(word, ()):
                end = match.start() + len(name)
                if (
                    text.startswith(name, match.start())
                    and not text[end : end + 1].isalpha()
                    and (
                        " " in name
                        or not (_FIRM.match(text, end) or _SAINT.search(text, max(0, match.start() - 8), match.start()))
                    )
                ):
                    yield Span(match.start(), end, "person_name", 0.85)
                    break

    def _find_numbers(self, text: str) -> Iterator[Span]:
        matches = list(_DIGITS.finditer(text))
        numbers = [match[0].translate(_SEPARATORS) for match in matches]
        kinds = [self._numbers.get(number) for number in numbers]
        if self.table and None in kinds:
            kinds = [kind or its for kind, its in zip(kinds, self.table.kinds_of(numbers), strict=True)]
        for match, kind in zip(matches, kinds, strict=True):
            if kind:
                yield Span(match.start(), match.end(), kind, 0.9)

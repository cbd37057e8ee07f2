"""Finds all hits in the values of a column.

The values are joined and scanned as one text, so each pattern is started once per batch, not once per cell; detectors of
numbers see only the surroundings of digits. Results are the same as value by value (a test proves it).
"""

import bisect
import re
from collections.abc import Iterable, Iterator
from functools import cache
from itertools import accumulate, filterfalse
from typing import TYPE_CHECKING

from handover.detection import disguise
from handover.detection.certain import CERTAIN, is_plain_number
from handover.detection.detectors import DETECTORS
from handover.detection.folding import fold
from handover.detection.known import KnownValues
from handover.detection.replacements import is_replacement, without_tokens
from handover.detection.roles import ROLES_OF_VALUES, whole_value_span
from handover.detection.screens import screen_of
from handover.detection.spans import Span, resolve
from handover.detection.unseen import Seen

if TYPE_CHECKING:
    from handover.detection.screening import Screen

#: Stands between values; no detector matches it, so no hit crosses from one value to the next.
_JOINT = "\0"
#: Four digits with at most three characters between each two: the least that any number detector needs.
_CLUSTER = re.compile(r"[0-9](?:[^0-9\0]{0,3}[0-9]){3,}")
#: What a detector may look at before and after the digits (cues, the letters of a country code).
_BEFORE, _AFTER = 40, 24
#: Windows are cut out only where that saves work; a column of numbers is scanned whole.
_WORTH_CUTTING = 4
#: Characters of a field from which on the compiled first look saves more than it costs (about 0.3 s, once a process).
_WORTH_SCREENING = 100_000
#: Roles whose columns the known numbers come from.
SOURCES_OF_NUMBERS = frozenset({"telephone", "resident_id", "bank_card"})
#: A whole value that is exactly what its column holds.
_CERTAIN = 0.99

#: Kinds that are mere digits or pass a one-digit check: an order number may look like them.
NUMERIC_KINDS = frozenset(
    {
        "mobile",
        "landline",
        "phone",
        "bank_card",
        "qq",
        "us_ssn",
        "resident_id",
        "birth_date",
        "ip",
        "uscc",
        "wechat",
        "plate",
    }
)


class _Whole(dict[int, list[Span]]):
    """The hit that covers a whole value, by the value's length."""

    def __init__(self, kind: str) -> None:
        super().__init__()
        self._kind = kind

    def __missing__(self, length: int) -> list[Span]:
        self[length] = [Span(0, length, self._kind, _CERTAIN)]
        return self[length]


_whole = cache(_Whole)


@cache
def _detectors(window: str) -> tuple[object, ...]:
    return tuple(detector for detector in DETECTORS if window == detector.WINDOW)


def holds_personal_data(text: str) -> bool:
    """Whether anything is found in a short text, such as a file's name."""
    return bool(ColumnScan().find([text]))


class ColumnScan:
    """How one field is scanned: its role, the kinds that its header makes implausible, and the known values."""

    def __init__(
        self,
        role: str = "",
        suppressed: frozenset[str] = frozenset(),
        known: KnownValues | None = None,
        *,
        single_word: bool = False,
    ) -> None:
        self.role = role
        self.suppressed = suppressed
        self.known = known
        self.single_word = single_word
        # A mistyped number is known from its own column; there it must still show as unmatched, not as a hit.
        self._is_source_of_numbers = role in SOURCES_OF_NUMBERS
        #: Characters so far.
        self._scanned = 0

    def find(self, values: list[str], *, is_screened: bool = False) -> dict[int, list[Span]]:
        """Hits by index of the value; values without hits are absent. With `is_screened` they are what a screen could not judge."""
        if self.role in CERTAIN:
            kind, test = CERTAIN[self.role]
            sure = list(map(test, values))
            if all(sure):
                return dict(enumerate(map(_whole(kind).__getitem__, map(len, values))))
            return self._find_rest(kind, values, sure, is_screened=is_screened)
        if self.suppressed >= NUMERIC_KINDS and not self.known:
            found = self._find(dict.fromkeys(filterfalse(is_plain_number, values)), is_screened=is_screened)
        else:
            found = self._find(dict.fromkeys(values), is_screened=is_screened)
        return {index: found[value] for index, value in enumerate(values) if value in found} if found else {}

    def _find_rest(
        self, kind: str, values: list[str], sure: list[object], *, is_screened: bool
    ) -> dict[int, list[Span]]:
        """The same when some values are not what their column promises."""
        rest = dict.fromkeys(value for value, known in zip(values, sure, strict=True) if not known)
        found = self._find(rest, is_screened=is_screened)
        whole = _whole(kind)
        return {
            index: whole[len(value)] if known else found[value]
            for index, (value, known) in enumerate(zip(values, sure, strict=True))
            if known or value in found
        }

    def _find(self, distinct: Iterable[str], *, is_screened: bool = False) -> dict[str, list[Span]]:
        """Hits by value: repeated values are scanned once."""
        values = [value for value in distinct if value]
        found: dict[str, list[Span]] = {}
        rest = values
        if screen := self._screen(values, is_screened=is_screened):
            found, rest = screen.find(values, numbers=not self._is_source_of_numbers)
        if self.role in ROLES_OF_VALUES:
            for value in values:
                span = whole_value_span(self.role, value, single_word=self.single_word)
                if span is not None:
                    found.setdefault(value, []).append(span)
        for value, span in self._scan(rest):
            found.setdefault(value, []).append(span)
        return {
            value: spans
            for value, candidates in found.items()
            if not is_replacement(value) and (spans := resolve(without_tokens(value, candidates)))
        }

    def _screen(self, values: list[str], *, is_screened: bool) -> "Screen | None":
        """The compiled first look, where it knows all there is and its loading is worth while."""
        if is_screened:
            return None
        self._scanned += sum(map(len, values))
        if self.suppressed or self._scanned < _WORTH_SCREENING:
            return None
        return screen_of(self.known)

    def _scan(self, values: list[str]) -> Iterator[tuple[str, Span]]:
        if not values:
            return
        seen = Seen(values)
        text = fold(_JOINT.join(seen.values))
        starts = list(accumulate((len(value) + 1 for value in seen.values), initial=0))
        for span in self._spans(text):
            index = bisect.bisect_right(starts, span.start) - 1
            offset = starts[index]
            found = Span(span.start - offset, span.end - offset, span.kind, span.confidence)
            yield values[index], seen.in_value(index, found)

    def _spans(self, text: str) -> Iterator[Span]:
        for detector in _detectors("whole"):
            if detector.KIND not in self.suppressed:  # type: ignore[attr-defined]
                yield from detector.find(text)  # type: ignore[attr-defined]
        cut, offsets = _windows(text)
        if cut:
            for detector in _detectors("digits"):
                if detector.KIND not in self.suppressed:  # type: ignore[attr-defined]
                    yield from _moved(detector.find(cut), offsets)  # type: ignore[attr-defined]
        yield from (span for span in disguise.find(text) if span.kind not in self.suppressed)
        if self.known:
            yield from (
                span
                for span in self.known.find(text, numbers=not self._is_source_of_numbers)
                if span.kind not in self.suppressed
            )


def _windows(text: str) -> tuple[str, list[tuple[int, int]]]:
    """The surroundings of digits as one text, and for each piece (position in it, shift to the original)."""
    pieces: list[tuple[int, int]] = []
    for match in _CLUSTER.finditer(text):
        start, end = max(0, match.start() - _BEFORE), match.end() + _AFTER
        if pieces and start <= pieces[-1][1]:
            pieces[-1] = (pieces[-1][0], end)
        else:
            pieces.append((start, end))
    if sum(end - start for start, end in pieces) * _WORTH_CUTTING > len(text) * (_WORTH_CUTTING - 1):
        return text, [(0, 0)]
    offsets: list[tuple[int, int]] = []
    position = 0
    cuts = []
    for start, end in pieces:
        cut = text[start:end]
        offsets.append((position, start - position))
        cuts.append(cut)
        position += len(cut) + 1
    return _JOINT.join(cuts), offsets


def _moved(spans: Iterator[Span], offsets: list[tuple[int, int]]) -> Iterator[Span]:
    for span in spans:
        _, shift = offsets[bisect.bisect_right(offsets, (span.start, 1 << 62)) - 1]
        yield Span(span.start + shift, span.end + shift, span.kind, span.confidence)

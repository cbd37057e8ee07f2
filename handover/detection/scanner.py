"""Finds all hits in the values of a column.

The values are joined and scanned as one text, so each pattern is started once per batch, not once per cell; detectors of
numbers see only the surroundings of digits. Results are the same as value by value (a test proves it).
"""

import bisect
import re
from collections.abc import Iterator
from functools import cache
from itertools import accumulate

from handover.detection.certain import CERTAIN, is_plain_number
from handover.detection.detectors import DETECTORS
from handover.detection.folding import fold
from handover.detection.known import KnownValues
from handover.detection.replacements import is_replacement, without_tokens
from handover.detection.roles import whole_value_span
from handover.detection.spans import Span, resolve

#: Stands between values; no detector matches it, so no hit crosses from one value to the next.
_JOINT = "\0"
#: Four digits with at most three characters between each two: the least that any number detector needs.
_CLUSTER = re.compile(r"[0-9](?:[^0-9\0]{0,3}[0-9]){3,}")
#: What a detector may look at before and after the digits (cues, the letters of a country code).
_BEFORE, _AFTER = 40, 24
#: Windows are cut out only where that saves work; a column of numbers is scanned whole.
_WORTH_CUTTING = 4
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


@cache
def _detectors(window: str) -> tuple[object, ...]:
    return tuple(detector for detector in DETECTORS if window == detector.WINDOW)


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

    def find(self, values: list[str]) -> dict[int, list[Span]]:
        """Hits by index of the value; values without hits are absent."""
        hits: dict[int, list[Span]] = {}
        places: dict[str, list[int]] = {}
        certain = CERTAIN.get(self.role)
        only_numbers = self.suppressed >= NUMERIC_KINDS and not self.known
        for index, value in enumerate(values):
            if not value or (only_numbers and is_plain_number(value)):
                continue
            kind = certain(value) if certain else None
            if kind:
                hits[index] = [Span(0, len(value), kind, _CERTAIN)]
            else:
                places.setdefault(value, []).append(index)
        # Repeated values are scanned once.
        for value, spans in self._find(list(places)).items():
            for index in places[value]:
                hits[index] = spans
        return hits

    def _find(self, values: list[str]) -> dict[str, list[Span]]:
        found: dict[str, list[Span]] = {}
        for value in values:
            span = whole_value_span(self.role, value, single_word=self.single_word) if self.role else None
            if span is not None:
                found[value] = [span]
        for value, span in self._scan(values):
            found.setdefault(value, []).append(span)
        return {
            value: spans
            for value, candidates in found.items()
            if not is_replacement(value) and (spans := resolve(without_tokens(value, candidates)))
        }

    def _scan(self, values: list[str]) -> Iterator[tuple[str, Span]]:
        text = fold(_JOINT.join(values))
        starts = list(accumulate((len(value) + 1 for value in values), initial=0))
        for span in self._spans(text):
            index = bisect.bisect_right(starts, span.start) - 1
            offset = starts[index]
            yield values[index], Span(span.start - offset, span.end - offset, span.kind, span.confidence)

    def _spans(self, text: str) -> Iterator[Span]:
        for detector in _detectors("whole"):
            if detector.KIND not in self.suppressed:  # type: ignore[attr-defined]
                yield from detector.find(text)  # type: ignore[attr-defined]
        cut, offsets = _windows(text)
        if cut:
            for detector in _detectors("digits"):
                if detector.KIND not in self.suppressed:  # type: ignore[attr-defined]
                    yield from _moved(detector.find(cut), offsets)  # type: ignore[attr-defined]
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

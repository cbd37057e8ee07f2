"""Finds all hits in the values of a column.

The values are joined and scanned as one text, so each pattern is started once per batch, not once per cell; detectors of
numbers see only the surroundings of digits. Results are the same as value by value (a test proves it).
"""

import bisect
import re
from collections.abc import Iterator
from functools import cache

from handover.detection.detectors import DETECTORS
from handover.detection.folding import fold
from handover.detection.known import KnownValues
from handover.detection.replacements import is_replacement
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

    def find(self, values: list[str]) -> dict[int, list[Span]]:
        """Hits by index of the value; values without hits are absent."""
        hits: dict[int, list[Span]] = {}
        if self.role:
            for index, value in enumerate(values):
                span = whole_value_span(self.role, value, single_word=self.single_word) if value else None
                if span is not None:
                    hits[index] = [span]
        for index, span in self._scan(values):
            hits.setdefault(index, []).append(span)
        for index in [index for index in hits if is_replacement(values[index])]:
            del hits[index]
        return {index: resolve(spans) for index, spans in hits.items()}

    def _scan(self, values: list[str]) -> Iterator[tuple[int, Span]]:
        text = fold(_JOINT.join(values))
        starts = [0]
        for value in values:
            starts.append(starts[-1] + len(value) + 1)
        for span in self._spans(text):
            index = bisect.bisect_right(starts, span.start) - 1
            offset = starts[index]
            yield index, Span(span.start - offset, span.end - offset, span.kind, span.confidence)

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
            yield from (span for span in self.known.find(text) if span.kind not in self.suppressed)


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

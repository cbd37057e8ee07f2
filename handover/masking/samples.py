"""Records for a reviewer to look at: each field as it came out, beside the shape of what it was.

Which records they are is pseudo-random and, for one key and file, always the same; whoever made the plan cannot steer
it. The shape keeps length, case, digits and signs, and holds no real value.
"""

import hmac
import random
import unicodedata
from bisect import bisect_left
from collections.abc import Iterator, Sequence

import msgspec

from handover.detection.survey import Survey
from handover.formats import Batch, Column
from handover.masking.policy import FieldRule, Policy

#: Longer values are cut: a narrative is judged by what the second scan finds in it as well.
VALUE_MAX = 2_000
_SEED = b"handover-review-samples-v1"
_SCAN = FieldRule("scan")


class SampledField(msgspec.Struct, kw_only=True):
    """One value: what was to happen to it, what it looked like, and what it is now."""

    name: str
    action: str
    #: What was recognised or declared.
    kinds: list[str]
    before: str
    after: str
    #: One of the two was longer than is shown.
    cut: bool = False


class SampledRecord(msgspec.Struct, kw_only=True):
    """One record of the output; `position` is its place in the sample, of which every beginning is a sample too."""

    position: int
    #: Counted from 0 over the source.
    record: int
    fields: list[SampledField]


class Sampler:
    """Draws `size` of the records that the survey counted."""

    def __init__(self, survey: Survey, policy: Policy, key: bytes, size: int) -> None:
        self._survey, self._policy = survey, policy
        draw = random.Random(hmac.digest(key, _SEED, "sha256"))  # noqa: S311  (nobody's secret; it has to be repeatable)
        drawn = draw.sample(range(survey.records), min(size, survey.records))
        self._positions = {record: position for position, record in enumerate(drawn)}
        self._ascending = sorted(drawn)

    def drawn(self, first: int, count: int) -> list[int]:
        """Which of these records are drawn, in ascending order."""
        start, end = (bisect_left(self._ascending, number) for number in (first, first + count))
        return self._ascending[start:end]

    def of(self, batch: Batch, keep: Sequence[bool] | None) -> Iterator[SampledRecord]:
        """The drawn records of a batch that was redacted; those that are left out are not shown."""
        for number in self.drawn(batch.first, batch.count):
            index = number - batch.first
            if keep is None or keep[index]:
                yield self.record(batch, index, number)

    def record(self, batch: Batch, index: int, number: int) -> SampledRecord:
        """One record of a batch that was redacted, which is the source's record `number`."""
        fields = [field for column in batch.columns for field in self._fields(column, index)]
        return SampledRecord(position=self._positions[number], record=number, fields=fields)

    def _fields(self, column: Column, record: int) -> Iterator[SampledField]:
        rule, output = self._policy.fields.get(column.name, _SCAN), column.output()
        at = bisect_left(column.records, record)
        while at < len(column.records) and column.records[at] == record:
            before, after = column.values[at], output[at]
            yield SampledField(
                name=column.name,
                action=rule.action,
                kinds=[rule.kind] if rule.kind else self._kinds(column.name, before),
                before=shape(before[:VALUE_MAX]),
                after=after[:VALUE_MAX],
                cut=max(len(before), len(after)) > VALUE_MAX,
            )
            at += 1

    def _kinds(self, name: str, value: str) -> list[str]:
        spans = self._survey.column_scan(name).find([value]).get(0, [])
        return sorted({span.kind for span in spans})


def shape(value: str) -> str:
    """`value` with every letter as A, a or 汉 and every digit as 9; signs and spaces stay, and so does the length."""
    return "".join(map(_shape, value))


def _shape(character: str) -> str:
    category = unicodedata.category(character)
    if category.startswith("N"):
        return "9"
    if category[0] in "PSZ" or category in {"Cc", "Cf"}:
        return character
    if unicodedata.name(character, "").startswith("CJK"):
        return "汉"
    return "A" if character.isupper() else "a"

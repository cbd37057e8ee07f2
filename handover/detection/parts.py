"""An inspection shared by several workers: each counts its own batches, and their counts are put together.

Every part makes the survey over the whole file, so that all know the same roles, names and numbers; then it takes its share of the
batches. What it hands on are counts and keyed digests of persons, never a value.
"""

from collections.abc import Iterable, Sequence

import msgspec

from handover.detection.counting import DistinctCounter
from handover.detection.inspection import Inspection, level_of, need_of
from handover.detection.report import FieldReport, ScanReport, total

_DIGEST = 16


class Digests(msgspec.Struct, frozen=True, array_like=True):
    """A counter as it is handed on: its digests in one piece, and how far they were sampled."""

    depth: int
    digests: bytes

    @classmethod
    def of(cls, counter: DistinctCounter) -> "Digests":
        return cls(counter.depth, b"".join(counter.seen))


class PartState(msgspec.Struct, frozen=True, kw_only=True):
    """What one part found."""

    report: ScanReport
    persons: Digests
    minors: Digests
    under_14: Digests

    @classmethod
    def of(cls, inspection: Inspection, report: ScanReport) -> "PartState":
        return cls(
            report=report,
            persons=Digests.of(inspection.persons),
            minors=Digests.of(inspection.minors),
            under_14=Digests.of(inspection.young),
        )


def merge(states: Sequence[PartState]) -> tuple[ScanReport, Sequence[bytes] | None]:
    """The report of the whole, and its persons' digests in ascending order (None when they were only estimated)."""
    persons = _join(state.persons for state in states)
    minors, young = (_join(each) for each in zip(*((s.minors, s.under_14) for s in states), strict=True))
    first = states[0].report
    report = msgspec.structs.replace(
        first,
        fields=[_field([state.report.fields[at] for state in states]) for at in range(len(first.fields))],
        persons=persons.count(),
        persons_method=("exact" if persons.is_exact else "estimate") if persons.count() else "none",
        minors=minors.count(),
        under_14=young.count(),
    )
    return report, sorted(persons.seen) if persons.is_exact else None


def _join(parts: Iterable[Digests]) -> DistinctCounter:
    total = DistinctCounter()
    for part in parts:
        total.join(part.depth, (part.digests[at : at + _DIGEST] for at in range(0, len(part.digests), _DIGEST)))
    return total


def _field(parts: list[FieldReport]) -> FieldReport:
    """Parts of one field: the survey's facts are the same in all, hits are of each."""
    kinds, first = total(part.kinds for part in parts), parts[0]
    level = level_of(first.role, kinds)
    # Each part takes for unmatched what it did not look at.
    unmatched = sum(part.unmatched for part in parts) - (len(parts) - 1) * first.values
    return msgspec.structs.replace(
        first,
        kinds=kinds,
        level=level,
        need=need_of(first.role, kinds, level),
        unmatched=max(unmatched, 0),
    )

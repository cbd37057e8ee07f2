"""The second scan: the same detectors, and the values known from the source's columns, over the bytes that came out.

Fields keep the roles that they had in the source, so a name that survives in a name column is a hit there, and a
name from that column is one in every narrative.
"""

from collections import Counter
from collections.abc import Callable, Iterator, Mapping, Sequence
from typing import TYPE_CHECKING

from handover.detection import LEVELS
from handover.detection.inspection import survey_of
from handover.detection.spans import count_kinds
from handover.detection.survey import Survey
from handover.formats import Batch, Reading
from handover.masking.k_anonymity import GroupSizes
from handover.masking.policy import Policy
from handover.masking.report import ResidualReport

if TYPE_CHECKING:
    from handover.formats.flat import FlatTable

#: Some records, and by field the hits of each kind in them.
Piece = tuple[Batch, Mapping[str, Mapping[str, int]]]


def residual(
    source: "Reading | FlatTable",
    output: "Callable[[], Reading | FlatTable]",
    *,
    policy: Policy,
    quasi_identifiers: Sequence[str] = (),
    on_records: Callable[[str, int], None] | None = None,
) -> ResidualReport:
    """Scans an output against its source.

    Raises:
        FormatRefusedError: one of them can't be read; an output that can't be read is not released.
    """
    survey = survey_of(source, on_records)
    reading = output()
    report = ResidualReport(format=reading.format)
    groups = GroupSizes(quasi_identifiers) if quasi_identifiers else None
    for batch, fields in _pieces(reading, survey, quasi_identifiers):
        for name, kinds in fields.items():
            _judge(name, kinds, policy, report)
        if groups:
            groups.add(batch)
        report.records += batch.count
        if on_records:
            on_records("residual", report.records)
    report.k = groups.smallest() if groups else None
    return report


def _pieces(output: "Reading | FlatTable", survey: Survey, quasi_identifiers: Sequence[str]) -> Iterator[Piece]:
    if isinstance(output, Reading):
        return (piece_of(batch, survey) for batch in output.batches)
    from handover.masking.flat_residual import flat_pieces

    return flat_pieces(output, survey, quasi_identifiers)


def piece_of(batch: Batch, survey: Survey) -> Piece:
    """A batch, and what is found in it."""
    fields: dict[str, Counter[str]] = {}
    for column in batch.columns:
        found = survey.column_scan(column.name).find(column.values)
        fields.setdefault(column.name, Counter()).update(count_kinds(found.values()))
    return batch, fields


def _judge(name: str, kinds: Mapping[str, int], policy: Policy, report: ResidualReport) -> None:
    rule = policy.fields.get(name)
    for kind, count in kinds.items():
        wanted = rule.action == "keep" if rule and rule.action != "scan" else policy.action_for(kind) == "keep"
        level = LEVELS[kind]
        if level == "L1" or (wanted and level != "L4"):
            _add(report.kept, kind, count)
            continue
        _add(report.leftover, level, count)
        _add(report.leftover_kinds, kind, count)
        _add(report.leftover_fields, name, count)


def _add(counts: dict[str, int], key: str, count: int) -> None:
    counts[key] = counts.get(key, 0) + count

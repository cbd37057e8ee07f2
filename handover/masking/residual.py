"""The second scan: the same detectors, and the values known from the source's columns, over the bytes that came out.

Fields keep the roles that they had in the source, so a name that survives in a name column is a hit there, and a
name from that column is one in every narrative.
"""

from collections.abc import Callable, Sequence

from handover.detection import LEVELS
from handover.detection.inspection import survey_of
from handover.detection.survey import Survey
from handover.formats import Batch, Reading
from handover.masking.k_anonymity import GroupSizes
from handover.masking.policy import Policy
from handover.masking.report import ResidualReport


def residual(
    source: Reading,
    output: Callable[[], Reading],
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
    for batch in reading.batches:
        _scan(batch, survey, policy, report)
        if groups:
            groups.add(batch)
        report.records += batch.count
        if on_records:
            on_records("residual", report.records)
    report.k = groups.smallest() if groups else None
    return report


def _scan(batch: Batch, survey: Survey, policy: Policy, report: ResidualReport) -> None:
    for column in batch.columns:
        rule = policy.fields.get(column.name)
        for spans in survey.column_scan(column.name).find(column.values).values():
            for span in spans:
                wanted = (
                    rule.action == "keep" if rule and rule.action != "scan" else policy.action_for(span.kind) == "keep"
                )
                level = LEVELS[span.kind]
                if level == "L1" or (wanted and level != "L4"):
                    _count(report.kept, span.kind)
                    continue
                _count(report.leftover, level)
                _count(report.leftover_kinds, span.kind)
                _count(report.leftover_fields, column.name)


def _count(counts: dict[str, int], key: str) -> None:
    counts[key] = counts.get(key, 0) + 1

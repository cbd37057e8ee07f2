"""The second pass: counts every hit, person and minor, and writes the report. It keeps digests, never values."""

import datetime as dt
from collections import Counter
from collections.abc import Callable, Iterable, Sequence
from functools import lru_cache
from itertools import chain
from operator import attrgetter

from handover.detection.counting import DistinctCounter
from handover.detection.detectors import LEVELS, birth_date, resident_id
from handover.detection.report import FieldReport, ScanReport, SpanRow, Subject
from handover.detection.shapes import commonest_shapes
from handover.detection.spans import Level, Span
from handover.detection.subjects import SubjectDigester
from handover.detection.survey import FieldSurvey, Survey
from handover.formats import Batch, Column, Reading

#: What identifies a person in running text, best first.
_IDENTIFYING = ("resident_id", "mobile", "email", "phone", "person_name")
_BIRTHS = frozenset({"resident_id", "birth_date"})
_KIND = attrgetter("kind")
_ROLE_LEVELS: dict[str, Level] = {"free_text": "L3", "amount": "L3", "customer_id": "L2", "order": "L2"}
_IDENTIFIER_ROLES = frozenset({"resident_id", "bank_card", "us_ssn", "email", "telephone", "birth_date"})
_ADULT, _YOUNG = 18, 14
_DAYS_PER_YEAR = 365.2425


class Inspection:
    """Takes every batch of the second pass."""

    def __init__(
        self,
        survey: Survey,
        key: bytes,
        subject: Subject | None,
        today: dt.date,
        on_span: Callable[[SpanRow], None] | None = None,
    ) -> None:
        self._survey = survey
        self._subject = subject
        #: Records of one person lie close together, or come round again.
        self._digest = lru_cache(maxsize=65_536)(SubjectDigester(key))
        self._today = today
        self._on_span = on_span
        self.persons = DistinctCounter()
        self._minors, self._young = DistinctCounter(), DistinctCounter()
        self._kinds: dict[str, dict[str, int]] = {name: {} for name in survey.fields}
        self._hit_values: dict[str, int] = dict.fromkeys(survey.fields, 0)

    def add(self, batch: Batch) -> None:
        """Counts one batch."""
        references = self._references(batch)
        # Where the subject is known already only an age is still to be learnt.
        noted = _BIRTHS if len(references) == batch.count else _BIRTHS.union(_IDENTIFYING)
        found: dict[int, dict[str, str]] = {}
        for column in batch.columns:
            hits = self._survey.column_scan(column.name).find(column.values)
            counts = Counter(map(_KIND, chain.from_iterable(hits.values())))
            kinds = self._kinds.setdefault(column.name, {})
            for kind, count in counts.items():
                kinds[kind] = kinds.get(kind, 0) + count
            self._hit_values[column.name] = self._hit_values.get(column.name, 0) + len(hits)
            if not noted.isdisjoint(counts):
                self._note(column, hits, noted, found)
            if self._on_span is not None:
                for index, spans in hits.items():
                    self._report_spans(batch, column, index, spans)
        self._count_persons(references, found)

    def _references(self, batch: Batch) -> dict[int, str]:
        """The subject reference of each record that has one."""
        if self._subject is None:
            return {}
        for column in batch.columns:
            if column.name == self._subject.field:
                return {
                    record: value for record, value in zip(column.records, column.values, strict=True) if value.strip()
                }
        return {}

    @staticmethod
    def _note(
        column: Column, hits: dict[int, list[Span]], noted: frozenset[str], found: dict[int, dict[str, str]]
    ) -> None:
        for index, spans in hits.items():
            for span in spans:
                if span.kind in noted:
                    value = column.values[index]
                    record = found.setdefault(column.records[index], {})
                    record.setdefault(span.kind, value[span.start : span.end])

    def _report_spans(self, batch: Batch, column: Column, index: int, spans: list[Span]) -> None:
        assert self._on_span is not None  # noqa: S101 - asked by the caller
        for span in spans:
            self._on_span(
                SpanRow(
                    record=batch.first + column.records[index],
                    field=column.name,
                    kind=span.kind,
                    start=span.start,
                    end=span.end,
                    confidence=span.confidence,
                )
            )

    def _count_persons(self, references: dict[int, str], found: dict[int, dict[str, str]]) -> None:
        self.persons.update(map(self._digest, dict.fromkeys(references.values())))
        for record, identifiers in found.items():
            identifying = [identifiers[kind] for kind in _IDENTIFYING if kind in identifiers]
            if record not in references and not identifying:
                continue
            digest = self._digest(references.get(record) or identifying[0])
            if self._subject is None:
                self.persons.add(digest)
            self._count_minor(digest, identifiers)

    def _count_minor(self, digest: bytes, identifiers: dict[str, str]) -> None:
        born = _born(identifiers)
        if born is None:
            return
        age = (self._today - born).days / _DAYS_PER_YEAR
        if age < _ADULT:
            self._minors.add(digest)
        if age < _YOUNG:
            self._young.add(digest)

    def report(self, reading: Reading) -> ScanReport:
        """The finished inventory."""
        method = "exact" if self.persons.is_exact else "estimate"
        return ScanReport(
            format=reading.format,
            encoding=reading.notes.encoding,
            records=self._survey.records,
            fields=[self._field(entry) for entry in self._survey.fields.values()],
            persons=self.persons.count(),
            persons_method=method if self.persons.count() else "none",
            subject=self._subject,
            minors=self._minors.count(),
            under_14=self._young.count(),
            ragged=reading.notes.ragged,
            ragged_first_line=reading.notes.ragged_first_line,
            hidden_sheets=reading.notes.hidden_tables,
            names=self._survey.names.method,
            limits=self._survey.names.limits(),
        )

    def _field(self, entry: FieldSurvey) -> FieldReport:
        kinds = self._kinds[entry.name]
        level = _highest([LEVELS[kind] for kind in kinds], _ROLE_LEVELS.get(entry.role, "L1"))
        checked = entry.role in _IDENTIFIER_ROLES
        return FieldReport(
            name=entry.name,
            level=level,
            kinds=dict(sorted(kinds.items())),
            role=entry.role,
            need=_need(entry.role, kinds, level),
            values=entry.values,
            unmatched=entry.values - self._hit_values[entry.name] if checked else 0,
            shapes=commonest_shapes(entry.sample),
        )


def _born(identifiers: dict[str, str]) -> dt.date | None:
    if "resident_id" in identifiers:
        return resident_id.birth_of(identifiers["resident_id"])
    digits = birth_date.as_eight_digits(identifiers.get("birth_date", ""))
    return dt.date(int(digits[:4]), int(digits[4:6]), int(digits[6:])) if digits else None


def _highest(levels: Iterable[Level], least: Level) -> Level:
    return max([least, *levels])


def _need(role: str, kinds: dict[str, int], level: Level) -> str:
    if role == "credential" or "credential" in kinds:
        return "unneeded"
    return "review" if level == "L4" else "needed"


def inspect(
    first: Reading,
    second: Callable[[], Reading],
    *,
    key: bytes,
    subject_field: str | None = None,
    today: dt.date | None = None,
    on_span: Callable[[SpanRow], None] | None = None,
    on_records: Callable[[str, int], None] | None = None,
) -> tuple[ScanReport, Sequence[bytes] | None]:
    """Both passes over a file.

    Returns:
        The report, and the distinct subjects' digests in ascending order (None when they were only estimated).

    Raises:
        FormatRefusedError: on either pass.
    """
    survey = survey_of(first, on_records)
    chosen = subject_field is not None and subject_field in survey.fields
    subject = Subject(field=subject_field or "", basis="given") if chosen else survey.subject()
    inspection = Inspection(survey, key, subject, today or dt.datetime.now(dt.UTC).date(), on_span)
    reading = second()
    done = 0
    for batch in reading.batches:
        inspection.add(batch)
        done += batch.count
        if on_records:
            on_records("scan", done)
    digests = sorted(inspection.persons.seen) if inspection.persons.is_exact else None
    return inspection.report(reading), digests


def survey_of(reading: Reading, on_records: Callable[[str, int], None] | None = None) -> Survey:
    """The first pass alone."""
    survey = Survey()
    for batch in reading.batches:
        survey.add(batch)
        if on_records:
            on_records("survey", survey.records)
    return survey.finish()

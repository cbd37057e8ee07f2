"""The second pass: counts every hit, person and minor, and writes the report. It keeps digests, never values."""

import datetime as dt
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field
from functools import lru_cache
from typing import TYPE_CHECKING

from handover.detection.counting import DistinctCounter
from handover.detection.detectors import LEVELS, birth_date, resident_id
from handover.detection.report import FieldReport, MemberReport, ScanReport, SpanRow, Subject, local_name
from handover.detection.shapes import commonest_shapes
from handover.detection.spans import Level, Span, count_kinds
from handover.detection.subjects import SubjectDigester
from handover.detection.survey import FieldSurvey, Survey
from handover.formats import Batch, Column, Reading
from handover.i18n import Text

if TYPE_CHECKING:
    from handover.formats.flat import FlatTable

#: What identifies a person in running text, best first.
IDENTIFYING = ("resident_id", "mobile", "email", "phone", "person_name")
BIRTHS = frozenset({"resident_id", "birth_date"})
_ROLE_LEVELS: dict[str, Level] = {"free_text": "L3", "amount": "L3", "customer_id": "L2", "order": "L2"}
_IDENTIFIER_ROLES = frozenset({"resident_id", "bank_card", "us_ssn", "email", "telephone", "birth_date"})
_ADULT, _YOUNG = 18, 14
_DAYS_PER_YEAR = 365.2425


@dataclass(slots=True)
class _Member:
    """What is counted for one file: the whole, or one within a container."""

    subject: Subject | None
    #: Number of its first record over the whole file.
    first: int
    records: int = 0
    persons: DistinctCounter = field(default_factory=DistinctCounter)


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
        self.subject = subject
        self._members: dict[str, _Member] = {}
        #: Records of one person lie close together, or come round again.
        self._digest = lru_cache(maxsize=65_536)(SubjectDigester(key))
        self._today = today
        self._on_span = on_span
        self.persons = DistinctCounter()
        self.minors, self.young = DistinctCounter(), DistinctCounter()
        self._kinds: dict[str, dict[str, int]] = {name: {} for name in survey.fields}
        self._hit_values: dict[str, int] = dict.fromkeys(survey.fields, 0)

    def add(self, batch: Batch) -> None:
        """Counts one batch."""
        member = self._member(batch.table.member, batch.first)
        member.records += batch.count
        references = self._references(batch, member.subject)
        # Where the subject is known already only an age is still to be learnt.
        noted = BIRTHS if len(references) == batch.count else BIRTHS.union(IDENTIFYING)
        found: dict[int, dict[str, str]] = {}
        for column in batch.columns:
            hits = self._survey.column_scan(column.name).find(column.values)
            counts = count_kinds(hits.values())
            self._count(column.name, counts, len(hits))
            if not noted.isdisjoint(counts):
                self._note(column, hits, noted, found)
            if self._on_span is not None:
                for index, spans in hits.items():
                    self._report_spans(batch, column, index, spans)
        persons = set(map(self._digest, dict.fromkeys(references.values())))
        self._count_persons(member, persons, references, found)

    def add_counts(
        self,
        count: int,
        fields: Mapping[str, tuple[Mapping[str, int], int]],
        digests: Iterable[bytes],
        undigested: Iterable[str],
        references: dict[int, str],
        found: dict[int, dict[str, str]],
    ) -> None:
        """Some records of a table whose hits were counted already.

        Args:
            count: how many records.
            fields: by field, its hits by kind, and how many of its values hold any.
            digests, undigested: whom the records name in the subject's field.
            references: by record, the same for those in `found`.
            found: by record, the first value of each kind that tells who or how old somebody is; at least of records that name
                nobody, and of those that may be about minors.
        """
        member = self._member("", 0)
        member.records += count
        for name, (kinds, hit_values) in fields.items():
            self._count(name, kinds, hit_values)
        self._count_persons(member, {*digests, *map(self._digest, undigested)}, references, found)

    def _count(self, name: str, counts: Mapping[str, int], hit_values: int) -> None:
        kinds = self._kinds.setdefault(name, {})
        for kind, count in counts.items():
            kinds[kind] = kinds.get(kind, 0) + count
        self._hit_values[name] = self._hit_values.get(name, 0) + hit_values

    @property
    def adult_before(self) -> int:
        """Who was born in an earlier year is no minor."""
        return self._today.year - _ADULT

    def _member(self, path: str, first: int) -> _Member:
        """The counters of the file that records from this one on are from. Within a container each has the subject field of its own."""
        member = self._members.get(path)
        if member is None:
            chosen = self.subject
            here = chosen is not None and self._survey.fields[chosen.field].member == path
            member = self._members[path] = _Member(chosen if here else self._survey.subject(path), first)
        return member

    @staticmethod
    def _references(batch: Batch, subject: Subject | None) -> dict[int, str]:
        """The subject reference of each record that has one."""
        if subject is None:
            return {}
        for column in batch.columns:
            if column.name == subject.field:
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
        path = batch.table.member
        record = batch.first - self._members[path].first + column.records[index]
        for span in spans:
            self._on_span(
                SpanRow(
                    member=path,
                    record=record,
                    field=local_name(column.name, path),
                    kind=span.kind,
                    start=span.start,
                    end=span.end,
                    confidence=span.confidence,
                )
            )

    def _count_persons(
        self, member: _Member, persons: set[bytes], references: dict[int, str], found: dict[int, dict[str, str]]
    ) -> None:
        for record, identifiers in found.items():
            identifying = [identifiers[kind] for kind in IDENTIFYING if kind in identifiers]
            if record not in references and not identifying:
                continue
            digest = self._digest(references.get(record) or identifying[0])
            if member.subject is None:
                persons.add(digest)
            self._count_minor(digest, identifiers)
        self.persons.update(persons)
        member.persons.update(persons)

    def _count_minor(self, digest: bytes, identifiers: dict[str, str]) -> None:
        born = _born(identifiers)
        if born is None:
            return
        age = (self._today - born).days / _DAYS_PER_YEAR
        if age < _ADULT:
            self.minors.add(digest)
        if age < _YOUNG:
            self.young.add(digest)

    def subjects(self) -> list[bytes] | None:
        """The distinct subjects' digests in ascending order; None when they were only estimated."""
        return sorted(self.persons.seen) if self.persons.is_exact else None

    def report(self, reading: Reading) -> ScanReport:
        """The finished inventory."""
        method = "exact" if self.persons.is_exact else "estimate"
        return ScanReport(
            format=reading.format,
            encoding=reading.notes.encoding,
            records=self._survey.records,
            fields=[self._field(entry) for entry in self._survey.fields.values()],
            members=[
                self._member_report(path, kind, reading.notes.blocked.get(path))
                for path, kind in reading.notes.members.items()
            ],
            dropped=reading.notes.dropped,
            persons=self.persons.count(),
            persons_method=method if self.persons.count() else "none",
            subject=self.subject,
            minors=self.minors.count(),
            under_14=self.young.count(),
            ragged=reading.notes.ragged,
            ragged_first_line=reading.notes.ragged_first_line,
            hidden_sheets=reading.notes.hidden_tables,
            names=self._survey.names.method,
            limits=self._survey.names.limits(),
            blocked=_blocked(list(reading.notes.blocked.values())),
        )

    def _member_report(self, path: str, kind: str, blocked: Text | None) -> MemberReport:
        counted = self._members.get(path) or _Member(None, 0)
        return MemberReport(
            path=path, format=kind, records=counted.records, persons=counted.persons.count(), blocked=blocked
        )

    def _field(self, entry: FieldSurvey) -> FieldReport:
        kinds = self._kinds[entry.name]
        level = level_of(entry.role, kinds)
        checked = entry.role in _IDENTIFIER_ROLES
        return FieldReport(
            name=entry.name,
            member=entry.member,
            level=level,
            kinds=dict(sorted(kinds.items())),
            role=entry.role,
            need=need_of(entry.role, kinds, level),
            values=entry.values,
            unmatched=entry.values - self._hit_values[entry.name] if checked else 0,
            shapes=commonest_shapes(entry.sample),
        )


def _blocked(reasons: list[Text]) -> Text | None:
    """Why a container is blocked as a whole."""
    if not reasons:
        return None
    first, count = reasons[0], len(reasons)
    return Text(
        f"里面有 {count} 个文件不能检查。第一个的原因：{first.zh}",
        f"{count} of the files inside can't be inspected. The reason for the first: {first.en}",
    )


def _born(identifiers: dict[str, str]) -> dt.date | None:
    if "resident_id" in identifiers:
        return resident_id.birth_of(identifiers["resident_id"])
    digits = birth_date.as_eight_digits(identifiers.get("birth_date", ""))
    return dt.date(int(digits[:4]), int(digits[4:6]), int(digits[6:])) if digits else None


def level_of(role: str, kinds: Iterable[str]) -> Level:
    """The level of a field by what it is and what was found in it."""
    return max([_ROLE_LEVELS.get(role, "L1"), *(LEVELS[kind] for kind in kinds)])


def need_of(role: str, kinds: Iterable[str], level: Level) -> str:
    """The proposal for the custodian, see `FieldReport.need`."""
    if role == "credential" or "credential" in kinds:
        return "unneeded"
    return "review" if level == "L4" else "needed"


def inspect(
    first: "Reading | FlatTable",
    second: Callable[[], "Reading | FlatTable"],
    *,
    key: bytes,
    subject_field: str | None = None,
    today: dt.date | None = None,
    on_span: Callable[[SpanRow], None] | None = None,
    on_records: Callable[[str, int], None] | None = None,
    part: tuple[int, int] = (0, 1),
) -> tuple[Inspection, Reading]:
    """Both passes over a file.

    Args:
        key: of the subjects' digests.
        subject_field: the field that says whom a record is about, where another than proposed.
        today: for ages.
        on_span: takes each hit; not of a `FlatTable`.
        on_records: takes the pass and how many records it has seen.
        part: number, from 0, and of how many: of the second pass only a share is looked at.

    Returns:
        What was counted, and the reading of the second pass: the report is made of both.

    Raises:
        FormatRefusedError: on either pass.
    """

    survey = survey_of(first, on_records)
    chosen = subject_field is not None and subject_field in survey.fields
    subject = Subject(field=subject_field or "", basis="given") if chosen else survey.subject()
    inspection = Inspection(survey, key, subject, today or dt.datetime.now(dt.UTC).date(), on_span)
    reading = second()
    if not isinstance(reading, Reading):
        from handover.detection.flat_inspection import inspect_flat

        inspect_flat(reading, survey, inspection, key, on_records, part)
        return inspection, Reading(reading.format, iter(()), first.notes)
    done = 0
    number, of = part
    for position, batch in enumerate(reading.batches):
        if position % of == number:
            inspection.add(batch)
        done += batch.count
        if on_records:
            on_records("scan", done)
    return inspection, reading


def survey_of(reading: "Reading | FlatTable", on_records: Callable[[str, int], None] | None = None) -> Survey:
    """The first pass alone."""
    if not isinstance(reading, Reading):
        from handover.detection.flat_survey import survey_flat

        return survey_flat(reading, on_records)
    survey = Survey()
    for batch in reading.batches:
        survey.add(batch)
        if on_records:
            on_records("survey", survey.records)
    return survey.finish()

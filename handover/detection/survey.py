"""The first pass over a file: what each column is, which values to look for elsewhere, whom a record is about.

A header proposes a role and a sample of values decides. Names of all records are collected before any free text is scanned, so a
narrative in the first record that names the last customer is found too.
"""

from dataclasses import dataclass, field

from handover.detection.detectors import address, person_name
from handover.detection.folding import fold
from handover.detection.headers import is_single_word_name, role_of_header
from handover.detection.known import KnownValues
from handover.detection.names.learning import NameLearner
from handover.detection.report import Subject, local_name
from handover.detection.scanner import NUMERIC_KINDS, SOURCES_OF_NUMBERS, ColumnScan
from handover.formats import Batch
from handover.formats.errors import refuse

#: Values that decide a role; a column that starts with empty cells waits for them.
_SAMPLE = 500
#: Share of a sample that must look like names before a column counts as one: with a telling header, and without.
_NAMES_BY_HEADER, _NAMES_BY_VALUES = 0.4, 0.92
_MIN_VALUES = 8
#: Share of a sample that must be addresses and nothing else before the column counts as one; and of each value.
_ADDRESSES_BY_VALUES, _ALL_ADDRESS = 0.8, 0.9
#: From this share on, a column of order numbers really holds the identifier that its numbers look like.
_REALLY_IDENTIFIERS = 0.8
#: A column whose values are longer than this on average, or hold spaces or punctuation, is free text.
_FREE_TEXT_LENGTH = 24

_NO_FREE_TEXT = frozenset({"order", "amount", "customer_id"})

#: Roles whose values may be sentences with names in them.
RUNNING_TEXT = frozenset({"", "free_text"})

#: A header may well name a sensitive subject (过敏史); that is no one's data.
_WORDS_IN_HEADERS = frozenset({"health", "religion", "criminal", "credit"})

#: A header of one word (Mercedes, Jordan) may be a brand or a place; a full name is a person's.
_NAME_IN_HEADER = 0.8

#: Which role tells persons apart best.
_SUBJECT_ORDER = ("customer_id", "resident_id", "telephone", "email", "person_name")
_SUBJECT_BASIS = {"telephone": "mobile"}


@dataclass(slots=True)
class FieldSurvey:
    """One field while its sample is gathered, and afterwards."""

    name: str
    member: str
    header_role: str
    sample: list[str] = field(default_factory=list)
    role: str = ""
    decided: bool = False
    values: int = 0
    scan: ColumnScan = field(default_factory=ColumnScan)


class Survey:
    """Takes every batch of the first pass; `finish()` settles what is open."""

    def __init__(self) -> None:
        self.fields: dict[str, FieldSurvey] = {}
        self.known = KnownValues()
        self.names = NameLearner(self.known)
        self.records = 0
        #: Records of each batch, in order: by them the second pass can be shared out.
        self.batches: list[int] = []

    def share(self, part: tuple[int, int]) -> tuple[slice, int]:
        """The batches of one part (number, of how many), and the records before them. The first part has the first batch.

        The last batch may be all that follows a torn block, so whoever has it goes on to the end.
        """
        number, of = part
        start, stop = (-(-len(self.batches) * at // of) for at in (number, number + 1))
        to_the_end = start < stop == len(self.batches)
        return slice(start, None if to_the_end else stop), sum(self.batches[:start])

    def add(self, batch: Batch) -> None:
        """Learns from one batch.

        Raises:
            FormatRefusedError: a field's name is personal data itself.
        """
        self.records += batch.count
        self.batches.append(batch.count)
        _refuse_data_in_name(batch.table.name)
        for column in batch.columns:
            entry = self.fields.get(column.name)
            if entry is None:
                member = batch.table.member
                local = local_name(column.name, member)
                _refuse_data_in_name(local)
                entry = self.fields[column.name] = FieldSurvey(column.name, member, role_of_header(local))
            present = list(filter(None, column.values))
            self._take(entry, len(present), present)

    def learn(self, name: str, filled: int, values: list[str]) -> None:
        """From more of a field that `add` has met: how many values are not empty, and those that its role asks for."""
        self._take(self.fields[name], filled, list(filter(None, values)))

    def _take(self, entry: FieldSurvey, filled: int, present: list[str]) -> None:
        entry.values += filled
        if entry.decided:
            self._learn(entry, present)
        else:
            entry.sample.extend(present)
            if len(entry.sample) >= _SAMPLE:
                self._decide(entry)

    def finish(self) -> "Survey":
        """Decides the roles of columns that never filled a sample."""
        for entry in self.fields.values():
            if not entry.decided:
                self._decide(entry)
        self.names.finish()
        return self

    def subject(self, member: str | None = None) -> Subject | None:
        """The field (of a file within a container) that tells persons apart best; None when no field does."""
        fields = [entry for entry in self.fields.values() if member is None or entry.member == member]
        by_role: dict[str, str] = {}
        for entry in fields:
            if entry.values:
                by_role.setdefault(entry.role, entry.name)
        for role in _SUBJECT_ORDER:
            if role in by_role:
                return Subject(field=by_role[role], basis=_SUBJECT_BASIS.get(role, role))
        for entry in fields:
            if entry.role == "order" and len(set(entry.sample)) == len(entry.sample) > 0:
                return Subject(field=entry.name, basis="record_id")
        return None

    def column_scan(self, name: str) -> ColumnScan:
        """How to scan a field; one that the first pass never saw is scanned as free text."""
        entry = self.fields.get(name)
        return entry.scan if entry else ColumnScan(known=self.known)

    def _decide(self, entry: FieldSurvey) -> None:
        entry.decided = True
        single_word = is_single_word_name(local_name(entry.name, entry.member))
        entry.role = _role(entry, single_word=single_word)
        suppressed = _implausible(entry) if entry.role in _NO_FREE_TEXT else frozenset()
        # Amounts and numbers are searched for no names; everything else is.
        known = None if entry.role in _NO_FREE_TEXT else self.known
        entry.scan = ColumnScan(entry.role, suppressed, known, single_word=single_word)
        held, entry.sample = entry.sample, entry.sample[:_SAMPLE]
        self._learn(entry, held)

    def _learn(self, entry: FieldSurvey, values: list[str]) -> None:
        if entry.role == "person_name":
            self.known.add_names(values)
        elif entry.role in SOURCES_OF_NUMBERS:
            self.known.add_numbers(values, kind_of_numbers(entry.role))
        elif entry.role in RUNNING_TEXT:
            self.names.read(values)


def kind_of_numbers(role: str) -> str:
    """The kind under which the numbers of a column of this role are known."""
    return "phone" if role == "telephone" else role


def _role(entry: FieldSurvey, *, single_word: bool) -> str:
    sample = entry.sample[:_SAMPLE]
    if entry.header_role == "person_name":
        named = sum(person_name.is_name(value, single_word=single_word) for value in sample)
        return "person_name" if named >= _NAMES_BY_HEADER * len(sample) else _by_values(sample)
    return entry.header_role or _by_values(sample)


def _by_values(sample: list[str]) -> str:
    """A role for a column whose header says nothing."""
    if len(sample) < _MIN_VALUES:
        return "free_text" if any(len(value) > _FREE_TEXT_LENGTH for value in sample) else ""
    names = sum(person_name.is_chinese_name(value.strip()) for value in sample)
    distinct = len(set(sample))
    if names >= _NAMES_BY_VALUES * len(sample) and distinct * 2 > len(sample):
        return "person_name"
    if sum(map(_is_address, sample)) >= _ADDRESSES_BY_VALUES * len(sample):
        return "address"
    if sum(map(len, sample)) > _FREE_TEXT_LENGTH * len(sample) and distinct * 2 > len(sample):
        return "free_text"
    return ""


def _is_address(value: str) -> bool:
    return any(span.end - span.start >= _ALL_ADDRESS * len(value) for span in address.find(fold(value)))


def _implausible(entry: FieldSurvey) -> frozenset[str]:
    """Numeric kinds, but for one that nearly all values are."""
    sample = entry.sample[:_SAMPLE]
    hits = ColumnScan().find(sample)
    whole: dict[str, int] = {}
    for index, spans in hits.items():
        for span in spans:
            if span.end - span.start >= len(sample[index].strip()):
                whole[span.kind] = whole.get(span.kind, 0) + 1
    real = {kind for kind, count in whole.items() if count >= _REALLY_IDENTIFIERS * len(sample)}
    return NUMERIC_KINDS - real


def _refuse_data_in_name(name: str) -> None:
    if any(
        spans
        for spans in ColumnScan().find([name]).values()
        if any(
            span.kind not in _WORDS_IN_HEADERS and (span.kind != "person_name" or span.confidence >= _NAME_IN_HEADER)
            for span in spans
        )
    ):
        raise refuse(
            "字段名（表头或 JSON 的键）里有个人信息，无法按字段处理。请改用固定的字段名。",
            "A field's name (header or JSON key) holds personal data, so fields can't be handled. Use fixed names.",
        )

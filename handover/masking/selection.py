"""Which records and fields of a file go into a package: the rule, applied to batches; runs in the parsing child.

Subjects are compared by keyed digest only. A record that cannot be attributed to a subject is left out wherever a
decision per subject is needed, and counted, because nobody could say that its subject agreed.
"""

import re
from collections.abc import Iterable, Iterator, Sequence
from datetime import date
from functools import lru_cache
from itertools import compress

import msgspec

from handover.detection.detectors import resident_id
from handover.detection.folding import fold
from handover.detection.subjects import SubjectDigester
from handover.formats import Batch, Column, open_records, open_writer

#: Where there is no subject column, a reference is a token of this form.
_TOKEN = re.compile(r"[A-Za-z0-9_-]{3,64}")
#: Children below this age need a guardian's consent (PIPL Art. 31).
_MINOR_YEARS = 14
UNATTRIBUTABLE = "unattributable"


class Selection(msgspec.Struct, frozen=True, kw_only=True):
    """What to keep. `subjects` maps nothing to people: digests of those allowed; `reasons` of those who are not."""

    name: str
    format: str
    subject_field: str | None
    drop_fields: list[str]
    subject_key: bytes
    #: None keeps every subject that is not in `reasons`; otherwise only the listed ones are kept.
    allowed: frozenset[bytes] | None
    reasons: dict[bytes, str]
    #: Why a subject that is in neither list is left out.
    unlisted: str = "no_answer"


class SelectionReport(msgspec.Struct, kw_only=True):
    """Counts of what went in and what stayed out, by reason; `persons` counts distinct subjects kept."""

    records_in: int = 0
    records_out: int = 0
    persons: int = 0
    excluded: dict[str, int] = {}


def select(chunks: Iterable[bytes], selection: Selection, report: SelectionReport) -> Iterator[bytes]:
    """The clean file with the kept records and fields; fills `report` on the way."""
    reading = open_records(chunks, selection.name)
    writer = open_writer(reading.format, selection.name)
    judge = _Judge(selection, report)
    dropped = set(selection.drop_fields)
    for batch in reading.batches:
        keep = judge.keep(batch)
        _drop(batch, dropped, reading.format)
        yield writer.write(batch, keep)
    report.persons = len(judge.kept_subjects)
    yield writer.finish()


def survey_minors(chunks: Iterable[bytes], selection: Selection, *, today: date) -> Iterator[bytes]:
    """Digests of the subjects whose resident ID says that they are under 14."""
    judge = _Judge(selection, SelectionReport())
    found: set[bytes] = set()
    for batch in open_records(chunks, selection.name).batches:
        owners = judge.owners(batch)
        for column in batch.columns:
            # One pass over the whole column first: most columns hold no such number at all.
            if next(resident_id.find(fold("\0".join(column.values))), None) is None:
                continue
            for record, value in zip(column.records, column.values, strict=True):
                if len(value) >= 18 and _has_minor(value, today):
                    found.update(owners[record])
    yield from found


class _Judge:
    """Decides record by record."""

    def __init__(self, selection: Selection, report: SelectionReport) -> None:
        self._selection, self._report = selection, report
        #: Records of one person lie close together, or come round again.
        self._digest = lru_cache(maxsize=65_536)(SubjectDigester(selection.subject_key))
        self.kept_subjects: set[bytes] = set()

    def keep(self, batch: Batch) -> list[bool]:
        kept = []
        for owners in self.owners(batch):
            reason = self._why_not(owners)
            if reason is None:
                self.kept_subjects.update(owners)
            else:
                self._report.excluded[reason] = self._report.excluded.get(reason, 0) + 1
            kept.append(reason is None)
        self._report.records_in += batch.count
        self._report.records_out += sum(kept)
        return kept

    def owners(self, batch: Batch) -> list[list[bytes]]:
        """For each record of the batch the digests of the subjects it is about."""
        field = self._selection.subject_field
        found: list[list[bytes]] = [[] for _ in range(batch.count)]
        for column in batch.columns:
            if column.name == field or (field is not None and column.name.endswith(f"!{field}")):
                for record, value in zip(column.records, column.values, strict=True):
                    if value.strip():
                        found[record].append(self._digest(value))
        if field is None or field == "text":
            self._by_tokens(batch.columns, found)
        return found

    def _by_tokens(self, columns: Sequence[Column], found: list[list[bytes]]) -> None:
        known = self._selection.reasons.keys() | (self._selection.allowed or frozenset())
        for column in columns:
            for record, value in zip(column.records, column.values, strict=True):
                digests = {self._digest(token) for token in _TOKEN.findall(value)}
                found[record] = sorted({*(d for d in found[record] if d in known), *(digests & known)})

    def _why_not(self, owners: list[bytes]) -> str | None:
        selection = self._selection
        if not owners:
            return UNATTRIBUTABLE if selection.allowed is not None or selection.reasons else None
        for owner in owners:
            if owner in selection.reasons:
                return selection.reasons[owner]
            if selection.allowed is not None and owner not in selection.allowed:
                return selection.unlisted
        return None


def _has_minor(value: str, today: date) -> bool:
    """By the detector's rule, so that a number of another kind with the form of a child's makes nobody a child."""
    text = fold(value)
    births = (resident_id.birth_of(text[span.start : span.end]) for span in resident_id.find(text))
    return any(born is not None and _age(born, today) < _MINOR_YEARS for born in births)


def _age(born: date, today: date) -> int:
    return today.year - born.year - ((today.month, today.day) < (born.month, born.day))


def _drop(batch: Batch, dropped: set[str], kind: str) -> None:
    """Takes fields out of a table of text; elsewhere a field has its place in the file and is emptied."""
    if kind != "csv":
        for column in batch.columns:
            if column.name in dropped:
                column.replaced = [""] * len(column.values)
        return
    batch.columns = [column for column in batch.columns if column.name not in dropped]
    header = batch.table.header
    if header is not None:
        batch.table.header = list(compress(header, [name not in dropped for name in header]))

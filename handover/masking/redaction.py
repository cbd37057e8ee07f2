"""Rebuilds a file's records under a policy: whole values by field, hits in running text by kind."""

import re
from collections import Counter
from collections.abc import Callable, Iterator
from itertools import islice
from typing import NamedTuple

from handover.detection.inspection import survey_of
from handover.detection.spans import Span
from handover.detection.survey import Survey
from handover.formats import Batch, Column, Edit, Reading, open_writer
from handover.masking.generalise import generalise
from handover.masking.masks import mask
from handover.masking.policy import FieldRule, Policy
from handover.masking.pseudonyms import Pseudonymiser
from handover.masking.report import FieldRedaction, RedactionReport
from handover.masking.samples import SampledRecord, Sampler
from handover.masking.selection import Selection, SelectionReport
from handover.masking.selection import _Judge as RecordJudge

_ALPHANUMERIC = re.compile(r"\w")
_SCAN = FieldRule("scan")
_BY_CONTEXT = frozenset({"address", "person_name"})
#: Each round leaves less to find; a third one was never needed.
_ROUNDS = 3

OnRecords = Callable[[str, int], None]


class _Settled(NamedTuple):
    """What becomes of one value."""

    text: str
    edits: list[Edit]
    found: FieldRedaction


class Redactor:
    """Applies one policy under one key to the batches of one file."""

    def __init__(self, survey: Survey, policy: Policy, key: bytes) -> None:
        self._survey = survey
        self._policy = policy
        self._tokens = Pseudonymiser(key)
        self._verbatim = policy.is_verbatim()
        self.fields: dict[str, FieldRedaction] = {}
        #: By column, the values of the last batch.
        self._settled: dict[str, dict[str, _Settled | None]] = {}

    def apply(self, batch: Batch) -> None:
        """Fills `replaced` of every column that changes."""
        for column in batch.columns:
            rule = self._policy.fields.get(column.name, _SCAN)
            report = self.fields.setdefault(column.name, FieldRedaction(name=column.name, action=rule.action))
            self.apply_to(column, rule, report)

    def apply_to(self, column: Column, rule: FieldRule, report: FieldRedaction, *, is_screened: bool = False) -> None:
        """The same for one column; with `is_screened` of values that a screen could not judge."""
        if self._verbatim or rule.action == "keep":
            return
        if rule.action == "drop":
            column.replaced = [""] * len(column.values)
            report.replaced += sum(map(bool, column.values))
        elif rule.action == "scan":
            self._hits(column, report, is_screened=is_screened)
        else:
            self._values(column, rule, report, is_screened=is_screened)

    def replace(self, action: str, kind: str, text: str) -> str:
        """What stands in for one value or hit."""
        if action == "keep":
            return text
        if action == "pseudonymise":
            return self._tokens.token(kind, text)
        if action == "surrogate":
            return self._tokens.surrogate(kind, text)
        if action == "mask":
            return mask(kind, text)
        coarse = generalise(kind, text) if action == "generalise" else ""
        return coarse or f"[{kind or 'removed'}]"

    def _hits(self, column: Column, report: FieldRedaction, *, is_screened: bool) -> None:
        settled = self._settle(column, is_screened=is_screened)
        if not any(settled.values()):
            return
        column.replaced = replaced = list(column.values)
        for index, value in enumerate(column.values):
            if one := settled[value]:
                replaced[index], column.edits[index] = one.text, one.edits
        for value, count in Counter(column.values).items():
            if one := settled[value]:
                report.add(one.found, count)

    def _settle(self, column: Column, *, is_screened: bool) -> dict[str, _Settled | None]:
        """What becomes of each value, None where nothing does: equal ones, in the batch before too, are judged once."""
        before = self._settled.get(column.name, {})
        settled = {value: before[value] for value in column.values if value in before}
        new = list(dict.fromkeys(value for value in column.values if value not in settled))
        settled.update(dict.fromkeys(new))
        scan, unsettled = self._survey.column_scan(column.name), dict[str, _Settled]()
        for index, spans in scan.find(new, is_screened=is_screened).items():
            value, found = new[index], FieldRedaction(name=column.name, action="scan")
            edits = self._edits(value, spans, None, found)
            settled[value] = one = _Settled(_applied(value, edits), edits, found)
            found.replaced = int(one.text != value)
            if _may_read_anew(value, spans):
                unsettled[value] = one
        # A district and what stood behind the address may read as an address again: such values are scanned once more.
        for _ in range(_ROUNDS):
            if not unsettled:
                break
            candidates = list(unsettled.items())
            again = scan.find([one.text for _, one in candidates])
            unsettled = {}
            for position, spans in again.items():
                value, one = candidates[position]
                unsettled[value] = self._edited_again(value, one, spans)
            settled.update(unsettled)
        self._settled[column.name] = settled
        return settled

    def _edited_again(self, value: str, one: _Settled, spans: list[Span]) -> _Settled:
        later = FieldRedaction(name=one.found.name, action=one.found.action)
        edits = _with_later(one.edits, one.text, self._edits(one.text, spans, None, later))
        # What the policy keeps was counted the first time.
        later.kept = {}
        one.found.add(later)
        return _Settled(_applied(value, edits), edits, one.found)

    def _values(self, column: Column, rule: FieldRule, report: FieldRedaction, *, is_screened: bool) -> None:
        hits = self._survey.column_scan(column.name).find(column.values, is_screened=is_screened)
        replaced = []
        for index, value in enumerate(column.values):
            spans = hits.get(index, [])
            if not value.strip():
                replaced.append(value)
                continue
            if spans and _is_covered(value, spans):
                # The kind that was recognised counts, so that the token equals that of the same value in a narrative.
                column.edits[index] = edits = self._edits(value, spans, rule.action, report)
                new = _applied(value, edits)
            else:
                new = self.replace(rule.action, rule.kind, value)
                report.kinds[rule.kind] = report.kinds.get(rule.kind, 0) + 1
            replaced.append(new)
            report.replaced += new != value
        column.replaced = replaced

    def _edits(self, value: str, spans: list[Span], action: str | None, report: FieldRedaction) -> list[Edit]:
        edits = []
        for span in spans:
            chosen = action or self._policy.action_for(span.kind)
            counts = report.kept if chosen == "keep" else report.kinds
            counts[span.kind] = counts.get(span.kind, 0) + 1
            if chosen != "keep":
                text = value[span.start : span.end]
                edits.append(Edit(span.start, span.end, self.replace(chosen, span.kind, text)))
        return edits


def _applied(value: str, edits: list[Edit]) -> str:
    parts = []
    done = 0
    for edit in edits:
        parts += [value[done : edit.start], edit.text]
        done = edit.end
    return "".join([*parts, value[done:]])


def _with_later(edits: list[Edit], middle: str, later: list[Edit]) -> list[Edit]:
    """Edits of a value, and further ones of the text `middle` that they make of it, as edits of the value alone."""
    for one in reversed(later):
        edits = _with_one(edits, middle, one)
        middle = middle[: one.start] + one.text + middle[one.end :]
    return edits


def _with_one(edits: list[Edit], middle: str, later: Edit) -> list[Edit]:
    kept, start, end = [], later.start, later.end
    shift = before = until = 0
    for edit in edits:
        at, to = edit.start + shift, edit.start + shift + len(edit.text)
        grown = len(edit.text) - (edit.end - edit.start)
        shift += grown
        if to <= later.start or at >= later.end:
            kept.append(edit)
            before += grown if to <= later.start else 0
            until += grown if to <= later.start else 0
        else:
            start, end, until = min(start, at), max(end, to), until + grown
    text = middle[start : later.start] + later.text + middle[later.end : end]
    return sorted([*kept, Edit(start - before, end - until, text)])


def _may_read_anew(value: str, spans: list[Span]) -> bool:
    """True where kinds that live by their surroundings were replaced, and surroundings are left."""
    return any(span.kind in _BY_CONTEXT and span.end - span.start < len(value) for span in spans)


def _is_covered(value: str, spans: list[Span]) -> bool:
    """True when nothing that could identify lies outside the hits."""
    if spans[0].start == 0 and spans[0].end == len(value):
        return True
    return not _ALPHANUMERIC.search(_applied(value, [Edit(span.start, span.end, "") for span in spans]))


class Redaction:
    """Both passes over one file: iterate `output()`, then read `report`.

    Of `part` (number, of how many) the survey is made over the whole file and the output is that of the part's own records; the parts'
    outputs one behind the other are that of the whole, for formats whose records stand for themselves.
    """

    def __init__(
        self,
        first: Reading,
        second: Callable[[], Reading],
        name: str,
        *,
        policy: Policy,
        key: bytes,
        selection: Selection | None = None,
        on_records: OnRecords | None = None,
        samples: int = 0,
        on_sample: Callable[[SampledRecord], object] = lambda _record: None,
        part: tuple[int, int] = (0, 1),
    ) -> None:
        self._first, self._second, self._name = first, second, name
        self._policy, self._key, self._selection = policy, key, selection
        self._on_records = on_records or (lambda _stage, _records: None)
        self._samples, self._on_sample, self._part = samples, on_sample, part
        self.report = RedactionReport()

    def output(self) -> Iterator[bytes]:
        """The redacted file; it is whole only when the iteration has ended.

        Raises:
            FormatRefusedError: on either pass.
        """
        survey = survey_of(self._first, self._on_records)
        redactor = Redactor(survey, self._policy, self._key)
        sampler = Sampler(survey, self._policy, self._key, self._samples)
        selected = SelectionReport()
        judge = RecordJudge(self._selection, selected) if self._selection else None
        reading = self._second()
        writer = open_writer(reading.format, self._name, goes_on=self._part[0] > 0)
        report = self.report
        mine, done = survey.share(self._part)
        for batch in islice(reading.batches, mine.start, mine.stop):
            # Whose record it is must be seen before the reference becomes a token.
            keep = judge.keep(batch) if judge else None
            redactor.apply(batch)
            for sample in sampler.of(batch, keep):
                self._on_sample(sample)
            report.records_in += batch.count
            report.records_out += batch.count if keep is None else sum(keep)
            yield writer.write(batch, keep)
            self._on_records("redact", done + report.records_in)
        report.format, report.fields = reading.format, list(redactor.fields.values())
        report.pages = reading.notes.pages
        report.excluded = selected.excluded
        report.limits = survey.names.limits()
        report.persons_out = len(judge.kept_subjects) if judge else 0
        yield writer.finish()

"""Redacts a large table block by block in compiled code, on all cores; what that can't judge is given to `Redactor`.

The output is the same, byte for byte, as by batches of columns (a test compares them).
"""

from collections.abc import Callable, Iterable, Iterator, Sequence
from copy import copy
from itertools import islice
from threading import Lock
from typing import NamedTuple, Protocol

import msgspec
import numpy as np

from handover.detection.scanner import NUMERIC_KINDS, SOURCES_OF_NUMBERS
from handover.detection.screening import KINDS, Screen, is_current
from handover.detection.survey import Survey
from handover.formats import Batch, Column
from handover.formats.delimited import DelimitedWriter
from handover.formats.flat import Block, FlatBatch, FlatTable, WideRecordError, halves, records_of
from handover.kernel import NONE, KernelFullError
from handover.kernel.threads import in_order
from handover.masking.policy import FieldRule, Policy
from handover.masking.pseudonyms import padded_key
from handover.masking.redaction import Redactor
from handover.masking.report import FieldRedaction, merge_fields

_SCAN = FieldRule("scan")
#: Modes and actions in the kernel's order (table.c).
_AS_IS, _EMPTY, _EDITED = range(3)
_KEEP, _MARK, _MAKE_TOKEN, _YEAR, _DISTRICT = range(5)
#: How the kernel judges a column by its role; of the first two kinds only text in which anything may stand.
_FREE = frozenset({"", "free_text", "bank_card"})
_KIND_OF = {"person_name": "person_name", "telephone": "mobile", "email": "email", "resident_id": "resident_id"}
_JUDGES = {
    **dict.fromkeys(_KIND_OF, "screen"),
    "address": "whole_addresses",
    "birth_date": "whole_dates",
}
#: A cell gets a delimiter, two quotes and an apostrophe at most; a hit becomes a kind and a token.
_PER_CELL, _PER_HIT, _TOKEN = 4, 48, 26


class _Plan(NamedTuple):
    """What happens to one column."""

    name: str
    rule: FieldRule
    mode: int
    #: The kernel's function; empty when Python judges every value.
    judge: str = ""
    #: A value counts only as a whole.
    whole: bool = False
    #: What most of its values are.
    kind: str = ""
    #: Known numbers are looked for.
    numbers: bool = True
    #: For each kind; None where Python must act.
    actions: tuple[int | None, ...] = ()


class Redacted(msgspec.Struct):
    """One block as it comes out."""

    count: int
    output: bytes
    fields: list[FieldRedaction]
    #: Which records went in; None when all did.
    keep: Sequence[bool] | None
    #: The records again, in batches that were redacted: for a reviewer to see some of them.
    records: Callable[[], Iterator[Batch]]


class Judge(Protocol):
    """Decides whose records go in (`selection`)."""

    def keep(self, batch: Batch) -> list[bool]: ...


class _Worker:
    """For one thread: a kernel that holds the terms, the known values and the key, and the way in Python for the rest."""

    def __init__(self, survey: Survey, redactor: Redactor, key: bytes) -> None:
        self.screen = Screen(survey.known)
        self.kernel = kernel = self.screen.kernel
        kernel.call("set_key", kernel.put(padded_key(key)))
        labels = [(kernel.put(kind.encode()), len(kind)) for kind in KINDS]
        self.labels = kernel.put(np.array(labels, np.uint32).reshape(-1))
        self.redactor = redactor

    def copy(self, redactor: Redactor) -> "_Worker":
        """For another thread."""
        other = copy(self)
        other.screen, other.redactor = self.screen.copy(), redactor
        other.kernel = other.screen.kernel
        return other


class FlatRedactor:
    """Applies one policy under one key to one table."""

    def __init__(
        self,
        survey: Survey,
        policy: Policy,
        key: bytes,
        table: FlatTable,
        delimiter: str,
        judge: Judge | None,
        subject: str | None,
    ) -> None:
        self._survey, self._policy, self._key, self._table = survey, policy, key, table
        self._delimiter = delimiter
        self._judge, self._subject, self._lock = judge, subject, Lock()
        self._plans = [_plan(name, survey, policy) for name in table.names]
        for plan in self._plans:
            survey.column_scan(plan.name).is_screened = bool(plan.judge)

    def blocks(self, start: int, stop: int | None) -> Iterator[Redacted]:
        """Some of the blocks, in order; the output begins without header."""
        blocks = islice(self._table.blocks(), start, stop)
        return in_order(self._redact, blocks, self._worker, self._rest)

    def _worker(self, before: _Worker | None) -> _Worker:
        return before.copy(self._redactor()) if before else _Worker(self._survey, self._redactor(), self._key)

    def _redactor(self) -> Redactor:
        return Redactor(self._survey, self._policy, self._key)

    def _redact(self, worker: _Worker, block: Block) -> Redacted:
        try:
            return _merged(list(self._parts(worker, block)))
        except WideRecordError:
            return _merged(list(self._slowly(worker.redactor, [block])))

    def _parts(self, worker: _Worker, block: Block, keep: Sequence[bool] | None = None) -> Iterator[Redacted]:
        """The block as a whole, or where it does not fit into the kernel, in parts."""
        base = worker.kernel.mark
        try:
            batch = FlatBatch(worker.kernel, block, self._table)
            if self._judge and keep is None:
                keep = self._keep(batch.as_batch(self._subject))
            whole = self._apply(worker, block, batch, keep)
        except KernelFullError:
            parts = halves(block)
            if len(parts) == 1:
                raise
        else:
            yield whole
            return
        finally:
            worker.kernel.mark = base
        done = 0
        for half in parts:
            for part in self._parts(worker, half, keep and keep[done:]):
                done += part.count
                yield part

    def _apply(self, worker: _Worker, block: Block, batch: FlatBatch, keep: Sequence[bool] | None) -> Redacted:
        fields, columns = [], []
        growth = 0
        for index, plan in enumerate(self._plans):
            report = FieldRedaction(name=plan.name, action=plan.rule.action)
            column, more = _column(worker, batch, index, plan, report)
            columns.append(column)
            fields.append(report)
            growth += more
        keep = keep and keep[: batch.count]
        output = self._join(worker, batch, columns, keep, growth)
        return Redacted(batch.count, output, fields, keep, lambda: self._again(block))

    def _keep(self, batch: Batch) -> list[bool]:
        assert self._judge is not None  # noqa: S101 - asked by the caller
        with self._lock:
            return self._judge.keep(batch)

    def _join(
        self, worker: _Worker, batch: FlatBatch, columns: list[list[int]], keep: Sequence[bool] | None, growth: int
    ) -> bytes:
        kernel = worker.kernel
        plan = kernel.put(np.array(columns, np.uint32).reshape(-1))
        kept = kernel.put(np.array(keep, np.uint8)) if keep is not None else 0
        out = kernel.reserve(2 * batch.size + growth + _PER_CELL * batch.count * (len(columns) + 1))
        size = kernel.call(
            "join", batch.text, batch.count, plan, len(columns), worker.labels, ord(self._delimiter), kept, out
        )
        return kernel.view(out, size, np.uint8).tobytes()

    def _rest(self, blocks: Iterator[Block]) -> Iterator[Redacted]:
        """From a block on that does not end where a record does."""
        return self._slowly(self._redactor(), blocks)

    def _slowly(self, redactor: Redactor, blocks: Iterable[Block]) -> Iterator[Redacted]:
        """The same by batches of columns."""
        writer = DelimitedWriter(self._delimiter)
        writer.start_without_header()
        for batch in records_of(blocks, self._table):
            keep = self._keep(batch) if self._judge else None
            redactor.fields = {}
            redactor.apply(batch)
            yield Redacted(
                batch.count,
                writer.write(batch, keep),
                list(redactor.fields.values()),
                keep,
                lambda batch=batch: iter([batch]),  # type: ignore[misc]
            )

    def _again(self, block: Block) -> Iterator[Batch]:
        redactor = self._redactor()
        for batch in records_of([block], self._table):
            redactor.apply(batch)
            yield batch


def _merged(parts: list[Redacted]) -> Redacted:
    """Parts of one block as one."""
    if len(parts) == 1:
        return parts[0]
    fields: dict[str, FieldRedaction] = {}
    for part in parts:
        merge_fields(fields, part.fields)
    keep = None if parts[0].keep is None else [kept for part in parts for kept in part.keep or ()]
    return Redacted(
        sum(part.count for part in parts),
        b"".join(part.output for part in parts),
        list(fields.values()),
        keep,
        lambda: (batch for part in parts for batch in part.records()),
    )


def _plan(name: str, survey: Survey, policy: Policy) -> _Plan:
    rule = policy.fields.get(name, _SCAN)
    scan = survey.column_scan(name)
    if policy.is_verbatim() or rule.action == "keep":
        return _Plan(name, rule, _AS_IS)
    if rule.action == "drop":
        return _Plan(name, rule, _EMPTY)
    actions = tuple(_code(policy.action_for(kind) if rule.action == "scan" else rule.action, kind) for kind in KINDS)
    judge, whole = "", False
    if not is_current():
        pass  # the detectors judge everything
    elif scan.suppressed:
        if scan.suppressed >= NUMERIC_KINDS and not scan.known and rule.action == "scan":
            judge = "plain_numbers"
    elif scan.role in _FREE:
        judge, whole = "screen", rule.action != "scan"
    elif scan.role in _JUDGES:
        judge, whole = _JUDGES[scan.role], True
    return _Plan(
        name, rule, _EDITED, judge, whole, _KIND_OF.get(scan.role, ""), scan.role not in SOURCES_OF_NUMBERS, actions
    )


def _code(action: str, kind: str) -> int | None:
    """The kernel's action; None when it has none."""
    if action == "generalise":
        return {"address": _DISTRICT, "birth_date": _YEAR}.get(kind, _MARK)
    if action == "pseudonymise" and kind in {"address", "birth_date"}:
        return None
    return {"keep": _KEEP, "drop": _MARK, "pseudonymise": _MAKE_TOKEN}.get(action)


def _column(
    worker: _Worker, batch: FlatBatch, index: int, plan: _Plan, report: FieldRedaction
) -> tuple[list[int], int]:
    """The kernel's `Column`, and how much more room it needs in the output."""
    starts, ends = batch.cells(index)
    if plan.mode != _EDITED:
        if plan.mode == _EMPTY:
            report.replaced = batch.filled()[index]
        return [plan.mode, starts, ends, 0, 0, 0, 0, 0, 0, 0], 0
    kernel = worker.kernel
    slow, hits = _look(worker, batch, index, plan)
    given, given_ends, given_text, growth = _given(worker, batch, index, plan, slow, report)
    _count(hits, plan, report)
    actions = kernel.put(np.array([code or 0 for code in plan.actions], np.uint32))
    placed = tokens = 0
    if len(hits):
        placed, tokens = kernel.put(hits.reshape(-1)), kernel.reserve(_TOKEN * len(hits))
        kernel.call("tokens", batch.text, starts, placed, len(hits), actions, worker.labels, tokens)
    column = [_EDITED, starts, ends, placed, len(hits), given, given_ends, given_text, actions, tokens]
    return column, growth + _PER_HIT * len(hits)


def _look(worker: _Worker, batch: FlatBatch, index: int, plan: _Plan) -> tuple[np.ndarray, np.ndarray]:
    """Which values Python must judge, and the hits in the others."""
    kernel, (starts, ends) = worker.kernel, batch.cells(index)
    nothing = np.zeros((0, 4), np.uint32)
    if not plan.judge:
        return np.arange(batch.count), nothing
    mark = kernel.mark
    if plan.judge == "screen":
        slow, hits = worker.screen.look(
            batch.text, starts, ends, batch.count, numbers=plan.numbers, whole=plan.whole, kind=plan.kind
        )
    else:
        slow_at, out = kernel.reserve(batch.count), kernel.reserve(16 * batch.count)
        found = kernel.call(plan.judge, batch.text, starts, ends, batch.count, slow_at, out)
        slow = kernel.view(slow_at, batch.count, np.uint8).astype(bool)
        hits = kernel.view(out, 4 * found, np.uint32).reshape(-1, 4).copy()
    kernel.mark = mark
    foreign = [kind for kind, code in enumerate(plan.actions) if code is None]
    if foreign and len(hits):
        slow[hits[np.isin(hits[:, 3], foreign), 0]] = True
        hits = hits[~slow[hits[:, 0]]]
    return np.flatnonzero(slow), hits


def _given(
    worker: _Worker, batch: FlatBatch, index: int, plan: _Plan, rows: np.ndarray, report: FieldRedaction
) -> tuple[int, int, int, int]:
    """What Python makes of some values: addresses of the row's number among them, of their ends and text, and its size."""
    if not len(rows):
        return 0, 0, 0, 0
    kernel = worker.kernel
    values = batch.values(index, None if len(rows) == batch.count else rows.tolist())
    column = Column(plan.name, values, range(len(values)))
    worker.redactor.apply_to(column, plan.rule, report)
    encoded = [value.encode() for value in column.output()]
    text = b"".join(encoded)
    numbers = np.full(batch.count, NONE, np.uint32)
    numbers[rows] = np.arange(len(rows))
    ends = np.fromiter(map(len, encoded), np.uint32, len(encoded)).cumsum(dtype=np.uint32)
    return kernel.put(numbers), kernel.put(ends), kernel.put(text), 2 * len(text)


def _count(hits: np.ndarray, plan: _Plan, report: FieldRedaction) -> None:
    if not len(hits):
        return
    for kind, found in enumerate(np.bincount(hits[:, 3], minlength=len(KINDS)).tolist()):
        if found:
            counts = report.kept if plan.actions[kind] == _KEEP else report.kinds
            counts[KINDS[kind]] = counts.get(KINDS[kind], 0) + found
    kept = np.array([code == _KEEP for code in plan.actions])
    changed = hits[~kept[hits[:, 3]], 0]  # in ascending order, several for a value with several hits
    report.replaced += int(np.count_nonzero(np.diff(changed))) + (len(changed) > 0)

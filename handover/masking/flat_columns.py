"""One column of a block: how it is judged, what is a hit, and what stands in for it (`flat`)."""

from copy import copy
from typing import NamedTuple

import numpy as np

from handover.detection.flat_scan import Look, count_rows, look_of
from handover.detection.screening import KINDS, Screen
from handover.detection.subjects import padded_key
from handover.detection.survey import Survey
from handover.formats import Column
from handover.formats.flat import FlatBatch
from handover.kernel import NONE
from handover.masking.policy import FieldRule, Policy
from handover.masking.redaction import Redactor
from handover.masking.report import FieldRedaction

_SCAN = FieldRule("scan")
#: Modes and actions in the kernel's order (table.c).
_AS_IS, _EMPTY, _EDITED = range(3)
_KEEP, _MARK, _MAKE_TOKEN, _YEAR, _DISTRICT = range(5)
#: A hit becomes a kind and a token.
_PER_HIT, _TOKEN = 48, 26


class Plan(NamedTuple):
    """What happens to one column."""

    name: str
    rule: FieldRule
    mode: int
    look: Look = Look()
    #: For each kind; None where Python must act.
    actions: tuple[int | None, ...] = ()


class Worker:
    """For one thread: a kernel that holds the terms, the known values and the key, and the way in Python for the rest."""

    def __init__(self, survey: Survey, redactor: Redactor, key: bytes) -> None:
        self.screen = Screen(survey.known)
        self.kernel = kernel = self.screen.kernel
        kernel.call("set_key", kernel.put(padded_key(key)))
        labels = [(kernel.put(kind.encode()), len(kind)) for kind in KINDS]
        self.labels = kernel.put(np.array(labels, np.uint32).reshape(-1))
        self.redactor = redactor

    def copy(self, redactor: Redactor) -> "Worker":
        """For another thread."""
        other = copy(self)
        other.screen, other.redactor = self.screen.copy(), redactor
        other.kernel = other.screen.kernel
        return other


def plan_of(name: str, survey: Survey, policy: Policy) -> Plan:
    """What the policy, and what the survey says of the column, make of it."""
    rule = policy.fields.get(name, _SCAN)
    scan = survey.column_scan(name)
    if policy.is_verbatim() or rule.action == "keep":
        return Plan(name, rule, _AS_IS)
    if rule.action == "drop":
        return Plan(name, rule, _EMPTY)
    actions = tuple(_code(policy.action_for(kind) if rule.action == "scan" else rule.action, kind) for kind in KINDS)
    return Plan(name, rule, _EDITED, look_of(scan, whole=rule.action != "scan"), actions)


def _code(action: str, kind: str) -> int | None:
    """The kernel's action; None when it has none."""
    if action == "generalise":
        return {"address": _DISTRICT, "birth_date": _YEAR}.get(kind, _MARK)
    if action == "pseudonymise" and kind in {"address", "birth_date"}:
        return None
    return {"keep": _KEEP, "drop": _MARK, "pseudonymise": _MAKE_TOKEN}.get(action)


def write_column(
    worker: Worker, batch: FlatBatch, index: int, plan: Plan, report: FieldRedaction
) -> tuple[list[int], int]:
    """The kernel's `Column`, and how much more room it needs in the output."""
    starts, ends = batch.cells(index)
    if plan.mode != _EDITED:
        if plan.mode == _EMPTY:
            report.replaced = batch.filled[index]
        return [plan.mode, starts, ends, 0, 0, 0, 0, 0, 0, 0], 0
    kernel = worker.kernel
    rows, hits = _look(worker, batch, index, plan)
    given, given_ends, given_text, growth = _given(worker, batch, index, plan, rows, report)
    _count(hits, plan, report)
    actions = kernel.put(np.array([code or 0 for code in plan.actions], np.uint32))
    placed = tokens = 0
    if len(hits):
        placed, tokens = kernel.put(hits.reshape(-1)), kernel.reserve(_TOKEN * len(hits))
        kernel.call("tokens", batch.text, starts, placed, len(hits), actions, worker.labels, tokens)
    column = [_EDITED, starts, ends, placed, len(hits), given, given_ends, given_text, actions, tokens]
    return column, growth + _PER_HIT * len(hits)


def _look(worker: Worker, batch: FlatBatch, index: int, plan: Plan) -> tuple[np.ndarray, np.ndarray]:
    """Which values Python must judge, and the hits in the others."""
    rows, hits = plan.look.at(worker.screen, batch, index)
    foreign = [kind for kind, code in enumerate(plan.actions) if code is None]
    if foreign and len(hits):
        rows = np.union1d(rows, hits[np.isin(hits[:, 3], foreign), 0])
        hits = hits[~np.isin(hits[:, 0], rows)]
    return rows, hits


def _given(
    worker: Worker, batch: FlatBatch, index: int, plan: Plan, rows: np.ndarray, report: FieldRedaction
) -> tuple[int, int, int, int]:
    """What Python makes of some values: addresses of the row's number among them, of their ends and text, and its size."""
    if not len(rows):
        return 0, 0, 0, 0
    kernel = worker.kernel
    values = batch.values(index, None if len(rows) == batch.count else rows.tolist())
    column = Column(plan.name, values, range(len(values)))
    worker.redactor.apply_to(column, plan.rule, report, is_screened=bool(plan.look.judge))
    encoded = [value.encode() for value in column.output()]
    text = b"".join(encoded)
    numbers = np.full(batch.count, NONE, np.uint32)
    numbers[rows] = np.arange(len(rows))
    ends = np.fromiter(map(len, encoded), np.uint32, len(encoded)).cumsum(dtype=np.uint32)
    return kernel.put(numbers), kernel.put(ends), kernel.put(text), 2 * len(text)


def _count(hits: np.ndarray, plan: Plan, report: FieldRedaction) -> None:
    if not len(hits):
        return
    for kind, found in enumerate(np.bincount(hits[:, 3], minlength=len(KINDS)).tolist()):
        if found:
            counts = report.kept if plan.actions[kind] == _KEEP else report.kinds
            counts[KINDS[kind]] = counts.get(KINDS[kind], 0) + found
    kept = np.array([code == _KEEP for code in plan.actions])
    report.replaced += count_rows(hits[~kept[hits[:, 3]]])

"""What the engine answers."""

import datetime as dt

import msgspec

from handover.i18n import Text
from handover.workflow.binding import Condition


class GateResult(msgspec.Struct, frozen=True, kw_only=True):
    """A gate as computed at one moment, with every condition that it evaluated."""

    code: str
    name: str
    passed: bool
    overridden: bool
    conditions: list[Condition]
    computed_at: dt.datetime
    inputs_sha256: str

    @property
    def open(self) -> bool:
        return self.passed or self.overridden


class ApprovalGiven(msgspec.Struct, frozen=True):
    """One person's approval of a transition as it stands."""

    person_id: str
    roles: list[str]
    at: dt.datetime


class Fired(msgspec.Struct, frozen=True, kw_only=True):
    """The outcome of a request to move a state: moved, or an approval recorded and others awaited."""

    machine: str
    id: str
    trigger: str
    state: str
    version: int
    pending: bool
    approvals: list[ApprovalGiven]
    missing_approvals: list[list[str]]
    gates: list[GateResult]
    audit_index: int


class Option(msgspec.Struct, frozen=True, kw_only=True):
    """A transition that leaves the current state: may it be fired now, by whom, and what blocks it."""

    trigger: str
    label: Text
    dest: str
    who: list[str]
    approvals: list[list[str]]
    automatic: bool
    allowed: bool
    blocked: bool
    reason_needed: bool
    gates: list[GateResult]
    given: list[ApprovalGiven]
    missing_approvals: list[list[str]]

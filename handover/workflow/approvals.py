"""Approvals by different persons, bound to exactly what was shown to them."""

import hashlib
import uuid
from collections.abc import Iterable, Sequence
from itertools import permutations
from typing import Any

from sqlalchemy import select

from handover.context import Context
from handover.errors import ConflictError
from handover.workflow.definition import Transition
from handover.workflow.models import Approval
from handover.workflow.results import ApprovalGiven


class ApprovalError(ConflictError):
    """This person's approval cannot count here."""

    code = "approval_refused"


def subject_digest(text: str) -> str:
    return hashlib.sha256(text.encode()).hexdigest()


def standing(ctx: Context, row: Any, transition: Transition, subject: str) -> list[Approval]:
    """Approvals of this transition that are not spent and were given for the same subject, oldest first."""
    query = (
        select(Approval)
        .where(
            Approval.machine == row.MACHINE,
            Approval.entity_id == row.id,
            Approval.trigger == transition.trigger,
            Approval.subject_sha256 == subject_digest(subject),
            Approval.spent_at.is_(None),
        )
        .order_by(Approval.id)
    )
    return list(ctx.session.scalars(query))


def record(ctx: Context, row: Any, transition: Transition, subject: str, roles: Iterable[str]) -> Approval:
    """Adds the actor's approval.

    Raises:
        ApprovalError: the same person approved already, or the lists they could fill are filled by others.
    """
    person = ctx.person()
    before = standing(ctx, row, transition, subject)
    if any(approval.person_id == person for approval in before):
        raise ApprovalError(
            "you approved this already; the other approval must come from another person", trigger=transition.trigger
        )
    mine = sorted(set(roles) & frozenset().union(*transition.approvals))
    approval = Approval(
        case_id=row.case_id,
        machine=row.MACHINE,
        entity_id=row.id,
        trigger=transition.trigger,
        subject_sha256=subject_digest(subject),
        person_id=person,
        roles=mine,
    )
    if len(missing(transition.approvals, before)) == len(missing(transition.approvals, [*before, approval])):
        raise ApprovalError(
            "this approval is given already; it is another side's turn", missing=missing(transition.approvals, before)
        )
    ctx.session.add(approval)
    ctx.session.flush()
    return approval


def missing(lists: Sequence[Sequence[str]], given: Sequence[Approval]) -> list[list[str]]:
    """The lists still open when every person fills at most one, as few as possible."""
    best = list(range(len(lists)))
    for order in permutations(range(len(lists)), min(len(given), len(lists))):
        filled = {i for i, approval in zip(order, given, strict=False) if set(lists[i]) & set(approval.roles)}
        open_lists = [i for i in range(len(lists)) if i not in filled]
        if len(open_lists) < len(best):
            best = open_lists
    return [list(lists[i]) for i in best]


def spend(ctx: Context, row: Any, trigger: str | None = None) -> None:
    """Marks approvals of the row as used up: those of `trigger`, or all of them when what they were for changed."""
    query = select(Approval).where(Approval.entity_id == row.id, Approval.spent_at.is_(None))
    for approval in ctx.session.scalars(query):
        if trigger is None or approval.trigger == trigger:
            approval.spent_at = ctx.now()


def given(approvals: Iterable[Approval]) -> list[ApprovalGiven]:
    return [ApprovalGiven(str(a.person_id), list(a.roles), a.created_at) for a in approvals]


def approvers(ctx: Context, entity_id: uuid.UUID, trigger: str) -> list[Approval]:
    """Everyone whose approval moved this row by `trigger`, for documents and separation checks."""
    query = select(Approval).where(Approval.entity_id == entity_id, Approval.trigger == trigger).order_by(Approval.id)
    return list(ctx.session.scalars(query))


def standing_people(ctx: Context, row: Any, trigger: str) -> set[uuid.UUID]:
    """People whose approval of this trigger stands and is not used up."""
    query = select(Approval.person_id).where(
        Approval.entity_id == row.id, Approval.trigger == trigger, Approval.spent_at.is_(None)
    )
    return set(ctx.session.scalars(query))

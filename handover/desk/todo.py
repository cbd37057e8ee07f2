"""The to-do list: a few cases at a time, those first in which a row waits for a role of the reader."""

import datetime as dt
import uuid
from collections.abc import Sequence
from typing import Any

import msgspec
from sqlalchemy import and_, case, func, or_, select

from handover.agreements.models import Agreement, Signer
from handover.audit.queries import last_moves
from handover.cases.models import Case, Member
from handover.cases.queries import case_title
from handover.context import Context
from handover.desk.asks import asks
from handover.desk.board import my_cases
from handover.desk.due import MAX_ALL, OVER, Due, due, notice_ends
from handover.desk.people import People
from handover.desk.reminders import Reminder, reminders
from handover.desk.work import ONWARD, Work, together, work_on_case, work_on_rows
from handover.i18n import Text
from handover.workflow import Workflow

#: Gates are computed for every case shown, so a page holds few.
PAGE = 6
#: After this people are called late: a reminder is due, no deadline of law is meant.
LATE_AFTER = dt.timedelta(days=3)
#: Entries of a case's log in which the beginning of a wait is looked for.
LOOK_BACK = 100


class CaseTodo(msgspec.Struct, frozen=True, kw_only=True):
    """One case: what the reader can do now, what others must do, and what to remind them with."""

    id: uuid.UUID
    reference: str
    title: str | None
    stage: Text
    mine: list[Work]
    others: list[Work]
    reminders: list[Reminder]


class Todo(msgspec.Struct, frozen=True, kw_only=True):
    """One page of the list; pages count from 1."""

    cases: list[CaseTodo]
    dates: list[Due]
    total: int
    page: int
    pages: int


def todo(ctx: Context, page: int) -> Todo:
    """What waits in the reader's open cases."""
    query = my_cases(ctx).where(Case.state.not_in(OVER))
    total = ctx.session.scalar(select(func.count()).select_from(query.subquery())) or 0
    pages = max(1, -(-total // PAGE))
    page = min(max(1, page), pages)
    first = case((or_(*_waits_for_me(ctx)), 0), else_=1)
    rows = list(ctx.session.scalars(query.order_by(first, Case.id).limit(PAGE).offset((page - 1) * PAGE)))
    ctx.get(Workflow).read_pins(ctx, [row.id for row in rows])
    people = People(ctx, [row.id for row in rows])
    dates = sorted([*due(ctx, query), *notice_ends(ctx, query)], key=lambda one: one.at)[:MAX_ALL]
    works = work_of(ctx, rows, people)
    return Todo(
        cases=[_case(ctx, row, people, *works[row.id]) for row in rows],
        dates=dates,
        total=total,
        page=page,
        pages=pages,
    )


def work_of(ctx: Context, rows: Sequence[Case], people: People) -> dict[uuid.UUID, tuple[Work | None, list[Work]]]:
    """For each case: what it waits for, and what its rows and people do."""
    open_cases = [row for row in rows if row.state not in OVER]
    asked, worked = asks(ctx, open_cases, people), work_on_rows(ctx, open_cases, people)
    found: dict[uuid.UUID, tuple[Work | None, list[Work]]] = {row.id: (None, []) for row in rows}
    for row in open_cases:
        rest = [work for work in (*asked, *worked) if work.case_id == row.id]
        found[row.id] = (work_on_case(ctx, row, people), rest)
    return found


def _case(ctx: Context, row: Case, people: People, advance: Work | None, rest: list[Work]) -> CaseTodo:
    works = since_when(ctx, row, [*rest, *([advance] if advance else [])])
    others = [work for work in works if not work.mine]
    states = ctx.get(Workflow).definition(ctx, row.id, Case.MACHINE).states
    return CaseTodo(
        id=row.id,
        reference=row.reference,
        title=case_title(ctx, row),
        stage=states[row.state].label,
        mine=[work for work in works if work.mine],
        others=together(others),
        reminders=reminders(ctx, row.reference, others, people.leads(row.id)),
    )


def since_when(ctx: Context, row: Case, works: list[Work]) -> list[Work]:
    """The works with the time since which each waits, as far as the newest entries of the log tell."""
    moved = last_moves(ctx, row.id, LOOK_BACK)
    return [
        msgspec.structs.replace(work, since=at, late=ctx.now() - at > LATE_AFTER)
        if (at := moved.get(str(work.row_id))) is not None
        else work
        for work in works
    ]


def _waits_for_me(ctx: Context) -> list[Any]:
    """Conditions on a case: a row of it is in a state that one of the reader's roles there leads on from."""
    workflow, person = ctx.get(Workflow), ctx.person()
    found: list[Any] = [_signature_of(person)]
    for model, triggers in ONWARD.items():
        by_role: dict[str, set[str]] = {}
        for transition in workflow.newest(model.MACHINE).transitions:
            if transition.trigger in triggers:
                for role in transition.allowed_roles - {"system"}:
                    by_role.setdefault(role, set()).update(transition.source)
        roles = [and_(Member.role == role, model.state.in_(states)) for role, states in by_role.items()]
        found.append(
            Case.id.in_(
                select(model.case_id)
                .join(Member, Member.case_id == model.case_id)
                .where(Member.person_id == person, Member.ended_at.is_(None), or_(*roles))
            )
        )
    return found


def _signature_of(person: uuid.UUID) -> Any:
    signing = (
        select(Signer.case_id)
        .join(Agreement, Agreement.id == Signer.agreement_id)
        .where(
            Signer.person_id == person,
            Signer.state == "pending",
            Agreement.state.in_(("sent", "partially_signed")),
        )
    )
    return Case.id.in_(signing)

"""The board: the cases that the reader works on or audits, filtered in the database, judged only for the page shown."""

import datetime as dt
import uuid
from typing import Any

import msgspec
from sqlalchemy import ColumnElement, Select, func, or_, select

from handover.audit.queries import last_times
from handover.cases.frame import PARTY_ROLES, ROAD
from handover.cases.models import Case, Member
from handover.cases.queries import case_title
from handover.context import Context
from handover.desk.due import overdue_cases
from handover.desk.people import Named, People
from handover.desk.work import Work, work_on_case
from handover.i18n import Text
from handover.workflow import Workflow

PAGE = 20
#: States that the board can be filtered by: the road, and what lies beside it.
STAGES = ("draft", *ROAD, "on_hold", "frozen", "cancelled")
OVER = ("closed",)


class Filters(msgspec.Struct, frozen=True, kw_only=True):
    """What the reader looks for."""

    stage: str = ""
    owner: str = ""
    overdue: bool = False
    reference: str = ""

    def query(self) -> dict[str, str]:
        """As parameters of an address."""
        found = {"stage": self.stage, "owner": self.owner, "q": self.reference, "overdue": "1" if self.overdue else ""}
        return {name: value for name, value in found.items() if value}


class BoardRow(msgspec.Struct, frozen=True, kw_only=True):
    """One case: where it stands, what it waits for and whom."""

    reference: str
    title: str | None
    structure: str
    state: str
    stage: Text
    next: Work | None
    leads: list[Named]
    last: dt.datetime | None


class Board(msgspec.Struct, frozen=True, kw_only=True):
    """One page of the board; pages count from 1."""

    rows: list[BoardRow]
    total: int
    page: int
    pages: int
    stages: dict[str, Text]
    owners: list[Named]


def my_cases(ctx: Context) -> Select[Any]:
    """The cases in which the reader works or audits; parties have their own pages."""
    query = select(Case)
    if "auditor" in ctx.actor.roles:
        return query
    mine = select(Member.case_id).where(
        Member.person_id == ctx.person(), Member.ended_at.is_(None), Member.role.not_in(PARTY_ROLES)
    )
    return query.where(Case.id.in_(mine))


def board(ctx: Context, filters: Filters, page: int) -> Board:
    """A page of cases, the newest first."""
    query = my_cases(ctx).where(*_conditions(ctx, filters))
    total = ctx.session.scalar(select(func.count()).select_from(query.subquery())) or 0
    pages = max(1, -(-total // PAGE))
    page = min(max(1, page), pages)
    cases = list(ctx.session.scalars(query.order_by(Case.id.desc()).limit(PAGE).offset((page - 1) * PAGE)))
    ctx.get(Workflow).read_pins(ctx, [case.id for case in cases])
    people, last = People(ctx, [c.id for c in cases]), last_times(ctx, [c.id for c in cases])
    return Board(
        rows=[_row(ctx, case, people, last.get(case.id)) for case in cases],
        total=total,
        page=page,
        pages=pages,
        stages=_stages(ctx),
        owners=_owners(ctx, people),
    )


def _row(ctx: Context, case: Case, people: People, last: dt.datetime | None) -> BoardRow:
    states = ctx.get(Workflow).definition(ctx, case.id, Case.MACHINE).states
    return BoardRow(
        reference=case.reference,
        title=case_title(ctx, case),
        structure=case.structure,
        state=case.state,
        stage=states[case.state].label,
        next=work_on_case(ctx, case, people),
        leads=people.leads(case.id),
        last=last,
    )


def _conditions(ctx: Context, filters: Filters) -> list[ColumnElement[bool]]:
    found: list[ColumnElement[bool]] = []
    if filters.stage:
        found.append(Case.state == filters.stage)
    if filters.owner:
        led = select(Member.case_id).where(
            Member.person_id == _identifier(filters.owner), Member.role == "lead_consultant", Member.ended_at.is_(None)
        )
        found.append(Case.id.in_(led))
    if filters.reference:
        found.append(Case.reference.contains(filters.reference.upper(), autoescape=True))
    if filters.overdue:
        found.append(or_(*(Case.id.in_(query) for query in overdue_cases(ctx.now()))))
        found.append(Case.state.not_in(OVER))
    return found


def _identifier(text: str) -> uuid.UUID:
    """Nobody's id, where the address names none."""
    try:
        return uuid.UUID(text)
    except ValueError:
        return uuid.UUID(int=0)


def _stages(ctx: Context) -> dict[str, Text]:
    states = ctx.get(Workflow).newest(Case.MACHINE).states
    return {name: states[name].label for name in STAGES}


def _owners(ctx: Context, people: People) -> list[Named]:
    """Everybody who leads a case that the reader sees."""
    seen = my_cases(ctx).with_only_columns(Case.id)
    query = (
        select(Member.person_id)
        .where(Member.role == "lead_consultant", Member.ended_at.is_(None), Member.case_id.in_(seen))
        .distinct()
    )
    return sorted(Named(people.name(person), person, party=False) for person in ctx.session.scalars(query))

"""Pages of the parties: their cases, and their own steps in one of them."""

from typing import Any

import msgspec
from litestar import Request, Response
from sqlalchemy import select

from handover.cases.frame import PARTY_ROLES, party_page
from handover.cases.models import Case, Member
from handover.cases.queries import CaseView, case_view
from handover.context import Context
from handover.desk.steps import MyStep, my_case, my_turn
from handover.i18n import Text
from handover.web.html import page
from handover.web.html.routes import get_page
from handover.workflow import Workflow

Req = Request[Any, Any, Any]
#: A party is in a few cases; more than this nobody looks through.
_MAX = 50


class MyRow(msgspec.Struct, frozen=True, kw_only=True):
    """One case of a party, with the step that is theirs to take now."""

    case: CaseView
    stage: Text
    turn: MyStep | None


@get_page("/my")
def my_page(request: Req) -> Response[Any]:
    """The cases in which the reader takes part as seller, buyer or recipient."""

    def gather(ctx: Context) -> dict[str, Any]:
        mine = select(Member.case_id).where(
            Member.person_id == ctx.person(), Member.ended_at.is_(None), Member.role.in_(PARTY_ROLES)
        )
        rows = ctx.session.scalars(select(Case).where(Case.id.in_(mine)).order_by(Case.id.desc()).limit(_MAX))
        return {"rows": [_row(ctx, case) for case in rows]}

    return page(request, "desk/my.html", gather)


def _row(ctx: Context, case: Case) -> MyRow:
    states = ctx.get(Workflow).definition(ctx, case.id, Case.MACHINE).states
    return MyRow(case=case_view(ctx, case), stage=states[case.state].label, turn=my_turn(ctx, case))


@get_page("/my/{reference:str}")
def steps_page(request: Req, reference: str) -> Response[Any]:
    """The reader's steps, one list."""

    def gather(ctx: Context) -> dict[str, Any]:
        row, frame = party_page(ctx, reference)
        return {**frame, "mine": my_case(ctx, row)}

    return page(request, "desk/steps.html", gather)


ROUTES = [my_page, steps_page]

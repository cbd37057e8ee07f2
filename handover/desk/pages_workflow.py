"""The page that shows a case's machines as they are defined, with the states in which its rows are."""

from typing import Any

import msgspec
from litestar import Request, Response
from sqlalchemy import func, select

from handover.cases.frame import case_page
from handover.cases.models import Case
from handover.context import Context
from handover.desk.drawing import Drawing, draw
from handover.desk.words import entity_label
from handover.i18n import Text
from handover.web.html import page
from handover.web.html.routes import get_page
from handover.workflow import Workflow
from handover.workflow.definition import Definition
from handover.workflow.models import WorkflowPin

Req = Request[Any, Any, Any]


class Machine(msgspec.Struct, frozen=True, kw_only=True):
    """One machine under the version that the case runs under, drawn, with how many rows are in which state."""

    definition: Definition
    title: Text
    sha256: str
    drawing: Drawing
    counts: dict[str, int]


@get_page("/cases/{reference:str}/workflow")
def workflow_page(request: Req, reference: str) -> Response[Any]:
    """Every machine, drawn from the file that governs the case."""

    def gather(ctx: Context) -> dict[str, Any]:
        row, frame = case_page(ctx, reference, "workflow")
        pins = ctx.get(Workflow).pinned(ctx, row.id)
        machines = [
            _machine(ctx, row, pin) for pin in sorted(pins, key=lambda p: (p.machine != Case.MACHINE, p.machine))
        ]
        return {**frame, "machines": machines}

    return page(request, "desk/workflow.html", gather)


def _machine(ctx: Context, row: Case, pin: WorkflowPin) -> Machine:
    workflow = ctx.get(Workflow)
    definition, model = workflow.definition(ctx, row.id, pin.machine), workflow.binding(pin.machine).model
    query = select(model.state, func.count()).where(model.case_id == row.id).group_by(model.state)
    counts = {str(state): int(count) for state, count in ctx.session.execute(query)}
    return Machine(
        definition=definition,
        title=entity_label(pin.machine),
        sha256=pin.sha256,
        drawing=draw(definition, counts, ctx.language),
        counts=counts,
    )


ROUTES = [workflow_page]

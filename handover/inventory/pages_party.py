"""The seller's last look at the inventory: what would move, and the approval that freezes it."""

from typing import Any

from litestar import Request, Response

from handover.cases.frame import party_page
from handover.context import Context
from handover.inventory import queries
from handover.web.html import FilledForm, page
from handover.web.html.routes import get_page
from handover.workflow import Workflow

Req = Request[Any, Any, Any]


@get_page("/my/{reference:str}/confirm")
def confirm_page(request: Req, reference: str) -> Response[Any]:
    """Record sets with their fields, levels and persons, and the button that approves."""

    def gather(ctx: Context) -> dict[str, Any]:
        row, frame = party_page(ctx, reference)
        queries.inside(ctx, row.id)
        workflow = ctx.get(Workflow)
        states = workflow.definition(ctx, row.id, "record_set").states
        sets = [(queries.record_set_view(ctx, s), states[s.state].label) for s in queries.record_sets_of(ctx, row.id)]
        moving = [view for view, _label in sets if view.state not in queries.OUT]
        found = [o for o in workflow.options(ctx, row) if o.trigger == "freeze_inventory"]
        me = str(ctx.person())
        return {
            **frame,
            "moving": [(view, label) for view, label in sets if view.state not in queries.OUT],
            "left_out": [(view, label) for view, label in sets if view.state in queries.OUT],
            "records": sum(view.records for view in moving),
            "persons": sum(view.persons for view in moving),
            "option": found[0] if found else None,
            "approved": bool(found) and any(given.person_id == me for given in found[0].given),
        }

    return page(request, "inventory/confirm.html", gather, form=FilledForm())


ROUTES = [confirm_page]

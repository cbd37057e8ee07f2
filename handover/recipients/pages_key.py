"""The page on which a recipient makes or names their key, proves it, and reads out its safety number.

The private key is made, tested and used in the browser; what arrives here is public or encrypted for nobody but its holder.
"""

from typing import Any

from litestar import Request, Response

from handover.cases.frame import party_page
from handover.cases.queries import visible_case
from handover.context import Context
from handover.recipients import queries
from handover.recipients.models import Recipient
from handover.settings import Settings
from handover.web.html import page
from handover.web.html.routes import get_page
from handover.workflow import Workflow

Req = Request[Any, Any, Any]


@get_page("/my/{reference:str}/key")
def key_page(request: Req, reference: str) -> Response[Any]:
    """The reader's key in this case: make it, prove it, read its number out, or replace it."""

    def gather(ctx: Context) -> dict[str, Any]:
        case, frame = party_page(ctx, reference)
        row = queries.recipient_of_person(ctx, case.id)
        here = f"{ctx.get(Settings).public_url}/my/{case.reference}/key"
        return {**frame, "here": here, "recipient": None, **(_facts(ctx, row) if row else {})}

    return page(request, "recipients/key.html", gather, strict=True)


def _facts(ctx: Context, row: Recipient) -> dict[str, Any]:
    workflow = ctx.get(Workflow)
    states = workflow.definition(ctx, row.case_id, Recipient.MACHINE).states
    options = {option.trigger: option for option in workflow.options(ctx, row)}
    return {
        "recipient": queries.recipient_view(ctx, row),
        "recipient_state": states[row.state].label,
        "post_quantum": visible_case(ctx, row.case_id).key_policy == "post_quantum",
        "replace": options.get("replace_key"),
    }


ROUTES = [key_page]

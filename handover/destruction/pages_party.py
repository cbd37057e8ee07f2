"""The seller's page of destruction: what is to go, what holds it, and the approval with the case number typed."""

import uuid
from collections import Counter
from typing import Any

from litestar import Request, Response

from handover.accounts.queries import person_names
from handover.cases.frame import party_page
from handover.cases.queries import active_holds, hold_view
from handover.context import Context
from handover.destruction import queries, service
from handover.destruction.models import DestructionOrder
from handover.errors import NotFoundError
from handover.i18n.catalogue import catalogue
from handover.inventory.queries import inside
from handover.jobs import newest_for
from handover.web.forms import Form, Hex64, Line, Prose
from handover.web.html import FORM, Done, FilledForm, page, submit
from handover.web.html.routes import get_page, post_form
from handover.workflow import Workflow

Req = Request[Any, Any, Any]


class Approval(Form):
    """The list that was shown, and the case number typed."""

    items_sha256: Hex64
    reference: Line


class Refusal(Form):
    """Why these copies must not go."""

    reason: Prose


@get_page("/my/{reference:str}/destroy")
def destroy_page(request: Req, reference: str) -> Response[Any]:
    """What waits for the seller's approval."""
    return _destroy(request, reference, FilledForm())


@post_form("/my/{reference:str}/destroy/{order_id:uuid}")
def approve(request: Req, reference: str, order_id: uuid.UUID, data: FORM) -> Response[Any]:
    """Approves the list that was shown."""

    def work(ctx: Context, form: Approval) -> Done:
        row = _row(ctx, reference, order_id)
        service.approve(ctx, row, items_sha256=form.items_sha256, reference=form.reference)
        said = catalogue(ctx.language).gettext("Your approval is recorded")
        return Done(f"/my/{reference}/destroy", said)

    return submit(request, data, Approval, work, lambda form: _destroy(request, reference, form))


@post_form("/my/{reference:str}/keep/{order_id:uuid}")
def reject(request: Req, reference: str, order_id: uuid.UUID, data: FORM) -> Response[Any]:
    """Rejects the order: nothing of it is destroyed."""

    def work(ctx: Context, form: Refusal) -> Done:
        ctx.get(Workflow).fire(ctx, _row(ctx, reference, order_id), "reject", reason=form.reason)
        said = catalogue(ctx.language).gettext("You rejected the order; nothing is destroyed")
        return Done(f"/my/{reference}/destroy", said)

    return submit(request, data, Refusal, work, lambda form: _destroy(request, reference, form))


def _destroy(request: Req, reference: str, form: FilledForm) -> Response[Any]:
    def gather(ctx: Context) -> dict[str, Any]:
        case, frame = party_page(ctx, reference)
        inside(ctx, case.id)
        rows = queries.orders_of(ctx, case.id)
        return {
            **frame,
            "waiting": [_shown(ctx, row) for row in rows if row.state == "pending_approval"],
            "others": [
                (
                    row,
                    newest_for(
                        ctx, "attestations.issue", case.id, document="destruction_certificate", entity_id=row.id
                    ),
                )
                for row in rows
                if row.state != "pending_approval"
            ],
            "holds": [hold_view(ctx, hold) for hold in active_holds(ctx, case.id)],
            "states": ctx.get(Workflow).definition(ctx, case.id, DestructionOrder.MACHINE).states,
        }

    return page(request, "destruction/destroy.html", gather, form=form, strict=True)


def _shown(ctx: Context, row: DestructionOrder) -> dict[str, Any]:
    view = queries.order_view(ctx, row)
    approval = next(option for option in ctx.get(Workflow).options(ctx, row) if option.trigger == "approve")
    people = [p for p in (view.executor_id, view.witness_id) if p] + [given.person_id for given in approval.given]
    return {
        "view": view,
        "going": Counter(item.copy_kind for item in view.items if item.state != "residual"),
        "staying": Counter(item.copy_kind for item in view.items if item.state == "residual"),
        "approve": approval,
        "mine": any(given.person_id == str(ctx.actor.person_id) for given in approval.given),
        "names": person_names(ctx, people),
    }


def _row(ctx: Context, reference: str, order_id: uuid.UUID) -> DestructionOrder:
    case, _frame = party_page(ctx, reference)
    row = queries.visible_order(ctx, order_id)
    if row.case_id != case.id:
        raise NotFoundError("there is no such destruction order")
    return row


ROUTES = [destroy_page, approve, reject]

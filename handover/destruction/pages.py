"""Pages of destruction: where a copy still is, the orders over copies, and their execution before a witness."""

import uuid
from collections import Counter
from typing import Annotated, Any

from litestar import Request, Response
from msgspec import Meta

from handover.accounts.queries import person_names
from handover.cases.frame import case_page
from handover.cases.queries import active_holds, hold_view
from handover.context import Context
from handover.destruction import queries, service
from handover.destruction.models import DestructionOrder
from handover.destruction.pages_party import ROUTES as PARTY_ROUTES
from handover.errors import NotFoundError
from handover.i18n.catalogue import catalogue
from handover.jobs import newest_for
from handover.web.forms import Form, Hex64, Line
from handover.web.html import FORM, Done, FilledForm, page, submit
from handover.web.html.routes import get_page, post_form
from handover.workflow import Workflow

Req = Request[Any, Any, Any]
#: They prepare orders.
_PREPARING = frozenset({"consultant", "lead_consultant", "custodian"})
#: Lines of the register on one page.
_LINES = 50


class NewOrder(Form):
    """Which copies are to go; all that are left when none is ticked."""

    copy_ids: list[uuid.UUID]


class People(Form):
    """Who executes and who witnesses."""

    executor_id: uuid.UUID
    witness_id: uuid.UUID


class Kept(Form):
    """A copy that the law still requires."""

    copy_id: uuid.UUID


class Approval(Form):
    """The list that was shown, and the case number typed."""

    items_sha256: Hex64
    reference: Line


class Execution(Form):
    """The case number typed."""

    reference: Line


@get_page("/cases/{reference:str}/destruction")
def destruction_page(request: Req, reference: str, part: Annotated[int, Meta(ge=1, le=100_000)] = 1) -> Response[Any]:
    """Where is still a copy? And the orders of the case."""
    return _destruction(request, reference, FilledForm(), part)


@post_form("/cases/{reference:str}/destruction")
def draft(request: Req, reference: str, data: FORM) -> Response[Any]:
    """Drafts an order."""

    def work(ctx: Context, form: NewOrder) -> Done:
        case, _frame = case_page(ctx, reference, "destruction")
        row = service.draft(ctx, case.id, form.copy_ids or None)
        return Done(_address(reference, row.id), catalogue(ctx.language).gettext("The order is drafted"))

    return submit(request, data, NewOrder, work, lambda form: _destruction(request, reference, form, 1))


@get_page("/cases/{reference:str}/destruction/{order_id:uuid}")
def order_page(request: Req, reference: str, order_id: uuid.UUID) -> Response[Any]:
    """One order."""
    return _order(request, reference, order_id, FilledForm())


@post_form("/cases/{reference:str}/destruction/{order_id:uuid}/people")
def name_people(request: Req, reference: str, order_id: uuid.UUID, data: FORM) -> Response[Any]:
    """Names executor and witness."""

    def work(ctx: Context, form: People) -> Done:
        service.name_people(ctx, _row(ctx, reference, order_id), form.executor_id, form.witness_id)
        return Done(_address(reference, order_id), catalogue(ctx.language).gettext("Executor and witness are named"))

    return submit(request, data, People, work, lambda form: _order(request, reference, order_id, form))


@post_form("/cases/{reference:str}/destruction/{order_id:uuid}/check")
def check(request: Req, reference: str, order_id: uuid.UUID, data: FORM) -> Response[Any]:
    """Checks eligibility."""

    def work(ctx: Context, _form: Form) -> Done:
        service.check_eligibility(ctx, _row(ctx, reference, order_id))
        return Done(_address(reference, order_id))

    return submit(request, data, Form, work, lambda form: _order(request, reference, order_id, form))


@post_form("/cases/{reference:str}/destruction/{order_id:uuid}/retain")
def retain(request: Req, reference: str, order_id: uuid.UUID, data: FORM) -> Response[Any]:
    """Takes a copy off the order."""

    def work(ctx: Context, form: Kept) -> Done:
        service.retain(ctx, _row(ctx, reference, order_id), form.copy_id)
        said = catalogue(ctx.language).gettext("The copy is off the order and stays sealed")
        return Done(_address(reference, order_id), said)

    return submit(request, data, Kept, work, lambda form: _order(request, reference, order_id, form))


@post_form("/cases/{reference:str}/destruction/{order_id:uuid}/approve")
def approve(request: Req, reference: str, order_id: uuid.UUID, data: FORM) -> Response[Any]:
    """Approves the list that was shown."""

    def work(ctx: Context, form: Approval) -> Done:
        row = _row(ctx, reference, order_id)
        service.approve(ctx, row, items_sha256=form.items_sha256, reference=form.reference)
        return Done(_address(reference, order_id), catalogue(ctx.language).gettext("Your approval is recorded"))

    return submit(request, data, Approval, work, lambda form: _order(request, reference, order_id, form))


@post_form("/cases/{reference:str}/destruction/{order_id:uuid}/execute")
def execute(request: Req, reference: str, order_id: uuid.UUID, data: FORM) -> Response[Any]:
    """Starts the destruction."""

    def work(ctx: Context, form: Execution) -> Done:
        service.execute(ctx, _row(ctx, reference, order_id), reference=form.reference)
        return Done(_address(reference, order_id), catalogue(ctx.language).gettext("The destruction is under way"))

    return submit(request, data, Execution, work, lambda form: _order(request, reference, order_id, form))


def _destruction(request: Req, reference: str, form: FilledForm, part: int) -> Response[Any]:
    def gather(ctx: Context) -> dict[str, Any]:
        case, frame = case_page(ctx, reference, "destruction")
        lines, orders = queries.register(ctx, case.id), queries.orders_of(ctx, case.id)
        ordered = {str(i.copy_id) for o in orders if o.state in service.OPEN for i in queries.items_of(ctx, o.id)}
        free = any(line.state != "destroyed" and line.id not in ordered for line in lines)
        return {
            **frame,
            "summary": _summary(lines),
            "lines": lines[(part - 1) * _LINES : part * _LINES],
            "part": part,
            "parts": max(1, -(-len(lines) // _LINES)),
            "orders": [(row, len(queries.items_of(ctx, row.id))) for row in orders],
            "ordered": ordered,
            "holds": [hold_view(ctx, hold) for hold in active_holds(ctx, case.id)],
            "choosing": free and bool(frame["my_roles"] & _PREPARING),
            "states": ctx.get(Workflow).definition(ctx, case.id, DestructionOrder.MACHINE).states,
        }

    return page(request, "destruction/destruction.html", gather, form=form)


def _summary(lines: list[queries.RegisterLine]) -> list[tuple[str, Counter[str]]]:
    """Copies by kind and state, in the order in which kinds first come."""
    found: dict[str, Counter[str]] = {}
    for line in lines:
        found.setdefault(line.kind, Counter())[line.state] += 1
    return list(found.items())


def _order(request: Req, reference: str, order_id: uuid.UUID, form: FilledForm) -> Response[Any]:
    def gather(ctx: Context) -> dict[str, Any]:
        case, frame = case_page(ctx, reference, "destruction")
        row = _row(ctx, reference, order_id)
        view, options = queries.order_view(ctx, row), ctx.get(Workflow).options(ctx, row)
        people = [p for p in (view.requested_by, view.executor_id, view.witness_id) if p]
        people += [given.person_id for option in options for given in option.given]
        return {
            **frame,
            "order": view,
            "names": person_names(ctx, people),
            "options": options,
            "reasons": queries.eligibility(ctx, row) if row.state in service.EDITABLE else [],
            "editable": row.state in service.EDITABLE,
            "may_prepare": bool(frame["my_roles"] & _PREPARING),
            "executors": queries.people_with(ctx, case.id, "destruction_executor"),
            "witnesses": queries.people_with(ctx, case.id, "witness"),
            "holds": [hold_view(ctx, hold) for hold in active_holds(ctx, case.id)],
            "lines": {line.id: line for line in queries.register(ctx, case.id)},
            "job": newest_for(ctx, "destruction.execute", case.id, entity_id=row.id),
            "certificate": newest_for(
                ctx, "attestations.issue", case.id, document="destruction_certificate", entity_id=row.id
            ),
            "states": ctx.get(Workflow).definition(ctx, case.id, DestructionOrder.MACHINE).states,
        }

    return page(request, "destruction/order.html", gather, form=form, strict=True)


def _row(ctx: Context, reference: str, order_id: uuid.UUID) -> DestructionOrder:
    case, _frame = case_page(ctx, reference, "destruction")
    row = queries.visible_order(ctx, order_id)
    if row.case_id != case.id:
        raise NotFoundError("there is no such destruction order")
    return row


def _address(reference: str, order_id: uuid.UUID) -> str:
    return f"/cases/{reference}/destruction/{order_id}"


ROUTES = [destruction_page, draft, order_page, name_people, check, retain, approve, execute, *PARTY_ROUTES]

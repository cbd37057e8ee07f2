"""HTTP routes of destruction orders."""

import uuid
from typing import Any

from litestar import Request, Response, get, patch, post

from handover.destruction import queries, service
from handover.destruction.binding import MACHINES
from handover.inventory.queries import inside
from handover.web import changing, creating, fresh, reading, writing
from handover.web.examples import problems
from handover.web.forms import Form
from handover.web.transitions import transition_routes

Req = Request[Any, Any, Any]


class NewOrder(Form):
    """Which copies are to go; all of the case's when none are named."""

    case_id: uuid.UUID
    copy_ids: list[uuid.UUID] | None = None


class People(Form):
    """Who executes and who witnesses."""

    executor_id: uuid.UUID | None = None
    witness_id: uuid.UUID | None = None


class Retained(Form):
    """A copy that the law still requires."""

    copy_id: uuid.UUID


@post(
    "/api/v1/destruction-orders",
    sync_to_thread=True,
    tags=["destruction-orders"],
    responses=problems(400, 401, 403, 404, 409, 422),
)
def draft(request: Req, data: NewOrder) -> Response[queries.OrderView]:
    """Drafts a destruction order."""

    def work(ctx: Any) -> queries.OrderView:
        inside(ctx, data.case_id)
        return queries.order_view(ctx, service.draft(ctx, data.case_id, data.copy_ids))

    return creating(request, work, location="/api/v1/destruction-orders")


@get("/api/v1/destruction-orders", sync_to_thread=True, tags=["destruction-orders"], responses=problems(400, 401, 404))
def list_orders(request: Req, case_id: uuid.UUID) -> list[queries.OrderView]:
    """The destruction orders of a case."""
    with reading(request) as ctx:
        inside(ctx, case_id)
        return [queries.order_view(ctx, row) for row in queries.orders_of(ctx, case_id)]


@get(
    "/api/v1/destruction-orders/{order_id:uuid}",
    sync_to_thread=True,
    tags=["destruction-orders"],
    responses=problems(401, 404),
)
def read(request: Req, order_id: uuid.UUID) -> Response[queries.OrderView]:
    """One order with its copies and what trying to read them showed."""
    with reading(request) as ctx:
        return fresh(queries.order_view(ctx, queries.visible_order(ctx, order_id)))


@patch(
    "/api/v1/destruction-orders/{order_id:uuid}",
    sync_to_thread=True,
    tags=["destruction-orders"],
    responses=problems(400, 401, 403, 404, 409, 412, 428),
)
def name_people(request: Req, order_id: uuid.UUID, data: People) -> Response[queries.OrderView]:
    """Names executor and witness."""
    with writing(request) as ctx:
        row = queries.visible_order(ctx, order_id)
        changing(request, row)
        return fresh(queries.order_view(ctx, service.name_people(ctx, row, data.executor_id, data.witness_id)))


@post(
    "/api/v1/destruction-orders/{order_id:uuid}/check",
    sync_to_thread=True,
    tags=["destruction-orders"],
    status_code=200,
    responses=problems(401, 403, 404, 409),
)
def check(request: Req, order_id: uuid.UUID) -> queries.OrderView:
    """Checks eligibility: asks for approvals, or blocks with the reasons in the order's transitions."""
    with writing(request) as ctx:
        return queries.order_view(ctx, service.check_eligibility(ctx, queries.visible_order(ctx, order_id)))


@post(
    "/api/v1/destruction-orders/{order_id:uuid}/retain",
    sync_to_thread=True,
    tags=["destruction-orders"],
    status_code=200,
    responses=problems(400, 401, 403, 404, 409),
)
def retain(request: Req, order_id: uuid.UUID, data: Retained) -> queries.OrderView:
    """Legal takes a copy off the order that must still be kept."""
    with writing(request) as ctx:
        row = service.retain(ctx, queries.visible_order(ctx, order_id), data.copy_id)
        return queries.order_view(ctx, row)


ROUTES = [
    draft,
    list_orders,
    read,
    name_people,
    check,
    retain,
    *(route for binding in MACHINES for route in transition_routes(binding)),
]

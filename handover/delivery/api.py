"""HTTP routes of deliveries, receipts and custody handover."""

import datetime as dt
import uuid
from collections.abc import AsyncIterator
from typing import Annotated, Any, BinaryIO, Literal

from anyio import CancelScope, to_thread
from litestar import MediaType, Request, Response, get, post
from litestar.response import Stream
from msgspec import Meta

from handover.archive.texts import how_to_open
from handover.cases.queries import visible_case
from handover.delivery import downloads, queries, service
from handover.delivery.binding import MACHINES
from handover.web import creating, fresh, reading, writing
from handover.web.edge import installation_of
from handover.web.examples import problems
from handover.web.forms import Form, Line, Prose, Word
from handover.web.ranges import span_of
from handover.web.transitions import transition_routes

Req = Request[Any, Any, Any]
_CHUNK = 1 << 20


class NewReceipt(Form):
    """A receipt as `handover package receipt` writes it."""

    delivery_id: uuid.UUID
    receipt: Annotated[str, Meta(min_length=1, max_length=1 << 20)]


class NewCustody(Form):
    """Starts the custody handover of an equity deal."""

    case_id: uuid.UUID
    kind: Literal["custody"] = "custody"


class NewCustodyItem(Form):
    """One thing that changes hands."""

    kind: Word
    what: Line
    handed_by: uuid.UUID
    received_by: uuid.UUID
    witness: uuid.UUID
    at: dt.datetime
    note: Prose | None = None


@get("/api/v1/deliveries", sync_to_thread=True, tags=["deliveries"], responses=problems(400, 401, 404))
def list_deliveries(request: Req, case_id: uuid.UUID) -> list[queries.DeliveryView]:
    """The deliveries of a case that the caller may see."""
    with reading(request) as ctx:
        visible_case(ctx, case_id)
        return [queries.delivery_view(ctx, row) for row in queries.deliveries_of(ctx, case_id)]


@get("/api/v1/deliveries/{delivery_id:uuid}", sync_to_thread=True, tags=["deliveries"], responses=problems(401, 404))
def read(request: Req, delivery_id: uuid.UUID) -> Response[queries.DeliveryView]:
    """One delivery."""
    with reading(request) as ctx:
        return fresh(queries.delivery_view(ctx, queries.visible_delivery(ctx, delivery_id)))


@get(
    "/api/v1/deliveries/{delivery_id:uuid}/content",
    tags=["deliveries"],
    media_type="application/octet-stream",
    responses=problems(401, 403, 404, 409, 410, 416),
)
async def content(request: Req, delivery_id: uuid.UUID) -> Stream:
    """The package file, with Range, If-Range and HEAD; only for its recipient, limited and expiring."""

    def look() -> downloads.Offer:
        with reading(request) as ctx:
            return downloads.offer(ctx, delivery_id)

    offer = await to_thread.run_sync(look)
    etag = f'"{offer.sha256}"'
    span = span_of(request.headers.get("range"), request.headers.get("if-range"), size=offer.size, etag=etag)
    headers = {
        "ETag": etag,
        "Accept-Ranges": "bytes",
        "Content-Length": str(span.length),
        "Content-Disposition": f'attachment; filename="handover-{offer.number}.age"',
    }
    if span.partial:
        headers["Content-Range"] = f"bytes {span.start}-{span.start + span.length - 1}/{offer.size}"
    status = 206 if span.partial else 200
    if request.scope.get("state", {}).get("head"):
        return Stream(_nothing(), status_code=status, headers=headers, media_type="application/octet-stream")

    def take() -> tuple[uuid.UUID, BinaryIO, Any]:
        with writing(request) as ctx:
            download_id, file = downloads.reserve(ctx, delivery_id, span.start, span.length)
            return download_id, file, ctx

    download_id, file, ctx = await to_thread.run_sync(take)
    installation = installation_of(request)

    async def body() -> AsyncIterator[bytes]:
        sent = 0
        try:
            await to_thread.run_sync(file.seek, span.start)
            while sent < span.length:
                chunk = await to_thread.run_sync(file.read, min(_CHUNK, span.length - sent))
                if not chunk:
                    return
                yield chunk
                sent += len(chunk)
        finally:
            # A client that goes away cancels this; what was reserved and not sent goes back all the same.
            with CancelScope(shield=True):
                file.close()
                await to_thread.run_sync(downloads.settle, installation, ctx, download_id, sent)

    return Stream(body(), status_code=status, headers=headers, media_type="application/octet-stream")


@get(
    "/api/v1/deliveries/{delivery_id:uuid}/how-to-open",
    sync_to_thread=True,
    media_type=MediaType.HTML,
    tags=["deliveries"],
    responses=problems(401, 404),
)
def instructions(request: Req, delivery_id: uuid.UUID) -> Response[bytes]:
    """HOW-TO-OPEN.html, to lie beside the package."""
    with reading(request) as ctx:
        queries.visible_delivery(ctx, delivery_id)
    return Response(how_to_open(), media_type="text/html; charset=utf-8")


@post("/api/v1/receipts", sync_to_thread=True, tags=["receipts"], responses=problems(400, 401, 403, 404, 409, 422))
def take_receipt(request: Req, data: NewReceipt) -> Response[queries.ReceiptView]:
    """Verifies and stores the receipt that was made with the key inside the package."""

    def work(ctx: Any) -> queries.ReceiptView:
        return queries.receipt_view(service.take_receipt(ctx, data.delivery_id, data.receipt))

    return creating(request, work)


@post("/api/v1/deliveries", sync_to_thread=True, tags=["deliveries"], responses=problems(400, 401, 403, 404, 409, 422))
def begin_custody(request: Req, data: NewCustody) -> Response[queries.DeliveryView]:
    """Starts a custody handover."""

    def work(ctx: Any) -> queries.DeliveryView:
        return queries.delivery_view(ctx, service.begin_custody(ctx, data.case_id))

    return creating(request, work, location="/api/v1/deliveries")


@post(
    "/api/v1/deliveries/{delivery_id:uuid}/custody-items",
    sync_to_thread=True,
    tags=["deliveries"],
    responses=problems(400, 401, 403, 404, 409, 422),
)
def add_item(request: Req, delivery_id: uuid.UUID, data: NewCustodyItem) -> Response[queries.CustodyItemView]:
    """Adds a row to a custody handover."""

    def work(ctx: Any) -> queries.CustodyItemView:
        row = queries.visible_delivery(ctx, delivery_id)
        item = service.add_custody_item(
            ctx,
            row,
            kind=data.kind,
            what=data.what,
            note=data.note,
            handed_by=data.handed_by,
            received_by=data.received_by,
            witness=data.witness,
            at=data.at,
        )
        return queries.custody_view(ctx, item)

    return creating(request, work)


@post(
    "/api/v1/deliveries/{delivery_id:uuid}/custody-items/{item_id:uuid}/confirm",
    sync_to_thread=True,
    tags=["deliveries"],
    status_code=200,
    responses=problems(400, 401, 403, 404),
)
def confirm_item(request: Req, delivery_id: uuid.UUID, item_id: uuid.UUID) -> queries.CustodyItemView:
    """The caller confirms a row that names them."""
    with writing(request) as ctx:
        row = queries.visible_delivery(ctx, delivery_id)
        return queries.custody_view(ctx, service.confirm_custody_item(ctx, row, item_id))


async def _nothing() -> AsyncIterator[bytes]:
    for chunk in list[bytes]():
        yield chunk


ROUTES = [
    list_deliveries,
    read,
    content,
    instructions,
    take_receipt,
    begin_custody,
    add_item,
    confirm_item,
    *(route for binding in MACHINES for route in transition_routes(binding)),
]

"""HTTP routes of resumable uploads (tus 1.0.0): bytes are sealed piece by piece as they stream in."""

import uuid
from collections.abc import AsyncIterator
from typing import Any

from anyio import to_thread
from litestar import HttpMethod, Request, Response, delete, get, patch, post, route
from litestar.exceptions import InternalServerException

from handover.errors import InvalidInputError, NotFoundError
from handover.inventory import queries, uploads
from handover.inventory.arriving import Arriving, receive
from handover.web import reading, tus, writing
from handover.web.edge import installation_of
from handover.web.examples import problems

Req = Request[Any, Any, Any]
_BASE = "/api/v1/uploads"


@route(_BASE, http_method=[HttpMethod.OPTIONS], tags=["uploads"], status_code=204, security=[])
async def tus_options() -> Response[None]:
    """What of tus is spoken here."""
    return Response(None, status_code=204, headers=tus.OPTIONS)


@post(_BASE, sync_to_thread=True, tags=["uploads"], responses=problems(400, 401, 403, 404, 409, 412, 413))
def begin(request: Req) -> Response[None]:
    """Starts an upload: Upload-Length, and Upload-Metadata with case_id and filename."""
    tus.check_version(request)
    size, given = tus.number(request, "Upload-Length"), tus.metadata(request)
    try:
        case_id = uuid.UUID(given.get("case_id", ""))
    except ValueError as error:
        raise InvalidInputError("Upload-Metadata names the case_id", field="Upload-Metadata") from error
    with writing(request) as ctx:
        row = uploads.begin(ctx, case_id, given.get("filename", ""), size)
    return tus.answer(201, offset=0, expires=row.expires_at, Location=f"{_BASE}/{row.id}")


@get(_BASE + "/{upload_id:uuid}", sync_to_thread=True, tags=["uploads"], responses=problems(401, 404))
def look(request: Req, upload_id: uuid.UUID) -> Response[queries.UploadView]:
    """How far an upload is; HEAD gives the offset to go on from."""
    with reading(request) as ctx:
        row = queries.visible_upload(ctx, upload_id)
        if row.state == "removed":
            raise NotFoundError(
                "there is no such upload"
            )  # a client then begins anew; an offset would let it try forever
        headers = {**tus.HEADERS, "Upload-Offset": str(row.offset), "Upload-Length": str(row.size)}
        return Response(queries.upload_view(ctx, row), headers=headers)


@patch(
    _BASE + "/{upload_id:uuid}",
    tags=["uploads"],
    request_max_body_size=None,
    status_code=204,
    responses=problems(400, 401, 404, 409, 412, 413, 415, 507),
)
async def append(request: Req, upload_id: uuid.UUID) -> Response[None]:
    """Appends a piece at Upload-Offset. When the connection breaks, what arrived stays."""
    tus.check_version(request)
    if request.headers.get("content-type", "").split(";")[0] != tus.PATCH_TYPE:
        raise tus.TusMediaTypeError(f"send Content-Type: {tus.PATCH_TYPE}")
    offset = tus.number(request, "Upload-Offset")
    installation = installation_of(request)

    def begins_here() -> Arriving:
        with reading(request) as ctx:
            queries.visible_upload(ctx, upload_id)
            return Arriving(installation, ctx, upload_id, offset)

    # Before the first byte, so that an empty piece of nobody's is refused like any other.
    arriving = await to_thread.run_sync(begins_here)
    offset = await receive(arriving, _as_far_as_it_comes(request))
    return tus.answer(204, offset=offset)


async def _as_far_as_it_comes(request: Req) -> AsyncIterator[bytes]:
    try:
        async for chunk in request.stream():
            yield chunk
    except InternalServerException:
        pass  # how the framework says that the client went away: what it sent is kept, and it will ask for the offset


@delete(_BASE + "/{upload_id:uuid}", sync_to_thread=True, tags=["uploads"], responses=problems(401, 404, 409, 412))
def remove(request: Req, upload_id: uuid.UUID) -> Response[None]:
    """Removes an upload that is not a record set yet."""
    tus.check_version(request)
    with writing(request) as ctx:
        uploads.remove(ctx, queries.visible_upload(ctx, upload_id))
    return tus.answer(204)


ROUTES = [tus_options, begin, look, append, remove]

"""HTTP routes of issued documents."""

import uuid
from typing import Annotated, Any

from litestar import MediaType, Request, Response, get
from litestar.params import Parameter

from handover.attestations import queries
from handover.attestations.models import IssuedDocument
from handover.errors import NotFoundError
from handover.web import reading
from handover.web.examples import problems

Req = Request[Any, Any, Any]


@get("/api/v1/documents", sync_to_thread=True, tags=["documents"], responses=problems(400, 401, 404))
def list_documents(request: Req, case_id: uuid.UUID) -> list[queries.DocumentView]:
    """The documents of a case that the caller may see."""
    with reading(request) as ctx:
        return [queries.document_view(row) for row in queries.documents_of(ctx, case_id)]


@get("/api/v1/documents/{document_id:uuid}", sync_to_thread=True, tags=["documents"], responses=problems(401, 404))
def read(request: Req, document_id: uuid.UUID) -> queries.DocumentView:
    """One document without its content."""
    with reading(request) as ctx:
        return queries.document_view(queries.visible_document(ctx, document_id))


@get(
    "/api/v1/documents/{document_id:uuid}/pdf",
    sync_to_thread=True,
    tags=["documents"],
    media_type="application/pdf",
    responses=problems(401, 404),
)
def read_pdf(request: Req, document_id: uuid.UUID) -> Response[bytes]:
    """The sealed PDF."""
    with reading(request) as ctx:
        row = queries.visible_document(ctx, document_id)
        data = queries.read_pdf(ctx, row)
    return _pdf(row, data)


@get(
    "/api/v1/documents/newest/{kind:str}/{entity_id:uuid}/pdf",
    sync_to_thread=True,
    tags=["documents"],
    media_type="application/pdf",
    responses=problems(404, 401),
)
def read_newest_pdf(request: Req, kind: str, entity_id: uuid.UUID) -> Response[bytes]:
    """The newest issue of one kind of document about one thing, for those who know the thing and not the document."""
    with reading(request) as ctx:
        found = queries.newest(ctx, kind, entity_id)
        if found is None:
            raise NotFoundError("there is no such document")
        row = queries.visible_document(ctx, found.id)
        data = queries.read_pdf(ctx, row)
    return _pdf(row, data)


@get(
    "/api/v1/documents/{document_id:uuid}/facts",
    sync_to_thread=True,
    tags=["documents"],
    media_type=MediaType.JSON,
    responses=problems(401, 404),
)
def read_facts(request: Req, document_id: uuid.UUID) -> Response[bytes]:
    """The machine-readable twin, canonical JSON, byte for byte as it lies in the PDF."""
    with reading(request) as ctx:
        row = queries.visible_document(ctx, document_id)
        data = queries.read_twin(ctx, row)
    return Response(data, media_type="application/json", headers={"ETag": f'"{row.twin_sha256}"'})


@get("/api/v1/verify/{number:str}", sync_to_thread=True, tags=["documents"], security=[], responses=problems(400))
def check(
    request: Req, number: str, sha256: Annotated[str | None, Parameter(pattern="^[0-9a-f]{64}$")] = None
) -> queries.NumberCheck:
    """Whether a number was issued and a digest belongs to it; reveals nothing else."""
    with reading(request, anonymous=True) as ctx:
        return queries.check_number(ctx, number, sha256)


def _pdf(row: IssuedDocument, data: bytes) -> Response[bytes]:
    headers = {"ETag": f'"{row.sha256}"', "Content-Disposition": f'attachment; filename="{row.number}.pdf"'}
    return Response(data, media_type="application/pdf", headers=headers)


ROUTES = [list_documents, read, read_pdf, read_newest_pdf, read_facts, check]

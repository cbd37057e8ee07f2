"""Pages of documents: those of a case with the evidence bundle, a party's own, and the public check of a number."""

import uuid
from typing import Annotated, Any

from litestar import Request, Response
from litestar.params import Parameter, QueryParameter
from litestar.response import Stream

from handover.attestations import bundle, queries
from handover.audit import AuditLog
from handover.cases.frame import case_page, party_page
from handover.context import Context
from handover.web.edge import reading, writing
from handover.web.html import page
from handover.web.html.environment import environment
from handover.web.html.routes import get_page

Req = Request[Any, Any, Any]
Checked = Annotated[uuid.UUID | None, QueryParameter(name="check")]
#: Numbers are letters, digits and hyphens; anything else is no number of ours.
Number = Annotated[str, Parameter(max_length=64)]
Digest = Annotated[str, Parameter(max_length=100)]


@get_page("/cases/{reference:str}/documents")
def documents_page(request: Req, reference: str, check: Checked = None) -> Response[Any]:
    """Every document of the case, and the evidence bundle."""

    def gather(ctx: Context) -> dict[str, Any]:
        row, frame = case_page(ctx, reference, "documents")
        return {**frame, **_documents(ctx, row.id, check)}

    return page(request, "attestations/documents.html", gather)


@get_page("/my/{reference:str}/documents")
def my_documents_page(request: Req, reference: str, check: Checked = None) -> Response[Any]:
    """The documents that a party may have."""

    def gather(ctx: Context) -> dict[str, Any]:
        row, frame = party_page(ctx, reference)
        return {**frame, **_documents(ctx, row.id, check)}

    return page(request, "attestations/my_documents.html", gather)


@get_page("/cases/{reference:str}/documents/bundle.zip")
def bundle_file(request: Req, reference: str) -> Stream:
    """The evidence bundle, over a checkpoint that is signed now."""
    with writing(request) as ctx:
        row, _frame = case_page(ctx, reference, "documents")
        ctx.get(AuditLog).checkpoint(ctx)
        name = row.reference
    with reading(request) as ctx:
        row, _frame = case_page(ctx, reference, "documents")
        file = bundle.make_bundle(ctx, row.id, name, environment(ctx.language))
    headers = {"Content-Disposition": f'attachment; filename="{name}-evidence.zip"'}
    return Stream(bundle.pieces(file), media_type="application/zip", headers=headers)


@get_page("/verify", security=[])
def verify_page(request: Req, number: Number = "", sha256: Digest = "") -> Response[Any]:
    """Anybody checks a document by its number, and by its fingerprint or the file itself, which stays where it is."""
    return _verify(request, number, sha256)


@get_page("/verify/{number:str}", security=[])
def verify_number_page(request: Req, number: Number, sha256: Digest = "") -> Response[Any]:
    """The address that is printed on every document."""
    return _verify(request, number, sha256)


def _verify(request: Req, number: str, sha256: str) -> Response[Any]:
    asked, digest = number.strip().upper(), "".join(sha256.lower().split())

    def gather(ctx: Context) -> dict[str, Any]:
        wrong = bool(digest) and not queries.is_digest(digest)
        result = None if not asked or wrong else queries.check_number(ctx, asked, digest or None).result
        return {"number": asked, "sha256": digest, "wrong": wrong, "result": result}

    return page(request, "attestations/verify.html", gather, anonymous=True)


def _documents(ctx: Context, case_id: uuid.UUID, check: uuid.UUID | None) -> dict[str, Any]:
    rows = queries.documents_of(ctx, case_id)
    row = next((row for row in rows if row.id == check), None)
    return {
        "documents": [queries.document_view(row) for row in reversed(rows)],
        "superseded": {row.supersedes for row in rows},
        "checked": queries.verify_stored(ctx, row) if row is not None else None,
    }


ROUTES = [documents_page, my_documents_page, bundle_file, verify_page, verify_number_page]

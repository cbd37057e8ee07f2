"""HTTP routes of agreements."""

import uuid
from hashlib import sha256
from typing import Annotated, Any

import msgspec
from anyio import to_thread
from litestar import Request, Response, get, patch, post
from msgspec import Meta

from handover.agreements import queries, service
from handover.agreements.binding import MACHINES
from handover.cases.queries import visible_case
from handover.web import changing, creating, fresh, reading, writing
from handover.web.edge import once
from handover.web.examples import problems
from handover.web.forms import Form, Hex64, Level, Line, Word
from handover.web.transitions import transition_routes

Req = Request[Any, Any, Any]
Fields = dict[Annotated[str, Meta(max_length=64)], Annotated[str, Meta(max_length=2000)]]


class NewAgreement(Form):
    """An agreement from a template; `fields` fills its blanks."""

    case_id: uuid.UUID
    kind: Word
    party_id: uuid.UUID
    signers: Annotated[list[service.NewSigner], Meta(max_length=100)]
    counterparty_id: uuid.UUID | None = None
    fields: Fields = msgspec.field(default_factory=dict)
    levels: tuple[Level, ...] = ("L1", "L2", "L3")
    years: Annotated[int, Meta(ge=0, le=30)] = 3


class FieldsChange(Form):
    """All merge fields of a draft."""

    fields: Fields


class Signature(Form):
    """The text that was shown, the typed name, and the wish to sign."""

    text_sha256: Hex64
    typed_name: Line
    intent: bool
    mandate_id: uuid.UUID | None = None


class WetInk(Form):
    """The stamped paper page of one signer."""

    signer_id: uuid.UUID
    scan_id: uuid.UUID


class Kept(msgspec.Struct, frozen=True):
    """A scan that was kept."""

    id: str
    salted_sha256: str


@post("/api/v1/agreements", sync_to_thread=True, tags=["agreements"], responses=problems(400, 401, 403, 404, 409, 422))
def draft(request: Req, data: NewAgreement) -> Response[queries.AgreementView]:
    """Drafts an agreement."""

    def work(ctx: Any) -> queries.AgreementView:
        row = service.draft(
            ctx,
            data.case_id,
            kind=data.kind,
            party_id=data.party_id,
            counterparty_id=data.counterparty_id,
            fields=data.fields,
            levels=list(data.levels),
            years=data.years,
            signers=data.signers,
        )
        return queries.agreement_view(ctx, row)

    return creating(request, work, location="/api/v1/agreements")


@get("/api/v1/agreements", sync_to_thread=True, tags=["agreements"], responses=problems(400, 401, 404))
def list_agreements(request: Req, case_id: uuid.UUID) -> list[queries.AgreementView]:
    """The agreements of a case that the caller may see."""
    with reading(request) as ctx:
        visible_case(ctx, case_id)
        return [queries.agreement_view(ctx, row) for row in queries.agreements_of(ctx, case_id)]


@get("/api/v1/agreements/{agreement_id:uuid}", sync_to_thread=True, tags=["agreements"], responses=problems(401, 404))
def read(request: Req, agreement_id: uuid.UUID) -> Response[queries.AgreementView]:
    """One agreement with its text."""
    with reading(request) as ctx:
        return fresh(queries.agreement_view(ctx, queries.visible_agreement(ctx, agreement_id)))


@patch(
    "/api/v1/agreements/{agreement_id:uuid}",
    sync_to_thread=True,
    tags=["agreements"],
    responses=problems(400, 401, 403, 404, 409, 412, 428),
)
def change(request: Req, agreement_id: uuid.UUID, data: FieldsChange) -> Response[queries.AgreementView]:
    """Changes the merge fields of a draft."""
    with writing(request) as ctx:
        row = queries.visible_agreement(ctx, agreement_id)
        changing(request, row)
        return fresh(queries.agreement_view(ctx, service.change(ctx, row, data.fields)))


@post(
    "/api/v1/agreements/{agreement_id:uuid}/signatures",
    sync_to_thread=True,
    tags=["agreements"],
    responses=problems(400, 401, 403, 404, 409),
)
def sign(request: Req, agreement_id: uuid.UUID, data: Signature) -> Response[queries.AgreementView]:
    """The caller signs."""
    with writing(request) as ctx:
        row = service.sign(
            ctx,
            queries.visible_agreement(ctx, agreement_id),
            text_sha256=data.text_sha256,
            typed_name=data.typed_name,
            intent=data.intent,
            mandate_id=data.mandate_id,
        )
        return Response(queries.agreement_view(ctx, row), status_code=201)


@post(
    "/api/v1/agreements/{agreement_id:uuid}/wet-ink",
    sync_to_thread=True,
    tags=["agreements"],
    status_code=200,
    responses=problems(400, 401, 403, 404, 409),
)
def upload_wet_ink(request: Req, agreement_id: uuid.UUID, data: WetInk) -> queries.AgreementView:
    """Attaches the stamped paper page of a signer."""
    with writing(request) as ctx:
        row = queries.visible_agreement(ctx, agreement_id)
        return queries.agreement_view(ctx, service.upload_wet_ink(ctx, row, data.signer_id, data.scan_id))


@post(
    "/api/v1/agreements/{agreement_id:uuid}/wet-ink/{signer_id:uuid}/confirm",
    sync_to_thread=True,
    tags=["agreements"],
    status_code=200,
    responses=problems(401, 403, 404, 409),
)
def confirm_wet_ink(request: Req, agreement_id: uuid.UUID, signer_id: uuid.UUID) -> queries.AgreementView:
    """Legal confirms a stamped page."""
    with writing(request) as ctx:
        row = queries.visible_agreement(ctx, agreement_id)
        return queries.agreement_view(ctx, service.confirm_wet_ink(ctx, row, signer_id))


@post(
    "/api/v1/cases/{case_id:uuid}/scans/{purpose:str}",
    tags=["agreements"],
    request_max_body_size=service.MAX_SCAN_BYTES + 1,
    responses=problems(400, 401, 404, 413, 422),
)
async def keep_scan(request: Req, case_id: uuid.UUID, purpose: str) -> Kept:
    """Keeps a mandate or a stamped page (PDF, PNG or JPEG as the body)."""
    data = await request.body()

    def work() -> Kept:
        with writing(request) as ctx:
            row = service.keep_scan(ctx, case_id, purpose, data)
            return Kept(str(row.id), row.salted_sha256)

    return await to_thread.run_sync(once, request, sha256(data).hexdigest(), work)


ROUTES = [
    draft,
    list_agreements,
    read,
    change,
    sign,
    upload_wet_ink,
    confirm_wet_ink,
    keep_scan,
    *(route for binding in MACHINES for route in transition_routes(binding)),
]

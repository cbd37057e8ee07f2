"""HTTP routes of legal bases, notices, consents and declarations."""

import datetime as dt
import uuid
from hashlib import sha256
from typing import Annotated, Any, Literal

from anyio import to_thread
from litestar import Request, Response, get, post, put
from msgspec import Meta

from handover.cases.queries import bidder_party, visible_case
from handover.compliance import queries, service
from handover.compliance.models import ReturnDeclaration
from handover.errors import NotFoundError
from handover.inventory.queries import inside, visible_record_set
from handover.web import creating, reading, writing
from handover.web.edge import once
from handover.web.examples import problems
from handover.web.forms import Form, Line, Prose, Word

Req = Request[Any, Any, Any]
#: A million customers with digests and times.
MAX_IMPORT = 256 << 20


class Basis(Form):
    """The legal basis of one record set."""

    basis: Word
    pipl13: Annotated[int, Meta(ge=1, le=7)]
    purpose: Prose
    purpose_unchanged: bool
    retention_until: dt.date | None = None
    opinion: Prose | None = None


class NewNotice(Form):
    """A notice in the seller's name about one recipient."""

    case_id: uuid.UUID
    basis: Word
    recipient_party_id: uuid.UUID
    zh: Prose
    en: Prose
    period_days: Annotated[int, Meta(ge=0, le=365)] | None = None


class Withdrawal(Form):
    """One customer takes consent back, or asks for restriction."""

    case_id: uuid.UUID
    subject_ref: Line
    restrict: bool = False


class Declared(Form):
    """What a losing bidder did with its copies."""

    kind: Literal["returned", "destroyed"]
    copies: Annotated[int, Meta(ge=0, le=1_000_000)]
    details: Prose


@put(
    "/api/v1/record-sets/{record_set_id:uuid}/basis",
    sync_to_thread=True,
    tags=["record-sets"],
    responses=problems(400, 401, 403, 404, 409),
)
def set_basis(request: Req, record_set_id: uuid.UUID, data: Basis) -> queries.BasisView:
    """Legal sets the basis of a record set."""
    with writing(request) as ctx:
        row = service.set_basis(
            ctx,
            visible_record_set(ctx, record_set_id),
            basis=data.basis,
            pipl13=data.pipl13,
            purpose=data.purpose,
            purpose_unchanged=data.purpose_unchanged,
            retention_until=data.retention_until,
            opinion=data.opinion,
        )
        return queries.basis_view(row)


@post("/api/v1/notices", sync_to_thread=True, tags=["consents"], responses=problems(400, 401, 403, 404, 409, 422))
def start_notice(request: Req, data: NewNotice) -> Response[queries.NoticeView]:
    """Approves a notice and starts its period."""

    def work(ctx: Any) -> queries.NoticeView:
        visible_case(ctx, data.case_id)
        row = service.start_notice(
            ctx,
            data.case_id,
            basis=data.basis,
            recipient_party_id=data.recipient_party_id,
            zh=data.zh,
            en=data.en,
            period_days=data.period_days,
        )
        return queries.notice_view(row)

    return creating(request, work)


@post(
    "/api/v1/notices/{notice_id:uuid}/complete",
    sync_to_thread=True,
    tags=["consents"],
    status_code=200,
    responses=problems(401, 403, 404, 409),
)
def complete_notice(request: Req, notice_id: uuid.UUID) -> queries.NoticeView:
    """The DPO completes a notice whose period is over."""
    with writing(request) as ctx:
        return queries.notice_view(service.complete_notice(ctx, queries.visible_notice(ctx, notice_id)))


@get("/api/v1/consents", sync_to_thread=True, tags=["consents"], responses=problems(400, 401, 404))
def ledger(request: Req, case_id: uuid.UUID) -> queries.LedgerView:
    """How many customers were told, agreed, refused."""
    with reading(request) as ctx:
        inside(ctx, case_id)
        return queries.ledger_view(ctx, case_id)


@post(
    "/api/v1/consents/imports",
    tags=["consents"],
    request_max_body_size=MAX_IMPORT,
    responses=problems(400, 401, 403, 404, 413, 422),
)
async def import_subjects(
    request: Req, case_id: uuid.UUID, kind: Literal["notices", "consents"]
) -> service.ImportResult:
    """Imports notices or consents (CSV as the body); rows that cannot be used are listed with the reason."""
    data = await request.body()

    def work() -> service.ImportResult:
        with writing(request) as ctx:
            inside(ctx, case_id)
            return service.import_subjects(ctx, case_id, kind, data)

    return await to_thread.run_sync(once, request, sha256(data).hexdigest(), work)


@post(
    "/api/v1/consents/withdrawals",
    sync_to_thread=True,
    tags=["consents"],
    status_code=204,
    responses=problems(400, 401, 403, 404),
)
def withdraw(request: Req, data: Withdrawal) -> None:
    """Notes that a customer withdrew consent or asked for restriction."""
    with writing(request) as ctx:
        inside(ctx, data.case_id)
        service.withdraw(ctx, data.case_id, data.subject_ref, restrict=data.restrict)


@get("/api/v1/declarations", sync_to_thread=True, tags=["consents"], responses=problems(400, 401, 404))
def list_declarations(request: Req, case_id: uuid.UUID) -> list[queries.DeclarationView]:
    """Return-or-destroy declarations; a bidder sees its own."""
    with reading(request) as ctx:
        visible_case(ctx, case_id)
        own = bidder_party(ctx, case_id)
        rows = queries.declarations_of(ctx, case_id)
        return [queries.declaration_view(row) for row in rows if own is None or row.party_id == own]


@post(
    "/api/v1/declarations/{declaration_id:uuid}/declare",
    sync_to_thread=True,
    tags=["consents"],
    status_code=200,
    responses=problems(400, 401, 403, 404, 409),
)
def declare(request: Req, declaration_id: uuid.UUID, data: Declared) -> queries.DeclarationView:
    """The losing bidder's signatory declares."""
    with writing(request) as ctx:
        row = ctx.session.get(ReturnDeclaration, declaration_id)
        if row is None:
            raise NotFoundError("there is no such declaration")
        visible_case(ctx, row.case_id)
        own = bidder_party(ctx, row.case_id)
        if own is not None and own != row.party_id:
            raise NotFoundError("there is no such declaration")
        done = service.declare(ctx, row, kind=data.kind, copies=data.copies, details=data.details)
        return queries.declaration_view(done)


ROUTES = [
    set_basis,
    start_notice,
    complete_notice,
    ledger,
    import_subjects,
    withdraw,
    list_declarations,
    declare,
]

"""HTTP routes of record sets, fields and the copy register."""

import datetime as dt
import uuid
from typing import Annotated, Any

from litestar import Request, Response, get, patch, post
from msgspec import UNSET, Meta, UnsetType, structs

from handover.inventory import queries, service
from handover.inventory.api_uploads import ROUTES as UPLOAD_ROUTES
from handover.inventory.binding import MACHINES
from handover.web import changing, creating, fresh, reading, writing
from handover.web.examples import problems
from handover.web.forms import Form, Line, Place, Prose, Word
from handover.web.transitions import transition_routes

Req = Request[Any, Any, Any]


class NewRecordSet(Form):
    """A complete upload, and what it is."""

    upload_id: uuid.UUID
    kind: Word
    title: Line
    owner_party_id: uuid.UUID
    source_statement: Prose
    period: Line = "-"
    system: Line = "-"
    subject_field: Line | None = None


class RecordSetChange(Form):
    """What changes of a record set's description."""

    title: Line | UnsetType = UNSET
    source_statement: Prose | UnsetType = UNSET
    period: Line | UnsetType = UNSET
    system: Line | UnsetType = UNSET
    subject_field: Line | UnsetType | None = UNSET


class FieldDecisions(Form):
    """Decisions about fields; all are taken or none."""

    fields: Annotated[list[service.FieldDecision], Meta(min_length=1, max_length=20_000)]


class NewCopy(Form):
    """A copy that lies outside this service."""

    case_id: uuid.UUID
    kind: Word
    note: Prose
    place: Place = "CN"
    holder_party_id: uuid.UUID | None = None
    record_set_id: uuid.UUID | None = None
    retained_until: dt.date | None = None


@post(
    "/api/v1/record-sets", sync_to_thread=True, tags=["record-sets"], responses=problems(400, 401, 403, 404, 409, 422)
)
def register(request: Req, data: NewRecordSet) -> Response[queries.RecordSetView]:
    """Registers an upload as a record set; its inspection starts at once."""

    def work(ctx: Any) -> queries.RecordSetView:
        facts = queries.RecordFacts(
            title=data.title,
            filename="",
            source_statement=data.source_statement,
            period=data.period,
            system=data.system,
            subject_field=data.subject_field,
        )
        row = service.register(ctx, data.upload_id, kind=data.kind, owner_party_id=data.owner_party_id, facts=facts)
        return queries.record_set_view(ctx, row)

    return creating(request, work, location="/api/v1/record-sets")


@get("/api/v1/record-sets", sync_to_thread=True, tags=["record-sets"], responses=problems(400, 401, 404))
def list_record_sets(request: Req, case_id: uuid.UUID) -> list[queries.RecordSetView]:
    """The record sets of a case, without their fields."""
    with reading(request) as ctx:
        queries.inside(ctx, case_id)
        return [queries.record_set_view(ctx, r, with_fields=False) for r in queries.record_sets_of(ctx, case_id)]


@get(
    "/api/v1/record-sets/{record_set_id:uuid}", sync_to_thread=True, tags=["record-sets"], responses=problems(401, 404)
)
def read(request: Req, record_set_id: uuid.UUID) -> Response[queries.RecordSetView]:
    """One record set with its fields."""
    with reading(request) as ctx:
        return fresh(queries.record_set_view(ctx, queries.visible_record_set(ctx, record_set_id)))


@patch(
    "/api/v1/record-sets/{record_set_id:uuid}",
    sync_to_thread=True,
    tags=["record-sets"],
    responses=problems(400, 401, 403, 404, 409, 412, 428),
)
def change(request: Req, record_set_id: uuid.UUID, data: RecordSetChange) -> Response[queries.RecordSetView]:
    """Corrects the description of a record set."""
    with writing(request) as ctx:
        row = queries.visible_record_set(ctx, record_set_id)
        changing(request, row)
        changes = {name: value for name, value in structs.asdict(data).items() if value is not UNSET}
        return fresh(queries.record_set_view(ctx, service.change_facts(ctx, row, changes)))


@patch(
    "/api/v1/record-sets/{record_set_id:uuid}/fields",
    sync_to_thread=True,
    tags=["record-sets"],
    responses=problems(400, 401, 403, 404, 409, 412, 428),
)
def decide(request: Req, record_set_id: uuid.UUID, data: FieldDecisions) -> Response[queries.RecordSetView]:
    """Decides need and level of fields."""
    with writing(request) as ctx:
        row = queries.visible_record_set(ctx, record_set_id)
        changing(request, row)
        service.decide_fields(ctx, row, data.fields)
        return fresh(queries.record_set_view(ctx, row))


@get("/api/v1/copies", sync_to_thread=True, tags=["copies"], responses=problems(400, 401, 404))
def list_copies(request: Req, case_id: uuid.UUID) -> list[queries.CopyView]:
    """Every copy on the register: where is the data still?"""
    with reading(request) as ctx:
        queries.inside(ctx, case_id)
        return [queries.copy_view(row) for row in queries.copies_of(ctx, case_id)]


@post("/api/v1/copies", sync_to_thread=True, tags=["copies"], responses=problems(400, 401, 403, 404, 409, 422))
def declare(request: Req, data: NewCopy) -> Response[queries.CopyView]:
    """Declares a copy that lies outside this service."""

    def work(ctx: Any) -> queries.CopyView:
        row = service.declare_copy(
            ctx,
            data.case_id,
            kind=data.kind,
            place=data.place,
            holder_party_id=data.holder_party_id,
            note=data.note,
            retained_until=data.retained_until,
            record_set_id=data.record_set_id,
        )
        return queries.copy_view(row)

    return creating(request, work)


ROUTES = [
    *UPLOAD_ROUTES,
    register,
    list_record_sets,
    read,
    change,
    decide,
    list_copies,
    declare,
    *(route for binding in MACHINES for route in transition_routes(binding)),
]

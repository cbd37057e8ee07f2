"""HTTP routes of cases, parties, members, conflicts, overrides and holds."""

import datetime as dt
import uuid
from typing import Annotated, Any

from litestar import Request, Response, delete, get, patch, post
from msgspec import Meta

from handover.cases import members, overrides, queries, service
from handover.cases.api_invitations import ROUTES as INVITATION_ROUTES
from handover.cases.api_watch import ROUTES as WATCH_ROUTES
from handover.cases.binding import MACHINES
from handover.web import Page, changing, creating, fresh, page_after, reading, writing
from handover.web.examples import problems
from handover.web.forms import Form, Line, Place, Prose, Word
from handover.web.pagination import Cursor, Limit, page
from handover.web.transitions import transition_routes

Req = Request[Any, Any, Any]


class NewCase(Form):
    """A case to open; the structure of the deal decides the legal route."""

    title: Line
    structure: Word
    key_policy: Annotated[str, Meta(pattern="^(classic|post_quantum)$")] = "classic"
    jurisdictions: tuple[Annotated[str, Meta(pattern="^[A-Z]{2}$")], ...] = ("CN",)


class CaseChange(Form):
    """What changes; a structure changed after the draft needs legal and a reason."""

    title: Line | None = None
    structure: Word | None = None
    reason: Prose | None = None


class NewParty(Form):
    """A party; companies other than the agency come with their unified social credit code."""

    case_id: uuid.UUID
    side: Word
    name: Line
    kind: Word = "company"
    uscc: Annotated[str, Meta(pattern="^[0-9A-Z]{18}$")] | None = None
    contact: Line | None = None
    place: Place = "CN"


class PartyChange(Form):
    """What changes about a party."""

    name: Line | None = None
    contact: Line | None = None
    place: Place | None = None


class Standing(Form):
    """How a bidder stands."""

    standing: Word


class NewMember(Form):
    """A role for a person, in a party where the role has one."""

    person_id: uuid.UUID
    role: Word
    party_id: uuid.UUID | None = None


class Conflict(Form):
    """The caller's own declaration."""

    clean: bool
    note: Prose | None = None


class NewOverride(Form):
    """Which gate is to be set aside for which row, and why."""

    machine: Word
    entity_id: uuid.UUID
    gate: Annotated[str, Meta(pattern="^[A-Za-z0-9_-]{1,64}$")]
    reason: Prose


class NewHold(Form):
    """What is to be kept, why, and when to look at it again."""

    case_id: uuid.UUID
    scope: Word
    reason: Prose
    review_on: dt.date
    scope_id: uuid.UUID | None = None


@post("/api/v1/cases", sync_to_thread=True, tags=["cases"], responses=problems(400, 401, 403, 409, 422))
def create_case(request: Req, data: NewCase) -> Response[queries.CaseView]:
    """Opens a draft; the creator leads the case."""

    def work(ctx: Any) -> queries.CaseView:
        row = service.create(
            ctx,
            title=data.title,
            structure=data.structure,
            key_policy=data.key_policy,
            jurisdictions=list(data.jurisdictions),
        )
        return queries.case_view(ctx, row)

    return creating(request, work, location="/api/v1/cases")


@get("/api/v1/cases", sync_to_thread=True, tags=["cases"], responses=problems(400, 401))
def list_cases(request: Req, cursor: Cursor = None, limit: Limit = 50) -> Page[queries.CaseView]:
    """The cases that the caller takes part in."""
    with reading(request) as ctx:
        rows = queries.cases_of(ctx, page_after(cursor), limit + 1)
        return page(rows, limit, lambda row: queries.case_view(ctx, row))


@get("/api/v1/cases/{case_id:uuid}", sync_to_thread=True, tags=["cases"], responses=problems(401, 404))
def read_case(request: Req, case_id: uuid.UUID) -> Response[queries.CaseView]:
    """One case."""
    with reading(request) as ctx:
        return fresh(queries.case_view(ctx, queries.visible_case(ctx, case_id)))


@patch(
    "/api/v1/cases/{case_id:uuid}",
    sync_to_thread=True,
    tags=["cases"],
    responses=problems(400, 401, 403, 404, 412, 428),
)
def change_case(request: Req, case_id: uuid.UUID, data: CaseChange) -> Response[queries.CaseView]:
    """Corrects a case."""
    with writing(request) as ctx:
        row = queries.visible_case(ctx, case_id)
        changing(request, row)
        service.change(ctx, row, title=data.title, structure=data.structure, reason=data.reason)
        return fresh(queries.case_view(ctx, row))


@post("/api/v1/parties", sync_to_thread=True, tags=["parties"], responses=problems(400, 401, 403, 404, 409, 422))
def add_party(request: Req, data: NewParty) -> Response[queries.PartyView]:
    """Adds a party to a case."""

    def work(ctx: Any) -> queries.PartyView:
        row = service.add_party(
            ctx,
            data.case_id,
            side=data.side,
            kind=data.kind,
            name=data.name,
            uscc=data.uscc,
            contact=data.contact,
            place=data.place,
        )
        return queries.party_view(ctx, row)

    return creating(request, work, location="/api/v1/parties")


@get("/api/v1/parties", sync_to_thread=True, tags=["parties"], responses=problems(400, 401, 404))
def list_parties(request: Req, case_id: uuid.UUID) -> list[queries.PartyView]:
    """The parties of a case; a bidder sees no other bidder."""
    with reading(request) as ctx:
        queries.visible_case(ctx, case_id)
        return [queries.party_view(ctx, row) for row in queries.parties(ctx, case_id)]


@patch(
    "/api/v1/parties/{party_id:uuid}",
    sync_to_thread=True,
    tags=["parties"],
    responses=problems(400, 401, 403, 404, 412, 428),
)
def change_party(request: Req, party_id: uuid.UUID, data: PartyChange) -> Response[queries.PartyView]:
    """Corrects a party."""
    with writing(request) as ctx:
        row = queries.visible_party(ctx, party_id)
        changing(request, row)
        service.change_party(ctx, row, name=data.name, contact=data.contact, place=data.place)
        return fresh(queries.party_view(ctx, row))


@post(
    "/api/v1/parties/{party_id:uuid}/standing",
    sync_to_thread=True,
    tags=["parties"],
    status_code=200,
    responses=problems(400, 401, 403, 404, 409),
)
def set_standing(request: Req, party_id: uuid.UUID, data: Standing) -> queries.PartyView:
    """Records whether a bidder won, lost or withdrew."""
    with writing(request) as ctx:
        row = service.set_standing(ctx, queries.visible_party(ctx, party_id), data.standing)
        return queries.party_view(ctx, row)


@get("/api/v1/cases/{case_id:uuid}/members", sync_to_thread=True, tags=["cases"], responses=problems(401, 404))
def list_members(request: Req, case_id: uuid.UUID) -> list[queries.MemberView]:
    """Who holds which role."""
    with reading(request) as ctx:
        queries.visible_case(ctx, case_id)
        return [queries.member_view(row) for row in queries.members_of(ctx, case_id)]


@post(
    "/api/v1/cases/{case_id:uuid}/members",
    sync_to_thread=True,
    tags=["cases"],
    responses=problems(400, 401, 403, 404, 409, 422),
)
def add_member(request: Req, case_id: uuid.UUID, data: NewMember) -> Response[queries.MemberView]:
    """Gives a person a role in the case."""

    def work(ctx: Any) -> queries.MemberView:
        row = members.add_member(ctx, case_id, person_id=data.person_id, role=data.role, party_id=data.party_id)
        return queries.member_view(row)

    return creating(request, work)


@delete(
    "/api/v1/cases/{case_id:uuid}/members/{member_id:uuid}",
    sync_to_thread=True,
    tags=["cases"],
    responses=problems(400, 401, 403, 404, 409),
)
def end_member(request: Req, case_id: uuid.UUID, member_id: uuid.UUID) -> None:
    """Ends a role at once."""
    with writing(request) as ctx:
        queries.visible_case(ctx, case_id)
        members.end_member(ctx, case_id, member_id)


@post(
    "/api/v1/cases/{case_id:uuid}/conflict-declarations",
    sync_to_thread=True,
    tags=["cases"],
    status_code=204,
    responses=problems(400, 401, 404),
)
def declare_conflict(request: Req, case_id: uuid.UUID, data: Conflict) -> None:
    """The caller declares whether they have a conflict of interest."""
    with writing(request) as ctx:
        service.declare_conflict(ctx, case_id, clean=data.clean, note=data.note)


@post(
    "/api/v1/cases/{case_id:uuid}/overrides",
    sync_to_thread=True,
    tags=["cases"],
    responses=problems(400, 401, 403, 404, 409, 422),
)
def request_override(request: Req, case_id: uuid.UUID, data: NewOverride) -> Response[queries.OverrideView]:
    """Asks to set a gate aside for one row; another person confirms."""

    def work(ctx: Any) -> queries.OverrideView:
        row = overrides.request_override(
            ctx, case_id, machine=data.machine, entity_id=data.entity_id, gate=data.gate, reason=data.reason
        )
        return queries.override_view(ctx, row)

    return creating(request, work)


@post(
    "/api/v1/overrides/{override_id:uuid}/confirm",
    sync_to_thread=True,
    tags=["cases"],
    status_code=200,
    responses=problems(401, 403, 404, 409),
)
def confirm_override(request: Req, override_id: uuid.UUID) -> queries.OverrideView:
    """The second person confirms an override."""
    with writing(request) as ctx:
        return queries.override_view(ctx, overrides.confirm_override(ctx, override_id))


@get("/api/v1/legal-holds", sync_to_thread=True, tags=["legal-holds"], responses=problems(400, 401, 404))
def list_holds(request: Req, case_id: uuid.UUID) -> list[queries.HoldView]:
    """The legal holds of a case."""
    with reading(request) as ctx:
        queries.visible_case(ctx, case_id)
        return [queries.hold_view(ctx, row) for row in queries.holds_of(ctx, case_id)]


@post(
    "/api/v1/legal-holds", sync_to_thread=True, tags=["legal-holds"], responses=problems(400, 401, 403, 404, 409, 422)
)
def propose_hold(request: Req, data: NewHold) -> Response[queries.HoldView]:
    """Proposes a hold; legal activates it."""

    def work(ctx: Any) -> queries.HoldView:
        row = overrides.propose_hold(
            ctx, data.case_id, scope=data.scope, scope_id=data.scope_id, reason=data.reason, review_on=data.review_on
        )
        return queries.hold_view(ctx, row)

    return creating(request, work, location="/api/v1/legal-holds")


ROUTES = [
    create_case,
    list_cases,
    read_case,
    change_case,
    add_party,
    list_parties,
    change_party,
    set_standing,
    list_members,
    add_member,
    end_member,
    declare_conflict,
    request_override,
    confirm_override,
    list_holds,
    propose_hold,
    *INVITATION_ROUTES,
    *WATCH_ROUTES,
    *(route for binding in MACHINES for route in transition_routes(binding)),
]

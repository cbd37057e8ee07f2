"""Pages of a case's parties and people; the forms about exceptions and holds are next door."""

import uuid
from typing import Annotated, Any

from litestar import Request, Response
from msgspec import Meta

from handover.accounts.queries import people, person_name, person_view
from handover.cases import members, queries, service
from handover.cases.frame import case_page
from handover.cases.models import Case, Party
from handover.cases.pages_invite import ROUTES as INVITE_ROUTES
from handover.cases.pages_safeguards import ROUTES as SAFEGUARD_ROUTES
from handover.cases.places import PLACES, chosen, roles_with_parties
from handover.context import Context
from handover.i18n.catalogue import catalogue
from handover.web.forms import Form, Line, Place, Prose, Word
from handover.web.html import FORM, Done, FilledForm, page, submit
from handover.web.html.routes import get_page, post_form

Req = Request[Any, Any, Any]
#: More people than a list can be chosen from; beyond it a person is added by their e-mail address.
_LISTED = 200


class NewParty(Form):
    """A party; companies other than the agency come with their unified social credit code."""

    side: Word
    name: Line
    kind: Word = "company"
    uscc: Annotated[str, Meta(max_length=64)] | None = None
    contact: Line | None = None
    place: Place = "CN"


class PartyChange(Form):
    """What changes about a party."""

    name: Line
    contact: Line | None = None
    place: Place = "CN"


class Standing(Form):
    """How a bidder stands."""

    standing: Word


class KnownMember(Form):
    """A person who has an account, and their place in the case."""

    person_id: uuid.UUID
    place: Annotated[str, Meta(max_length=120)]


class Ending(Form):
    """A role that ends."""

    member_id: uuid.UUID


class Conflict(Form):
    """The reader's own declaration."""

    clean: Word
    note: Prose | None = None


@get_page("/cases/{reference:str}/parties")
def parties_page(request: Req, reference: str) -> Response[Any]:
    """Who takes part, for whom, in which role."""
    return _overview(request, reference, FilledForm())


@get_page("/cases/{reference:str}/parties/add")
def new_party_page(request: Req, reference: str) -> Response[Any]:
    """The form of a new party."""
    return _new_party(request, reference, FilledForm())


@post_form("/cases/{reference:str}/parties/add")
def add_party(request: Req, reference: str, data: FORM) -> Response[Any]:
    """Adds a party."""

    def work(ctx: Context, form: NewParty) -> Done:
        row, _frame = case_page(ctx, reference, "parties")
        code = (form.uscc or "").replace(" ", "").upper() or None
        service.add_party(
            ctx,
            row.id,
            side=form.side,
            kind=form.kind,
            name=form.name,
            uscc=code,
            contact=form.contact,
            place=form.place,
        )
        return Done(f"/cases/{reference}/parties", catalogue(ctx.language).gettext("The party is added"))

    return submit(request, data, NewParty, work, lambda form: _new_party(request, reference, form))


@get_page("/cases/{reference:str}/parties/{party_id:uuid}")
def party_form(request: Req, reference: str, party_id: uuid.UUID) -> Response[Any]:
    """The form that corrects a party, and says how a bidder stands."""
    return _party(request, reference, party_id, FilledForm())


@post_form("/cases/{reference:str}/parties/{party_id:uuid}")
def change_party(request: Req, reference: str, party_id: uuid.UUID, data: FORM) -> Response[Any]:
    """Corrects a party."""

    def work(ctx: Context, form: PartyChange) -> Done:
        row = _party_of(ctx, reference, party_id)
        service.change_party(ctx, row, name=form.name, contact=form.contact, place=form.place)
        return Done(f"/cases/{reference}/parties", catalogue(ctx.language).gettext("The party is changed"))

    return submit(request, data, PartyChange, work, lambda form: _party(request, reference, party_id, form))


@post_form("/cases/{reference:str}/parties/{party_id:uuid}/standing")
def set_standing(request: Req, reference: str, party_id: uuid.UUID, data: FORM) -> Response[Any]:
    """Records whether a bidder won, lost or withdrew."""

    def work(ctx: Context, form: Standing) -> Done:
        service.set_standing(ctx, _party_of(ctx, reference, party_id), form.standing)
        return Done(f"/cases/{reference}/parties", catalogue(ctx.language).gettext("The standing is recorded"))

    return submit(request, data, Standing, work, lambda form: _party(request, reference, party_id, form))


@get_page("/cases/{reference:str}/parties/member")
def member_form(request: Req, reference: str) -> Response[Any]:
    """The form that gives a known person a place in the case."""
    return _member(request, reference, FilledForm(values={"person_id": request.query_params.get("person", "")}))


@post_form("/cases/{reference:str}/parties/member")
def add_member(request: Req, reference: str, data: FORM) -> Response[Any]:
    """Gives a known person a place in the case."""

    def work(ctx: Context, form: KnownMember) -> Done:
        row, _frame = case_page(ctx, reference, "parties")
        role, party_id = chosen(form.place)
        members.add_member(ctx, row.id, person_id=form.person_id, role=role, party_id=party_id)
        return Done(f"/cases/{reference}/parties", catalogue(ctx.language).gettext("The person has the role now"))

    return submit(request, data, KnownMember, work, lambda form: _member(request, reference, form))


@post_form("/cases/{reference:str}/parties/end")
def end_member(request: Req, reference: str, data: FORM) -> Response[Any]:
    """Ends a role at once."""

    def work(ctx: Context, form: Ending) -> Done:
        row, _frame = case_page(ctx, reference, "parties")
        members.end_member(ctx, row.id, form.member_id)
        return Done(f"/cases/{reference}/parties", catalogue(ctx.language).gettext("The role has ended"))

    return submit(request, data, Ending, work, lambda form: _overview(request, reference, form))


@post_form("/cases/{reference:str}/parties/conflict")
def declare_conflict(request: Req, reference: str, data: FORM) -> Response[Any]:
    """The reader declares whether they have a conflict of interest."""

    def work(ctx: Context, form: Conflict) -> Done:
        row, _frame = case_page(ctx, reference, "parties")
        service.declare_conflict(ctx, row.id, clean=form.clean == "yes", note=form.note)
        return Done(f"/cases/{reference}/parties", catalogue(ctx.language).gettext("Your declaration is recorded"))

    return submit(request, data, Conflict, work, lambda form: _overview(request, reference, form))


def _overview(request: Req, reference: str, form: FilledForm) -> Response[Any]:
    def gather(ctx: Context) -> dict[str, Any]:
        row, frame = case_page(ctx, reference, "parties")
        held, conflicts = queries.members_of(ctx, row.id), queries.conflicts_of(ctx, row.id)
        shown = [
            {
                "view": queries.party_view(ctx, party),
                "members": [_member_row(ctx, m) for m in held if m.party_id == party.id],
            }
            for party in queries.parties(ctx, row.id)
        ]
        return {
            **frame,
            "parties": shown,
            "team": [_member_row(ctx, m) for m in held if m.party_id is None],
            "now": ctx.now(),
            "conflict": next((one for one in conflicts if one.person_id == ctx.person()), None),
            "conflicts": [(person_name(ctx, one.person_id), one) for one in conflicts],
            "holds": len(queries.active_holds(ctx, row.id)),
            "open_overrides": sum(o.confirmed_by is None for o in queries.overrides_of(ctx, row.id)),
        }

    return page(request, "cases/parties.html", gather, form=form)


def _member_row(ctx: Context, row: Any) -> dict[str, Any]:
    return {
        "id": row.id,
        "role": row.role,
        "name": person_name(ctx, row.person_id),
        "effective_at": row.effective_at,
        "me": row.person_id == ctx.actor.person_id,
    }


def _new_party(request: Req, reference: str, form: FilledForm) -> Response[Any]:
    def gather(ctx: Context) -> dict[str, Any]:
        _row, frame = case_page(ctx, reference, "parties")
        return {**frame, "sides": service.SIDES, "places": PLACES}

    return page(request, "cases/party_new.html", gather, form=form)


def _party(request: Req, reference: str, party_id: uuid.UUID, form: FilledForm) -> Response[Any]:
    def gather(ctx: Context) -> dict[str, Any]:
        row, frame = case_page(ctx, reference, "parties")
        view = queries.party_view(ctx, queries.party(ctx, row.id, party_id))
        return {**frame, "party": view, "places": PLACES, "standings": service.STANDINGS}

    return page(request, "cases/party.html", gather, form=form)


def _member(request: Req, reference: str, form: FilledForm) -> Response[Any]:
    def gather(ctx: Context) -> dict[str, Any]:
        row, frame = case_page(ctx, reference, "parties")
        return {**frame, "people": _people(ctx, row), "roles": roles_with_parties(ctx, row.id)}

    return page(request, "cases/member.html", gather, form=form)


def _people(ctx: Context, row: Case) -> list[tuple[str, str]]:
    """Whom the reader may choose: everybody in the case, and for consultants everybody with an account."""
    found = {str(m.person_id): person_name(ctx, m.person_id) for m in queries.members_of(ctx, row.id)}
    if ctx.actor.roles & {"consultant", "platform_admin"}:
        views = [person_view(ctx, person) for person in people(ctx, None, _LISTED)]
        found |= {view.id: view.name for view in views if not view.suspended}
    return sorted(found.items(), key=lambda item: item[1])


def _party_of(ctx: Context, reference: str, party_id: uuid.UUID) -> Party:
    row, _frame = case_page(ctx, reference, "parties")
    return queries.party(ctx, row.id, party_id)


ROUTES = [
    parties_page,
    new_party_page,
    add_party,
    party_form,
    change_party,
    set_standing,
    member_form,
    add_member,
    end_member,
    declare_conflict,
    *INVITE_ROUTES,
    *SAFEGUARD_ROUTES,
]

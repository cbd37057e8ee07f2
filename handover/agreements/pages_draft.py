"""Forms that draft an agreement from its template, and change a draft."""

import uuid
from typing import Annotated, Any

import msgspec
from litestar import Request, Response
from msgspec import Meta

from handover.accounts.queries import person_name
from handover.agreements import queries, service
from handover.agreements.models import Agreement
from handover.agreements.texts import KINDS, Template, template
from handover.cases.frame import case_page
from handover.cases.models import Party
from handover.cases.queries import members_of, parties, party_name
from handover.context import Context
from handover.documents.templates import label
from handover.errors import InvalidInputError, NotFoundError
from handover.i18n.catalogue import catalogue
from handover.settings import Settings
from handover.web.forms import Form, Level
from handover.web.html import FORM, Done, Fields, FilledForm, page, submit
from handover.web.html.routes import get_page, post_form

Req = Request[Any, Any, Any]
_LEVELS = ("L1", "L2", "L3", "L4")
_Blank = Annotated[str, Meta(max_length=2000)]


class Draft(Form):
    """An agreement to draft; a signer is a person, or `person:company`."""

    party_id: uuid.UUID
    counterparty_id: uuid.UUID | None = None
    levels: tuple[Level, ...] = ()
    years: Annotated[int, Meta(ge=0, le=30)] = 0
    signers: Annotated[tuple[str, ...], Meta(max_length=100)] = ()


@get_page("/cases/{reference:str}/nda/new/{kind:str}")
def draft_form(request: Req, reference: str, kind: str) -> Response[Any]:
    """The form of a new agreement of a kind."""
    return _form(request, reference, kind, FilledForm())


@post_form("/cases/{reference:str}/nda/new/{kind:str}")
def draft(request: Req, reference: str, kind: str, data: FORM) -> Response[Any]:
    """Drafts an agreement."""

    def work(ctx: Context, form: Draft) -> Done:
        row, _frame = case_page(ctx, reference, "nda")
        made = service.draft(
            ctx,
            row.id,
            kind=_template(kind).kind,
            party_id=form.party_id,
            counterparty_id=form.counterparty_id,
            fields=_blanks(kind, data),
            levels=list(form.levels),
            years=form.years,
            signers=[_signer(value) for value in form.signers if value],
        )
        return Done(f"/cases/{reference}/nda/{made.id}", catalogue(ctx.language).gettext("The draft is made"))

    return submit(request, data, Draft, work, lambda form: _form(request, reference, kind, form))


@get_page("/cases/{reference:str}/nda/{agreement_id:uuid}/edit")
def change_form(request: Req, reference: str, agreement_id: uuid.UUID) -> Response[Any]:
    """The form that fills the blanks of a draft anew."""
    return _change(request, reference, agreement_id, FilledForm())


@post_form("/cases/{reference:str}/nda/{agreement_id:uuid}/edit")
def change(request: Req, reference: str, agreement_id: uuid.UUID, data: FORM) -> Response[Any]:
    """Fills the blanks of a draft anew."""

    def work(ctx: Context, _form: Form) -> Done:
        found = _agreement(ctx, reference, agreement_id)
        service.change(ctx, found, _blanks(found.kind, data))
        return Done(f"/cases/{reference}/nda/{found.id}", catalogue(ctx.language).gettext("The text is changed"))

    return submit(request, data, Form, work, lambda form: _change(request, reference, agreement_id, form))


def _form(request: Req, reference: str, kind: str, form: FilledForm) -> Response[Any]:
    def gather(ctx: Context) -> dict[str, Any]:
        row, frame = case_page(ctx, reference, "nda")
        chosen = _template(kind)
        return {
            **frame,
            "template": chosen,
            "parties": [(str(p.id), _shown(ctx, p)) for p in parties(ctx, row.id)],
            "people": _people(ctx, row.id),
            "levels": _LEVELS,
            "years": ctx.get(Settings).policy.nda_years if kind == "nda" else 0,
        }

    return page(request, "agreements/draft.html", gather, form=form)


def _change(request: Req, reference: str, agreement_id: uuid.UUID, form: FilledForm) -> Response[Any]:
    def gather(ctx: Context) -> dict[str, Any]:
        _row, frame = case_page(ctx, reference, "nda")
        found = _agreement(ctx, reference, agreement_id)
        return {**frame, "template": _template(found.kind), "filled": queries.fields_of(ctx, found), "id": found.id}

    return page(request, "agreements/edit.html", gather, form=form)


def _shown(ctx: Context, row: Party) -> str:
    side = label(row.side).in_language(ctx.language)
    return f"{party_name(ctx, row) or '—'} · {side}"


def _people(ctx: Context, case_id: uuid.UUID) -> list[dict[str, Any]]:
    """Everybody in the case with what they can sign as: themselves, or for the parties that they act for."""
    names = {p.id: party_name(ctx, p) or p.side for p in parties(ctx, case_id)}
    agency = [p.id for p in parties(ctx, case_id) if p.side == "agency"]
    found: dict[uuid.UUID, dict[str, Any]] = {}
    for member in members_of(ctx, case_id):
        entry = found.setdefault(
            member.person_id,
            {"id": str(member.person_id), "name": person_name(ctx, member.person_id), "roles": [], "companies": {}},
        )
        entry["roles"].append(member.role)
        for party_id in [member.party_id] if member.party_id else agency:
            entry["companies"][str(party_id)] = names[party_id]
    return list(found.values())


def _agreement(ctx: Context, reference: str, agreement_id: uuid.UUID) -> Agreement:
    row, _frame = case_page(ctx, reference, "nda")
    return queries.agreement_of(ctx, row.id, agreement_id)


def _template(kind: str) -> Template:
    if kind not in KINDS:
        raise NotFoundError("there is no such kind of agreement")
    return template(kind)


def _blanks(kind: str, data: Fields) -> dict[str, str]:
    """What was typed into the blanks of the template.

    Raises:
        InvalidInputError: a text is too long; names its blank.
    """
    found = {}
    for name in _template(kind).fields:
        try:
            found[name] = msgspec.convert(str(data.get(name, "")).replace("\r\n", "\n").strip(), _Blank)
        except msgspec.ValidationError as error:
            raise InvalidInputError("this text is too long: at most 2000 characters", field=name) from error
    return found


def _signer(value: str) -> service.NewSigner:
    person, _, company = value.partition(":")
    try:
        party_id = uuid.UUID(company) if company else None
        return service.NewSigner(
            person_id=uuid.UUID(person), party_id=party_id, capacity="company" if party_id else "person"
        )
    except ValueError as error:
        raise InvalidInputError("choose signers from the list", field="signers") from error


ROUTES = [draft_form, draft, change_form, change]

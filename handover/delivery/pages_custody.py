"""Pages of a custody handover: rows of what changes hands, each confirmed by three people."""

import datetime as dt
import uuid
from collections.abc import Sequence
from typing import Annotated, Any

from litestar import Request, Response
from msgspec import Meta

from handover.accounts.queries import person_names
from handover.cases.frame import case_page, party_page
from handover.cases.models import Case
from handover.context import Context
from handover.delivery import queries, service
from handover.delivery.models import Delivery
from handover.documents.templates import label
from handover.errors import InvalidInputError, NotFoundError
from handover.i18n.catalogue import catalogue
from handover.jobs import newest_for
from handover.web.forms import Form, Line, Prose, Word
from handover.web.html import FORM, Done, FilledForm, page, submit
from handover.web.html.environment import ZONE
from handover.web.html.routes import get_page, post_form
from handover.workflow import Workflow
from handover.workflow.roles import role_text

Req = Request[Any, Any, Any]
_RECORDING = frozenset({"consultant", "lead_consultant"})


class NewItem(Form):
    """One thing that changes hands; the time is that of the parties' zone, as the field says."""

    kind: Word
    what: Line
    handed_by: uuid.UUID
    received_by: uuid.UUID
    witness: uuid.UUID
    at: Annotated[str, Meta(max_length=32)]
    note: Prose | None = None

    @property
    def moment(self) -> dt.datetime:
        """The time with its zone.

        Raises:
            InvalidInputError: not a time.
        """
        try:
            found = dt.datetime.fromisoformat(self.at)
        except ValueError as error:
            raise InvalidInputError("give the time like 2026-01-31 14:30", field="at") from error
        return found if found.tzinfo else found.replace(tzinfo=ZONE)


@post_form("/cases/{reference:str}/handover/custody")
def begin(request: Req, reference: str, data: FORM) -> Response[Any]:
    """Starts the custody list."""

    def work(ctx: Context, _form: Form) -> Done:
        case, _frame = case_page(ctx, reference, "handover")
        service.begin_custody(ctx, case.id)
        return Done(f"/cases/{reference}/handover", catalogue(ctx.language).gettext("The custody list is started"))

    return submit(request, data, Form, work, lambda form: _blocked(request, reference, form))


@get_page("/cases/{reference:str}/handover/custody")
def items_page(request: Req, reference: str) -> Response[Any]:
    """The custody list, with the form for another row."""
    return _items(request, reference, FilledForm())


@post_form("/cases/{reference:str}/handover/items")
def add_item(request: Req, reference: str, data: FORM) -> Response[Any]:
    """Adds a row."""

    def work(ctx: Context, form: NewItem) -> Done:
        case, _frame = case_page(ctx, reference, "handover")
        service.add_custody_item(
            ctx,
            _custody(ctx, case.id),
            kind=form.kind,
            what=form.what,
            note=form.note,
            handed_by=form.handed_by,
            received_by=form.received_by,
            witness=form.witness,
            at=form.moment,
        )
        said = catalogue(ctx.language).gettext("The row is added; the three people confirm it")
        return Done(f"/cases/{reference}/handover/custody", said)

    return submit(request, data, NewItem, work, lambda form: _items(request, reference, form))


@get_page("/my/{reference:str}/custody")
def confirm_page(request: Req, reference: str) -> Response[Any]:
    """The rows that name the reader."""
    return _confirm(request, reference, FilledForm())


@post_form("/my/{reference:str}/custody/{item_id:uuid}")
def confirm(request: Req, reference: str, item_id: uuid.UUID, data: FORM) -> Response[Any]:
    """The reader confirms a row that names them."""

    def work(ctx: Context, _form: Form) -> Done:
        case, _frame = party_page(ctx, reference)
        service.confirm_custody_item(ctx, _custody(ctx, case.id), item_id)
        return Done(f"/my/{reference}/custody", catalogue(ctx.language).gettext("You confirmed the row"))

    return submit(request, data, Form, work, lambda form: _confirm(request, reference, form))


def custody_values(ctx: Context, case: Case, rows: Sequence[Delivery], roles: frozenset[str]) -> dict[str, Any]:
    """What pages show of a case's custody handover, where it has one."""
    row = next((row for row in rows if row.kind == "custody"), None)
    view = queries.delivery_view(ctx, row) if row else None
    options = ctx.get(Workflow).options(ctx, row) if row else []
    mine = str(ctx.actor.person_id)
    people = [p for item in view.items for p in (item.handed_by, item.received_by, item.witness)] if view else []
    people += [given.person_id for option in options for given in option.given]
    return {
        "custody": view,
        "custody_options": options,
        "custody_mine": any(_waits_for(item, mine) for item in view.items) if view else False,
        "custody_names": person_names(ctx, people),
        "custody_document": newest_for(
            ctx, "attestations.issue", case.id, document="custody_handover", entity_id=row.id
        )
        if row
        else None,
        "may_record": bool(roles & _RECORDING),
    }


def _waits_for(item: queries.CustodyItemView, person: str) -> bool:
    return person in {item.handed_by, item.received_by, item.witness} and person not in item.confirmed_by


def _items(request: Req, reference: str, form: FilledForm) -> Response[Any]:
    def gather(ctx: Context) -> dict[str, Any]:
        case, frame = case_page(ctx, reference, "handover")
        people = queries.people_in(ctx, case.id)
        return {
            **frame,
            **custody_values(ctx, case, [_custody(ctx, case.id)], frame["my_roles"]),
            "kinds": [(kind, label(f"custody_{kind}").in_language(ctx.language)) for kind in service.CUSTODY_KINDS],
            "people": _choices(ctx, people),
            "now": ctx.now().astimezone(ZONE).strftime("%Y-%m-%dT%H:%M"),
            "states": ctx.get(Workflow).definition(ctx, case.id, Delivery.MACHINE).states,
        }

    return page(request, "delivery/custody_list.html", gather, form=form)


def _confirm(request: Req, reference: str, form: FilledForm) -> Response[Any]:
    def gather(ctx: Context) -> dict[str, Any]:
        case, frame = party_page(ctx, reference)
        values = custody_values(ctx, case, queries.deliveries_of(ctx, case.id), frame["my_roles"])
        mine, view = str(ctx.actor.person_id), values["custody"]
        rows = [i for i in view.items if mine in {i.handed_by, i.received_by, i.witness}] if view else []
        return {**frame, **values, "rows": rows, "mine": mine}

    return page(request, "delivery/custody.html", gather, form=form, strict=True)


def _blocked(request: Req, reference: str, form: FilledForm) -> Response[Any]:
    return page(request, "blocked.html", lambda _ctx: {"back": f"/cases/{reference}/handover"}, form=form)


def _choices(ctx: Context, people: dict[str, list[str]]) -> list[tuple[str, str]]:
    """People with what they are in the case, for a list to choose from."""
    names, between = person_names(ctx, people), catalogue(ctx.language).gettext(", ")
    return [
        (identifier, f"{names[identifier]} · {between.join(role_text(r).in_language(ctx.language) for r in roles)}")
        for identifier, roles in people.items()
    ]


def _custody(ctx: Context, case_id: uuid.UUID) -> Delivery:
    row = next((row for row in queries.deliveries_of(ctx, case_id) if row.kind == "custody"), None)
    if row is None:
        raise NotFoundError("this case has no custody handover")
    return row


ROUTES = [begin, items_page, add_item, confirm_page, confirm]

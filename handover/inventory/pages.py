"""Pages of record sets for the case's team: the table with its bulk bar, and one set with its fields and copies."""

import uuid
from typing import Annotated, Any

from litestar import Request, Response
from msgspec import Meta

from handover.cases.frame import case_page
from handover.cases.models import Case
from handover.cases.queries import roles_of
from handover.context import Context
from handover.errors import HandoverError
from handover.i18n.catalogue import catalogue
from handover.inventory import bulk, listing, queries, service
from handover.inventory.classification import classification_of
from handover.inventory.pages_party import ROUTES as PARTY_ROUTES
from handover.inventory.pages_record_set import ROUTES as RECORD_SET_ROUTES
from handover.inventory.pages_upload import ROUTES as UPLOAD_ROUTES
from handover.web.forms import Form, Line, Prose
from handover.web.html import FORM, Done, FilledForm, page, submit
from handover.web.html.routes import get_page, post_form
from handover.workflow import Workflow

Req = Request[Any, Any, Any]


class Bulk(Form):
    """Which sets, and what becomes of them; what is blank is kept."""

    chosen: Annotated[tuple[uuid.UUID, ...], Meta(max_length=500)] = ()
    period: Line | None = None
    system: Line | None = None
    source_statement: Prose | None = None
    need: str | None = None
    level: str | None = None
    trigger: str | None = None
    reason: Prose | None = None


@get_page("/cases/{reference:str}/records")
def records_page(request: Req, reference: str) -> Response[Any]:
    """Every record set of the case."""
    return _records(request, reference, FilledForm())


@post_form("/cases/{reference:str}/records")
def change_records(request: Req, reference: str, data: FORM) -> Response[Any]:
    """One change for many record sets, all or none; of a refusal the page names the set."""
    stopped: list[str] = []

    def work(ctx: Context, form: Bulk) -> Done:
        row, _frame = case_page(ctx, reference, "records")
        rows = [listing.record_set_in(ctx, row.id, str(chosen)) for chosen in form.chosen]
        wanted = bulk.Changes(
            period=form.period,
            system=form.system,
            source_statement=form.source_statement,
            need=form.need,
            level=form.level,
            trigger=form.trigger,
            reason=form.reason,
        )
        try:
            bulk.change_many(ctx, rows, wanted)
        except HandoverError as error:
            stopped.append(str(error.details.get("record_set", "")))
            raise
        words = catalogue(ctx.language)
        said = words.ngettext("%(count)s record set is changed", "%(count)s record sets are changed", len(rows))
        return Done(f"/cases/{reference}/records", said % {"count": len(rows)})

    def again(form: FilledForm) -> Response[Any]:
        form.summary = ": ".join(filter(None, [*stopped, form.summary]))
        return _records(request, reference, form)

    return submit(request, data, Bulk, work, again)


@get_page("/cases/{reference:str}/records/classification")
def classification_page(request: Req, reference: str) -> Response[Any]:
    """Every field of the case by level, and those without purpose."""

    def gather(ctx: Context) -> dict[str, Any]:
        case, frame = case_page(ctx, reference, "records")
        queries.inside(ctx, case.id)
        return {**frame, "classified": classification_of(ctx, case.id)}

    return page(request, "inventory/classification.html", gather)


def _records(request: Req, reference: str, form: FilledForm) -> Response[Any]:
    def gather(ctx: Context) -> dict[str, Any]:
        row, frame = case_page(ctx, reference, "records")
        queries.inside(ctx, row.id)
        states = ctx.get(Workflow).definition(ctx, row.id, "record_set").states
        sets = queries.record_sets_of(ctx, row.id)
        return {
            **frame,
            "sets": [
                {
                    "view": queries.record_set_view(ctx, s, with_fields=False),
                    "state": states[s.state].label,
                    "undecided": listing.undecided(ctx, s.id) if s.state == "classified" else 0,
                }
                for s in sets
            ],
            "jobs": listing.inspections_of(ctx, row.id),
            "needs": service.NEEDS,
            "levels": service.LEVELS,
            "moves": [(t.trigger, t.label.in_language(ctx.language)) for t in _bulk_moves(ctx, row)],
            "bulk_roles": frozenset({"custodian", "legal", "consultant", "lead_consultant", "seller_admin"}),
        }

    return page(request, "inventory/records.html", gather, form=form)


def _bulk_moves(ctx: Context, row: Case) -> list[Any]:
    """The transitions that the reader's roles allow, of those that may be fired for many."""
    mine = {held.role for held in roles_of(ctx, row.id)}
    found = {}
    for transition in ctx.get(Workflow).definition(ctx, row.id, "record_set").transitions:
        if transition.trigger in bulk.TRIGGERS and mine & transition.allowed_roles:
            found[transition.trigger] = transition
    return list(found.values())


ROUTES = [records_page, change_records, classification_page, *RECORD_SET_ROUTES, *UPLOAD_ROUTES, *PARTY_ROUTES]

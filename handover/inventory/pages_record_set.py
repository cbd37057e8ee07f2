"""The page of one record set: facts, what was found in each field and what people decided, copies, transitions."""

import uuid
from typing import Any

import msgspec
from litestar import Request, Response

from handover.accounts.queries import person_name
from handover.cases.frame import case_page
from handover.cases.queries import parties, party_name
from handover.context import Context
from handover.errors import InvalidInputError
from handover.i18n.catalogue import catalogue
from handover.inventory import listing, queries, service
from handover.inventory.models import RecordSet
from handover.web.forms import Form, Line, Prose
from handover.web.html import FORM, Done, Fields, FilledForm, page, submit
from handover.web.html.routes import get_page, post_form
from handover.workflow import Workflow

Req = Request[Any, Any, Any]
#: As long as a reason may be anywhere.
_REASON_MAX = 4000
_BASE = "/cases/{reference:str}/records/{name:str}"


class Facts(Form):
    """What people say of a record set."""

    title: Line
    source_statement: Prose
    period: Line = "-"
    system: Line = "-"
    subject_field: Line | None = None


@get_page(_BASE)
def record_set_page(request: Req, reference: str, name: str) -> Response[Any]:
    """One record set, by its number or id."""
    return _page(request, reference, name, FilledForm())


@post_form(_BASE + "/fields")
def decide(request: Req, reference: str, name: str, data: FORM) -> Response[Any]:
    """Decides need and level of the fields of which something was chosen."""

    def work(ctx: Context, _form: Form) -> Done:
        row = _record_set(ctx, reference, name)
        decisions = _decisions(ctx, row, data)
        service.decide_fields(ctx, row, decisions)
        words = catalogue(ctx.language)
        said = words.ngettext("%(count)s field is decided", "%(count)s fields are decided", len(decisions))
        return Done(f"/cases/{reference}/records/{row.number}", said % {"count": len(decisions)})

    return submit(request, data, Form, work, lambda form: _page(request, reference, name, form))


@get_page(_BASE + "/facts")
def facts_form(request: Req, reference: str, name: str) -> Response[Any]:
    """The form that corrects the description."""
    return _facts(request, reference, name, FilledForm())


@post_form(_BASE + "/facts")
def change_facts(request: Req, reference: str, name: str, data: FORM) -> Response[Any]:
    """Corrects the description."""

    def work(ctx: Context, form: Facts) -> Done:
        row = _record_set(ctx, reference, name)
        service.change_facts(ctx, row, msgspec.structs.asdict(form))
        said = catalogue(ctx.language).gettext("The description is changed")
        return Done(f"/cases/{reference}/records/{row.number}", said)

    return submit(request, data, Facts, work, lambda form: _facts(request, reference, name, form))


def _page(request: Req, reference: str, name: str, form: FilledForm) -> Response[Any]:
    def gather(ctx: Context) -> dict[str, Any]:
        case, frame = case_page(ctx, reference, "records")
        row = listing.record_set_in(ctx, case.id, name)
        workflow = ctx.get(Workflow)
        report = queries.report_of(ctx, row)
        return {
            **frame,
            "view": queries.record_set_view(ctx, row),
            "limits": report.limits if report else [],
            "state": workflow.definition(ctx, case.id, row.MACHINE).states[row.state].label,
            "options": workflow.options(ctx, row),
            "copies": [queries.copy_view(c) for c in listing.copies_of_set(ctx, row.id)],
            "names": {str(p.id): party_name(ctx, p) or p.side for p in parties(ctx, case.id)},
            "owner": str(row.owner_party_id),
            "reviewed_by": person_name(ctx, row.reviewed_by) if row.reviewed_by else None,
            "approved_by": person_name(ctx, row.approved_by) if row.approved_by else None,
            "approved_at": row.approved_at,
            "jobs": listing.inspections_of(ctx, case.id, row.id),
            "needs": service.NEEDS,
            "levels": service.LEVELS,
        }

    return page(request, "inventory/record_set.html", gather, form=form)


def _facts(request: Req, reference: str, name: str, form: FilledForm) -> Response[Any]:
    def gather(ctx: Context) -> dict[str, Any]:
        case, frame = case_page(ctx, reference, "records")
        view = queries.record_set_view(ctx, listing.record_set_in(ctx, case.id, name))
        return {**frame, "view": view, "names": [(field.name, field.name) for field in view.fields]}

    return page(request, "inventory/facts.html", gather, form=form)


def _record_set(ctx: Context, reference: str, name: str) -> RecordSet:
    case, _frame = case_page(ctx, reference, "records")
    return listing.record_set_in(ctx, case.id, name)


def _decisions(ctx: Context, row: RecordSet, data: Fields) -> list[service.FieldDecision]:
    """One for every field of which something was changed.

    Raises:
        InvalidInputError: nothing was, or a reason is too long.
    """
    found = [
        decision for f in queries.fields_of(ctx, row.id) if (decision := _decision(queries.field_view(ctx, f), data))
    ]
    if not found:
        raise InvalidInputError("nothing was chosen: every field was left as it is", field="fields")
    return found


def _decision(field: queries.FieldView, data: Fields) -> service.FieldDecision | None:
    typed = {what: str(data.get(f"{what}-{field.position}", "")).strip() for what in ("need", "level", "reason")}
    before = {"need": field.need, "level": field.level, "reason": field.reason}
    changed = {what: value for what, value in typed.items() if value and value != before[what]}
    if len(changed.get("reason", "")) > _REASON_MAX:
        raise InvalidInputError("this text is too long: at most 4000 characters", field=f"reason-{field.position}")
    return service.FieldDecision(id=uuid.UUID(field.id), **changed) if changed else None


ROUTES = [record_set_page, decide, facts_form, change_facts]

"""Pages of what two persons decide beside the rules: gates set aside, and orders to keep."""

import datetime as dt
import uuid
from typing import Annotated, Any

from litestar import Request, Response
from msgspec import Meta

from handover.accounts.queries import person_name
from handover.cases import overrides, queries
from handover.cases.frame import case_page
from handover.cases.models import Case
from handover.context import Context
from handover.documents.templates import label
from handover.i18n.catalogue import catalogue
from handover.web.forms import Form, Prose, Word
from handover.web.html import FORM, Done, FilledForm, page, submit
from handover.web.html.routes import get_page, post_form
from handover.workflow import Workflow

Req = Request[Any, Any, Any]


class NewOverride(Form):
    """Which gate is to be set aside for which row, and why."""

    gate: Annotated[str, Meta(pattern="^[A-Za-z0-9_-]{1,64}$")]
    reason: Prose
    machine: Word = Case.MACHINE
    entity_id: uuid.UUID | None = None


class NewHold(Form):
    """What is to be kept, why, and when to look at it again."""

    scope: Word
    reason: Prose
    review_on: dt.date
    scope_id: uuid.UUID | None = None


@get_page("/cases/{reference:str}/parties/safeguards")
def safeguards(request: Req, reference: str) -> Response[Any]:
    """Exceptions and legal holds of the case."""

    def gather(ctx: Context) -> dict[str, Any]:
        row, frame = case_page(ctx, reference, "parties")
        return {
            **frame,
            "overrides": [_override(ctx, o) for o in queries.overrides_of(ctx, row.id)],
            "holds": [_hold(ctx, h) for h in queries.holds_of(ctx, row.id)],
            "today": ctx.now().date(),
        }

    return page(request, "cases/safeguards.html", gather)


@get_page("/cases/{reference:str}/parties/override")
def override_form(request: Req, reference: str) -> Response[Any]:
    """The form that asks for an exception."""
    asked = {name: request.query_params.get(name, "") for name in ("gate", "machine", "entity_id")}
    return _override_form(request, reference, FilledForm(values=asked))


@post_form("/cases/{reference:str}/parties/override")
def request_override(request: Req, reference: str, data: FORM) -> Response[Any]:
    """Asks for an exception, for the case unless another row is named; another person confirms it."""

    def work(ctx: Context, form: NewOverride) -> Done:
        row, _frame = case_page(ctx, reference, "parties")
        overrides.request_override(
            ctx,
            row.id,
            machine=form.machine,
            entity_id=form.entity_id or row.id,
            gate=form.gate,
            reason=form.reason,
        )
        said = catalogue(ctx.language).gettext("The exception is asked for; another person confirms it")
        return Done(f"/cases/{reference}/parties/safeguards", said)

    return submit(request, data, NewOverride, work, lambda form: _override_form(request, reference, form))


@post_form("/cases/{reference:str}/parties/override/{override_id:uuid}")
def confirm_override(request: Req, reference: str, override_id: uuid.UUID, data: FORM) -> Response[Any]:
    """The second person confirms an exception."""
    back = f"/cases/{reference}/parties/safeguards"

    def work(ctx: Context, _form: Form) -> Done:
        case_page(ctx, reference, "parties")
        overrides.confirm_override(ctx, override_id)
        return Done(back, catalogue(ctx.language).gettext("The exception counts from now on"))

    return submit(
        request, data, Form, work, lambda form: page(request, "blocked.html", lambda _ctx: {"back": back}, form=form)
    )


@get_page("/cases/{reference:str}/parties/hold")
def hold_form(request: Req, reference: str) -> Response[Any]:
    """The form that proposes a legal hold."""
    asked = {name: request.query_params.get(name, "") for name in ("scope", "scope_id")}
    return _hold_form(request, reference, FilledForm(values={k: v for k, v in asked.items() if v}))


@post_form("/cases/{reference:str}/parties/hold")
def propose_hold(request: Req, reference: str, data: FORM) -> Response[Any]:
    """Proposes a legal hold; legal staff activate it."""

    def work(ctx: Context, form: NewHold) -> Done:
        row, _frame = case_page(ctx, reference, "parties")
        overrides.propose_hold(
            ctx, row.id, scope=form.scope, scope_id=form.scope_id, reason=form.reason, review_on=form.review_on
        )
        said = catalogue(ctx.language).gettext("The hold is proposed; legal staff activate it")
        return Done(f"/cases/{reference}/parties/safeguards", said)

    return submit(request, data, NewHold, work, lambda form: _hold_form(request, reference, form))


def _override_form(request: Req, reference: str, form: FilledForm) -> Response[Any]:
    def gather(ctx: Context) -> dict[str, Any]:
        row, frame = case_page(ctx, reference, "parties")
        machine = str(form.value("machine") or Case.MACHINE)
        return {**frame, "machine": machine, "gates": _overridable(ctx, row, machine)}

    return page(request, "cases/override.html", gather, form=form)


def _hold_form(request: Req, reference: str, form: FilledForm) -> Response[Any]:
    def gather(ctx: Context) -> dict[str, Any]:
        _row, frame = case_page(ctx, reference, "parties")
        return {**frame, "today": ctx.now().date()}

    return page(request, "cases/hold.html", gather, form=form)


def _override(ctx: Context, row: Any) -> dict[str, Any]:
    return {
        "view": queries.override_view(ctx, row),
        "gate": ctx.get(Workflow).gate(row.gate).code,
        "requested_by": person_name(ctx, row.requested_by),
        "confirmed_by": person_name(ctx, row.confirmed_by) if row.confirmed_by else None,
        "mine": row.requested_by == ctx.actor.person_id,
    }


def _hold(ctx: Context, row: Any) -> dict[str, Any]:
    workflow = ctx.get(Workflow)
    return {
        "view": queries.hold_view(ctx, row),
        "proposed_by": person_name(ctx, row.proposed_by),
        "state": workflow.definition(ctx, row.case_id, row.MACHINE).states[row.state].label,
        "options": workflow.options(ctx, row),
    }


def _overridable(ctx: Context, row: Case, machine: str) -> list[tuple[str, str]]:
    """The gates of a machine that two persons may set aside."""
    workflow = ctx.get(Workflow)
    if machine not in workflow.machines():
        return []
    named = {name for move in workflow.definition(ctx, row.id, machine).transitions for name in move.gates}
    found = [(name, workflow.gate(name)) for name in sorted(named)]
    return [(name, f"{gate.code} {label(name).in_language(ctx.language)}") for name, gate in found if gate.overridable]


ROUTES = [
    safeguards,
    override_form,
    request_override,
    confirm_override,
    hold_form,
    propose_hold,
]

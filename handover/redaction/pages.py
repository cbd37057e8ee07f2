"""Pages of redaction: runs of a case, one run with its plan, samples and review."""

import uuid
from typing import Any

from litestar import Request, Response
from litestar.params import Parameter

from handover.accounts.queries import person_name, person_names
from handover.cases.frame import case_page
from handover.cases.models import Case
from handover.cases.queries import parties, party, party_name
from handover.context import Context
from handover.i18n.catalogue import catalogue
from handover.jobs import newest_for, open_about
from handover.masking import SampledRecord
from handover.redaction import gates, pages_view, plans, queries, samples, service
from handover.redaction.api import Review
from handover.redaction.models import Redaction
from handover.settings import Settings
from handover.web.edge import writing
from handover.web.forms import Form
from handover.web.html import FORM, Done, FilledForm, page, submit
from handover.web.html.routes import get_page, post_form
from handover.workflow import Workflow

Req = Request[Any, Any, Any]
_STARTING = frozenset({"consultant", "lead_consultant"})
_REVIEWING = frozenset({"legal", "dpo", "custodian"})
_READING = _REVIEWING | {"lead_consultant"}
_WORKING = ("redaction.run", "redaction.part", "redaction.merge", "redaction.residual_check")
#: Triggers that take a run out of its way; they come after what leads on.
_BACKWARDS = ("send_back", "withdraw", "reject", "cancel")
_ISSUING = "attestations.issue"
#: Sampled records on a page.
_SHOWN = 10


class NewRun(Form):
    """For which bidder."""

    party_id: uuid.UUID


@get_page("/cases/{reference:str}/redaction")
def runs_page(request: Req, reference: str) -> Response[Any]:
    """The runs of a case, per bidder."""
    return _runs(request, reference, FilledForm())


@post_form("/cases/{reference:str}/redaction")
def start(request: Req, reference: str, data: FORM) -> Response[Any]:
    """Starts a run with a proposed plan."""

    def work(ctx: Context, form: NewRun) -> Done:
        case, _frame = case_page(ctx, reference, "redaction")
        row = service.propose(ctx, case.id, form.party_id)
        _ = catalogue(ctx.language).gettext
        return Done(_path(reference, row.id), _("The plan is proposed; look through it before the run starts"))

    return submit(request, data, NewRun, work, lambda form: _runs(request, reference, form))


@get_page("/cases/{reference:str}/redaction/{redaction_id:uuid}")
def run_page(
    request: Req,
    reference: str,
    redaction_id: uuid.UUID,
    sample_of: uuid.UUID | None = None,
    page: int = Parameter(default=1, ge=1, le=1000),
) -> Response[Any]:
    """One run; with `sample_of` records of it before and after, which is noted in the log."""
    shown: list[SampledRecord] = []
    if sample_of is not None:
        with writing(request) as ctx:
            shown = samples.read(ctx, _row(ctx, reference, redaction_id), sample_of, page * _SHOWN)
    more = len(shown) == page * _SHOWN
    shown = shown[(page - 1) * _SHOWN :]
    sampled = {"of": str(sample_of), "records": shown, "page": page, "more": more} if sample_of else None
    return _run(request, reference, redaction_id, FilledForm(), sampled)


@post_form("/cases/{reference:str}/redaction/{redaction_id:uuid}/plan")
def change_plan(request: Req, reference: str, redaction_id: uuid.UUID, data: FORM) -> Response[Any]:
    """Replaces the plan by what the form says."""

    def work(ctx: Context, _form: Form) -> Done:
        row = _row(ctx, reference, redaction_id)
        service.change_plan(ctx, row, plans.edited(ctx, row, data))
        return Done(_path(reference, row.id), catalogue(ctx.language).gettext("The plan is kept"))

    return submit(request, data, Form, work, lambda form: _run(request, reference, redaction_id, form))


@post_form("/cases/{reference:str}/redaction/{redaction_id:uuid}/review")
def review(request: Req, reference: str, redaction_id: uuid.UUID, data: FORM) -> Response[Any]:
    """Notes what a reviewer looked at."""

    def work(ctx: Context, form: Review) -> Done:
        row = _row(ctx, reference, redaction_id)
        service.review(ctx, row, form.record_set_id, sampled=form.sampled, errors=form.errors, note=form.note)
        return Done(_path(reference, row.id), catalogue(ctx.language).gettext("Your review is recorded"))

    return submit(request, data, Review, work, lambda form: _run(request, reference, redaction_id, form))


def _path(reference: str, redaction_id: uuid.UUID) -> str:
    return f"/cases/{reference}/redaction/{redaction_id}"


def _row(ctx: Context, reference: str, redaction_id: uuid.UUID) -> Redaction:
    case, _frame = case_page(ctx, reference, "redaction")
    return queries.redaction_of(ctx, case.id, redaction_id)


def _runs(request: Req, reference: str, form: FilledForm) -> Response[Any]:
    def gather(ctx: Context) -> dict[str, Any]:
        case, frame = case_page(ctx, reference, "redaction")
        rows = queries.redactions_of(ctx, case.id)
        runs = [queries.redaction_view(ctx, row) for row in reversed(rows)]
        bidders = [p for p in parties(ctx, case.id) if p.side == "buyer" and p.standing in {"active", "won"}]
        return {
            **frame,
            "runs": runs,
            "states": _states(ctx, case),
            "numbers": queries.set_numbers(ctx, case.id),
            "names": person_names(ctx, _people(runs)),
            "bidders": [(str(p.id), party_name(ctx, p) or "—") for p in bidders],
            "party_names": {str(p.id): party_name(ctx, p) or "—" for p in parties(ctx, case.id)},
            "jobs": {str(row.id): open_about(ctx, case.id, row.id, _WORKING) for row in rows},
            "may_start": bool(frame["my_roles"] & _STARTING),
        }

    return page(request, "redaction/runs.html", gather, form=form)


def _run(
    request: Req, reference: str, redaction_id: uuid.UUID, form: FilledForm, sampled: dict[str, Any] | None = None
) -> Response[Any]:
    def gather(ctx: Context) -> dict[str, Any]:
        case, frame = case_page(ctx, reference, "redaction")
        row = queries.redaction_of(ctx, case.id, redaction_id)
        run, roles = queries.redaction_view(ctx, row), frame["my_roles"]
        is_mine = row.created_by == ctx.actor.person_id
        return {
            **frame,
            "run": run,
            "state": _states(ctx, case)[row.state],
            "bidder": party_name(ctx, party(ctx, case.id, row.party_id)) or "—",
            "names": person_names(ctx, _people([run])),
            "numbers": queries.set_numbers(ctx, case.id),
            "notes": {
                of: [(person_name(ctx, person), text) for person, text in notes]
                for of, notes in queries.review_notes(ctx, row).items()
            },
            "wanted": {item.record_set_id: gates.sample_size(ctx, item.records_out) for item in run.items},
            "policy": ctx.get(Settings).policy,
            "planned": plans.planned_sets(ctx, row),
            "actions": plans.ACTIONS,
            "field_actions": plans.FIELD_ACTIONS,
            "kinds": plans.KINDS,
            "may_change": row.state in plans.CHANGEABLE and bool(roles & _STARTING),
            "may_look": bool(roles & _READING),
            "may_review": row.state == "human_review" and bool(roles & _REVIEWING) and not is_mine,
            "is_mine": is_mine,
            "sampled": sampled,
            "backwards": _BACKWARDS,
            "options": ctx.get(Workflow).options(ctx, row),
            "jobs": open_about(ctx, case.id, row.id, _WORKING),
            "report": newest_for(ctx, _ISSUING, case.id, document="redaction_report", entity_id=row.id),
            "here": _path(reference, row.id),
        }

    return page(request, "redaction/run.html", gather, form=form)


def _states(ctx: Context, case: Case) -> dict[str, Any]:
    return dict(ctx.get(Workflow).definition(ctx, case.id, Redaction.MACHINE).states)


def _people(runs: list[queries.RedactionView]) -> set[str]:
    return {p for run in runs for p in (run.created_by, run.reviewed_by, run.approved_by) if p}


ROUTES = [runs_page, start, run_page, change_plan, review, *pages_view.ROUTES]

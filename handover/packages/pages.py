"""Pages of packages: what is inside, how far the build is, and the release by two persons on one manifest."""

import uuid
from typing import Any

from litestar import Request, Response
from msgspec import UNSET, UnsetType

from handover.accounts.queries import person_names
from handover.cases.frame import case_page, party_page
from handover.context import Context
from handover.i18n.catalogue import catalogue
from handover.jobs import newest_for
from handover.packages import queries, service
from handover.packages.models import Package
from handover.recipients.queries import recipients_of
from handover.redaction.queries import redactions_of
from handover.web.forms import Form, Hex64, Prose, Word
from handover.web.html import FORM, Done, FilledForm, page, submit
from handover.web.html.routes import get_page, post_form
from handover.workflow import Option, Workflow

Req = Request[Any, Any, Any]
_DRAFTING = frozenset({"consultant", "lead_consultant"})


class NewPackage(Form):
    """For whom and what for."""

    purpose: Word
    recipient_id: uuid.UUID
    redaction_id: uuid.UUID | UnsetType = UNSET


class Approval(Form):
    """The manifest that was shown."""

    manifest_sha256: Hex64


class Refusal(Form):
    """Why it is not released."""

    reason: Prose


@get_page("/cases/{reference:str}/packages")
def packages_page(request: Req, reference: str) -> Response[Any]:
    """The packages of a case."""
    return _packages(request, reference, FilledForm())


@post_form("/cases/{reference:str}/packages")
def draft(request: Req, reference: str, data: FORM) -> Response[Any]:
    """Drafts a package."""

    def work(ctx: Context, form: NewPackage) -> Done:
        case, _frame = case_page(ctx, reference, "packages")
        redaction = None if isinstance(form.redaction_id, UnsetType) else form.redaction_id
        row = service.draft(ctx, case.id, form.purpose, form.recipient_id, redaction)
        return Done(
            f"/cases/{reference}/package/{row.number}", catalogue(ctx.language).gettext("The package is drafted")
        )

    return submit(request, data, NewPackage, work, lambda form: _packages(request, reference, form))


@get_page("/cases/{reference:str}/package/{number:str}")
def package_page(request: Req, reference: str, number: str) -> Response[Any]:
    """One package."""
    return _package(request, reference, number, FilledForm())


@post_form("/cases/{reference:str}/package/{number:str}/approve")
def approve_inside(request: Req, reference: str, number: str, data: FORM) -> Response[Any]:
    """Approves the manifest that was shown."""

    def work(ctx: Context, form: Approval) -> Done:
        case, _frame = case_page(ctx, reference, "packages")
        said = _approve(ctx, queries.package_by_number(ctx, case.id, number), form)
        return Done(f"/cases/{reference}/package/{number}", said)

    return submit(request, data, Approval, work, lambda form: _package(request, reference, number, form))


@get_page("/my/{reference:str}/approve")
def approve_page(request: Req, reference: str) -> Response[Any]:
    """What waits for the signatory's approval."""
    return _release(request, reference, FilledForm())


@post_form("/my/{reference:str}/approve/{number:str}")
def approve(request: Req, reference: str, number: str, data: FORM) -> Response[Any]:
    """The signatory approves the manifest that was shown."""

    def work(ctx: Context, form: Approval) -> Done:
        case, _frame = party_page(ctx, reference)
        said = _approve(ctx, queries.package_by_number(ctx, case.id, number), form)
        return Done(f"/my/{reference}/approve", said)

    return submit(request, data, Approval, work, lambda form: _release(request, reference, form))


@post_form("/my/{reference:str}/refuse/{number:str}")
def refuse(request: Req, reference: str, number: str, data: FORM) -> Response[Any]:
    """The signatory refuses; approvals given so far no longer count."""

    def work(ctx: Context, form: Refusal) -> Done:
        case, _frame = party_page(ctx, reference)
        ctx.get(Workflow).fire(ctx, queries.package_by_number(ctx, case.id, number), "refuse", reason=form.reason)
        said = catalogue(ctx.language).gettext("You refused the release; your consultant sees your reason")
        return Done(f"/my/{reference}/approve", said)

    return submit(request, data, Refusal, work, lambda form: _release(request, reference, form))


def _approve(ctx: Context, row: Package, form: Approval) -> str:
    fired = service.approve_release(ctx, row, form.manifest_sha256)
    _ = catalogue(ctx.language).gettext
    if fired.pending:
        return _("Your approval is recorded; a second person's is awaited")
    return _("Two persons approved; the package can be released")


def _packages(request: Req, reference: str, form: FilledForm) -> Response[Any]:
    def gather(ctx: Context) -> dict[str, Any]:
        case, frame = case_page(ctx, reference, "packages")
        may_draft = bool(frame["my_roles"] & _DRAFTING)
        recipients = recipients_of(ctx, case.id)
        return {
            **frame,
            "packages": [queries.package_view(row) for row in queries.packages_of(ctx, case.id)],
            "recipients": {str(r.id): str(r.person_id) for r in recipients},
            "names": person_names(ctx, [str(r.person_id) for r in recipients]),
            "building": queries.open_builds(ctx, case.id),
            "states": _states(ctx, case.id),
            "may_draft": may_draft,
            "choices": queries.recipient_choices(ctx, case.id) if may_draft else [],
            "redactions": _redactions(ctx, case.id) if may_draft else [],
            "purposes": service.PURPOSES if case.structure != "equity_transfer" else ("due_diligence", "return"),
        }

    return page(request, "packages/packages.html", gather, form=form)


def _package(request: Req, reference: str, number: str, form: FilledForm) -> Response[Any]:
    def gather(ctx: Context) -> dict[str, Any]:
        case, frame = case_page(ctx, reference, "packages")
        row = queries.package_by_number(ctx, case.id, number)
        options = ctx.get(Workflow).options(ctx, row)
        return {
            **frame,
            **_facts(ctx, row, options),
            "contents": queries.contents(ctx, row),
            "options": options,
            "build": newest_for(ctx, "packages.build", case.id, entity_id=row.id) if row.state != "draft" else None,
            "attestation": newest_for(
                ctx, "attestations.issue", case.id, document="package_attestation", entity_id=row.id
            ),
            "states": _states(ctx, case.id),
        }

    return page(request, "packages/package.html", gather, form=form, strict=True)


def _release(request: Req, reference: str, form: FilledForm) -> Response[Any]:
    def gather(ctx: Context) -> dict[str, Any]:
        case, frame = party_page(ctx, reference)
        waiting = [row for row in queries.packages_of(ctx, case.id) if row.state == "release_requested"]
        shown = []
        for row in waiting:
            options = ctx.get(Workflow).options(ctx, row)
            approve = next(option for option in options if option.trigger == "approve")
            if approve.allowed:
                mine = any(given.person_id == str(ctx.actor.person_id) for given in approve.given)
                shown.append({**_facts(ctx, row, options), "approve": approve, "mine": mine})
        return {**frame, "waiting": shown}

    return page(request, "packages/approve.html", gather, form=form, strict=True)


def _facts(ctx: Context, row: Package, options: list[Option]) -> dict[str, Any]:
    return {
        "package": queries.package_view(row),
        "to": queries.addressee(ctx, row),
        "names": person_names(ctx, [given.person_id for option in options for given in option.given]),
    }


def _redactions(ctx: Context, case_id: uuid.UUID) -> list[tuple[str, str]]:
    """Approved runs, each with the bidder it was made for."""
    return [
        (str(run.id), queries.party_label(ctx, case_id, run.party_id))
        for run in redactions_of(ctx, case_id)
        if run.state == "approved"
    ]


def _states(ctx: Context, case_id: uuid.UUID) -> dict[str, Any]:
    return dict(ctx.get(Workflow).definition(ctx, case_id, Package.MACHINE).states)


ROUTES = [packages_page, draft, package_page, approve_inside, approve_page, approve, refuse]

"""Pages of compliance: legal bases, notices, the ledger in numbers, withdrawals, declarations. No customer's value on any."""

import uuid
from typing import Annotated, Any

from litestar import Request, Response
from msgspec import Meta

from handover.accounts.queries import person_names
from handover.cases.frame import case_page
from handover.cases.queries import parties, party_name
from handover.compliance import pages_declare, pages_import, queries, service
from handover.compliance.api import Basis
from handover.compliance.bases import ADMITTED, DEFAULT_BASIS
from handover.compliance.bases import ROUTES as BASES
from handover.context import Context
from handover.documents.templates import label
from handover.errors import NotFoundError
from handover.i18n.catalogue import catalogue
from handover.inventory.models import RecordSet
from handover.inventory.queries import record_sets_of, visible_record_set
from handover.settings import Settings
from handover.web.forms import Form, Line, Prose, Word
from handover.web.html import FORM, Done, FilledForm, page, submit
from handover.web.html.routes import get_page, post_form

Req = Request[Any, Any, Any]
_NOTIFYING = frozenset({"legal", "dpo"})
_IMPORTING = _NOTIFYING | {"consultant", "lead_consultant"}


class NewNotice(Form):
    """What customers are told, and how long they have."""

    basis: Word
    recipient_party_id: uuid.UUID
    zh: Prose
    en: Prose
    period_days: Annotated[int, Meta(ge=0, le=365)] | None = None


class Withdrawal(Form):
    """One customer, by the reference that the seller's files use."""

    subject_ref: Line
    restrict: bool = False


@get_page("/cases/{reference:str}/consent")
def consent_page(request: Req, reference: str) -> Response[Any]:
    """Everything about why records may move and who agreed."""

    def gather(ctx: Context) -> dict[str, Any]:
        case, frame = case_page(ctx, reference, "consent")
        bases = {str(row.record_set_id): queries.basis_view(row) for row in queries.bases_of(ctx, case.id)}
        buyers = [p for p in parties(ctx, case.id) if p.side == "buyer"]
        return {
            **frame,
            "sets": record_sets_of(ctx, case.id),
            "bases": bases,
            "names": person_names(ctx, {b.approved_by for b in bases.values()}),
            "route": queries.route_of(ctx, case.id),
            "default_basis": DEFAULT_BASIS[case.structure],
            "notices": [queries.notice_page_view(ctx, row) for row in queries.notices_of(ctx, case.id)],
            "party_names": {str(p.id): party_name(ctx, p) or "—" for p in buyers},
            "out": [str(p.id) for p in buyers if p.standing in {"lost", "withdrawn"}],
            "ledger": queries.ledger_view(ctx, case.id),
            "declarations": [
                (queries.declaration_view(row), queries.declaration_details(ctx, row))
                for row in queries.declarations_of(ctx, case.id)
            ],
            "may_set_basis": "legal" in frame["my_roles"],
            "may_notify": bool(frame["my_roles"] & _NOTIFYING),
            "may_import": bool(frame["my_roles"] & _IMPORTING),
            "may_complete": "dpo" in frame["my_roles"],
            "now": ctx.now(),
        }

    return page(request, "compliance/consent.html", gather)


@get_page("/cases/{reference:str}/consent/basis/{record_set_id:uuid}")
def basis_page(request: Req, reference: str, record_set_id: uuid.UUID) -> Response[Any]:
    """The legal basis of one record set."""
    return _basis(request, reference, record_set_id, FilledForm())


@post_form("/cases/{reference:str}/consent/basis/{record_set_id:uuid}")
def set_basis(request: Req, reference: str, record_set_id: uuid.UUID, data: FORM) -> Response[Any]:
    """Legal sets the basis."""

    def work(ctx: Context, form: Basis) -> Done:
        row = _record_set(ctx, reference, record_set_id)
        service.set_basis(
            ctx,
            row,
            basis=form.basis,
            pipl13=form.pipl13,
            purpose=form.purpose,
            purpose_unchanged=form.purpose_unchanged,
            retention_until=form.retention_until,
            opinion=form.opinion,
        )
        said = catalogue(ctx.language).gettext("The legal basis of %s is set")
        return Done(f"/cases/{reference}/consent", said % row.number)

    return submit(request, data, Basis, work, lambda form: _basis(request, reference, record_set_id, form))


@get_page("/cases/{reference:str}/consent/notice")
def notice_page(request: Req, reference: str) -> Response[Any]:
    """A notice in the seller's name."""
    return _notice(request, reference, FilledForm())


@post_form("/cases/{reference:str}/consent/notice")
def start_notice(request: Req, reference: str, data: FORM) -> Response[Any]:
    """Approves a notice and starts its period."""

    def work(ctx: Context, form: NewNotice) -> Done:
        case, _frame = case_page(ctx, reference, "consent")
        service.start_notice(
            ctx,
            case.id,
            basis=form.basis,
            recipient_party_id=form.recipient_party_id,
            zh=form.zh,
            en=form.en,
            period_days=form.period_days,
        )
        said = catalogue(ctx.language).gettext("The notice is approved and its period runs")
        return Done(f"/cases/{reference}/consent", said)

    return submit(request, data, NewNotice, work, lambda form: _notice(request, reference, form))


@post_form("/cases/{reference:str}/consent/notice/{notice_id:uuid}/complete")
def complete_notice(request: Req, reference: str, notice_id: uuid.UUID, data: FORM) -> Response[Any]:
    """The DPO completes a notice whose period is over."""

    def work(ctx: Context, _form: Form) -> Done:
        case, _frame = case_page(ctx, reference, "consent")
        row = queries.visible_notice(ctx, notice_id)
        if row.case_id != case.id:
            raise NotFoundError("there is no such notice")
        service.complete_notice(ctx, row)
        return Done(f"/cases/{reference}/consent", catalogue(ctx.language).gettext("The notice is completed"))

    return submit(request, data, Form, work, lambda form: _blocked(request, reference, form))


@get_page("/cases/{reference:str}/consent/withdrawal")
def withdrawal_page(request: Req, reference: str) -> Response[Any]:
    """For one customer who takes consent back."""
    return _withdrawal(request, reference, FilledForm())


@post_form("/cases/{reference:str}/consent/withdrawal")
def withdraw(request: Req, reference: str, data: FORM) -> Response[Any]:
    """Notes it: no package may carry this customer from now on."""

    def work(ctx: Context, form: Withdrawal) -> Done:
        case, _frame = case_page(ctx, reference, "consent")
        service.withdraw(ctx, case.id, form.subject_ref, restrict=form.restrict)
        said = catalogue(ctx.language).gettext(
            "Recorded. Packages built before are checked now and go stale if need be."
        )
        return Done(f"/cases/{reference}/consent", said)

    return submit(request, data, Withdrawal, work, lambda form: _withdrawal(request, reference, form))


def _record_set(ctx: Context, reference: str, record_set_id: uuid.UUID) -> RecordSet:
    case, _frame = case_page(ctx, reference, "consent")
    row = visible_record_set(ctx, record_set_id)
    if row.case_id != case.id:
        raise NotFoundError("there is no such record set")
    return row


def _named(ctx: Context, basis: str, admitted: bool = True) -> str:
    name = label(basis).in_language(ctx.language)
    return name if admitted else catalogue(ctx.language).gettext("%s (takes a legal opinion)") % name


def _basis(request: Req, reference: str, record_set_id: uuid.UUID, form: FilledForm) -> Response[Any]:
    def gather(ctx: Context) -> dict[str, Any]:
        case, frame = case_page(ctx, reference, "consent")
        row = _record_set(ctx, reference, record_set_id)
        given = queries.basis_of(ctx, row.id)
        return {
            **frame,
            "set": row,
            "basis": queries.basis_view(given) if given else None,
            "texts": queries.basis_texts(ctx, given) if given else None,
            "bases": [(name, _named(ctx, name, name in ADMITTED[case.structure])) for name in BASES],
            "default_basis": DEFAULT_BASIS[case.structure],
            "may_set_basis": "legal" in frame["my_roles"],
        }

    return page(request, "compliance/basis.html", gather, form=form)


def _notice(request: Req, reference: str, form: FilledForm) -> Response[Any]:
    def gather(ctx: Context) -> dict[str, Any]:
        case, frame = case_page(ctx, reference, "consent")
        buyers = [p for p in parties(ctx, case.id) if p.side == "buyer" and p.standing in {"active", "won"}]
        used = {row.basis for row in queries.bases_of(ctx, case.id)} or {DEFAULT_BASIS[case.structure]}
        return {
            **frame,
            "bases": [(name, _named(ctx, name)) for name in sorted(used)],
            "buyers": [(str(p.id), party_name(ctx, p) or "—") for p in buyers],
            "period_days": ctx.get(Settings).policy.notice_period_days,
            "may_notify": bool(frame["my_roles"] & _NOTIFYING),
        }

    return page(request, "compliance/notice.html", gather, form=form)


def _withdrawal(request: Req, reference: str, form: FilledForm) -> Response[Any]:
    def gather(ctx: Context) -> dict[str, Any]:
        _case, frame = case_page(ctx, reference, "consent")
        return {**frame, "may_import": bool(frame["my_roles"] & _IMPORTING)}

    return page(request, "compliance/withdrawal.html", gather, form=form)


def _blocked(request: Req, reference: str, form: FilledForm) -> Response[Any]:
    return page(request, "blocked.html", lambda _ctx: {"back": f"/cases/{reference}/consent"}, form=form)


ROUTES = [
    consent_page,
    basis_page,
    set_basis,
    notice_page,
    start_notice,
    complete_notice,
    withdrawal_page,
    withdraw,
    *pages_import.ROUTES,
    *pages_declare.ROUTES,
]

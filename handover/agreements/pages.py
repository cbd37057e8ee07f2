"""Pages of a case's agreements, for those who draft, review and send them; signers have theirs next door."""

import uuid
from itertools import groupby
from typing import Any

from litestar import Request, Response

from handover.agreements import queries
from handover.agreements.models import Agreement
from handover.agreements.pages_draft import ROUTES as DRAFT_ROUTES
from handover.agreements.pages_paper import ROUTES as PAPER_ROUTES
from handover.agreements.pages_sign import ROUTES as SIGN_ROUTES
from handover.agreements.texts import KINDS
from handover.cases.frame import case_page
from handover.cases.queries import parties, party_name
from handover.context import Context
from handover.web.html import page
from handover.web.html.routes import get_page
from handover.workflow import Workflow

Req = Request[Any, Any, Any]


@get_page("/cases/{reference:str}/nda")
def agreements_page(request: Req, reference: str) -> Response[Any]:
    """Every agreement of the case by kind: its state, and who signed with which level."""

    def gather(ctx: Context) -> dict[str, Any]:
        row, frame = case_page(ctx, reference, "nda")
        found = sorted(queries.agreements_of(ctx, row.id), key=lambda a: KINDS.index(a.kind))
        issued = queries.documents_of(ctx, row.id)
        shown = [
            (kind, [_listed(ctx, a, issued) for a in group]) for kind, group in groupby(found, key=lambda a: a.kind)
        ]
        missing = [kind for kind in KINDS if kind not in {a.kind for a in found}]
        waiting = queries.waiting_for(ctx, row.id)
        return {**frame, "agreements": shown, "missing": missing, "waiting": len(waiting), **named(ctx, row.id)}

    return page(request, "agreements/list.html", gather)


@get_page("/cases/{reference:str}/nda/{agreement_id:uuid}")
def agreement_page(request: Req, reference: str, agreement_id: uuid.UUID) -> Response[Any]:
    """One agreement: its text in both languages, its signers, and what may be done with it."""

    def gather(ctx: Context) -> dict[str, Any]:
        row, frame = case_page(ctx, reference, "nda")
        found = queries.agreement_of(ctx, row.id, agreement_id)
        return {
            **frame,
            **_listed(ctx, found, queries.documents_of(ctx, row.id)),
            **named(ctx, row.id),
            "options": ctx.get(Workflow).options(ctx, found),
            "may_sign": any(s.agreement_id == found.id for s in queries.waiting_for(ctx, row.id)),
        }

    return page(request, "agreements/agreement.html", gather)


def named(ctx: Context, case_id: uuid.UUID) -> dict[str, Any]:
    """Names of the parties by id."""
    return {"names": {str(p.id): party_name(ctx, p) or p.side for p in parties(ctx, case_id)}}


def _listed(ctx: Context, row: Agreement, issued: dict[str, str]) -> dict[str, Any]:
    states = ctx.get(Workflow).definition(ctx, row.case_id, row.MACHINE).states
    return {
        "view": queries.agreement_view(ctx, row),
        "state": states[row.state].label,
        "document": issued.get(str(row.id)),
    }


ROUTES = [agreements_page, agreement_page, *DRAFT_ROUTES, *PAPER_ROUTES, *SIGN_ROUTES]

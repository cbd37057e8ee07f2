"""The page of a bidder who did not win: what became of the copies it was given."""

from typing import Any

from litestar import Request, Response

from handover.cases.frame import party_page
from handover.cases.queries import bidder_party
from handover.compliance import queries, service
from handover.compliance.api import Declared
from handover.compliance.models import ReturnDeclaration
from handover.context import Context
from handover.errors import NotFoundError
from handover.i18n.catalogue import catalogue
from handover.web.html import FORM, Done, FilledForm, page, submit
from handover.web.html.routes import get_page, post_form

Req = Request[Any, Any, Any]
_DECLARING = frozenset({"buyer_signatory", "buyer_admin"})


@get_page("/my/{reference:str}/declare")
def declare_page(request: Req, reference: str) -> Response[Any]:
    """The declaration of the reader's party, asked for or made."""
    return _page(request, reference, FilledForm())


@post_form("/my/{reference:str}/declare")
def declare(request: Req, reference: str, data: FORM) -> Response[Any]:
    """The signatory declares."""

    def work(ctx: Context, form: Declared) -> Done:
        case, _frame = party_page(ctx, reference)
        row = _own(ctx, case.id)
        if row is None:
            raise NotFoundError("there is no such declaration")
        service.declare(ctx, row, kind=form.kind, copies=form.copies, details=form.details)
        return Done(f"/my/{reference}/declare", catalogue(ctx.language).gettext("Your declaration is recorded"))

    return submit(request, data, Declared, work, lambda form: _page(request, reference, form))


def _own(ctx: Context, case_id: Any) -> ReturnDeclaration | None:
    """What the reader's party was asked.

    Raises:
        NotFoundError: the reader takes part in another way than for a bidder.
    """
    party_id = bidder_party(ctx, case_id)
    if party_id is None:
        raise NotFoundError("there is no such case")
    return next((row for row in queries.declarations_of(ctx, case_id) if row.party_id == party_id), None)


def _page(request: Req, reference: str, form: FilledForm) -> Response[Any]:
    def gather(ctx: Context) -> dict[str, Any]:
        case, frame = party_page(ctx, reference)
        row = _own(ctx, case.id)
        return {
            **frame,
            "declaration": queries.declaration_view(row) if row else None,
            "may_declare": bool(frame["my_roles"] & _DECLARING),
        }

    return page(request, "compliance/declare.html", gather, form=form)


ROUTES = [declare_page, declare]

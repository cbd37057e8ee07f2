"""Pages of a signer: read the text, sign it or decline, and see what happens next. They work without JavaScript."""

import uuid
from typing import Annotated, Any

from anyio import to_thread
from litestar import Request, Response, post
from msgspec import Meta

from handover.accounts.queries import person_name
from handover.accounts.service import require_recent_second_factor
from handover.agreements import queries, service
from handover.agreements.models import Agreement, Signer
from handover.agreements.pages_paper import MAX_FORM
from handover.cases.frame import party_page
from handover.cases.queries import members_of, parties, party_name, party_view
from handover.context import Context
from handover.errors import HandoverError
from handover.i18n.catalogue import catalogue
from handover.web.forms import Form, Hex64, Line
from handover.web.html import FORM, Done, FilledForm, page, submit
from handover.web.html.parts import read_form
from handover.web.html.routes import get_page, post_form
from handover.workflow import Workflow

Req = Request[Any, Any, Any]


class Signature(Form):
    """The text that was shown, the typed name, and the wish to sign."""

    agreement: uuid.UUID
    text_sha256: Hex64
    typed_name: Line
    intent: bool
    mandate_id: uuid.UUID | None = None


class Mandate(Form):
    """The paper that lets a person sign for a company, and the agreement to go on with."""

    agreement: uuid.UUID
    mandate: Annotated[bytes, Meta(max_length=service.MAX_SCAN_BYTES)]


@get_page(["/my/{reference:str}/nda", "/my/{reference:str}/sign"])
def sign_page(request: Req, reference: str) -> Response[Any]:
    """The first agreement that waits for the reader, or the one that is asked for."""
    return _sign(request, reference, request.query_params.get("agreement"), FilledForm())


@post_form("/my/{reference:str}/sign")
def sign(request: Req, reference: str, data: FORM) -> Response[Any]:
    """Signs exactly the text that was shown."""

    def work(ctx: Context, form: Signature) -> Done:
        row, _frame = party_page(ctx, reference)
        found = queries.agreement_of(ctx, row.id, form.agreement)
        service.sign(
            ctx,
            found,
            text_sha256=form.text_sha256,
            typed_name=form.typed_name,
            intent=form.intent,
            mandate_id=form.mandate_id,
        )
        return Done(f"/my/{reference}/signed?agreement={found.id}")

    return submit(
        request, data, Signature, work, lambda form: _sign(request, reference, str(data.get("agreement", "")), form)
    )


@post("/my/{reference:str}/mandate", include_in_schema=False, request_max_body_size=MAX_FORM, status_code=200)
async def keep_mandate(request: Req, reference: str) -> Response[Any]:
    """Keeps a mandate as sealed evidence, and goes on with signing."""
    data = await read_form(request, service.MAX_SCAN_BYTES)

    def work(ctx: Context, form: Mandate) -> Done:
        row, _frame = party_page(ctx, reference)
        found = queries.agreement_of(ctx, row.id, form.agreement)
        service.keep_scan(ctx, row.id, "mandate", form.mandate)
        said = catalogue(ctx.language).gettext("Your mandate is kept; you can sign now")
        return Done(f"/my/{reference}/nda?agreement={found.id}#sign", said)

    def again(form: FilledForm) -> Response[Any]:
        return _sign(request, reference, str(data.get("agreement", "")), form)

    return await to_thread.run_sync(lambda: submit(request, data, Mandate, work, again))


@get_page("/my/{reference:str}/signed")
def signed_page(request: Req, reference: str) -> Response[Any]:
    """What the reader signed, the document once it is issued, and what happens next."""

    def gather(ctx: Context) -> dict[str, Any]:
        row, frame = party_page(ctx, reference)
        mine = [a for a in queries.agreements_of(ctx, row.id) if _mine(ctx, a) is not None]
        asked = request.query_params.get("agreement")
        chosen = next((a for a in mine if str(a.id) == asked), None)
        issued = queries.documents_of(ctx, row.id)
        shown = [_state(ctx, a, issued) for a in mine if (a is chosen if chosen else _mine(ctx, a).state == "signed")]  # type: ignore[union-attr]
        return {
            **frame,
            "signed": shown,
            "waiting": [str(s.agreement_id) for s in queries.waiting_for(ctx, row.id)],
            "contact": contact(ctx, row.id),
        }

    return page(request, "agreements/signed.html", gather)


def _sign(request: Req, reference: str, asked: str | None, form: FilledForm) -> Response[Any]:
    def gather(ctx: Context) -> dict[str, Any]:
        row, frame = party_page(ctx, reference)
        mine = [a for a in queries.agreements_of(ctx, row.id) if _mine(ctx, a) is not None]
        waiting = {s.agreement_id for s in queries.waiting_for(ctx, row.id)}
        found = next((a for a in mine if (str(a.id) == asked if asked else a.id in waiting)), None)
        issued = queries.documents_of(ctx, row.id)
        if found is None:
            others = [_state(ctx, a, issued) for a in mine]
            return {**frame, "found": None, "mine": others, "contact": contact(ctx, row.id)}
        changed = form.value("text_sha256") not in ("", found.text_sha256)
        if changed:
            form.values.pop("intent", None)  # what was wished for was another text
        mandate = queries.newest_mandate(ctx, row.id)
        declining = [o for o in ctx.get(Workflow).options(ctx, found) if o.trigger == "decline" and o.allowed]
        return {
            **frame,
            **_state(ctx, found, issued),
            "found": found,
            "waits": found.id in waiting,
            "others": [str(i) for i in waiting if i != found.id],
            "my_name": person_name(ctx, ctx.person()),
            "asks_code": not _recent(ctx),
            "mandate": mandate,
            "text_changed": changed,
            "declining": declining[0] if declining else None,
            "contact": contact(ctx, row.id),
        }

    return page(request, "agreements/sign.html", gather, form=form)


def _state(ctx: Context, row: Agreement, issued: dict[str, str]) -> dict[str, Any]:
    states = ctx.get(Workflow).definition(ctx, row.case_id, row.MACHINE).states
    names = {str(p.id): party_name(ctx, p) or p.side for p in parties(ctx, row.case_id)}
    signer = _mine(ctx, row)
    return {
        "view": queries.agreement_view(ctx, row),
        "state": states[row.state].label,
        "names": names,
        "signer": signer,
        "company": names.get(str(signer.party_id)) if signer and signer.capacity == "company" else None,
        "document": issued.get(str(row.id)),
    }


def _mine(ctx: Context, row: Agreement) -> Signer | None:
    return next((s for s in queries.signers_of(ctx, row.id) if s.person_id == ctx.actor.person_id), None)


def _recent(ctx: Context) -> bool:
    try:
        require_recent_second_factor(ctx)
    except HandoverError:
        return False
    return True


def contact(ctx: Context, case_id: uuid.UUID) -> dict[str, str | None]:
    """Whom to ask: the lead consultant, and how to reach the agency."""
    lead = next((m.person_id for m in members_of(ctx, case_id) if m.role == "lead_consultant"), None)
    agency = next((p for p in parties(ctx, case_id) if p.side == "agency"), None)
    return {
        "name": person_name(ctx, lead) if lead else None,
        "agency": party_name(ctx, agency) if agency else None,
        "reach": party_view(ctx, agency).contact if agency else None,
    }


ROUTES = [sign_page, sign, keep_mandate, signed_page]

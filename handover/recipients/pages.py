"""Pages of recipients: who they are, who verified them, and the papers that they show."""

import uuid
from typing import Any

from anyio import to_thread
from litestar import Request, Response, post

from handover.accounts.queries import person_names
from handover.agreements.service import MAX_SCAN_BYTES, keep_scan
from handover.cases.frame import case_page, party_page
from handover.context import Context
from handover.errors import ConflictError, InvalidInputError
from handover.i18n.catalogue import catalogue
from handover.jobs import newest_for
from handover.recipients import queries, service
from handover.recipients.models import Recipient
from handover.recipients.pages_compare import ROUTES as COMPARE_ROUTES
from handover.recipients.pages_key import ROUTES as KEY_ROUTES
from handover.web.edge import reading
from handover.web.forms import Form, Line, Place
from handover.web.html import FORM, Done, FilledForm, page, submit
from handover.web.html.parts import FIELDS_BYTES, read_form
from handover.web.html.routes import get_page, post_form
from handover.workflow import Workflow

Req = Request[Any, Any, Any]
#: A mandate, the few fields beside it, and what multipart adds.
_MAX_PAPERS = MAX_SCAN_BYTES + 2 * FIELDS_BYTES
#: They may name a recipient.
_NOMINATING = frozenset({"consultant", "lead_consultant"})


class NewRecipient(Form):
    """A person whom a party gave the role, and from where they will open packages."""

    member: uuid.UUID
    place: Place = "CN"


class Papers(Form):
    """What the recipient shows of themselves."""

    document: Line
    employer: Line
    checked_against: Line
    mandate: bytes


@get_page("/cases/{reference:str}/recipients")
def recipients_page(request: Req, reference: str) -> Response[Any]:
    """The recipients of a case."""
    return _recipients(request, reference, FilledForm())


@post_form("/cases/{reference:str}/recipients")
def nominate(request: Req, reference: str, data: FORM) -> Response[Any]:
    """Names a recipient."""

    def work(ctx: Context, form: NewRecipient) -> Done:
        case, _frame = case_page(ctx, reference, "recipients")
        chosen = next((c for c in queries.candidates(ctx, case.id) if c.member_id == str(form.member)), None)
        if chosen is None:
            raise InvalidInputError("choose one of the people in the list", field="member")
        service.nominate(ctx, case.id, uuid.UUID(chosen.party_id), uuid.UUID(chosen.person_id), form.place)
        return Done(f"/cases/{reference}/recipients", catalogue(ctx.language).gettext("The recipient is added"))

    return submit(request, data, NewRecipient, work, lambda form: _recipients(request, reference, form))


@get_page("/cases/{reference:str}/recipients/{recipient_id:uuid}/mandate")
def mandate(request: Req, reference: str, recipient_id: uuid.UUID) -> Response[bytes]:
    """The mandate as it was uploaded, for those who verify it; always a download, because strangers made the file."""
    with reading(request) as ctx:
        case_page(ctx, reference, "recipients")
        scan = queries.mandate_of(ctx, queries.visible_recipient(ctx, recipient_id))
    headers = {"Content-Disposition": 'attachment; filename="mandate"', "Content-Security-Policy": "sandbox"}
    return Response(scan.data, media_type=scan.media_type, headers=headers)


@get_page("/my/{reference:str}/identity")
def identity_page(request: Req, reference: str) -> Response[Any]:
    """The recipient's papers."""
    return _identity(request, reference, FilledForm())


@post("/my/{reference:str}/identity", include_in_schema=False, status_code=200, request_max_body_size=_MAX_PAPERS)
async def give_identity(request: Req, reference: str) -> Response[Any]:
    """Keeps the papers and hands them in for verification."""
    data = await read_form(request, MAX_SCAN_BYTES)

    def work(ctx: Context, form: Papers) -> Done:
        case, _frame = party_page(ctx, reference)
        row = queries.recipient_of_person(ctx, case.id)
        if row is None:
            raise ConflictError("you are not named as a recipient in this case")
        try:
            scan = keep_scan(ctx, case.id, "mandate", form.mandate)
        except InvalidInputError as error:
            raise InvalidInputError(error.message, field="mandate") from error
        service.give_identity(
            ctx,
            row,
            document=form.document,
            employer=form.employer,
            checked_against=form.checked_against,
            mandate_id=scan.id,
        )
        ctx.get(Workflow).fire(ctx, row, "submit_identity")
        said = catalogue(ctx.language).gettext("Your papers are handed in; two people verify them now")
        return Done(f"/my/{reference}/identity", said)

    def again(form: FilledForm) -> Response[Any]:
        return _identity(request, reference, form)

    return await to_thread.run_sync(lambda: submit(request, data, Papers, work, again))


def _recipients(request: Req, reference: str, form: FilledForm) -> Response[Any]:
    def gather(ctx: Context) -> dict[str, Any]:
        case, frame = case_page(ctx, reference, "recipients")
        rows = queries.recipients_of(ctx, case.id)
        shown = [_shown(ctx, row) for row in rows]
        lead = next((one["view"].id for one in shown if _can_go_on(one)), None)
        ids = [v.person_id for one in shown for v in (one["key"].verifications if one["key"] else [])]
        ids += [a.person_id for one in shown for option in one["options"] for a in option.given]
        may_add = bool(frame["my_roles"] & _NOMINATING)
        return {
            **frame,
            "recipients": shown,
            "lead": lead,
            "names": person_names(ctx, ids),
            "may_add": may_add,
            "candidates": queries.candidates(ctx, case.id) if may_add else [],
            "states": ctx.get(Workflow).definition(ctx, case.id, Recipient.MACHINE).states,
        }

    return page(request, "recipients/recipients.html", gather, form=form, strict=True)


def _shown(ctx: Context, row: Recipient) -> dict[str, Any]:
    view, newest = queries.recipient_view(ctx, row), queries.newest_key(ctx, row.id)
    return {
        "view": view,
        "key": view.key,
        "party": queries.party_of(ctx, row),
        "papers": queries.papers_of(ctx, row),
        "rejected": newest is not None and newest.state == "rejected",
        "options": ctx.get(Workflow).options(ctx, row),
        "document": newest_for(ctx, "attestations.issue", row.case_id, document="key_verification", entity_id=row.id),
    }


def _can_go_on(one: dict[str, Any]) -> bool:
    """Whether the reader has the next step of this recipient: the first such step is the page's primary action."""
    ready = {option.trigger for option in one["options"] if option.allowed and not option.blocked}
    return one["view"].state == "fingerprint_pending" or bool(ready & {"verify_identity", "reactivate"})


def _identity(request: Req, reference: str, form: FilledForm) -> Response[Any]:
    def gather(ctx: Context) -> dict[str, Any]:
        case, frame = party_page(ctx, reference)
        row = queries.recipient_of_person(ctx, case.id)
        return {
            **frame,
            "recipient": queries.recipient_view(ctx, row) if row else None,
            "papers": queries.papers_of(ctx, row) if row else None,
            "states": ctx.get(Workflow).definition(ctx, case.id, Recipient.MACHINE).states,
        }

    return page(request, "recipients/identity.html", gather, form=form)


ROUTES = [*KEY_ROUTES, recipients_page, nominate, mandate, identity_page, give_identity, *COMPARE_ROUTES]

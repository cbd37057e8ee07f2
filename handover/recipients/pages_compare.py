"""The typed comparison of a safety number: the page asks for all of it and never shows it."""

import uuid
from typing import Annotated, Any, Literal, get_args

from litestar import Request, Response
from msgspec import Meta

from handover.cases.frame import case_page, party_page
from handover.cases.models import Case
from handover.context import Context
from handover.errors import NotFoundError
from handover.i18n.catalogue import catalogue
from handover.recipients import comparison, queries
from handover.recipients.errors import VerifierError
from handover.recipients.models import Recipient, RecipientKey
from handover.web.forms import Form
from handover.web.html import FORM, Done, FilledForm, page, submit
from handover.web.html.routes import get_page, post_form
from handover.web.html.sayings import said_in
from handover.workflow import Workflow

Req = Request[Any, Any, Any]
Channel = Literal["telephone_known", "in_person", "video_call", "other_channel"]
#: Five digits; the first box may hold the whole number, so that it works without scripts.
Group = Annotated[str, Meta(max_length=64)]


class Comparison(Form):
    """The number as it was read out, in six boxes or all in the first, and over which channel."""

    channel: Channel
    g1: Group
    g2: Group = ""
    g3: Group = ""
    g4: Group = ""
    g5: Group = ""
    g6: Group = ""
    channel_details: Annotated[str, Meta(max_length=200)] = ""

    @property
    def groups(self) -> str:
        return f"{self.g1} {self.g2} {self.g3} {self.g4} {self.g5} {self.g6}"


class Mismatch(Form):
    """Over which channel it was heard that the number is another one."""

    other_channel: Channel


@get_page("/cases/{reference:str}/recipients/{recipient_id:uuid}/compare")
def inside_page(request: Req, reference: str, recipient_id: uuid.UUID) -> Response[Any]:
    """The comparison by the agency's or the seller's verifier."""
    return _compare(request, reference, recipient_id, FilledForm())


@get_page("/my/{reference:str}/compare/{recipient_id:uuid}")
def party_side_page(request: Req, reference: str, recipient_id: uuid.UUID) -> Response[Any]:
    """The comparison by a party's verifier."""
    return _compare(request, reference, recipient_id, FilledForm())


@post_form(
    [
        "/cases/{reference:str}/recipients/{recipient_id:uuid}/compare",
        "/my/{reference:str}/compare/{recipient_id:uuid}",
    ]
)
def compare(request: Req, reference: str, recipient_id: uuid.UUID, data: FORM) -> Response[Any]:
    """Compares what was typed; a wrong number rejects the key and is kept, as the page then says."""

    def work(ctx: Context, form: Comparison) -> Done:
        row, _frame = _row(ctx, request, reference, recipient_id)
        key = comparison.verify_number(ctx, row, form.groups, _said_channel(ctx, form.channel, form.channel_details))
        _ = catalogue(ctx.language).gettext
        matched = _("The number matches; your comparison is recorded")
        return Done(request.url.path, "" if key.state == "rejected" else matched)

    return submit(request, data, Comparison, work, lambda form: _compare(request, reference, recipient_id, form))


@post_form(
    [
        "/cases/{reference:str}/recipients/{recipient_id:uuid}/mismatch",
        "/my/{reference:str}/compare/{recipient_id:uuid}/mismatch",
    ]
)
def mismatch(request: Req, reference: str, recipient_id: uuid.UUID, data: FORM) -> Response[Any]:
    """The verifier says that the number is another one: the key is rejected."""

    def work(ctx: Context, form: Mismatch) -> Done:
        row, _frame = _row(ctx, request, reference, recipient_id)
        comparison.report_mismatch(ctx, row, _said_channel(ctx, form.other_channel, ""))
        return Done(_base(request, reference, recipient_id))

    return submit(request, data, Mismatch, work, lambda form: _compare(request, reference, recipient_id, form))


def _compare(request: Req, reference: str, recipient_id: uuid.UUID, form: FilledForm) -> Response[Any]:
    def gather(ctx: Context) -> dict[str, Any]:
        row, frame = _row(ctx, request, reference, recipient_id)
        key, newest = queries.current_key(ctx, row.id), queries.newest_key(ctx, row.id)
        waits = key is not None and key.state == "proven"
        return {
            **frame,
            "frame_template": "case.html" if "tab" in frame else "party.html",
            "recipient": queries.recipient_view(ctx, row),
            "party": queries.party_of(ctx, row),
            "waits": waits,
            "rejected": newest is not None and newest.state == "rejected",
            "why_not": _why_not(ctx, row, key) if key is not None and waits else "",
            "compared": len([v for v in queries.verifications(ctx, key.id) if v.matched]) if key else 0,
            "base": _base(request, reference, recipient_id),
            "channels": get_args(Channel),
            "states": ctx.get(Workflow).definition(ctx, row.case_id, Recipient.MACHINE).states,
        }

    return page(request, "recipients/compare.html", gather, form=form, strict=True)


def _row(ctx: Context, request: Req, reference: str, recipient_id: uuid.UUID) -> tuple[Recipient, dict[str, Any]]:
    case: Case
    if request.url.path.startswith("/my/"):
        case, frame = party_page(ctx, reference)
    else:
        case, frame = case_page(ctx, reference, "recipients")
    row = queries.visible_recipient(ctx, recipient_id)
    if row.case_id != case.id:
        raise NotFoundError("there is no such recipient")
    return row, frame


def _why_not(ctx: Context, row: Recipient, key: RecipientKey) -> str:
    try:
        comparison.verifier_side(ctx, row, key)
    except VerifierError as error:
        return said_in(error, ctx.language)
    return ""


def _said_channel(ctx: Context, channel: str, details: str) -> str:
    """The channel in the verifier's words: they are kept and printed on the document."""
    _ = catalogue(ctx.language).gettext
    said = {
        "telephone_known": _("Called back on a number known from elsewhere"),
        "in_person": _("In person"),
        "video_call": _("Video call"),
        "other_channel": _("Another channel"),
    }[channel]
    return f"{said}: {details}" if details else said


def _base(request: Req, reference: str, recipient_id: uuid.UUID) -> str:
    if request.url.path.startswith("/my/"):
        return f"/my/{reference}/compare/{recipient_id}"
    return f"/cases/{reference}/recipients/{recipient_id}/compare"


ROUTES = [inside_page, party_side_page, compare, mismatch]

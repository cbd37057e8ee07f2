"""Inviting somebody into a case: link and code are shown once, with texts to paste into a chat."""

from typing import Annotated, Any

from litestar import Request, Response
from msgspec import Meta

from handover.accounts.queries import person_name
from handover.cases.frame import case_page
from handover.cases.invitations import Invitation, invite_to_case
from handover.cases.places import chosen, roles_with_parties
from handover.context import Context
from handover.i18n import Language
from handover.i18n.catalogue import catalogue
from handover.web.forms import Form, Line
from handover.web.html import FORM, Done, FilledForm, page, submit
from handover.web.html.environment import ZONE
from handover.web.html.routes import get_page, post_form

Req = Request[Any, Any, Any]


class NewInvitation(Form):
    """Who is invited, and their place in the case."""

    email: Line
    name: Line
    place: Annotated[str, Meta(max_length=120)]
    language: Annotated[str, Meta(pattern="^(zh|en)$")] = "zh"


@get_page("/cases/{reference:str}/parties/invite")
def invite_form(request: Req, reference: str) -> Response[Any]:
    """The form of an invitation."""
    return _form(request, reference, FilledForm())


@post_form("/cases/{reference:str}/parties/invite")
def invite(request: Req, reference: str, data: FORM) -> Response[Any]:
    """Invites somebody, and shows link and code this once; who has an account gets the role and no link."""
    made: list[Invitation] = []

    def work(ctx: Context, form: NewInvitation) -> Done:
        row, _frame = case_page(ctx, reference, "parties")
        role, party_id = chosen(form.place)
        who = {"email": form.email, "name": form.name, "language": form.language}
        made.append(invite_to_case(ctx, row.id, **who, role=role, party_id=party_id))
        said = catalogue(ctx.language).gettext("This person has an account already and has the role now")
        return Done(f"/cases/{reference}/parties", said)

    answer = submit(request, data, NewInvitation, work, lambda form: _form(request, reference, form))
    if answer.status_code != 303 or made[-1].link is None:
        return answer
    return _show_once(request, reference, made[-1], str(data["name"]).strip(), str(data["language"]))


def _form(request: Req, reference: str, form: FilledForm) -> Response[Any]:
    def gather(ctx: Context) -> dict[str, Any]:
        row, frame = case_page(ctx, reference, "parties")
        return {**frame, "roles": roles_with_parties(ctx, row.id)}

    return page(request, "cases/invite.html", gather, form=form)


def _show_once(request: Req, reference: str, made: Invitation, name: str, first: str) -> Response[Any]:
    def gather(ctx: Context) -> dict[str, Any]:
        _row, frame = case_page(ctx, reference, "parties")
        languages: tuple[Language, ...] = ("zh", "en") if first == "zh" else ("en", "zh")
        sender = person_name(ctx, ctx.person())
        texts = [(language, _reminder(language, made, name, sender)) for language in languages]
        return {**frame, "made": made, "invited_name": name, "texts": texts}

    return page(request, "cases/invited.html", gather)


def _reminder(language: Language, made: Invitation, name: str, sender: str) -> str:
    """What is pasted into a chat; it never holds the code."""
    until = made.expires_at.astimezone(ZONE).strftime("%Y-%m-%d %H:%M UTC+8") if made.expires_at else ""
    sentence = catalogue(language).gettext(
        "Hello %(name)s, you are invited to take part in a transfer in handover. Please open this link in a browser "
        "before %(until)s: %(link)s – the eight-digit code comes over another channel; do not send it in this chat. %(sender)s"
    )
    return sentence % {"name": name, "until": until, "link": made.link, "sender": sender}


ROUTES = [invite_form, invite]

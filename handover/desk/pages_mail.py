"""The outbox, for administrators: whom mails went to, whether they were sent, and each of them to read, keep or send again."""

import uuid
from typing import Annotated, Any

import msgspec
from litestar import Request, Response
from litestar.params import Parameter

from handover.accounts.pages_admin import Nothing, admin_frame
from handover.accounts.queries import person_name
from handover.cases.models import Case
from handover.context import Context
from handover.i18n.catalogue import catalogue
from handover.mail import MailView, message_of, outbox
from handover.settings import Settings
from handover.web.edge import page_after, reading
from handover.web.html import FORM, Done, FilledForm, page, submit
from handover.web.html.answers import require_page_role
from handover.web.html.routes import get_page, post_form

Req = Request[Any, Any, Any]
_PAGE = 50
Cursor = Annotated[str | None, Parameter(max_length=64)]


class Line(msgspec.Struct, frozen=True, kw_only=True):
    """A mail with the names behind its ids."""

    mail: MailView
    to: str
    reference: str


@get_page("/admin/mail")
def outbox_page(request: Req, before: Cursor = None) -> Response[Any]:
    """Mails, newest first."""

    def gather(ctx: Context) -> dict[str, Any]:
        require_page_role(ctx, "platform_admin")
        found = outbox.mails(ctx, page_after(before), _PAGE + 1)
        return {
            **admin_frame(ctx, "mail"),
            "lines": [_line(ctx, one) for one in found[:_PAGE]],
            "more": str(found[_PAGE - 1].id) if len(found) > _PAGE else "",
            "sending": _sending(ctx),
        }

    return page(request, "desk/outbox.html", gather)


@get_page("/admin/mail/{mail_id:uuid}")
def mail_page(request: Req, mail_id: uuid.UUID) -> Response[Any]:
    """One mail, its text as it is read."""
    return _mail(request, mail_id, FilledForm())


@get_page("/admin/mail/{mail_id:uuid}/file")
def mail_file(request: Req, mail_id: uuid.UUID) -> Response[bytes]:
    """The mail as a file for a mail program."""
    with reading(request) as ctx:
        require_page_role(ctx, "platform_admin")
        data = message_of(ctx, outbox.require_mail(ctx, mail_id)).as_bytes()
    name = f'attachment; filename="mail-{mail_id}.eml"'
    return Response(data, media_type="message/rfc822", headers={"Content-Disposition": name})


@post_form("/admin/mail/{mail_id:uuid}/retry")
def retry(request: Req, mail_id: uuid.UUID, data: FORM) -> Response[Any]:
    """Sends a failed mail again."""

    def work(ctx: Context, _form: Nothing) -> Done:
        require_page_role(ctx, "platform_admin")
        outbox.retry(ctx, mail_id)
        return Done(f"/admin/mail/{mail_id}", catalogue(ctx.language).gettext("The mail is being sent again"))

    return submit(request, data, Nothing, work, lambda form: _mail(request, mail_id, form))


def _mail(request: Req, mail_id: uuid.UUID, form: FilledForm) -> Response[Any]:
    def gather(ctx: Context) -> dict[str, Any]:
        require_page_role(ctx, "platform_admin")
        row = outbox.require_mail(ctx, mail_id)
        return {
            **admin_frame(ctx, "mail"),
            "line": _line(ctx, outbox.view(row)),
            "written": outbox.body_of(ctx, row),
            "sending": _sending(ctx),
        }

    return page(request, "desk/mail.html", gather, form=form)


def _line(ctx: Context, mail: MailView) -> Line:
    case = ctx.session.get(Case, mail.case_id)
    return Line(mail=mail, to=person_name(ctx, mail.person_id), reference=case.reference if case else "")


def _sending(ctx: Context) -> bool:
    return ctx.get(Settings).mail_server is not None


ROUTES = [outbox_page, mail_page, mail_file, retry]

"""Writes, lists and repeats mails. What they say is sealed with the key of accounts; lists open nothing."""

import datetime as dt
import uuid
from email.message import EmailMessage

import msgspec
from sqlalchemy import select

from handover.audit import AuditLog
from handover.context import Context
from handover.db import new_id
from handover.errors import ConflictError, NotFoundError
from handover.jobs import put
from handover.mail.letter import Letter, Written, write
from handover.mail.message import build
from handover.mail.models import Mail
from handover.settings import Settings
from handover.vault import Vault

SEND = "mail.send"
_KEY, _FIELD = "accounts", "mails.message"
#: The sender of a kept mail's file, where no mail server says another.
_NOBODY = "handover@localhost"


class MailView(msgspec.Struct, frozen=True, kw_only=True):
    """A mail as the list shows it, without what it says."""

    id: uuid.UUID
    person_id: uuid.UUID
    case_id: uuid.UUID
    kind: str
    state: str
    error_code: str | None
    created_at: dt.datetime
    sent_at: dt.datetime | None


def post(ctx: Context, letter: Letter, *, person_id: uuid.UUID, address: str, case_id: uuid.UUID, cause: str) -> bool:
    """Puts a mail into the outbox, and a job that sends it where there is a mail server.

    False where this person has a mail about this cause already; nothing is added then.
    """
    if ctx.session.scalar(select(Mail.id).where(Mail.person_id == person_id, Mail.cause == cause)) is not None:
        return False
    identifier, sending = new_id(), ctx.get(Settings).mail_server is not None
    written = msgspec.to_builtins(write(letter, address))
    ctx.session.add(
        Mail(
            id=identifier,
            person_id=person_id,
            case_id=case_id,
            kind=letter.kind,
            cause=cause,
            state="queued" if sending else "kept",
            message_sealed=ctx.get(Vault).seal_json(_KEY, written, field=_FIELD, row=identifier),
        )
    )
    ctx.session.flush()
    if sending:
        put(ctx, SEND, entity_id=identifier)
    return True


def mails(ctx: Context, before: uuid.UUID | None, limit: int) -> list[MailView]:
    """Mails, newest first, older than `before`."""
    query = select(Mail).order_by(Mail.id.desc()).limit(limit)
    rows = ctx.session.scalars(query if before is None else query.where(Mail.id < before))
    return [view(row) for row in rows]


def view(row: Mail) -> MailView:
    return MailView(
        id=row.id,
        person_id=row.person_id,
        case_id=row.case_id,
        kind=row.kind,
        state=row.state,
        error_code=row.error_code,
        created_at=row.created_at,
        sent_at=row.sent_at,
    )


def require_mail(ctx: Context, mail_id: uuid.UUID) -> Mail:
    """The mail.

    Raises:
        NotFoundError: there is none.
    """
    row = ctx.session.get(Mail, mail_id)
    if row is None:
        raise NotFoundError("there is no such mail")
    return row


def body_of(ctx: Context, row: Mail) -> Written:
    """What the mail says, and to which address."""
    opened = ctx.get(Vault).open_json(_KEY, row.message_sealed, field=_FIELD, row=row.id)
    return msgspec.convert(opened, Written)


def message_of(ctx: Context, row: Mail) -> EmailMessage:
    """The mail as it is sent."""
    settings = ctx.get(Settings)
    return build(
        body_of(ctx, row),
        mail_id=row.id,
        at=row.created_at,
        sender=settings.mail_server.sender if settings.mail_server else _NOBODY,
        public_url=settings.public_url,
    )


def retry(ctx: Context, mail_id: uuid.UUID) -> None:
    """Sends a failed mail again.

    Raises:
        ConflictError: it has not failed, or there is no mail server any more.
    """
    row = require_mail(ctx, mail_id)
    if row.state != "failed" or ctx.get(Settings).mail_server is None:
        raise ConflictError("only a failed mail can be sent again, and only with a mail server (HANDOVER_SMTP_URL)")
    row.state, row.error_code = "queued", None
    put(ctx, SEND, entity_id=row.id)
    ctx.get(AuditLog).append(ctx, "mail.retried", entity="mail", entity_id=row.id)

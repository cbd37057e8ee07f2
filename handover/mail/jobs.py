"""Sending. A run that was cut off after the server took the mail sends it once more, with the same Message-ID."""

import uuid

from handover.context import Context
from handover.jobs import Job, JobHandler, JobRun
from handover.mail.deliver import MailUnsentError, deliver
from handover.mail.outbox import SEND, body_of, message_of, require_mail
from handover.settings import Settings


def _send(run: JobRun) -> None:
    with run.unit_of_work(write=False) as ctx:
        row = require_mail(ctx, run.entity_id)
        sent, message, address = row.state == "sent", message_of(ctx, row), body_of(ctx, row).address
        server = ctx.get(Settings).mail_server
    if not sent:
        if server is None:
            raise MailUnsentError("no mail server is configured any more; set HANDOVER_SMTP_URL")
        deliver(server, message, address)
    with run.finish() as ctx:
        row = require_mail(ctx, run.entity_id)
        row.state, row.sent_at, row.error_code = "sent", row.sent_at or ctx.now(), None


def _failed(ctx: Context, job: Job, code: str) -> None:
    row = require_mail(ctx, uuid.UUID(job.arguments["entity_id"]))
    row.state, row.error_code = "failed", code


JOBS = {SEND: JobHandler(_send, _failed)}

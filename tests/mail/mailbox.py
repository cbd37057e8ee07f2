"""A real mail server on loopback that keeps what it gets, and letters to send to it."""

import contextlib
import datetime as dt
import socket
import uuid
from collections.abc import Iterator
from email.message import EmailMessage
from email.parser import BytesParser
from email.policy import SMTP
from typing import Any, cast

import msgspec
from aiosmtpd.controller import Controller

from handover.context import SYSTEM, Installation
from handover.i18n import Language, Text
from handover.jobs import leases
from handover.jobs.execute import Executor
from handover.mail import Item, Letter, post
from handover.mail.jobs import JOBS
from handover.mail.letter import Kind
from handover.mail.models import Mail
from handover.settings import Settings, load

CASE, PERSON = uuid.uuid4(), uuid.uuid4()
HOSTILE = "<script>alert(1)</script>{{7*7}} hx-get \u202etxt 张䶮"
LONG = "长" * 150 + "name" * 37 + "张䶮"


class Mailbox:
    """What arrived; `answer` is what the server says to the next mails."""

    def __init__(self) -> None:
        self.raw: list[bytes] = []
        self.recipients: list[str] = []
        self.answer = "250 OK"

    async def handle_DATA(self, _server: Any, _session: Any, envelope: Any) -> str:  # noqa: N802
        if self.answer.startswith("250"):
            self.raw.append(envelope.content)
            self.recipients += envelope.rcpt_tos
        return self.answer

    @property
    def mails(self) -> list[EmailMessage]:
        return [cast("EmailMessage", BytesParser(policy=SMTP).parsebytes(raw)) for raw in self.raw]


@contextlib.contextmanager
def serving() -> Iterator[tuple[Mailbox, int]]:
    """A mail server without TLS, and its port."""
    with socket.create_server(("127.0.0.1", 0)) as free:
        port = free.getsockname()[1]
    mailbox = Mailbox()
    controller = Controller(mailbox, hostname="127.0.0.1", port=port)  # type: ignore[no-untyped-call]
    controller.start()  # type: ignore[no-untyped-call]
    try:
        yield mailbox, port
    finally:
        controller.stop()  # type: ignore[no-untyped-call]


def configure(installation: Installation, url: str) -> None:
    """The installation as HANDOVER_SMTP_URL makes it."""
    server = load({"HANDOVER_SMTP_URL": url}).mail_server
    settings = installation.get(Settings)
    installation.services[Settings] = msgspec.structs.replace(settings, mail_server=server)


def letter(name: str = "Anna", language: Language = "en", kind: Kind = "your_turn") -> Letter:
    return Letter(
        kind=kind,
        name=name,
        language=language,
        reference="HO-2026-0001",
        items=[Item(what=Text("签署", "Sign"), by=dt.datetime(2026, 3, 1, 4, tzinfo=dt.UTC))],
        url="https://handover.example/my/HO-2026-0001",
        contact=name,
    )


def write(installation: Installation, made: Letter, *, cause: str = "a", address: str = "anna@people.example") -> bool:
    with installation.unit_of_work(SYSTEM) as ctx:
        return post(ctx, made, person_id=PERSON, address=address, case_id=CASE, cause=cause)


def only_mail(installation: Installation) -> Mail:
    with installation.unit_of_work(SYSTEM, write=False) as ctx:
        return ctx.session.query(Mail).one()


def work(installation: Installation) -> None:
    """One round of a worker."""
    for job_id, lease in leases.claim(installation, lease_seconds=20, limit=5):
        Executor(installation, JOBS).execute(job_id, lease)

"""Mails over a real mail server: what arrives, that it arrives once, and what is kept when it does not."""

import html
import socket
from collections.abc import Iterator
from email.message import EmailMessage

import pytest

from handover.context import SYSTEM, Installation
from handover.errors import ConflictError
from handover.i18n import Language
from handover.jobs import leases, put
from handover.mail import deliver, message_of, outbox
from handover.mail.deliver import MailUnsentError
from handover.mail.letter import Kind
from handover.settings import MailServer, Settings, SettingsError, load
from tests.actors import Clock
from tests.mail.mailbox import HOSTILE, LONG, Mailbox, configure, letter, only_mail, serving, work, write

URL = "smtp://127.0.0.1:{}?from=handover@example.com"


@pytest.fixture
def server() -> Iterator[tuple[Mailbox, int]]:
    with serving() as made:
        yield made


@pytest.fixture
def mailbox(installation: Installation, server: tuple[Mailbox, int]) -> Mailbox:
    configure(installation, URL.format(server[1]))
    return server[0]


def parts(message: EmailMessage) -> tuple[str, str]:
    """The text and the HTML, with the line ends of a screen."""
    assert message.get_content_type() == "multipart/alternative"
    found = list(message.iter_parts())
    assert [part.get_content_type() for part in found] == ["text/plain", "text/html"]
    text, markup = (str(part.get_content()) for part in found)
    return text, markup


@pytest.mark.parametrize(
    ("language", "subject", "sentences"),
    [
        ("en", "it is your turn", ("Hello Anna,", "Sign (by 2026-03-01 12:00 UTC+8)", "its address is not read")),
        ("zh", "有事项待您办理", ("Anna，您好！", "签署 (截止 2026-03-01 12:00 UTC+8)", "发件地址无人查阅")),
    ],
)
def test_a_mail_arrives_in_its_readers_language_with_the_plain_text_first(
    installation: Installation, mailbox: Mailbox, language: Language, subject: str, sentences: tuple[str, ...]
) -> None:
    write(installation, letter(language=language))
    work(installation)
    (message,) = mailbox.mails
    assert message["Subject"] == f"Case HO-2026-0001: {subject}" if language == "en" else subject in message["Subject"]
    assert (message["From"], message["To"]) == ("handover@example.com", "anna@people.example")
    text, markup = parts(message)
    for sentence in (*sentences, "https://handover.example/my/HO-2026-0001"):
        assert sentence in text
        assert sentence in html.unescape(markup).replace("<bdi>Anna</bdi>", "Anna")
    found = only_mail(installation)
    assert (found.state, found.error_code) == ("sent", None)
    assert found.sent_at is not None


@pytest.mark.parametrize("name", [HOSTILE, LONG])
@pytest.mark.parametrize("kind", ["your_turn", "reminder", "declined", "job_failed"])
def test_hostile_and_long_names_are_text_in_both_parts(
    installation: Installation, mailbox: Mailbox, name: str, kind: Kind
) -> None:
    write(installation, letter(name, kind=kind))
    work(installation)
    text, markup = parts(mailbox.mails[0])
    assert text.count(name) == 2
    assert markup.count(f"<bdi>{html.escape(name)}</bdi>") == 2
    assert "<script" not in markup
    if "\u202e" in name:
        assert text.count(f"\u2068{name}\u2069") == 2  # its direction ends with it
    assert not any("alert" in str(value) for value in mailbox.mails[0].values())


def test_line_ends_cannot_get_into_headers(installation: Installation, mailbox: Mailbox) -> None:
    write(installation, letter("x\r\nBcc: eve@evil.example"))
    work(installation)
    (message,) = mailbox.mails
    assert "Bcc" not in message
    assert mailbox.recipients == ["anna@people.example"]
    write(installation, letter(), cause="b", address="x\r\nBcc: eve@evil.example")
    with installation.unit_of_work(SYSTEM, write=False) as ctx, pytest.raises(ValueError, match="invalid"):
        message_of(ctx, outbox.require_mail(ctx, outbox.mails(ctx, None, 1)[0].id))


def test_one_cause_is_told_once(installation: Installation, mailbox: Mailbox) -> None:
    assert write(installation, letter()) is True
    assert write(installation, letter()) is False
    work(installation)
    work(installation)
    assert len(mailbox.raw) == 1


def test_a_worker_killed_after_the_server_took_the_mail_repeats_the_very_same_message(
    installation: Installation, mailbox: Mailbox, clock: Clock
) -> None:
    write(installation, letter())
    assert len(leases.claim(installation, lease_seconds=20, limit=1)) == 1
    with installation.unit_of_work(SYSTEM, write=False) as ctx:
        row = outbox.require_mail(ctx, only_mail(installation).id)
        message, address = message_of(ctx, row), outbox.body_of(ctx, row).address
        server = ctx.get(Settings).mail_server
    assert server is not None
    deliver.deliver(server, message, address)  # and here it dies
    clock.advance(seconds=21)
    work(installation)
    first, second = mailbox.raw
    assert first == second
    assert mailbox.mails[0]["Message-ID"] == f"<{only_mail(installation).id}@handover.example>"


def test_a_sent_mail_is_not_sent_by_another_job(installation: Installation, mailbox: Mailbox) -> None:
    write(installation, letter())
    work(installation)
    with installation.unit_of_work(SYSTEM) as ctx:
        put(ctx, outbox.SEND, entity_id=only_mail(installation).id)
    work(installation)
    assert len(mailbox.raw) == 1
    assert only_mail(installation).state == "sent"


def test_without_a_mail_server_mails_stay_in_the_outbox_and_no_job_is_made(installation: Installation) -> None:
    write(installation, letter())
    assert only_mail(installation).state == "kept"
    assert not leases.due(installation, limit=1)
    with installation.unit_of_work(SYSTEM, write=False) as ctx:
        assert "Hello Anna" in outbox.body_of(ctx, only_mail(installation)).text


def test_a_server_that_is_away_is_tried_again_then_the_mail_has_failed_and_can_be_sent_again(
    installation: Installation, clock: Clock
) -> None:
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = taken.getsockname()[1]
    configure(installation, URL.format(port))
    write(installation, letter())
    for attempt in range(5):
        assert only_mail(installation).state == "queued", attempt
        work(installation)
        clock.advance(seconds=61)
    assert (only_mail(installation).state, only_mail(installation).error_code) == ("failed", "mail_unsent")
    with serving() as (mailbox, there):
        configure(installation, URL.format(there))
        with installation.unit_of_work(SYSTEM) as ctx:
            outbox.retry(ctx, only_mail(installation).id)
        work(installation)
        assert len(mailbox.raw) == 1
    with installation.unit_of_work(SYSTEM) as ctx, pytest.raises(ConflictError):
        outbox.retry(ctx, only_mail(installation).id)


def test_a_refusal_for_good_is_not_repeated_and_one_for_now_is(
    installation: Installation, mailbox: Mailbox, clock: Clock
) -> None:
    write(installation, letter())
    mailbox.answer = "451 come back later"
    work(installation)
    assert only_mail(installation).state == "queued"
    mailbox.answer = "550 no such person"
    clock.advance(seconds=61)
    work(installation)
    assert (only_mail(installation).state, only_mail(installation).error_code) == ("failed", "mail_refused")


def test_where_tls_is_demanded_nothing_goes_to_a_server_without_it(server: tuple[Mailbox, int]) -> None:
    mailbox, port = server
    demanding = MailServer(host="127.0.0.1", port=port, security="starttls", user="", password="", sender="a@b.example")
    message = EmailMessage()
    message["To"] = "anna@people.example"
    with pytest.raises(MailUnsentError, match="SMTPNotSupportedError"):
        deliver.deliver(demanding, message, "anna@people.example")
    assert mailbox.raw == []


def test_nothing_of_a_mail_is_readable_at_rest(installation: Installation) -> None:
    write(installation, letter("Anna Unique-Name 张䶮"))
    folder = installation.get(Settings).data_dir
    held = b"".join(path.read_bytes() for path in folder.rglob("*.db*"))
    assert b"your_turn" in held
    for secret in ("Unique-Name", "张䶮", "anna@people.example", "it is your turn"):
        assert secret.encode() not in held, secret


@pytest.mark.parametrize(
    ("url", "expected"),
    [
        ("smtp://mx.example?from=a@b.example", ("mx.example", 587, "starttls", "", "")),
        ("smtp://u%40x:p%3Aw@mx.example:25?from=a@b.example", ("mx.example", 25, "starttls", "u@x", "p:w")),
        ("smtps://u:p@mx.example?from=a@b.example", ("mx.example", 465, "tls", "u", "p")),
        ("smtp://localhost:2525?from=a@b.example", ("localhost", 2525, "none", "", "")),
        ("smtp://[::1]:2525?from=a@b.example", ("::1", 2525, "none", "", "")),
    ],
)
def test_the_address_of_the_mail_server_says_how_it_is_spoken_to(url: str, expected: tuple[str, int, str]) -> None:
    found = load({"HANDOVER_SMTP_URL": url}).mail_server
    assert found is not None
    assert (found.host, found.port, found.security, found.user, found.password) == expected
    assert found.sender == "a@b.example"
    assert "p:w" not in repr(found)


@pytest.mark.parametrize(
    "url",
    [
        "", "mx.example", "http://u:hidden@mx.example?from=a@b.example", "smtp://u:hidden@mx.example",
        "smtp://u:hidden@mx.example:port?from=a@b.example", "smtp://u:hidden@mx.example?from=nobody",
        "smtp://u:hidden@mx.example?from=a@b.example&tls=no", "smtp://u@mx.example?from=a@b.example",
        "smtp://u:hidden@mx.example/path?from=a@b.example", "smtp://u:hidden@mx.example?from=a@b.example%0d%0aBcc:x",
        "smtp://u:hidden@mx.example?from=%E5%BC%A0@b.example",
    ],
)  # fmt: skip
def test_a_wrong_address_of_the_mail_server_is_refused_without_repeating_it(url: str) -> None:
    with pytest.raises(SettingsError, match="HANDOVER_SMTP_URL") as error:
        load({"HANDOVER_SMTP_URL": url})
    assert "hidden" not in str(error.value)

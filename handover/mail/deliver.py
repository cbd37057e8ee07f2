"""Hands a message to the mail server; beyond this machine over TLS alone, with the server's certificate checked."""

import smtplib
import ssl
from email.message import EmailMessage

from handover.errors import HandoverError, Kind
from handover.settings import MailServer

#: A silent server costs a worker's thread no longer.
_SECONDS = 10


class MailUnsentError(HandoverError):
    """The mail server could not be used this time; trying again may help."""

    code = "mail_unsent"


class MailRefusedError(HandoverError):
    """The mail server will not take this mail; trying again does not help."""

    code = "mail_refused"
    kind = Kind.INVALID


def deliver(server: MailServer, message: EmailMessage, recipient: str) -> None:
    """Sends one message to one recipient.

    Raises:
        MailUnsentError: no server, no TLS, no login, or a refusal for now.
        MailRefusedError: a refusal for good.
    """
    try:
        with _connect(server) as connection:
            connection.send_message(message, from_addr=server.sender, to_addrs=[recipient])
    except smtplib.SMTPRecipientsRefused as error:
        raise _refusal(next(iter(error.recipients.values()))[0]) from error
    except smtplib.SMTPAuthenticationError as error:
        raise MailUnsentError("the mail server refused the login; check HANDOVER_SMTP_URL") from error
    except smtplib.SMTPResponseException as error:
        raise _refusal(error.smtp_code) from error
    except smtplib.SMTPException as error:
        raise MailUnsentError(f"the mail server cannot be used: {type(error).__name__}") from error
    except OSError as error:
        raise MailUnsentError(f"the mail server cannot be reached: {type(error).__name__}") from error


def _connect(server: MailServer) -> smtplib.SMTP:
    if server.security == "tls":
        return _logged_in(
            smtplib.SMTP_SSL(server.host, server.port, timeout=_SECONDS, context=ssl.create_default_context()), server
        )
    return _logged_in(smtplib.SMTP(server.host, server.port, timeout=_SECONDS), server)


def _logged_in(connection: smtplib.SMTP, server: MailServer) -> smtplib.SMTP:
    try:
        if server.security == "starttls":
            connection.starttls(context=ssl.create_default_context())
        if server.user:
            connection.login(server.user, server.password)
    except BaseException:
        connection.close()
        raise
    return connection


def _refusal(code: int) -> HandoverError:
    """4xx is said of the moment, 5xx of the mail."""
    if code >= 500:
        return MailRefusedError(f"the mail server refused the mail with status {code}")
    return MailUnsentError(f"the mail server put the mail off with status {code}")

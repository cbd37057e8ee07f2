"""A kept mail as RFC 5322 bytes: the same bytes each time, so that a repeated sending is known by its Message-ID."""

import datetime as dt
import uuid
from email.headerregistry import Address
from email.message import EmailMessage
from email.policy import SMTP
from email.utils import format_datetime
from urllib.parse import urlsplit

from handover.mail.letter import Written


def build(written: Written, *, mail_id: uuid.UUID, at: dt.datetime, sender: str, public_url: str) -> EmailMessage:
    """Plain text first, HTML as its alternative; addresses without names, so no name stands in a header."""
    host = urlsplit(public_url).hostname or "localhost"
    message = EmailMessage(policy=SMTP)
    message["From"] = Address(addr_spec=sender)
    message["To"] = _address(written.address)
    message["Subject"] = written.subject
    message["Date"] = format_datetime(at)
    message["Message-ID"] = f"<{mail_id}@{host}>"
    message["Auto-Submitted"] = "auto-generated"
    message["Content-Language"] = "zh-CN" if written.language == "zh" else "en"
    message.set_content(written.text, cte="base64")
    message.add_alternative(written.html, subtype="html", cte="base64")
    message.set_boundary(f"handover-{mail_id}")
    return message


def _address(address: str) -> Address:
    local, _, domain = address.rpartition("@")
    return Address(username=local, domain=domain)

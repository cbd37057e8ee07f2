"""What the renderer is asked; apart from it, so that asking does not load it."""

import datetime as dt

import msgspec


class Attachment(msgspec.Struct, frozen=True, kw_only=True):
    """A file inside the PDF (PDF/A-3, ISO 19005-3)."""

    name: str
    media_type: str
    description: str
    data: bytes


class RenderRequest(msgspec.Struct, frozen=True, kw_only=True):
    """What is rendered; `identifier` is 32 hex digits."""

    html: str
    identifier: str
    created: dt.datetime
    attachments: list[Attachment]

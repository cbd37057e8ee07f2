"""The tus 1.0.0 resumable upload protocol, as far as it is HTTP: headers in, headers out. Rooms keep the bytes.

Extensions: creation, termination, expiration.
"""

import base64
import binascii
import datetime as dt
from email.utils import format_datetime
from typing import Any

from litestar import Request, Response

from handover.errors import HandoverError, InvalidInputError, Kind

VERSION = "1.0.0"
PATCH_TYPE = "application/offset+octet-stream"
HEADERS = {"Tus-Resumable": VERSION, "Cache-Control": "no-store"}
OPTIONS = {**HEADERS, "Tus-Version": VERSION, "Tus-Extension": "creation,termination,expiration"}


class TusVersionError(HandoverError):
    """The client speaks another version of tus."""

    code = "tus_version"
    kind = Kind.PRECONDITION_FAILED


class TusMediaTypeError(HandoverError):
    """A piece comes as application/offset+octet-stream."""

    code = "tus_media_type"
    kind = Kind.UNSUPPORTED


def check_version(request: Request[Any, Any, Any]) -> None:
    if request.headers.get("tus-resumable") != VERSION:
        raise TusVersionError(f"send Tus-Resumable: {VERSION}")


def number(request: Request[Any, Any, Any], header: str) -> int:
    """A header that holds a whole number of bytes."""
    text = request.headers.get(header.lower(), "")
    if not (text.isascii() and text.isdigit() and len(text) <= 15):
        raise InvalidInputError(f"{header} is a number of bytes", field=header)
    return int(text)


def metadata(request: Request[Any, Any, Any]) -> dict[str, str]:
    """Upload-Metadata: `key base64,key base64`."""
    found = {}
    for pair in filter(None, request.headers.get("upload-metadata", "").split(",")):
        key, _, value = pair.strip().partition(" ")
        try:
            found[key] = base64.b64decode(value, validate=True).decode()
        except (binascii.Error, UnicodeDecodeError) as error:
            raise InvalidInputError(
                f"Upload-Metadata: {key!r} is not base64 of UTF-8", field="Upload-Metadata"
            ) from error
    return found


def answer(
    status: int, *, offset: int | None = None, size: int | None = None, expires: dt.datetime | None = None, **more: str
) -> Response[None]:
    """A response without a body."""
    headers = {**HEADERS, **more}
    if offset is not None:
        headers["Upload-Offset"] = str(offset)
    if size is not None:
        headers["Upload-Length"] = str(size)
    if expires is not None:
        headers["Upload-Expires"] = format_datetime(expires.astimezone(dt.UTC), usegmt=True)
    return Response(None, status_code=status, headers=headers)

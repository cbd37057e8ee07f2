"""Forms with files, read from the stream: kept in memory up to a limit, because a temporary file would hold them in clear."""

from collections.abc import AsyncIterator
from typing import Any

from litestar import Request
from litestar.exceptions import InternalServerException
from msgspec import Struct
from multipart import (  # type: ignore[import-untyped]  # it has none
    MultipartError,
    MultipartSegment,
    PushMultipartParser,
    parse_options_header,
)

from handover.errors import HandoverError, InvalidInputError, Kind

#: No form has more fields.
_MAX_PARTS = 32
#: What the fields of a form other than its file may have together.
FIELDS_BYTES = 64 << 10


class FormTooLargeError(HandoverError):
    """The form with its file is larger than it may be; choose a smaller file."""

    code = "form_too_large"
    kind = Kind.TOO_LARGE


class Part(Struct):
    """One field as it begins; its bytes follow."""

    name: str
    filename: str | None


async def parts(request: Request[Any, Any, Any]) -> AsyncIterator[Part | bytes]:
    """A multipart body as it arrives: a Part, then its bytes in pieces, then the next Part.

    Raises:
        InvalidInputError: it is not a whole multipart body.
    """
    kind, options = parse_options_header(request.headers.get("content-type", ""))
    if kind != "multipart/form-data" or "boundary" not in options:
        raise InvalidInputError("send this form as multipart/form-data", field="body")
    try:
        with PushMultipartParser(options["boundary"], max_segment_count=_MAX_PARTS) as parser:
            async for chunk in request.stream():
                for found in parser.parse(chunk):
                    if isinstance(found, MultipartSegment):
                        yield Part(found.name, found.filename)
                    elif found:
                        yield bytes(found)
    except (MultipartError, InternalServerException) as error:
        raise InvalidInputError("the form did not arrive whole; send it again", field="body") from error


async def read_form(request: Request[Any, Any, Any], limit: int) -> dict[str, Any]:
    """The fields of a form with files of `limit` bytes together; texts as str, files as bytes, repeated fields as a list.

    Raises:
        FormTooLargeError: it holds more.
    """
    found: dict[str, Any] = {}
    part, held, size = None, bytearray(), 0
    async for item in parts(request):
        if isinstance(item, Part):
            _keep(found, part, held)
            part, held = item, bytearray()
            continue
        size += len(item)
        if size > limit + FIELDS_BYTES:
            raise FormTooLargeError(f"a file of this form may have {limit >> 20} MiB")
        held += item
    _keep(found, part, held)
    return found


def _keep(found: dict[str, Any], part: Part | None, held: bytearray) -> None:
    if part is None or (part.filename is not None and not held):
        return
    value = bytes(held) if part.filename is not None else held.decode(errors="replace")
    if part.name in found:
        before = found[part.name]
        found[part.name] = [*(before if isinstance(before, list) else [before]), value]
    else:
        found[part.name] = value

"""JSON request bodies, read strictly (RFC 8259, I-JSON): one meaning, or refused before any handler sees them.

Refused: another media type (a foreign page can send those without asking), duplicate keys, lone surrogates, NUL
characters, bytes that are no UTF-8, numbers and nesting beyond what any form here has.
"""

import json
from typing import Any

import msgspec
from litestar import Request
from litestar.datastructures import State
from litestar.types import Empty

from handover.errors import HandoverError, InvalidInputError, Kind

#: No form here is nested deeper than a plan of fields with their options.
MAX_DEPTH = 32
_NUL = b"\\u0000"


class MediaTypeError(HandoverError):
    """The body is not what the route takes."""

    code = "unsupported_media_type"
    kind = Kind.UNSUPPORTED


class StrictRequest(Request[Any, Any, State]):
    """A request whose JSON body is read by `decode`."""

    async def json(self) -> Any:
        """The body as builtin types; read once."""
        if self._json is Empty:
            media_type = self.headers.get("content-type", "").partition(";")[0].strip().lower()
            if media_type != "application/json":
                raise MediaTypeError("send the body as Content-Type: application/json")
            self._json = decode(await self.body())
        return self._json


def decode(body: bytes) -> Any:
    """Builtin types from JSON text.

    Raises:
        InvalidInputError: says which rule the text breaks, without repeating it.
    """
    try:
        value = msgspec.json.decode(body)  # checks the syntax, UTF-8, surrogates and the size of numbers
        json.loads(body, object_pairs_hook=_no_duplicates)
    except UnicodeDecodeError as error:
        raise InvalidInputError("the body is not UTF-8") from error
    except (msgspec.DecodeError, ValueError, RecursionError) as error:
        raise InvalidInputError("the body is not JSON, or holds a number that no field here has") from error
    if body.count(b"[") + body.count(b"{") > MAX_DEPTH and _too_deep(value, MAX_DEPTH):
        raise InvalidInputError(f"the body is nested deeper than {MAX_DEPTH}")
    if _NUL in body and _holds_nul(value):
        raise InvalidInputError("the body holds a NUL character; remove it")
    return value


def _no_duplicates(pairs: list[tuple[str, Any]]) -> None:
    if len({name for name, _ in pairs}) != len(pairs):
        raise InvalidInputError("the body names a field twice")


def _too_deep(value: Any, left: int) -> bool:
    if isinstance(value, dict):
        return left == 0 or any(_too_deep(member, left - 1) for member in value.values())
    return isinstance(value, list) and (left == 0 or any(_too_deep(member, left - 1) for member in value))


def _holds_nul(value: Any) -> bool:
    if isinstance(value, str):
        return "\x00" in value
    if isinstance(value, dict):
        return any("\x00" in name or _holds_nul(member) for name, member in value.items())
    return isinstance(value, list) and any(_holds_nul(member) for member in value)

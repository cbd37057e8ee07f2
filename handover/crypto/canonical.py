"""Canonical JSON: one byte string per value, equal to RFC 8785 for the types that are allowed here.

Allowed are null, booleans, integers that a double holds exactly, strings, lists, mappings with string keys,
and msgspec Structs of these. Floats are refused, so is any key outside the Basic Multilingual Plane: RFC 8785
sorts keys by UTF-16 unit, the encoder by code point, and only such keys make the two differ.
"""

from collections.abc import Iterable
from typing import Any, TypeVar, overload

import msgspec

from handover.crypto.errors import CanonicalError

_T = TypeVar("_T")

#: Larger integers are not exact in the double that RFC 8785 and JavaScript readers use.
MAX_INTEGER = 2**53 - 1
#: Deeper nesting is no data of ours, and would exhaust a recursive reader.
MAX_DEPTH = 32

_encoder = msgspec.json.Encoder(order="sorted")


def encode(value: Any) -> bytes:
    """The canonical bytes of `value`.

    Raises:
        CanonicalError: the value holds something that has no canonical form here.
    """
    _check(value, MAX_DEPTH)
    try:
        return _encoder.encode(value)
    except (TypeError, ValueError, OverflowError, msgspec.MsgspecError) as error:
        raise CanonicalError(f"the value has no canonical form: {error}") from error


def encode_lines(values: Iterable[Any]) -> bytes:
    """A line for each Struct, whose declared types already exclude what `encode` looks for."""
    try:
        return _encoder.encode_lines(values)
    except (TypeError, ValueError, OverflowError, msgspec.MsgspecError) as error:
        raise CanonicalError(f"a value has no canonical form: {error}") from error


@overload
def decode_strict(data: bytes) -> Any: ...
@overload
def decode_strict(data: bytes, type: type[_T]) -> _T: ...
def decode_strict(data: bytes, type: Any = Any) -> Any:  # noqa: A002 - named as in msgspec
    """Decodes `data` into `type`, refusing bytes that differ from the canonical form of what they say.

    Duplicate and unknown keys, other key orders, spaces and other escapes are refused by that one rule.

    Raises:
        CanonicalError: not JSON, not of this type, or not canonical.
    """
    try:
        value = msgspec.json.decode(data, type=type)
    except (msgspec.MsgspecError, UnicodeDecodeError, RecursionError) as error:
        raise CanonicalError(f"not the expected JSON: {error}") from error
    if encode(value) != data:
        raise CanonicalError("the JSON is not in canonical form: sorted keys, no spaces, no keys but the known ones")
    return value


def decode_lines(data: bytes, type: type[_T]) -> list[_T]:  # noqa: A002 - as above
    """As `decode_strict`, for many lines of Structs whose declared types exclude what `encode` looks for, save large integers.

    Raises:
        CanonicalError: as above; which line it is, is not said.
    """
    try:
        values = msgspec.json.Decoder(type).decode_lines(data)
    except (msgspec.MsgspecError, UnicodeDecodeError, RecursionError) as error:
        raise CanonicalError(f"not the expected JSON: {error}") from error
    if encode_lines(values) != data:
        raise CanonicalError("a line is not in canonical form")
    return values


def _check(value: Any, depth: int) -> None:
    if value is None or isinstance(value, bool | str):
        return
    if isinstance(value, int):
        if abs(value) > MAX_INTEGER:
            raise CanonicalError(f"integer {value} is outside ±(2^53 - 1)")
        return
    if depth == 0:
        raise CanonicalError(f"nested deeper than {MAX_DEPTH}")
    if isinstance(value, dict):
        for key, member in value.items():
            _check_key(key)
            _check(member, depth - 1)
    elif isinstance(value, list | tuple):
        for member in value:
            _check(member, depth - 1)
    elif isinstance(value, msgspec.Struct):
        for field in value.__struct_fields__:
            _check(getattr(value, field), depth - 1)
    else:
        raise CanonicalError(f"{type(value).__name__} has no canonical form")


def _check_key(key: Any) -> None:
    if not isinstance(key, str):
        raise CanonicalError(f"key {key!r} is not a string")
    if any(character > "\uffff" for character in key):
        raise CanonicalError(f"key {key!r} has a character outside the Basic Multilingual Plane")

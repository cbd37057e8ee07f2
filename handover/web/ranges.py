"""Byte ranges (RFC 9110, section 14) of one immutable file: a single range, guarded by a strong ETag."""

import re
from typing import NamedTuple

from handover.errors import HandoverError, Kind

_SINGLE = re.compile(r"bytes=(\d{0,15})-(\d{0,15})")


class RangeError(HandoverError):
    """The range lies outside the file."""

    code = "range_not_satisfiable"
    kind = Kind.RANGE


class Span(NamedTuple):
    """Which bytes to send; `partial` answers 206."""

    start: int
    length: int
    partial: bool


def span_of(range_header: str | None, if_range: str | None, *, size: int, etag: str) -> Span:
    """The bytes that a request asks for. Several ranges, or another version in If-Range, get the whole file.

    Raises:
        RangeError: nothing of the range lies in the file.
    """
    whole = Span(0, size, partial=False)
    if range_header is None or (if_range is not None and if_range.strip() != etag):
        return whole
    match = _SINGLE.fullmatch(range_header.strip())
    if match is None or match.group(1) == match.group(2) == "":
        return whole
    first, last = match.groups()
    if first == "":
        length = min(int(last), size)
        start, end = size - length, size - 1
    else:
        start, end = int(first), min(int(last), size - 1) if last else size - 1
    if start >= size or end < start:
        raise RangeError(f"the file has {size} bytes", size=size)
    return Span(start, end - start + 1, partial=True)

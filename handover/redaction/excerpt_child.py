"""The isolated side of an excerpt: reads no further than what was asked for, and draws it if it is to."""

import sys
from collections.abc import Iterable

import msgspec

from handover.formats import Batch, FormatRefusedError, open_records
from handover.redaction.excerpt import Excerpt, Request
from handover.redaction.picture import marked, picture
from handover.redaction.sheet import lines_of, picture_of
from handover.sandbox.frames import FrameKind, pack, pack_stream, read_frame, read_stream

#: Longer values are cut; the package holds them whole.
_VALUE_MAX = 2_000
_COLUMNS_MAX = 60


def main() -> None:
    source, sink = sys.stdin.buffer, sys.stdout.buffer
    request = msgspec.msgpack.decode(read_frame(source)[1], type=Request)
    try:
        answer = _answer(read_stream(source), request)
    except FormatRefusedError as error:
        sink.write(pack(FrameKind.REFUSED, msgspec.json.encode(error.reason)))
    else:
        sink.writelines(pack_stream([answer]))
    sink.flush()


def _answer(chunks: Iterable[bytes], request: Request) -> bytes:
    if request.sheet is not None and request.watermark:
        return marked(picture_of(b"".join(chunks), request.name, request.sheet), request.watermark)
    if request.sheet is not None:
        lines = lines_of(b"".join(chunks), request.name, request.sheet)
        return msgspec.msgpack.encode(Excerpt(columns=["text"], rows=[[line[:_VALUE_MAX]] for line in lines], first=0))
    found = excerpt(chunks, request)
    return picture(found, request.watermark) if request.watermark else msgspec.msgpack.encode(found)


def excerpt(chunks: Iterable[bytes], request: Request) -> Excerpt:
    """The records `first` to `first + count`; a value that occurs several times in a record is joined.

    Raises:
        FormatRefusedError: the file cannot be read.
    """
    rows: list[dict[str, str]] = [{} for _ in range(request.count)]
    names: dict[str, None] = {}
    seen, end = 0, request.first + request.count
    for batch in open_records(chunks, request.name).batches:
        seen = batch.first + batch.count
        if seen > request.first:
            _take(batch, request.first, rows, names)
        if seen >= end:
            break
    columns = list(names)[:_COLUMNS_MAX]
    there = max(0, min(seen, end) - request.first)
    return Excerpt(
        columns=columns, rows=[[row.get(name, "") for name in columns] for row in rows[:there]], first=request.first
    )


def _take(batch: Batch, first: int, rows: list[dict[str, str]], names: dict[str, None]) -> None:
    for column in batch.columns:
        for value, record in zip(column.values, column.records, strict=True):
            at = batch.first + record - first
            if 0 <= at < len(rows):
                names.setdefault(column.name)
                before = rows[at].get(column.name)
                whole = value if before is None else f"{before}; {value}"
                rows[at][column.name] = whole if len(whole) <= _VALUE_MAX else whole[: _VALUE_MAX - 1] + "…"

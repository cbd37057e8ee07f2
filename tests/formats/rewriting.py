"""Reads and rewrites files in a test, and makes the ones that take more than a line."""

import io
import sqlite3
import zipfile
from collections.abc import Iterator, Sequence
from contextlib import closing

from handover.formats import Reading, open_records, open_writer


def pieces(data: bytes, size: int = 1 << 16) -> Iterator[bytes]:
    return iter([data[start : start + size] for start in range(0, len(data), size)])


def read(
    data: bytes, name: str, size: int = 1 << 16, *, tolerant: bool = False
) -> tuple[Reading, dict[str, list[str]]]:
    reading = open_records(pieces(data, size), name, tolerant=tolerant)
    values: dict[str, list[str]] = {}
    for batch in reading.batches:
        for column in batch.columns:
            values.setdefault(column.name, []).extend(column.values)
    return reading, values


def rewrite(data: bytes, name: str, keep: Sequence[bool] | None = None, replace: dict[str, str] | None = None) -> bytes:
    """The file written anew, with every occurrence of a key of `replace` in any value replaced."""
    reading = open_records(pieces(data), name)
    writer = open_writer(reading.format, name)
    out = []
    for batch in reading.batches:
        for column in batch.columns if replace else ():
            column.replaced = [_replaced(value, replace or {}) for value in column.values]
        out.append(writer.write(batch, None if keep is None else keep[batch.first : batch.first + batch.count]))
    return b"".join(out) + writer.finish()


def _replaced(value: str, replace: dict[str, str]) -> str:
    for old, new in replace.items():
        value = value.replace(old, new)
    return value


def archive(files: dict[str, bytes], comment: bytes = b"") -> bytes:
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w", zipfile.ZIP_DEFLATED) as target:
        target.comment = comment
        for name, content in files.items():
            target.writestr(name, content)
    return buffer.getvalue()


def unpacked(data: bytes) -> dict[str, bytes]:
    with zipfile.ZipFile(io.BytesIO(data)) as source:
        return {name: source.read(name) for name in source.namelist()}


def database(script: str) -> bytes:
    with closing(sqlite3.connect(":memory:")) as connection:
        connection.executescript(script)
        return connection.serialize()


def rows(data: bytes, query: str) -> list[tuple[object, ...]]:
    with closing(sqlite3.connect(":memory:")) as connection:
        connection.deserialize(data)
        return connection.execute(query).fetchall()

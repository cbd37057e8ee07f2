"""Compares rows with blobs: what a live row needs and is not there, and what is there and no row names.

A reference is anything of the form of a blob key in any text or JSON column, so a room that stores blobs is found without
being listed here. What must exist is said by the copy register, by uploads and by issued documents.
"""

import re
from collections.abc import Iterator
from typing import Any

import msgspec
import sqlalchemy as sa

from handover.db import Base, Database, Session
from handover.storage import Storage

_BLOB_KEY = re.compile(r"[0-9a-f]{2}/[0-9a-f]{30}")
#: Tables whose blobs must exist, with the states in which they must (None: always), and the column that names them.
_REQUIRED = {
    "copies": (frozenset({"live", "retained"}), "blob"),
    "uploads": (frozenset({"open", "complete"}), "segments"),
    "issued_documents": (None, "blob"),
}


class Difference(msgspec.Struct, frozen=True):
    """`missing`: blob keys that live rows name; `orphans`: blob keys that no row names."""

    missing: tuple[str, ...]
    orphans: tuple[str, ...]
    blobs: int


def compare(database: Database, storage: Storage) -> Difference:
    """Lists differences. A blob whose row commits meanwhile is no orphan: rows are read after blobs, and twice."""
    stored = set(storage.keys())
    with database.transaction(write=False) as session:
        named = set(_references(session))
        missing = {key for key in _required(session) if key not in stored and not storage.exists(key)}
    orphans = stored - named
    if orphans:
        with database.transaction(write=False) as session:
            orphans -= set(_references(session))
    return Difference(tuple(sorted(missing)), tuple(sorted(orphans)), len(stored))


def clear_remains(database: Database, storage: Storage) -> int:
    """Removes what killed processes left in the store; returns how many files that were."""

    def unnamed(written: set[str]) -> set[str]:
        with database.transaction(write=False) as session:
            return written - set(_references(session))

    return storage.clear(unnamed)


def _references(session: Session) -> Iterator[str]:
    for table in Base.metadata.sorted_tables:
        columns = [column for column in table.columns if isinstance(column.type, sa.JSON | sa.String)]
        if columns:
            for row in session.execute(sa.select(*columns)):
                for value in row:
                    yield from _keys_in(value)


def _required(session: Session) -> Iterator[str]:
    for name, (states, column) in _REQUIRED.items():
        table = Base.metadata.tables.get(name)
        if table is None or column not in table.columns:
            continue
        query = sa.select(table.c[column])
        if states is not None:
            query = query.where(table.c.state.in_(states))
        for value in session.scalars(query):
            yield from _keys_in(value)


def _keys_in(value: Any) -> Iterator[str]:
    if isinstance(value, str):
        if _BLOB_KEY.fullmatch(value):
            yield value
    elif isinstance(value, dict):
        for member in value.values():
            yield from _keys_in(member)
    elif isinstance(value, list):
        for member in value:
            yield from _keys_in(member)

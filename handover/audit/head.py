"""The one row that orders all appends: reading it under a lock, and moving it on.

On SQLite a writer holds the database already (BEGIN IMMEDIATE); on PostgreSQL the row lock makes appenders queue.
"""

from typing import Any

import sqlalchemy as sa
from sqlalchemy.dialects import postgresql, sqlite

from handover.audit.models import HEAD_ID, AuditHead
from handover.crypto.merkle import Frontier
from handover.db import Base, Session

#: Key in `Session.info`: the edge as it was committed before this unit of work appended anything.
_COMMITTED = "handover.audit.committed"


def lock_head(session: Session) -> Frontier:
    """The edge of the tree; nobody else appends until this transaction ends."""
    frontier = _read(session, lock=True)
    if frontier is None:
        # The very first entry; of two processes that try, the second waits here and then finds the row.
        insert_once(session, AuditHead, {"id": HEAD_ID, "size": 0, "frontier": Frontier().to_bytes()})
        frontier = _read(session, lock=True) or Frontier()
    session.info.setdefault(_COMMITTED, frontier.to_bytes())
    return frontier


def write_head(session: Session, frontier: Frontier) -> None:
    values = {"size": frontier.size, "frontier": frontier.to_bytes()}
    session.execute(sa.update(AuditHead).where(AuditHead.id == HEAD_ID).values(values))


def committed_head(session: Session) -> Frontier:
    """The edge without what this unit of work appended: what is signed must not be able to roll back."""
    before: bytes | None = session.info.get(_COMMITTED)
    if before is not None:
        return Frontier.from_bytes(before)
    return _read(session, lock=False) or Frontier()


def insert_once(session: Session, table: type[Base], values: dict[str, Any]) -> None:
    """Inserts a row unless one with its key is there."""
    dialect = postgresql if session.get_bind().dialect.name == "postgresql" else sqlite
    session.execute(dialect.insert(table).values(values).on_conflict_do_nothing())


def _read(session: Session, *, lock: bool) -> Frontier | None:
    query = sa.select(AuditHead.frontier).where(AuditHead.id == HEAD_ID)
    stored = session.execute(query.with_for_update() if lock else query).scalar_one_or_none()
    return None if stored is None else Frontier.from_bytes(stored)

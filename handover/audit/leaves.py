"""Reads of the log's rows, in order and without gaps, for proofs, exports and verification."""

import datetime as dt
import uuid
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

import sqlalchemy as sa

from handover.audit.errors import AuditVerificationError
from handover.audit.models import AuditCheckpoint, AuditEntry
from handover.db import Session

#: Any columns, the first of them the index.
_Columns = tuple[Any, ...]
#: Rows held in memory at a time.
_BATCH = 2_000


@dataclass(frozen=True, slots=True)
class StoredEntry:
    """A row of the log, detached from the session."""

    index: int
    case_id: uuid.UUID | None
    time: dt.datetime
    entry: str
    leaf_hash: bytes


def leaf_hashes(session: Session, start: int, end: int) -> Iterator[bytes]:
    """Leaf hashes of entries start … end-1.

    Raises:
        AuditVerificationError: one is missing.
    """
    expected = start
    for index, leaf in _batches(session, sa.select(AuditEntry.index, AuditEntry.leaf_hash), start, end):
        if index != expected:
            break
        expected += 1
        yield leaf
    if expected != end:
        raise AuditVerificationError(
            f"entry {expected} is missing from the database", "entry_missing", expected, expected
        )


def rows(session: Session, end: int) -> Iterator[StoredEntry]:
    """Entries 0 … end-1 in order; gaps are for the reader to see."""
    columns = (AuditEntry.index, AuditEntry.case_id, AuditEntry.time, AuditEntry.entry, AuditEntry.leaf_hash)
    for row in _batches(session, sa.select(*columns), 0, end):
        yield StoredEntry(*row)


def _batches(session: Session, query: sa.Select[*_Columns], start: int, end: int) -> Iterator[sa.Row[*_Columns]]:
    """Rows by index, a bounded number at a time; no cursor stays open between them when the reader stops early."""
    ordered = query.order_by(AuditEntry.index).limit(_BATCH)
    while start < end:
        batch = session.execute(ordered.where(AuditEntry.index >= start, AuditEntry.index < end)).all()
        yield from batch
        start = batch[-1][0] + 1 if batch else end


def checkpoints_up_to(session: Session, size: int) -> Iterator[str]:
    """Kept checkpoints, smallest first."""
    query = sa.select(AuditCheckpoint.note).where(AuditCheckpoint.size <= size).order_by(AuditCheckpoint.size)
    yield from session.scalars(query)


def newest_checkpoint(session: Session) -> AuditCheckpoint | None:
    return session.scalars(sa.select(AuditCheckpoint).order_by(AuditCheckpoint.size.desc()).limit(1)).one_or_none()

"""Reads of the log's rows, in order and without gaps, for proofs, exports and verification."""

from collections.abc import Iterator

import sqlalchemy as sa

from handover.audit.errors import AuditVerificationError
from handover.audit.models import AuditCheckpoint, AuditEntry
from handover.db import Session

#: Rows held in memory at a time.
_BATCH = 2_000


def leaf_hashes(session: Session, start: int, end: int) -> Iterator[bytes]:
    """Leaf hashes of entries start … end-1.

    Raises:
        AuditVerificationError: one is missing.
    """
    query = sa.select(AuditEntry.index, AuditEntry.leaf_hash).where(AuditEntry.index >= start, AuditEntry.index < end)
    expected = start
    for index, leaf in session.execute(query.order_by(AuditEntry.index).execution_options(yield_per=_BATCH)):
        if index != expected:
            break
        expected += 1
        yield leaf
    if expected != end:
        raise AuditVerificationError(
            f"entry {expected} is missing from the database", "entry_missing", expected, expected
        )


def rows(session: Session, end: int) -> Iterator[AuditEntry]:
    """Entries 0 … end-1 in order, not kept in the session; gaps are for the reader to see."""
    query = sa.select(AuditEntry).where(AuditEntry.index < end).order_by(AuditEntry.index)
    for row in session.scalars(query.execution_options(yield_per=_BATCH)):
        yield row
        session.expunge(row)


def checkpoints_up_to(session: Session, size: int) -> Iterator[str]:
    """Kept checkpoints, smallest first."""
    query = sa.select(AuditCheckpoint.note).where(AuditCheckpoint.size <= size).order_by(AuditCheckpoint.size)
    yield from session.scalars(query)


def newest_checkpoint(session: Session) -> AuditCheckpoint | None:
    return session.scalars(sa.select(AuditCheckpoint).order_by(AuditCheckpoint.size.desc()).limit(1)).one_or_none()

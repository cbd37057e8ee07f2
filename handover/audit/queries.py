"""What pages, the API and gates read of the log; who may read a case's log is the caller's question."""

import datetime as dt
import uuid

import msgspec
import sqlalchemy as sa

from handover.audit.entry import Entry, decode_entry
from handover.audit.leaves import newest_checkpoint
from handover.audit.models import AuditEntry, AuditVerification
from handover.context import Context
from handover.errors import InvalidInputError

#: One page of entries at most.
MAX_PAGE = 500


class EntryView(msgspec.Struct, frozen=True):
    """An entry with its leaf hash in hex."""

    entry: Entry
    leaf: str


class EntryPage(msgspec.Struct, frozen=True):
    """Entries in order of index; `next` is the cursor of the page after, None on the last."""

    items: list[EntryView]
    next: str | None


class VerificationView(msgspec.Struct, frozen=True, kw_only=True):
    """The newest full recomputation of the log; `problem` is None when it held."""

    verified_at: dt.datetime
    size: int
    root: str
    problem: str | None
    first: int | None
    last: int | None

    @property
    def holds(self) -> bool:
        return self.problem is None


def entries(
    ctx: Context, *, case_id: uuid.UUID | None = None, cursor: str | None = None, limit: int = 100
) -> EntryPage:
    """A page of a case's entries, or of all entries without a case.

    Raises:
        InvalidInputError: the cursor is not one that a page gave, or the limit is out of range.
    """
    if not 1 <= limit <= MAX_PAGE:
        raise InvalidInputError(f"limit is between 1 and {MAX_PAGE}", field="limit")
    query = sa.select(AuditEntry).where(AuditEntry.index >= _start(cursor)).order_by(AuditEntry.index).limit(limit + 1)
    if case_id is not None:
        query = query.where(AuditEntry.case_id == case_id)
    found = list(ctx.session.scalars(query))
    more = found[limit:]
    items = [EntryView(decode_entry(row.entry.encode()), row.leaf_hash.hex()) for row in found[:limit]]
    return EntryPage(items, str(more[0].index) if more else None)


def newest_note(ctx: Context) -> str | None:
    """The newest kept checkpoint, as the signed note; None before the first."""
    newest = newest_checkpoint(ctx.session)
    return None if newest is None else newest.note


def last_verification(ctx: Context) -> VerificationView | None:
    """What the gate on the log's integrity looks at; None when the log was never verified."""
    row = ctx.session.scalars(
        sa.select(AuditVerification)
        .order_by(AuditVerification.verified_at.desc(), AuditVerification.id.desc())
        .limit(1)
    ).one_or_none()
    if row is None:
        return None
    return VerificationView(
        verified_at=row.verified_at,
        size=row.size,
        root=row.root.hex(),
        problem=row.problem,
        first=row.first_index,
        last=row.last_index,
    )


def _start(cursor: str | None) -> int:
    if cursor is None:
        return 0
    if not (cursor.isascii() and cursor.isdecimal()) or len(cursor) > 18:
        raise InvalidInputError("the cursor is not one that a page gave", field="cursor")
    return int(cursor)

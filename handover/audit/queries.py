"""What pages, the API and gates read of the log; who may read a case's log is the caller's question."""

import datetime as dt
import uuid
from collections.abc import Sequence
from zoneinfo import ZoneInfo

import msgspec
import sqlalchemy as sa

from handover.audit.entry import Entry, decode_entry
from handover.audit.leaves import newest_checkpoint
from handover.audit.models import AuditEntry, AuditVerification
from handover.context import Context
from handover.errors import InvalidInputError

#: One page of entries at most.
MAX_PAGE = 500
#: Days are meant as the parties live them (pages show times in this zone).
PARTIES_ZONE = ZoneInfo("Asia/Shanghai")


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


class Wanted(msgspec.Struct, frozen=True, kw_only=True):
    """Which entries of a case: every condition that is given must hold. `event` may be the first part of a name."""

    event: str = ""
    actor: str = ""
    entity: str = ""
    since: dt.date | None = None
    until: dt.date | None = None


def latest(
    ctx: Context, case_id: uuid.UUID, wanted: Wanted, *, before: int | None = None, limit: int = 50
) -> tuple[list[EntryView], int | None]:
    """A case's entries, newest first, below an index; with the index from which the next page goes on."""
    query = _wanted(sa.select(AuditEntry).where(AuditEntry.case_id == case_id), wanted)
    if before is not None:
        query = query.where(AuditEntry.index < before)
    found = list(ctx.session.scalars(query.order_by(AuditEntry.index.desc()).limit(limit + 1)))
    items = [EntryView(decode_entry(row.entry.encode()), row.leaf_hash.hex()) for row in found[:limit]]
    return items, found[limit - 1].index if len(found) > limit else None


class _Moved(msgspec.Struct):
    """The part of an entry that tells of a move; an entry is taken as stored, unverified."""

    entity_id: str | None
    time: str
    from_state: str | None = msgspec.field(name="from")
    to_state: str | None = msgspec.field(name="to")


def last_moves(ctx: Context, case_id: uuid.UUID, limit: int) -> dict[str, dt.datetime]:
    """When the rows of a case came into their states, by id, as far as the newest entries tell."""
    query = sa.select(AuditEntry.entry).where(AuditEntry.case_id == case_id).order_by(AuditEntry.index.desc())
    found: dict[str, dt.datetime] = {}
    for text in ctx.session.scalars(query.limit(limit)):
        moved = msgspec.json.decode(text, type=_Moved)
        if moved.entity_id is not None and moved.from_state != moved.to_state:
            found.setdefault(moved.entity_id, dt.datetime.fromisoformat(moved.time))
    return found


def entry_of(ctx: Context, case_id: uuid.UUID, index: int) -> EntryView | None:
    """One entry of a case."""
    row = ctx.session.get(AuditEntry, index)
    if row is None or row.case_id != case_id:
        return None
    return EntryView(decode_entry(row.entry.encode()), row.leaf_hash.hex())


def last_times(ctx: Context, case_ids: Sequence[uuid.UUID]) -> dict[uuid.UUID, dt.datetime]:
    """When something last happened in each of these cases."""
    newest = (
        sa.select(sa.func.max(AuditEntry.index)).where(AuditEntry.case_id.in_(case_ids)).group_by(AuditEntry.case_id)
    )
    rows = ctx.session.execute(
        sa.select(AuditEntry.case_id, AuditEntry.time).where(AuditEntry.index.in_(newest.scalar_subquery()))
    )
    return {case_id: time for case_id, time in rows if case_id is not None}


def times_of(ctx: Context, case_id: uuid.UUID) -> list[dt.datetime]:
    """The times of all entries of a case, oldest first."""
    query = sa.select(AuditEntry.time).where(AuditEntry.case_id == case_id).order_by(AuditEntry.index)
    return list(ctx.session.scalars(query))


def entries_of_entity(ctx: Context, case_id: uuid.UUID, entity_id: uuid.UUID) -> list[EntryView]:
    """Everything that happened to one row of a case, oldest first."""
    query = sa.select(AuditEntry).where(
        AuditEntry.case_id == case_id, AuditEntry.entry.contains(f'"entity_id":"{entity_id}"')
    )
    rows = ctx.session.scalars(query.order_by(AuditEntry.index).limit(MAX_PAGE))
    return [EntryView(decode_entry(row.entry.encode()), row.leaf_hash.hex()) for row in rows]


def _wanted(query: sa.Select[AuditEntry], wanted: Wanted) -> sa.Select[AuditEntry]:
    """The entry's text is canonical, so a field stands in it in one way only."""
    for begins in (
        f'"event":"{wanted.event}' if wanted.event else "",
        f'"actor":"{wanted.actor}"' if wanted.actor else "",
        f'"entity":"{wanted.entity}"' if wanted.entity else "",
    ):
        if begins:
            query = query.where(AuditEntry.entry.contains(begins, autoescape=True))
    if wanted.since is not None:
        query = query.where(AuditEntry.time >= _midnight(wanted.since))
    if wanted.until is not None:
        query = query.where(AuditEntry.time < _midnight(wanted.until + dt.timedelta(days=1)))
    return query


def _midnight(day: dt.date) -> dt.datetime:
    return dt.datetime.combine(day, dt.time(), PARTIES_ZONE)


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

"""What a bidder may look at before closing: what was released to its own party, a few records or one page at a time.

Every look is judged anew (party still in the process, case going on, the reader's own NDA, the release by two persons)
and is an audit entry without values. How records are read and drawn is in `excerpt`.
"""

import datetime as dt
import uuid
from collections.abc import Iterator
from typing import Literal

import msgspec
from sqlalchemy import func, select

from handover.accounts.queries import person_name
from handover.agreements.queries import nda_covers
from handover.audit import AuditLog
from handover.audit.models import AuditEntry
from handover.cases.models import Case
from handover.cases.queries import bidder_party, party
from handover.context import Context
from handover.errors import ForbiddenError, HandoverError, Kind, NotFoundError
from handover.inventory.content import Content, plain_chunks
from handover.inventory.models import Copy, RecordSet
from handover.inventory.queries import copy_content
from handover.redaction.models import Redaction, RedactionItem
from handover.redaction.queries import document_pages, items_of
from handover.vault import SealedBlob, Vault
from handover.workflow import Workflow

#: Records on a page, and how far one can turn the pages: enough to judge the material, too little to take it along.
PAGE_RECORDS = 25
RECORDS_MAX = 200
#: The same of a document that has pages of its own (PDF, pictures).
PAGES_MAX = RECORDS_MAX // PAGE_RECORDS
#: Looks of one person at one case within an hour; more is a machine.
_LOOKS_MAX = 120
_EVENT = "redaction.material_viewed"
#: Longer names would make the mark wider than the picture.
_NAME_MAX = 40

Standing = Literal["out", "over", "paused", "nda_missing", "not_released", "released"]


class TooManyLooksError(HandoverError):
    """The limit of looks in an hour is reached."""

    code = "too_many_looks"
    kind = Kind.THROTTLED


class Shown(msgspec.Struct, frozen=True, kw_only=True):
    """One record set as its reader sees it: its number and kind, and how many of its records can be looked at."""

    record_set_id: str
    number: str
    kind: str
    records: int
    pages: int
    #: How many pages the document itself has, which are shown as they are; 0 where records are.
    sheets: int = 0


class Material(msgspec.Struct, frozen=True, kw_only=True):
    """Whether something was released to the reader's party, and what."""

    standing: Standing
    run_id: uuid.UUID | None = None
    sets: list[Shown] = []


class Look(msgspec.Struct, frozen=True, kw_only=True):
    """One admitted look; `source` is used after the unit of work, so that no lock is held while a file is read."""

    vault: Vault
    key_id: str
    blob: SealedBlob
    content: Content
    name: str
    first: int
    count: int
    #: The document's page, counted from 0; None where records are shown.
    sheet: int | None
    watermark: str

    def source(self) -> Iterator[bytes]:
        return plain_chunks(self.vault, self.key_id, self.blob, self.content)


def material_of(ctx: Context, case: Case) -> Material:
    """What the reader may look at now.

    Raises:
        NotFoundError: the reader takes part in another way than for a bidder.
    """
    party_id = bidder_party(ctx, case.id)
    if party_id is None:
        raise NotFoundError("there is no such case")
    standing = _standing(ctx, case, party_id)
    if standing is not None:
        return Material(standing=standing)
    run = _released_run(ctx, case, party_id)
    if run is None:
        return Material(standing="not_released")
    sheets = document_pages(ctx, run.id)
    sets = [shown for item in items_of(ctx, run.id) if (shown := _shown(ctx, item, sheets)) is not None]
    return Material(standing="released" if sets else "over", run_id=run.id, sets=sets)


def look(ctx: Context, case: Case, record_set_id: uuid.UUID, page: int, form: Literal["picture", "text"]) -> Look:
    """Admits one look at one page of a record set, and notes it.

    Raises:
        ForbiddenError: nothing is released to the reader now. NotFoundError: no such record set or page.
        TooManyLooksError: the reader looked too often within the hour.
    """
    found = material_of(ctx, case)
    if found.standing != "released" or found.run_id is None:
        raise ForbiddenError("no redacted material is open to you now")
    shown = next((s for s in found.sets if s.record_set_id == str(record_set_id)), None)
    if shown is None or not 1 <= page <= shown.pages:
        raise NotFoundError("there is no such page of the material")
    _count(ctx, case.id)
    item = next(i for i in items_of(ctx, found.run_id) if i.record_set_id == record_set_id)
    copy, first = ctx.session.get_one(Copy, item.output_copy_id), (page - 1) * PAGE_RECORDS
    content = copy_content(ctx, copy)
    ctx.get(AuditLog).append(
        ctx,
        _EVENT,
        entity="redaction",
        entity_id=found.run_id,
        case_id=case.id,
        details={"record_set": str(record_set_id), "page": page, "form": form},
    )
    return Look(
        vault=ctx.get(Vault),
        key_id=str(copy.key_id),
        blob=msgspec.convert(copy.blob, SealedBlob),
        content=content,
        name=f"{shown.number}.{content.format}",
        first=first,
        count=min(PAGE_RECORDS, min(RECORDS_MAX, shown.records) - first),
        sheet=page - 1 if shown.sheets else None,
        watermark=watermark(ctx, case),
    )


def watermark(ctx: Context, case: Case) -> str:
    """Who looks at which case when; the time is that of the parties' zone."""
    name = person_name(ctx, ctx.person())
    shown = name if len(name) <= _NAME_MAX else name[: _NAME_MAX - 1] + "…"
    at = ctx.now().astimezone(dt.timezone(dt.timedelta(hours=8)))
    return f"{shown} · {case.reference} · {at:%Y-%m-%d %H:%M} UTC+8"


def _standing(ctx: Context, case: Case, party_id: uuid.UUID) -> Standing | None:
    if party(ctx, case.id, party_id).standing not in {"active", "won"}:
        return "out"
    if case.state in {"cancelled", "closed"}:
        return "over"
    (gate,) = ctx.get(Workflow).evaluate(ctx, case, ["not_frozen"])
    if not gate.open:
        return "paused"
    return None if nda_covers(ctx, case.id, ctx.person(), party_id) else "nda_missing"


def _released_run(ctx: Context, case: Case, party_id: uuid.UUID) -> Redaction | None:
    query = select(Redaction).where(
        Redaction.case_id == case.id, Redaction.party_id == party_id, Redaction.state == "approved"
    )
    for row in ctx.session.scalars(query.order_by(Redaction.id.desc())):
        # Packages come later along the transfer: that one was released is asked of their gate, by its name.
        (gate,) = ctx.get(Workflow).evaluate(ctx, row, ["material_released"])
        if gate.open:
            return row
    return None


def _shown(ctx: Context, item: RedactionItem, sheets: dict[uuid.UUID, int]) -> Shown | None:
    """None once the output is destroyed."""
    copy = ctx.session.get_one(Copy, item.output_copy_id)
    if copy.key_id is None or copy.state != "live" or not ctx.get(Vault).has(copy.key_id):
        return None
    record_set, own = ctx.session.get_one(RecordSet, item.record_set_id), sheets.get(item.record_set_id, 0)
    return Shown(
        record_set_id=str(record_set.id),
        number=record_set.number,
        kind=record_set.kind,
        records=item.records_out,
        pages=min(PAGES_MAX, own) if own else -(-min(RECORDS_MAX, item.records_out) // PAGE_RECORDS),
        sheets=own,
    )


def _count(ctx: Context, case_id: uuid.UUID) -> None:
    query = select(func.count()).where(
        AuditEntry.case_id == case_id,
        AuditEntry.time > ctx.now() - dt.timedelta(hours=1),
        AuditEntry.entry.contains(f'"actor":"{ctx.person()}"'),
        AuditEntry.entry.contains(f'"event":"{_EVENT}"'),
    )
    if (ctx.session.scalar(query) or 0) >= _LOOKS_MAX:
        raise TooManyLooksError(f"you looked at {_LOOKS_MAX} pages within an hour; go on later", retry_after=3600)

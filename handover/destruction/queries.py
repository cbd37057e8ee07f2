"""Reads of destruction orders."""

import datetime as dt
import uuid
from hashlib import sha256
from typing import Any

import msgspec
from sqlalchemy import select

from handover.context import Context
from handover.crypto import canonical
from handover.destruction.models import DestructionItem, DestructionOrder
from handover.errors import NotFoundError
from handover.inventory.queries import inside


class ItemView(msgspec.Struct, frozen=True, kw_only=True):
    """One copy of an order."""

    id: str
    copy_id: str
    copy_kind: str
    record_set_id: str | None
    package_id: str | None
    method: str
    level: str
    place: str
    state: str
    size: int | None
    retained_until: dt.date | None
    started_at: dt.datetime | None
    ended_at: dt.datetime | None
    verification: dict[str, Any] | None


class OrderView(msgspec.Struct, frozen=True, kw_only=True):
    """A destruction order; `items_sha256` is what the approvers approve."""

    id: str
    version: int
    case_id: str
    state: str
    requested_by: str | None
    executor_id: str | None
    witness_id: str | None
    items_sha256: str
    approved_at: dt.datetime | None
    executed_at: dt.datetime | None
    verified_at: dt.datetime | None
    key_destruction: dict[str, Any] | None
    items: list[ItemView]


def visible_order(ctx: Context, order_id: uuid.UUID) -> DestructionOrder:
    """An order of a case that the actor works on; bidders see none.

    Raises:
        NotFoundError: missing or not the actor's to see.
    """
    row = ctx.session.get(DestructionOrder, order_id)
    if row is None:
        raise NotFoundError("there is no such destruction order")
    inside(ctx, row.case_id)
    return row


def orders_of(ctx: Context, case_id: uuid.UUID) -> list[DestructionOrder]:
    query = select(DestructionOrder).where(DestructionOrder.case_id == case_id).order_by(DestructionOrder.id)
    return list(ctx.session.scalars(query))


def items_of(ctx: Context, order_id: uuid.UUID) -> list[DestructionItem]:
    query = select(DestructionItem).where(DestructionItem.order_id == order_id).order_by(DestructionItem.id)
    return list(ctx.session.scalars(query))


def items_subject(ctx: Context, row: DestructionOrder) -> str:
    """The item list that is approved, canonical: any change is another subject and voids approvals."""
    listed = [[str(i.copy_id), i.method, i.level, i.key_id or "", i.blob_key or ""] for i in items_of(ctx, row.id)]
    return canonical.encode(
        {"items": listed, "executor": str(row.executor_id or ""), "witness": str(row.witness_id or "")}
    ).decode()


def order_view(ctx: Context, row: DestructionOrder) -> OrderView:
    return OrderView(
        id=str(row.id),
        version=row.version,
        case_id=str(row.case_id),
        state=row.state,
        requested_by=str(row.requested_by) if row.requested_by else None,
        executor_id=str(row.executor_id) if row.executor_id else None,
        witness_id=str(row.witness_id) if row.witness_id else None,
        items_sha256=sha256(items_subject(ctx, row).encode()).hexdigest(),
        approved_at=row.approved_at,
        executed_at=row.executed_at,
        verified_at=row.verified_at,
        key_destruction=row.key_destruction,
        items=[
            ItemView(
                id=str(i.id),
                copy_id=str(i.copy_id),
                copy_kind=i.copy_kind,
                record_set_id=str(i.record_set_id) if i.record_set_id else None,
                package_id=str(i.package_id) if i.package_id else None,
                method=i.method,
                level=i.level,
                place=i.place,
                state=i.state,
                size=i.size,
                retained_until=i.retained_until,
                started_at=i.started_at,
                ended_at=i.ended_at,
                verification=i.verification,
            )
            for i in items_of(ctx, row.id)
        ],
    )

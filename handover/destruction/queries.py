"""Reads of destruction orders."""

import datetime as dt
import uuid
from hashlib import sha256
from typing import Any

import msgspec
from sqlalchemy import select

from handover.accounts.queries import person_name
from handover.cases.queries import members_of, parties, party_name
from handover.context import Context
from handover.crypto import canonical
from handover.destruction.models import DestructionItem, DestructionOrder
from handover.errors import NotFoundError
from handover.inventory.queries import copies_of, inside, record_sets_of
from handover.packages.queries import packages_of
from handover.vault import Vault
from handover.workflow import GateResult, Workflow


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


class RegisterLine(msgspec.Struct, frozen=True, kw_only=True):
    """One copy as the register knows it; `key_gone` says that nothing opens it any more."""

    id: str
    kind: str
    of: str
    holder: str | None
    place: str
    level: str
    state: str
    size: int | None
    retained_until: dt.date | None
    ended_at: dt.datetime | None
    key_gone: bool


def register(ctx: Context, case_id: uuid.UUID) -> list[RegisterLine]:
    """Every copy of a case, oldest first: where it is, who holds it, and whether its key is destroyed."""
    inside(ctx, case_id)
    sets = {row.id: row.number for row in record_sets_of(ctx, case_id)}
    packages = {row.id: row.number for row in packages_of(ctx, case_id)}
    holders = {row.id: party_name(ctx, row) for row in parties(ctx, case_id)}
    vault = ctx.get(Vault)
    return [
        RegisterLine(
            id=str(copy.id),
            kind=copy.kind,
            of=(packages.get(copy.package_id) if copy.package_id else None)
            or (sets.get(copy.record_set_id) if copy.record_set_id else None)
            or "—",
            holder=(holders.get(copy.holder_party_id) or "—") if copy.holder_party_id else None,
            place=copy.place,
            level=copy.level,
            state=copy.state,
            size=(copy.blob or {}).get("size"),
            retained_until=copy.retained_until,
            ended_at=copy.ended_at,
            key_gone=copy.key_id is not None and not vault.has(copy.key_id),
        )
        for copy in copies_of(ctx, case_id)
    ]


def eligibility(ctx: Context, row: DestructionOrder) -> list[GateResult]:
    """What stands between an order and its approval, computed now."""
    workflow = ctx.get(Workflow)
    asked = workflow.definition(ctx, row.case_id, DestructionOrder.MACHINE).transitions
    gates = next(transition.gates for transition in asked if transition.trigger == "request_approval")
    return workflow.evaluate(ctx, row, gates)


def people_with(ctx: Context, case_id: uuid.UUID, role: str) -> list[tuple[str, str]]:
    """Ids and names of those who hold a role in the case."""
    found = [m.person_id for m in members_of(ctx, case_id) if m.role == role]
    return [(str(person), person_name(ctx, person)) for person in dict.fromkeys(found)]


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


def items_digest(ctx: Context, row: DestructionOrder) -> str:
    """What an approver is shown of the list that they approve."""
    return sha256(items_subject(ctx, row).encode()).hexdigest()


def order_view(ctx: Context, row: DestructionOrder) -> OrderView:
    return OrderView(
        id=str(row.id),
        version=row.version,
        case_id=str(row.case_id),
        state=row.state,
        requested_by=str(row.requested_by) if row.requested_by else None,
        executor_id=str(row.executor_id) if row.executor_id else None,
        witness_id=str(row.witness_id) if row.witness_id else None,
        items_sha256=items_digest(ctx, row),
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

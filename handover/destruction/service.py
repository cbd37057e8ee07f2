"""Writes about destruction orders: drafting, eligibility, and what is recorded at each step."""

import uuid
from collections.abc import Mapping, Sequence
from typing import Any

from handover.audit import AuditLog
from handover.cases.queries import member_roles, require_role, visible_case
from handover.context import Context
from handover.db import new_id
from handover.destruction.models import DestructionItem, DestructionOrder
from handover.destruction.queries import items_digest, items_of, orders_of
from handover.errors import ConflictError, InvalidInputError
from handover.inventory.models import Copy, RecordSet
from handover.inventory.queries import copies_of
from handover.workflow import BlockedError, Fired, Workflow

#: Orders in these states still hold their copies.
OPEN = (
    "draft",
    "eligibility_check",
    "blocked",
    "pending_approval",
    "approved",
    "scheduled",
    "executing",
    "partially_executed",
    "executed",
    "verified",
    "certified",
)
EDITABLE = ("draft", "blocked", "pending_approval")


def draft(ctx: Context, case_id: uuid.UUID, copy_ids: Sequence[uuid.UUID] | None = None) -> DestructionOrder:
    """Drafts an order over the given copies, or over every copy of the case that is not gone or on another order.

    Raises:
        InvalidInputError: a copy of another case or one that is gone.
        ConflictError: nothing is left to destroy.
    """
    if not ctx.actor.is_system:
        require_role(ctx, case_id, "consultant", "lead_consultant", "custodian")
    visible_case(ctx, case_id)
    ordered = {i.copy_id for o in orders_of(ctx, case_id) if o.state in OPEN for i in items_of(ctx, o.id)}
    candidates = [c for c in copies_of(ctx, case_id) if c.state != "destroyed" and c.id not in ordered]
    if copy_ids is not None:
        by_id = {c.id: c for c in candidates}
        missing = [str(i) for i in copy_ids if i not in by_id]
        if missing:
            raise InvalidInputError(
                f"no live copy of this case, or on another order: {', '.join(missing)}", field="copy_ids"
            )
        candidates = [by_id[i] for i in copy_ids]
    if not candidates:
        raise ConflictError("every copy of this case is destroyed or on an order")
    row = DestructionOrder(
        id=new_id(),
        case_id=case_id,
        state=ctx.get(Workflow).initial(DestructionOrder.MACHINE),
        requested_by=ctx.actor.person_id,
    )
    ctx.session.add(row)
    ctx.session.flush()
    for copy in candidates:
        ctx.session.add(_item(row, copy))
    ctx.session.flush()
    _log(ctx, "destruction.drafted", row, copies=len(candidates))
    return row


def draft_for_case(ctx: Context, case_id: uuid.UUID) -> DestructionOrder | None:
    """The order that the end of a handover drafts by itself; a second call changes nothing."""
    if any(order.state in OPEN for order in orders_of(ctx, case_id)):
        return None
    if not [c for c in copies_of(ctx, case_id) if c.state != "destroyed"]:
        return None
    return draft(ctx, case_id)


def name_people(
    ctx: Context, row: DestructionOrder, executor_id: uuid.UUID | None, witness_id: uuid.UUID | None
) -> DestructionOrder:
    """Names who executes and who witnesses; they hold those roles in the case and are different people."""
    require_role(ctx, row.case_id, "consultant", "lead_consultant", "custodian")
    if row.state not in EDITABLE:
        raise ConflictError(f"executor and witness are named before approval; the order is {row.state}")
    for name, role, person in (
        ("executor_id", "destruction_executor", executor_id),
        ("witness_id", "witness", witness_id),
    ):
        if person is not None and not any(r.role == role for r in member_roles(ctx, row.case_id, person)):
            raise InvalidInputError(f"this person has no role {role} in the case", field=name)
    row.executor_id = executor_id or row.executor_id
    row.witness_id = witness_id or row.witness_id
    if row.executor_id is not None and row.executor_id == row.witness_id:
        raise InvalidInputError("the executor cannot be the witness", field="witness_id")
    ctx.session.flush()
    _log(ctx, "destruction.people_named", row)
    return row


def retain(ctx: Context, row: DestructionOrder, copy_id: uuid.UUID) -> DestructionOrder:
    """Takes a copy that the law still requires off the order; it stays sealed and on the register as retained."""
    require_role(ctx, row.case_id, "legal")
    item = next((i for i in items_of(ctx, row.id) if i.copy_id == copy_id), None)
    if item is None or row.state not in EDITABLE:
        raise InvalidInputError("this copy is not on the order, or the order is past changing", field="copy_id")
    item.state = "residual"
    ctx.session.get_one(Copy, copy_id).state = "retained"
    ctx.get(Workflow).void_approvals(ctx, row)
    ctx.session.flush()
    _log(ctx, "destruction.copy_retained", row, copy=str(copy_id))
    return row


def check_eligibility(ctx: Context, row: DestructionOrder) -> DestructionOrder:
    """Checks the order and asks for approvals, or blocks it; the answer's reasons are in its options."""
    require_role(ctx, row.case_id, "consultant", "lead_consultant", "custodian")
    workflow = ctx.get(Workflow)
    workflow.fire(ctx, row, "check")
    with ctx.as_system():
        try:
            workflow.fire(ctx, row, "request_approval")
        except BlockedError:
            workflow.fire(ctx, row, "block")
    return row


def approve(ctx: Context, row: DestructionOrder, *, items_sha256: str, reference: str) -> Fired:
    """The acting person approves the very list that was shown to them, naming the case.

    Raises:
        InvalidInputError: another case number. ConflictError: the list changed since.
    """
    _require_reference(ctx, row, reference)
    if items_sha256 != items_digest(ctx, row):
        raise ConflictError("the list of copies changed since it was shown to you; read it once more")
    return ctx.get(Workflow).fire(ctx, row, "approve")


def execute(ctx: Context, row: DestructionOrder, *, reference: str) -> Fired:
    """The executor starts the destruction, naming the case.

    Raises:
        InvalidInputError: another case number.
    """
    _require_reference(ctx, row, reference)
    return ctx.get(Workflow).fire(ctx, row, "execute")


def on_approve(ctx: Context, row: DestructionOrder, _details: Mapping[str, Any]) -> None:
    row.approved_at = ctx.now()


def on_execute(ctx: Context, row: DestructionOrder, _details: Mapping[str, Any]) -> None:
    """Effect of `execute`: record sets whose source goes wait for it."""
    row.executed_by = ctx.actor.person_id
    workflow = ctx.get(Workflow)
    with ctx.as_system():
        for item in items_of(ctx, row.id):
            if item.copy_kind != "source" or item.record_set_id is None or item.state == "residual":
                continue
            record_set = ctx.session.get_one(RecordSet, item.record_set_id)
            if record_set.state not in {"destruction_pending", "destroyed"}:
                workflow.fire(ctx, record_set, "mark_for_destruction")


def on_verify(ctx: Context, row: DestructionOrder, _details: Mapping[str, Any]) -> None:
    row.verified_by, row.verified_at = ctx.actor.person_id, ctx.now()


def _require_reference(ctx: Context, row: DestructionOrder, typed: str) -> None:
    if typed.strip().upper() != visible_case(ctx, row.case_id).reference:
        raise InvalidInputError("type the number of this case exactly as it is shown", field="reference")


def _item(row: DestructionOrder, copy: Copy) -> DestructionItem:
    elsewhere = copy.state == "declared"
    blob: dict[str, Any] = copy.blob or {}
    method = "declared" if elsewhere else ("key_destruction" if copy.key_id else "object_deletion")
    return DestructionItem(
        case_id=row.case_id,
        order_id=row.id,
        copy_id=copy.id,
        copy_kind=copy.kind,
        record_set_id=copy.record_set_id,
        package_id=copy.package_id,
        method=method,
        level=copy.level,
        place=copy.place,
        state="residual" if elsewhere or copy.state == "retained" else "pending",
        key_id=copy.key_id,
        blob_key=blob.get("key"),
        size=blob.get("size"),
        retained_until=copy.retained_until,
    )


def _log(ctx: Context, event: str, row: DestructionOrder, **details: str | int) -> None:
    ctx.get(AuditLog).append(ctx, event, entity="destruction", entity_id=row.id, case_id=row.case_id, details=details)

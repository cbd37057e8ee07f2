"""Judgements about destruction: holds, retention, separation of the people, waiting time, and what reading showed."""

import datetime as dt
from collections.abc import Sequence
from typing import Any

from handover.cases.queries import active_holds
from handover.compliance.queries import basis_of
from handover.context import Context
from handover.destruction.execute import is_gone, try_to_read
from handover.destruction.models import DestructionItem, DestructionOrder
from handover.destruction.queries import items_of, orders_of
from handover.inventory.queries import copies_of
from handover.settings import Settings
from handover.storage import Storage
from handover.vault import Vault
from handover.workflow import Condition, Gate, failed, not_checked, passed
from handover.workflow.approvals import approvers, standing_people


def copies_known(ctx: Context, row: DestructionOrder) -> Sequence[Condition]:
    """DES-01: the order has copies, and the register says where each is."""
    items = items_of(ctx, row.id)
    if not [i for i in items if i.state != "residual"]:
        return [
            failed(
                "copies_listed",
                "销毁令中没有可销毁的副本",
                "the order holds no copy that can be destroyed",
                "consultant",
            )
        ]
    return [
        passed("copies_listed"),
        not_checked(
            "backups", "未核查登记之外的备份和快照", "backups and snapshots outside the register are not checked"
        ),
    ]


def hold_clear(ctx: Context, row: DestructionOrder) -> Sequence[Condition]:
    """G16: no active legal hold covers a copy of the order."""
    holds = active_holds(ctx, row.case_id)
    touched = _touched(ctx, row)
    hit = [h for h in holds if h.scope == "case" or h.scope_id in touched]
    if hit:
        return [
            failed(
                "no_active_hold",
                f"有 {len(hit)} 项保全措施生效，不得销毁",
                f"{len(hit)} legal hold(s) are active; nothing may be destroyed",
                "legal",
                "lead_consultant",
            )
        ]
    return [passed("no_active_hold")]


def retention_clear(ctx: Context, row: DestructionOrder) -> Sequence[Condition]:
    """G17: no retention period of a copy, or of the record set it belongs to, runs; retained copies are off the order."""
    today = ctx.now().date()
    kept: list[dt.date] = []
    for item in items_of(ctx, row.id):
        if item.state == "residual":
            continue
        until = item.retained_until
        if item.copy_kind == "source" and item.record_set_id is not None:
            basis = basis_of(ctx, item.record_set_id)
            until = max((d for d in (until, basis.retention_until if basis else None) if d), default=None)
        if until is not None and until > today:
            kept.append(until)
    if kept:
        latest = max(kept)
        return [
            failed(
                "retention_elapsed",
                f"{len(kept)} 份副本的保存期限未满（最迟 {latest.isoformat()}），请由法务移出销毁令并封存",
                f"{len(kept)} copies must still be kept (until {latest.isoformat()}); legal takes them off the order",
                "legal",
            )
        ]
    return [passed("retention_elapsed")]


def executor_named(_ctx: Context, row: DestructionOrder) -> Sequence[Condition]:
    """DES-02: an executor and a separate witness are named."""
    if row.executor_id is None or row.witness_id is None:
        return [
            failed(
                "people_named",
                "尚未指定执行人和监销人",
                "executor and witness are not named yet",
                "consultant",
                "custodian",
            )
        ]
    return [passed("people_named")]


def roles_separate(ctx: Context, row: DestructionOrder) -> Sequence[Condition]:
    """SOD-C: requester, approvers, executor and witness are different people; whoever acts now keeps to that."""
    actor = ctx.actor.person_id
    decided = {a.person_id for a in approvers(ctx, row.id, "approve")} | standing_people(ctx, row, "approve")
    conditions = []
    if {row.executor_id, row.witness_id} & decided:
        conditions.append(
            failed(
                "executor_and_witness_did_not_approve",
                "执行人或监销人曾批准本令",
                "executor or witness approved this order",
                "consultant",
            )
        )
    if row.requested_by is not None and row.requested_by in decided | {row.executor_id, row.witness_id}:
        conditions.append(
            failed(
                "requester_is_another_person",
                "申请人不得批准、执行或监销",
                "who asked for it may not approve, execute or witness",
                "consultant",
            )
        )
    if row.state == "pending_approval" and actor in {row.requested_by, row.executor_id, row.witness_id}:
        conditions.append(
            failed(
                "approver_is_another_person",
                "批准人不得是申请人、执行人或监销人",
                "the approver is requester, executor or witness",
                "legal",
                "dpo",
            )
        )
    if row.state in {"scheduled", "partially_executed"} and not ctx.actor.is_system and actor != row.executor_id:
        conditions.append(
            failed(
                "named_executor_acts",
                "只能由指定的执行人执行",
                "only the named executor executes",
                "destruction_executor",
            )
        )
    if row.state == "executed" and not ctx.actor.is_system and actor != row.witness_id:
        conditions.append(
            failed("named_witness_acts", "只能由指定的监销人验证", "only the named witness verifies", "witness")
        )
    return conditions or [passed("people_separate")]


def cooling_off(ctx: Context, row: DestructionOrder) -> Sequence[Condition]:
    """DES-03: the waiting time of the policy since approval is over."""
    wait = dt.timedelta(hours=ctx.get(Settings).policy.destruction_cooling_hours)
    if row.approved_at is None or ctx.now() < row.approved_at + wait:
        until = (row.approved_at or ctx.now()) + wait
        return [
            failed(
                "waited",
                f"冷静期至 {until:%Y-%m-%d %H:%M} UTC",
                f"the waiting time runs until {until:%Y-%m-%d %H:%M} UTC",
                "destruction_executor",
            )
        ]
    return [passed("waited")]


def verification_passed(ctx: Context, row: DestructionOrder) -> Sequence[Condition]:
    """DES-04: reading every destroyed copy was tried then and is tried again now, and nothing opens."""
    vault, storage = ctx.get(Vault), ctx.get(Storage)  # type: ignore[type-abstract]
    items = [i for i in items_of(ctx, row.id) if i.state != "residual"]
    readable = [i for i in items if not _gone_now(vault, storage, i)]
    if readable:
        return [
            failed(
                "nothing_readable",
                f"{len(readable)} 份副本仍可读取或仍有密钥/对象",
                f"{len(readable)} copies are still readable, or their key or object is still there",
                "destruction_executor",
            )
        ]
    return [passed("keys_absent"), passed("objects_absent"), passed("nothing_readable")]


def orders_closed(ctx: Context, row: Any) -> Sequence[Condition]:
    """DES-05: every order is closed, and no copy of the service's own is left outside an order."""
    orders = [o for o in orders_of(ctx, row.case_id) if o.state != "rejected"]
    unfinished = [o for o in orders if o.state not in {"closed", "closed_with_residual"}]
    left = [c for c in copies_of(ctx, row.case_id, live=True) if c.state == "live"]
    conditions = []
    if unfinished:
        conditions.append(
            failed(
                "orders_closed",
                f"{len(unfinished)} 份销毁令未关闭",
                f"{len(unfinished)} destruction order(s) are open",
                "consultant",
            )
        )
    if left:
        conditions.append(
            failed(
                "no_live_copy",
                f"仍有 {len(left)} 份副本未销毁",
                f"{len(left)} copies are not destroyed",
                "consultant",
                "custodian",
            )
        )
    return conditions or [
        passed("orders_closed"),
        passed("no_live_copy"),
        not_checked("open_incidents", "未核查未结安全事件", "open incidents are not checked"),
        not_checked("retrospective", "未核查复盘记录", "the retrospective is not checked"),
    ]


def _gone_now(vault: Vault, storage: Storage, item: DestructionItem) -> bool:
    return is_gone(item.verification) and is_gone(try_to_read(vault, storage, item, None))


def _touched(ctx: Context, row: DestructionOrder) -> set[Any]:
    items = [i for i in items_of(ctx, row.id) if i.state != "residual"]
    return {i.copy_id for i in items} | {i.record_set_id for i in items if i.record_set_id is not None}


GATES = {
    "copies_known": Gate("DES-01", copies_known),
    "hold_clear": Gate("G16", hold_clear),
    "retention_clear": Gate("G17", retention_clear),
    "executor_named": Gate("DES-02", executor_named),
    "roles_separate": Gate("SOD-C", roles_separate),
    "cooling_off": Gate("DES-03", cooling_off),
    "verification_passed": Gate("DES-04", verification_passed),
    "orders_closed": Gate("DES-05", orders_closed),
}

"""Judgements about the inventory."""

from collections.abc import Iterator, Sequence
from typing import Any

from handover.context import Context
from handover.inventory.models import RecordSet
from handover.inventory.queries import OUT, facts_of, fields_of, record_sets_of
from handover.workflow import Condition, Gate, failed, not_checked, passed

_APPROVED = {"approved", "packaged", "transferred"}


def inventory_ok(ctx: Context, row: Any) -> Sequence[Condition]:
    """G04: every record set is approved with a source statement and a count of persons, or is out of the transfer."""
    sets = record_sets_of(ctx, row.case_id)
    if not any(s.state not in OUT for s in sets):
        return [
            failed("record_sets_present", "还没有记录集", "there is no record set yet", "seller_admin", "consultant")
        ]
    conditions = [passed("record_sets_present")]
    for record_set in sets:
        conditions += _one(ctx, record_set)
    return [
        *conditions,
        not_checked("accuracy_review", "未核查数据准确性复核", "the review of accuracy is not checked"),
    ]


def _one(ctx: Context, row: RecordSet) -> Iterator[Condition]:
    name = f"approved:{row.number}"
    if row.state == "refused":
        yield failed(
            name,
            f"记录集 {row.number} 无法检查：请替换或排除",
            f"record set {row.number} cannot be inspected; replace or exclude it",
            "seller_admin",
            "legal",
        )
    elif row.state in OUT:
        yield passed(name)
    elif row.state not in _APPROVED:
        who = {"classified": "custodian", "reviewed": "legal"}.get(row.state, "consultant")
        yield failed(
            name,
            f"记录集 {row.number} 状态为 {row.state}，尚未批准",
            f"record set {row.number} is {row.state}, not approved",
            who,
        )
    else:
        yield passed(name)
        facts = facts_of(ctx, row)
        if facts is None or not facts.source_statement.strip():
            yield failed(
                f"source:{row.number}",
                f"记录集 {row.number} 缺少来源说明",
                f"record set {row.number} lacks the statement of its source",
                "seller_admin",
            )
        if not row.persons_method:
            yield failed(
                f"persons:{row.number}",
                f"记录集 {row.number} 缺少人数",
                f"record set {row.number} lacks a count of persons",
                "custodian",
            )


def fields_decided(ctx: Context, row: RecordSet) -> Sequence[Condition]:
    """INV-01: every field has a need and a level that a person decided."""
    fields = fields_of(ctx, row.id)
    waiting = [field.position + 1 for field in fields if field.need is None]
    if waiting:
        shown = ", ".join(str(n) for n in waiting[:10])
        return [
            failed(
                "fields_decided",
                f"还有 {len(waiting)} 个字段未确定是否需要移交（第 {shown} 列）",
                f"{len(waiting)} field(s) have no decision whether they are needed (columns {shown})",
                "custodian",
                "seller_admin",
            )
        ]
    unexplained = [f for f in fields if f.need == "excluded" and f.reason_sealed is None]
    if unexplained:
        return [
            failed(
                "reasons_given",
                f"{len(unexplained)} 个排除字段未说明原因",
                f"{len(unexplained)} excluded field(s) lack a reason",
                "custodian",
            )
        ]
    return [passed("fields_decided")]


GATES = {
    "inventory_ok": Gate("G04", inventory_ok, overridable=True),
    "fields_decided": Gate("INV-01", fields_decided),
}

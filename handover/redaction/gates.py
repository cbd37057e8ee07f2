"""Judgements about redaction: independence of the reviewer, size of the sample, leftovers, small groups."""

from collections.abc import Iterator, Sequence
from typing import Any

from handover.cases.queries import parties
from handover.context import Context
from handover.inventory.models import RecordSet
from handover.inventory.queries import transferable_record_sets
from handover.redaction.models import Redaction
from handover.redaction.queries import items_of, redactions_of, reviews_of
from handover.settings import Settings
from handover.workflow import Condition, Gate, failed, not_checked, passed

#: A reviewer looks at this share of the records, at least at the policy's minimum.
_SAMPLE_SHARE = 0.05
#: Beyond this a sample says nothing more about a machine that treats all records alike.
_SAMPLE_CAP = 1_000


def reviewer_is_not_creator(ctx: Context, row: Redaction) -> Sequence[Condition]:
    """SOD-A: who made the run neither reviews nor approves it."""
    if ctx.actor.is_system or ctx.actor.person_id != row.created_by:
        return [passed("reviewer_is_another_person")]
    return [
        failed(
            "reviewer_is_another_person",
            "复核人不能是方案创建人，请由他人复核",
            "the reviewer made this run; another person must review it",
            "legal",
            "dpo",
            "custodian",
        )
    ]


def sample_reviewed(ctx: Context, row: Redaction) -> Sequence[Condition]:
    """RED-01: of every record set enough records were looked at, and no error stayed open."""
    reviews = reviews_of(ctx, row)
    conditions = []
    for item in items_of(ctx, row.id):
        number = ctx.session.get_one(RecordSet, item.record_set_id).number
        mine = [r for r in reviews if r.record_set_id == item.record_set_id]
        wanted, seen = sample_size(ctx, item.records_out), sum(r.sampled for r in mine)
        if seen < wanted:
            conditions.append(
                failed(
                    f"sample:{number}",
                    f"记录集 {number} 已抽查 {seen} 条，需 {wanted} 条",
                    f"record set {number}: {seen} of {wanted} records were sampled",
                    "legal",
                    "dpo",
                    "custodian",
                )
            )
        elif any(r.errors for r in mine):
            conditions.append(
                failed(
                    f"sample:{number}",
                    f"记录集 {number} 抽查发现差错，请退回返工",
                    f"record set {number}: the sample found errors; send the run back",
                    "legal",
                )
            )
        else:
            conditions.append(passed(f"sample:{number}"))
    return conditions or [failed("items_present", "没有脱敏结果", "the run has no results", "consultant")]


def sample_size(ctx: Context, records: int) -> int:
    """How many records a reviewer looks at."""
    least = ctx.get(Settings).policy.review_sample_min
    return min(records, max(least, min(_SAMPLE_CAP, round(records * _SAMPLE_SHARE))))


def residual_clean(ctx: Context, row: Redaction) -> Sequence[Condition]:
    """RED-04: the scan over the output bytes found no L4 leftover and at most the policy's number of L3 leftovers."""
    limit = ctx.get(Settings).policy.residual_l3_max
    conditions: list[Condition] = []
    for item in items_of(ctx, row.id):
        conditions += _leftovers(ctx, item, limit)
    return conditions or [failed("items_present", "没有脱敏结果", "the run has no results", "consultant")]


def _leftovers(ctx: Context, item: Any, limit: int) -> Iterator[Condition]:
    number = ctx.session.get_one(RecordSet, item.record_set_id).number
    if item.residual is None:
        yield failed(
            f"residual:{number}",
            f"记录集 {number} 尚未做残留检查",
            f"record set {number} was not scanned again yet",
            "consultant",
        )
        return
    l4, l3 = int(item.residual.get("L4", 0)), int(item.residual.get("L3", 0))
    if l4 or l3 > limit:
        yield failed(
            f"residual:{number}",
            f"记录集 {number} 残留 L4 {l4} 处、L3 {l3} 处",
            f"record set {number}: {l4} L4 and {l3} L3 leftovers in the output",
            "consultant",
        )
    else:
        yield passed(f"residual:{number}")


def k_anonymous(ctx: Context, row: Redaction) -> Sequence[Condition]:
    """RED-05: every combination of remaining quasi-identifiers is shared by at least k persons (policy)."""
    k = ctx.get(Settings).policy.k_anonymity
    conditions = []
    for item in items_of(ctx, row.id):
        number = ctx.session.get_one(RecordSet, item.record_set_id).number
        if item.k_min is None or item.k_min >= k:
            conditions.append(passed(f"k_anonymity:{number}"))
        else:
            conditions.append(
                failed(
                    f"k_anonymity:{number}",
                    f"记录集 {number} 最小分组 {item.k_min} 人，低于 {k} 人；请进一步泛化",
                    f"record set {number}: the smallest group has {item.k_min}, fewer than {k}; generalise further",
                    "consultant",
                )
            )
    return conditions or [failed("items_present", "没有脱敏结果", "the run has no results", "consultant")]


def redaction_ok(ctx: Context, row: Any) -> Sequence[Condition]:
    """G06: what bidders get was redacted for them, approved, and is of the record sets as they are now."""
    if row.MACHINE == "case":
        return _every_bidder(ctx, row)
    if row.purpose == "due_diligence":
        redaction = ctx.session.get_one(Redaction, row.redaction_id)
        return _approved_and_current(ctx, redaction)
    # Legal approved need and level of every field with the record set: that is the decision not to redact.
    return [passed("redaction_not_required_by_legal")]


def _every_bidder(ctx: Context, case: Any) -> list[Condition]:
    bidders = [p for p in parties(ctx, case.id) if p.side == "buyer" and p.standing in {"active", "won"}]
    if not bidders:
        return [passed("no_bidder_gets_records")]
    done = {r.party_id: r for r in redactions_of(ctx, case.id) if r.state == "approved"}
    conditions: list[Condition] = []
    for position, bidder in enumerate(bidders, 1):
        redaction = done.get(bidder.id)
        if redaction is None:
            conditions.append(
                failed(
                    f"redaction_approved:{position}",
                    f"第 {position} 个受让方尚无已批准的脱敏结果",
                    f"bidder {position} has no approved redaction",
                    "consultant",
                    "legal",
                )
            )
        else:
            conditions += _approved_and_current(ctx, redaction)
    return conditions


def _approved_and_current(ctx: Context, redaction: Redaction) -> list[Condition]:
    if redaction.state != "approved":
        return [
            failed(
                "redaction_approved",
                f"脱敏状态为 {redaction.state}，尚未批准",
                f"the redaction is {redaction.state}, not approved",
                "legal",
            )
        ]
    covered = {item.record_set_id for item in items_of(ctx, redaction.id)}
    missing = [
        s.number
        for s in transferable_record_sets(ctx, redaction.case_id)
        if s.id not in covered or (s.approved_at and redaction.run_at and s.approved_at > redaction.run_at)
    ]
    if missing:
        shown = ", ".join(missing)
        return [
            failed(
                "redaction_current",
                f"记录集 {shown} 在脱敏后有变化，需重新脱敏",
                f"record set(s) {shown} changed after the redaction; run it again",
                "consultant",
            )
        ]
    return [
        passed("redaction_approved"),
        passed("redaction_current"),
        not_checked("linkability", "未评估跨文件的重识别风险", "re-identification across files is not assessed"),
    ]


GATES = {
    "reviewer_is_not_creator": Gate("SOD-A", reviewer_is_not_creator),
    "sample_reviewed": Gate("RED-01", sample_reviewed),
    "residual_clean": Gate("RED-04", residual_clean),
    "k_anonymous": Gate("RED-05", k_anonymous),
    "redaction_ok": Gate("G06", redaction_ok),
}

"""Judgements about legal bases, notices and declarations."""

import datetime as dt
from collections.abc import Iterator, Sequence
from typing import Any

from sqlalchemy import func, select

from handover.cases.queries import parties, visible_case
from handover.compliance.bases import ADMITTED
from handover.compliance.models import LegalBasis, SubjectEntry
from handover.compliance.queries import basis_of, declarations_of, notices_of, route_of
from handover.context import Context
from handover.inventory.models import RecordSet
from handover.inventory.queries import transferable_record_sets
from handover.workflow import Condition, Gate, failed, not_checked, passed


def basis_ok(ctx: Context, row: Any) -> Sequence[Condition]:
    """G05: every record set that may move has a basis that legal approved, an unchanged purpose and an end of retention."""
    sets = [row] if row.MACHINE == "record_set" else transferable_record_sets(ctx, row.case_id)
    found = [condition for record_set in sets for condition in _basis(ctx, record_set)]
    if not sets:
        found = [
            failed(
                "record_sets_present",
                "还没有可移交的记录集",
                "there is no record set yet",
                "seller_admin",
                "consultant",
            )
        ]
    return [
        *found,
        not_checked(
            "re_consent_for_new_purpose",
            "未核查因目的变更的重新同意",
            "re-consent for a changed purpose is not checked",
        ),
    ]


def _basis(ctx: Context, record_set: RecordSet) -> Iterator[Condition]:
    name, short = f"basis:{record_set.id}", record_set.number
    basis = basis_of(ctx, record_set.id)
    if basis is None:
        yield failed(name, f"记录集 {short} 尚未确定法律依据", f"record set {short} has no legal basis", "legal")
        return
    yield from _admitted(ctx, basis, name, short)
    if not basis.purpose_unchanged:
        yield failed(
            f"purpose:{record_set.id}",
            f"记录集 {short} 的处理目的发生变化，需重新取得同意",
            f"record set {short}: the purpose changes, so consent must be obtained again",
            "legal",
        )
    if basis.retention_until is None:
        yield failed(
            f"retention:{record_set.id}",
            f"记录集 {short} 未填写保存期限",
            f"record set {short} has no end of retention",
            "legal",
        )


def _admitted(ctx: Context, basis: LegalBasis, name: str, short: str) -> Iterator[Condition]:
    structure = visible_case(ctx, basis.case_id).structure
    if basis.basis in ADMITTED[structure] or basis.opinion_sealed is not None:
        yield passed(name)
        return
    yield failed(
        name,
        f"记录集 {short} 的依据与交易结构不符，且无法律意见",
        f"record set {short}: the basis does not fit the structure of the deal and no opinion is on record",
        "legal",
    )


def notice_ok(ctx: Context, row: Any) -> Sequence[Condition]:
    """G07: a notice about this recipient is completed, its period is over, and everybody was reached one way or another."""
    exempt = exemption(ctx, row)
    if exempt:
        return [exempt]
    case_id = row.case_id
    if not route_of(ctx, case_id).notice:
        return [passed("not_applicable_by_basis")]
    won = [p.id for p in parties(ctx, case_id) if p.side == "buyer" and p.standing == "won"]
    found = [n for n in notices_of(ctx, case_id) if n.recipient_party_id in won]
    if not found:
        return [
            failed(
                "notice_started",
                "尚未就受让方向客户发出告知",
                "no notice about the buyer was started",
                "legal",
                "dpo",
                "seller_admin",
            )
        ]
    conditions = [passed("notice_started")]
    for notice in found:
        ends = notice.started_at + dt.timedelta(days=notice.period_days)
        if ctx.now() < ends:
            conditions.append(
                failed(
                    "period_elapsed",
                    f"告知期至 {ends:%Y-%m-%d %H:%M} UTC",
                    f"the notice period runs until {ends:%Y-%m-%d %H:%M} UTC",
                    "dpo",
                )
            )
        elif notice.completed_at is None:
            conditions.append(
                failed(
                    "notice_completed",
                    "告知期已满，待确认完成",
                    "the period is over; the DPO must complete the notice",
                    "dpo",
                )
            )
        else:
            conditions += [passed("period_elapsed"), passed("notice_completed")]
    return [*conditions, *_reached(ctx, case_id)]


def _reached(ctx: Context, case_id: Any) -> list[Condition]:
    query = (
        select(SubjectEntry.notice, func.count()).where(SubjectEntry.case_id == case_id).group_by(SubjectEntry.notice)
    )
    counts: dict[str, int] = dict(ctx.session.execute(query).tuples().all())
    if not sum(counts.values()):
        return [
            failed(
                "subjects_notified",
                "尚未导入告知送达结果",
                "no results of the notice were imported",
                "seller_admin",
                "consultant",
            )
        ]
    open_ones = counts.get("none", 0) + counts.get("bounced", 0)
    if open_ones:
        return [
            failed(
                "subjects_notified",
                f"{open_ones} 名客户未送达，需改用其他渠道或公告",
                f"{open_ones} customers were not reached; use another channel or a public notice",
                "seller_admin",
                "consultant",
            )
        ]
    return [passed("subjects_notified")]


def exemption(ctx: Context, row: Any) -> Condition | None:
    """Why notice, consent or deal conditions do not apply to the row; None when they do."""
    purpose = getattr(row, "purpose", None)
    if purpose == "due_diligence":
        return passed("not_applicable_due_diligence")
    if purpose == "return":
        return passed("not_applicable_return")
    if visible_case(ctx, row.case_id).structure == "equity_transfer" and row.MACHINE == "case":
        return passed("not_applicable_equity_custody")
    return None


def returns_settled(ctx: Context, row: Any) -> Sequence[Condition]:
    """CMP-01: every bidder who did not win has declared, refused, or is on record as overdue."""
    waiting = [d for d in declarations_of(ctx, row.case_id) if d.state == "requested"]
    if waiting:
        return [
            failed(
                "declarations",
                f"{len(waiting)} 个落选方尚未作返还/销毁声明",
                f"{len(waiting)} bidder(s) have not declared return or destruction",
                "buyer_signatory",
                "consultant",
            )
        ]
    asked = {d.party_id for d in declarations_of(ctx, row.case_id)}
    missing = [
        p
        for p in parties(ctx, row.case_id)
        if p.side == "buyer" and p.standing in {"lost", "withdrawn"} and p.id not in asked
    ]
    if missing:
        return [
            failed(
                "declarations", "尚未向落选方发出返还/销毁要求", "the losing bidders were not asked yet", "consultant"
            )
        ]
    return [passed("declarations")]


GATES = {
    "basis_ok": Gate("G05", basis_ok),
    "notice_ok": Gate("G07", notice_ok, overridable=True),
    "returns_settled": Gate("CMP-01", returns_settled),
}

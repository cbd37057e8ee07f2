"""Judgements about the case as a whole."""

from collections.abc import Sequence
from typing import Any

from handover.audit import AuditLog
from handover.audit.queries import last_verification
from handover.cases.models import Case
from handover.cases.queries import conflict_of, members_of, parties, visible_case
from handover.cases.separation import AGENCY_ROLES
from handover.context import Context
from handover.errors import HandoverError
from handover.workflow import Condition, Gate, failed, not_checked, passed
from handover.workflow.roles import role_text

_NAMED = ("custodian", "dpo", "security_officer", "legal", "lead_consultant")
_PAUSED = ("on_hold", "frozen")


def case_complete(ctx: Context, row: Case) -> Sequence[Condition]:
    """CASE-01: structure, parties of both sides, and the people whom the law and the process want named."""
    sides = {p.side for p in parties(ctx, row.id)}
    held = {m.role for m in members_of(ctx, row.id)}
    conditions = [passed("structure_set")]
    for side, zh in (("seller", "转让方"), ("agency", "转让顾问机构")):
        conditions.append(
            passed(f"party:{side}")
            if side in sides
            else failed(f"party:{side}", f"尚未登记{zh}", f"no party on the side {side}", "lead_consultant")
        )
    if row.structure not in {"dissolution", "bankruptcy"}:
        conditions.append(
            passed("party:buyer")
            if "buyer" in sides
            else failed("party:buyer", "尚未登记受让方", "no buyer is registered", "lead_consultant")
        )
    if row.structure == "equity_transfer":
        conditions.append(
            passed("party:target")
            if "target" in sides
            else failed(
                "party:target", "股权转让需登记目标公司", "an equity transfer names its target", "lead_consultant"
            )
        )
    for role in (*_NAMED, "seller_admin", "seller_signatory"):
        text = role_text(role)
        conditions.append(
            passed(f"named:{role}")
            if role in held
            else failed(f"named:{role}", f"尚未指定{text.zh}", f"no {text.en} is named", "lead_consultant")
        )
    return [
        *conditions,
        not_checked("incident_plan", "未核查应急预案（G22）", "the incident plan (G22) is not checked"),
    ]


def conflicts_clear(ctx: Context, row: Case) -> Sequence[Condition]:
    """CASE-02: everyone on the agency's team declared that they have no conflict of interest."""
    team = {m.person_id for m in members_of(ctx, row.id) if m.role in AGENCY_ROLES}
    declared = {person: conflict_of(ctx, row.id, person) for person in team}
    silent = sum(1 for d in declared.values() if d is None)
    conflicted = sum(1 for d in declared.values() if d is not None and not d.clean)
    conditions = []
    if silent:
        conditions.append(
            failed(
                "declared",
                f"{silent} 名团队成员尚未声明利益冲突情况",
                f"{silent} member(s) of the team have not declared conflicts of interest",
                *sorted(AGENCY_ROLES),
            )
        )
    if conflicted:
        conditions.append(
            failed(
                "no_conflict",
                f"{conflicted} 名团队成员声明存在利益冲突，请更换",
                f"{conflicted} member(s) declared a conflict; replace them",
                "lead_consultant",
            )
        )
    return conditions or [passed("declared"), passed("no_conflict")]


def not_frozen(ctx: Context, row: Any) -> Sequence[Condition]:
    """G15: the case is neither on hold nor frozen."""
    case = visible_case(ctx, row.case_id)
    not_computed = not_checked(
        "incidents", "未核查安全事件与整改", "open incidents and corrective actions are not checked"
    )
    if case.state in _PAUSED:
        zh = "暂停" if case.state == "on_hold" else "冻结"
        return [
            failed(
                "case_active",
                f"项目已{zh}，需先恢复",
                f"the case is {case.state}; it must go on first",
                "lead_consultant",
                "security_officer",
            ),
            not_computed,
        ]
    return [passed("case_active"), not_computed]


def log_ok(ctx: Context, _row: Any) -> Sequence[Condition]:
    """G23: the audit log's stored entries still give the tree that was signed."""
    try:
        ctx.get(AuditLog).verify_database(ctx)
    except HandoverError:
        return [
            failed(
                "log_verified",
                "审计日志校验失败：内容与已签名的树不符",
                "the audit log does not verify: its entries differ from the tree that was signed",
                "security_officer",
            )
        ]
    return [passed("log_verified")]


def log_ok_lately(ctx: Context, _row: Any) -> Sequence[Condition]:
    """G23 as it was found last: recomputing the whole log is for the moment of the act, not for every look at a page."""
    last = last_verification(ctx)
    if last is not None and not last.holds:
        return [
            failed(
                "log_verified",
                "最近一次审计日志校验未通过",
                "the last verification of the audit log failed",
                "security_officer",
            )
        ]
    return [
        not_checked(
            "log_verified", "执行此步骤时校验整个审计日志", "the whole audit log is verified when the step is taken"
        )
    ]


GATES = {
    "case_complete": Gate("CASE-01", case_complete),
    "conflicts_clear": Gate("CASE-02", conflicts_clear),
    "not_frozen": Gate("G15", not_frozen),
    "log_ok": Gate("G23", log_ok, preview=log_ok_lately),
}

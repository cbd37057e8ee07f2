"""Judgements about packages: consent and objections since the build, borders, attestation, two approvals."""

import datetime as dt
from collections.abc import Sequence
from typing import Any

from sqlalchemy import select

from handover.cases.queries import parties
from handover.compliance.gates import exemption
from handover.compliance.queries import ledger_view, lost_since, route_of
from handover.context import Context
from handover.packages.freshness import why_stale
from handover.packages.models import Package
from handover.packages.queries import closing_packages, packages_of
from handover.recipients.models import Recipient, RecipientKey
from handover.recipients.queries import recipients_of
from handover.settings import Settings
from handover.workflow import Condition, Gate, failed, not_checked, passed
from handover.workflow.approvals import approvers

_ATTESTED = {"attested", "release_requested", "approved", "released", "delivered", "accepted"}
_OUT = {"released", "delivered", "accepted"}
_APPROVED = {"approved", "released", "delivered", "accepted"}
#: Places outside the mainland for data that leaves it: Hong Kong, Macau and Taiwan count as abroad too.
_ABROAD_REGIONS = ("CN-HK", "CN-MO", "CN-TW")


def package_attested(ctx: Context, row: Any) -> Sequence[Condition]:
    """PKG-01: at least one package is built and attested; an equity deal ends in a custody handover instead."""
    if row.structure == "equity_transfer":
        return [passed("not_applicable_equity_custody"), *_not_computed_for_build()]
    if any(p.state in _ATTESTED and p.purpose == "closing" for p in packages_of(ctx, row.case_id)):
        return [passed("closing_package_attested"), *_not_computed_for_build()]
    missing = failed(
        "closing_package_attested",
        "还没有已出具证明的交割数据包",
        "no closing package is built and attested",
        "consultant",
    )
    return [missing, *_not_computed_for_build()]


def material_released(ctx: Context, row: Any) -> Sequence[Condition]:
    """PKG-03: a due-diligence package made of this redaction was released by two persons, and neither went stale nor was taken back."""
    query = select(Package.id).where(
        Package.redaction_id == row.id, Package.purpose == "due_diligence", Package.state.in_(_OUT)
    )
    if ctx.session.scalars(query).first() is not None:
        return [passed("material_released")]
    return [failed("material_released", "尚未放行脱敏资料", "no redacted material is released", "consultant")]


def release_2p(ctx: Context, row: Any) -> Sequence[Condition]:
    """G13: two persons approved the final manifest after it was built, not longer ago than the policy says."""
    if row.MACHINE == "case":
        if row.structure == "equity_transfer":
            return [passed("not_applicable_equity_custody")]
        ready = [p for p in closing_packages(ctx, row.case_id) if p.state in _APPROVED]
        if not ready:
            return [
                failed(
                    "closing_package_approved",
                    "交割数据包尚未经两人批准放行",
                    "no closing package has the approval of two persons",
                    "seller_signatory",
                    "legal",
                    "dpo",
                )
            ]
        return [c for package in ready for c in release_2p(ctx, package)]
    return [_two_approvals(ctx, row)]


def _two_approvals(ctx: Context, row: Package) -> Condition:
    age = dt.timedelta(days=ctx.get(Settings).policy.approval_max_age_days)
    given = [
        a
        for a in approvers(ctx, row.id, "approve")
        if row.built_at is not None and row.built_at <= a.created_at >= ctx.now() - age
    ]
    if len({a.person_id for a in given}) >= 2:
        return passed("two_approvals")
    return failed(
        "two_approvals",
        f"数据包 {row.number} 只有 {len(given)} 人批准最终清单（需两人）",
        f"package {row.number}: {len(given)} of 2 persons approved the final manifest",
        "seller_signatory",
        "legal",
        "dpo",
    )


def consent_ok(ctx: Context, row: Any) -> Sequence[Condition]:
    """G09: where consent is the basis, nobody inside a package took it back since its facts were read."""
    exempt = exemption(ctx, row)
    if exempt:
        return [exempt]
    if not route_of(ctx, row.case_id).consent:
        return [passed("not_applicable_by_basis")]
    granted = _granted(ctx, row)
    if not granted:
        return [
            failed(
                "consents_imported",
                "尚未导入单独同意记录",
                "no separate consents were imported",
                "seller_admin",
                "consultant",
            )
        ]
    return [passed("consents_imported"), *_unchanged(ctx, row, "consent")]


def objections_ok(ctx: Context, row: Any) -> Sequence[Condition]:
    """G08: nobody inside a package was restricted since its facts were read; open requests keep people out of builds."""
    exempt = exemption(ctx, row)
    if exempt:
        return [exempt]
    return [
        *_unchanged(ctx, row, "restricted"),
        not_checked("open_requests", "未核查尚未办结的个人权利请求", "open requests of data subjects are not checked"),
    ]


def _unchanged(ctx: Context, row: Any, kind: str) -> list[Condition]:
    packages = closing_packages(ctx, row.case_id) if row.MACHINE == "case" else [row]
    conditions = []
    for package in packages:
        lost = lost_since(ctx, package.case_id, package.facts_at).get(kind, 0) if package.facts_at else 0
        name = f"{kind}_unchanged:{package.number}"
        if lost:
            conditions.append(
                failed(
                    name,
                    f"数据包 {package.number} 构建后有 {lost} 名客户撤回同意或提出限制，需重新构建",
                    f"{lost} customer(s) withdrew or objected after package {package.number} was built; build it again",
                    "consultant",
                )
            )
        else:
            conditions.append(passed(name))
    return conditions


def _granted(ctx: Context, row: Any) -> int:
    """How many consents are granted in the row's case."""
    return ledger_view(ctx, row.case_id).consent.get("granted", 0)


def xborder_ok(ctx: Context, row: Any) -> Sequence[Condition]:
    """G10: no declared place of a recipient or buyer lies outside the mainland, as no export case exists here yet."""
    if row.MACHINE == "case":
        recipients = recipients_of(ctx, row.case_id)
        packages = closing_packages(ctx, row.case_id)
        wanted = {p.recipient_id for p in packages}
        recipients = [r for r in recipients if r.id in wanted]
        buyers = {p.party_id for p in packages}
    else:
        recipients = [ctx.session.get_one(Recipient, row.recipient_id)]
        buyers = {row.party_id}
    conditions = [_place("recipient_place", r.place) for r in recipients]
    conditions += [_place("party_place", p.place) for p in parties(ctx, row.case_id) if p.id in buyers]
    return [
        *(conditions or [passed("no_recipient_yet")]),
        not_checked("login_place", "未核查实际登录地点", "the place of actual logins is not checked"),
    ]


def _place(name: str, place: str) -> Condition:
    if place.startswith("CN") and not place.startswith(_ABROAD_REGIONS):
        return passed(name)
    return failed(
        name,
        f"XB-01：申报的访问地点 {place} 在境外，需先完成出境合规手续",
        f"XB-01: the declared place {place} lies outside the mainland; an effective export case is needed first",
        "legal",
    )


def still_fresh(ctx: Context, row: Package) -> Sequence[Condition]:
    """Part of release: the package holds what it would hold if it were built now, for the key that is valid now."""
    reason = why_stale(ctx, row)
    key = ctx.session.get(RecipientKey, row.key_id) if row.key_id else None
    if reason is None and key is not None and key.state == "verified":
        return [passed("package_fresh")]
    word = reason or "recipient_key_changed"
    return [
        failed(
            "package_fresh",
            f"数据包内容已过时（{word}），需重新构建",
            f"the package is stale ({word}); build it again",
            "consultant",
        )
    ]


def _not_computed_for_build() -> list[Condition]:
    return [
        not_checked("important_data", "未核查重要数据结论", "the conclusion on important data (G11) is not checked"),
        not_checked(
            "accounting_archives", "未核查会计档案分流", "the routing of accounting archives (G21) is not checked"
        ),
        not_checked("impact_assessment", "未核查个人信息保护影响评估", "the impact assessment (G03) is not checked"),
    ]


GATES = {
    "package_attested": Gate("PKG-01", package_attested),
    "release_2p": Gate("G13", release_2p),
    "consent_ok": Gate("G09", consent_ok),
    "objections_ok": Gate("G08", objections_ok),
    "xborder_ok": Gate("G10", xborder_ok),
    "package_fresh": Gate("PKG-02", still_fresh),
    "material_released": Gate("PKG-03", material_released),
}

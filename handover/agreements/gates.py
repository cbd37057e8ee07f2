"""Judgements about agreements: NDA, entrustment, closing confirmation, and what a text needs before it is sent."""

from collections.abc import Sequence
from typing import Any

from handover.agreements.models import Agreement
from handover.agreements.queries import in_force, nda_covers, signers_of
from handover.agreements.texts import missing_fields
from handover.cases.queries import case_key, members_of, parties, visible_case
from handover.cases.separation import BUYER_ROLES
from handover.context import Context
from handover.vault import Vault
from handover.workflow import Condition, Gate, failed, not_checked, passed

#: Bidders sign before they see something of the records; the inventory waits for the seller and the team only.
_OUTSIDE = BUYER_ROLES | {"recipient", "auditor"}


def agreement_complete(ctx: Context, row: Agreement) -> Sequence[Condition]:
    """AGR-01: every field of the template is filled and somebody is to sign for each company."""
    fields = ctx.get(Vault).open_json(case_key(row.case_id), row.fields_sealed, field="agreements.fields", row=row.id)
    missing = missing_fields(row.kind, fields)
    conditions = []
    if missing:
        names = ", ".join(missing)
        conditions.append(
            failed("fields_filled", f"缺少必填项：{names}", f"these fields are empty: {names}", "consultant")
        )
    if not signers_of(ctx, row.id):
        conditions.append(failed("signers_named", "尚未指定签署人", "no signer is named", "consultant"))
    return conditions or [passed("fields_filled"), passed("signers_named")]


def signatures_valid(ctx: Context, row: Agreement) -> Sequence[Condition]:
    """AGR-02: every signer signed this very text, and who signed for a company showed a mandate."""
    signers = signers_of(ctx, row.id)
    unsigned = [s for s in signers if s.state != "signed" or s.text_sha256 != row.text_sha256]
    if unsigned:
        return [
            failed(
                "all_signed",
                f"{len(unsigned)} 人尚未签署",
                f"{len(unsigned)} signer(s) have not signed this text",
                "seller_signatory",
                "buyer_signatory",
            )
        ]
    bare = [s for s in signers if s.capacity == "company" and s.mandate_id is None and s.method != "wet_ink"]
    if bare:
        return [
            failed(
                "mandates_given",
                f"{len(bare)} 名公司签署人缺少授权书",
                f"{len(bare)} signer(s) for a company showed no mandate",
                "consultant",
            )
        ]
    return [passed("all_signed"), passed("mandates_given")]


def nda_in_force(ctx: Context, row: Any) -> Sequence[Condition]:
    """G01: every person of the team and the seller's side signed an NDA that is in force today."""
    case = visible_case(ctx, row.case_id)
    inside = [m for m in members_of(ctx, case.id) if m.role not in _OUTSIDE]
    people = {m.person_id: m.party_id for m in inside}
    uncovered = [person for person, party_id in people.items() if not nda_covers(ctx, case.id, person, party_id)]
    if uncovered:
        return [
            failed(
                "nda_signed_by_everyone",
                f"{len(uncovered)} 人没有生效的保密协议",
                f"{len(uncovered)} person(s) of the team or the seller have no NDA in force",
                "consultant",
                "legal",
            )
        ]
    return [passed("nda_signed_by_everyone")]


def entrust_in_force(ctx: Context, row: Any) -> Sequence[Condition]:
    """G02: an entrustment agreement between the controller and the agency is in force (PIPL Art. 21)."""
    if in_force(ctx, row.case_id, "entrustment"):
        return [
            passed("entrustment_in_force"),
            not_checked("vendors", "未核查次级受托方", "sub-processors are not checked"),
            not_checked("impact_assessment", "未核查影响评估（G03）", "the impact assessment (G03) is not checked"),
        ]
    return [
        failed(
            "entrustment_in_force",
            "委托处理协议尚未生效",
            "no entrustment agreement between controller and agency is in force",
            "seller_signatory",
            "consultant",
        )
    ]


def deal_confirmed(ctx: Context, row: Any) -> Sequence[Condition]:
    """G14: a closing confirmation signed by seller and winning buyer is in force; only closing needs it."""
    if getattr(row, "purpose", "closing") != "closing":
        return [passed("not_applicable_before_closing")]
    won = {p.id for p in parties(ctx, row.case_id) if p.side == "buyer" and p.standing == "won"}
    if not won:
        return [failed("winner_named", "尚未确定受让方", "no bidder is marked as the winner", "lead_consultant")]
    for agreement in in_force(ctx, row.case_id, "closing_confirmation"):
        if won & {agreement.party_id, agreement.counterparty_id}:
            return [passed("winner_named"), passed("closing_confirmed")]
    return [
        passed("winner_named"),
        failed(
            "closing_confirmed",
            "交割确认函尚未由双方签署生效",
            "the closing confirmation of seller and buyer is not in force",
            "seller_signatory",
            "buyer_signatory",
        ),
    ]


GATES = {
    "agreement_complete": Gate("AGR-01", agreement_complete),
    "signatures_valid": Gate("AGR-02", signatures_valid),
    "nda_in_force": Gate("G01", nda_in_force),
    "entrust_in_force": Gate("G02", entrust_in_force),
    "deal_confirmed": Gate("G14", deal_confirmed),
}

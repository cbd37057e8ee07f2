"""Judgements about recipients: identity, independence of the verification, and whether a package may be made for them."""

import uuid
from collections.abc import Iterator, Sequence
from typing import Any

from handover.agreements.queries import nda_covers, undertaking_in_force
from handover.cases.queries import party
from handover.context import Context
from handover.recipients.models import Recipient
from handover.recipients.queries import current_key, recipients_of, verifications
from handover.workflow import Condition, Gate, failed, not_checked, passed


def identity_complete(_ctx: Context, row: Recipient) -> Sequence[Condition]:
    """REC-01: something was shown, and a company's person has a mandate."""
    found = [
        passed("identity_given")
        if row.identity_at
        else failed(
            "identity_given",
            "接收人尚未提交身份资料",
            "the recipient has not shown an identity document",
            "recipient",
            "buyer_admin",
        )
    ]
    found.append(
        passed("mandate_given")
        if row.mandate_id
        else failed("mandate_given", "缺少公司授权书", "the company's mandate is missing", "buyer_admin", "recipient")
    )
    return found


def two_sides_verified(ctx: Context, row: Recipient) -> Sequence[Condition]:
    """REC-02: two persons of two sides typed the same number, and neither is the recipient nor registered the key."""
    key = current_key(ctx, row.id)
    if key is None:
        return [failed("key_present", "没有待核对的公钥", "no key is registered", "recipient")]
    done = [v for v in verifications(ctx, key.id) if v.matched]
    independent = {v.person_id for v in done} - {row.person_id, key.registered_by}
    found = [passed("key_present")]
    found.append(
        passed("possession_proven")
        if key.proven_at
        else failed("possession_proven", "尚未证明持有私钥", "possession of the key is not proven", "recipient")
    )
    if len({v.side for v in done}) < 2 or len(independent) < 2:
        missing = failed(
            "two_sides",
            f"已有 {len(done)} 方核对安全码，需要两方各一人",
            f"{len(done)} side(s) compared the safety number; one person each of two sides must",
            "consultant",
            "buyer_admin",
        )
        return [*found, missing]
    return [*found, passed("two_sides")]


def recipient_ok(ctx: Context, row: Any) -> Sequence[Condition]:
    """G12: the recipient of the row (or one of the case's buyer) is active, verified, under NDA, and has undertaken."""
    if row.MACHINE == "case":
        return _case_has_one(ctx, row)
    if row.MACHINE == "delivery" and row.recipient_id is None:
        return [passed("not_applicable_custody")]
    recipient = ctx.session.get_one(Recipient, row.recipient_id)
    purpose = getattr(row, "purpose", None)
    return [*_conditions(ctx, recipient, closing=purpose == "closing"), *_not_computed()]


def _case_has_one(ctx: Context, case: Any) -> list[Condition]:
    if case.structure == "equity_transfer":
        return [passed("not_applicable_equity_custody"), *_not_computed()]
    for recipient in recipients_of(ctx, case.id):
        conditions = list(_conditions(ctx, recipient, closing=True))
        won = party(ctx, case.id, recipient.party_id).standing == "won"
        if won and all(c.passed is not False for c in conditions):
            return [*conditions, *_not_computed()]
    return [
        failed(
            "active_recipient",
            "受让方还没有一位核验通过的接收人",
            "the buyer has no recipient whose identity, key, NDA and undertaking all hold",
            "buyer_admin",
            "consultant",
        )
    ]


def _conditions(ctx: Context, recipient: Recipient, *, closing: bool) -> Iterator[Condition]:
    if recipient.state == "active":
        yield passed("recipient_active")
    else:
        yield failed(
            "recipient_active",
            f"接收人状态为 {recipient.state}，尚未启用",
            f"the recipient is {recipient.state}, not active",
            "recipient",
            "consultant",
        )
    key = current_key(ctx, recipient.id)
    if key is not None and key.state == "verified" and key.expires_at is not None and key.expires_at > ctx.now():
        yield passed("key_verified_and_valid")
    else:
        yield failed(
            "key_verified_and_valid",
            "没有有效且经两方核对的公钥",
            "no valid key verified by two sides",
            "recipient",
            "consultant",
        )
    yield from _papers(ctx, recipient.case_id, recipient, closing=closing)


def _papers(ctx: Context, case_id: uuid.UUID, recipient: Recipient, *, closing: bool) -> Iterator[Condition]:
    if nda_covers(ctx, case_id, recipient.person_id, recipient.party_id):
        yield passed("nda_in_force")
    else:
        yield failed(
            "nda_in_force",
            "接收人没有生效的保密协议",
            "no NDA in force covers the recipient and their party",
            "buyer_signatory",
            "legal",
        )
    if not closing:
        return
    if undertaking_in_force(ctx, case_id, recipient.party_id):
        yield passed("undertaking_in_force")
    else:
        yield failed(
            "undertaking_in_force",
            "受让方尚未签署继续履行义务的承诺书",
            "the buyer has not signed the undertaking to continue the seller's duties",
            "buyer_signatory",
        )


def _not_computed() -> list[Condition]:
    return [
        not_checked("training", "未核查培训记录", "training records are not checked"),
        not_checked("restricted_recipients", "未核查限制接收名单", "lists of restricted recipients are not checked"),
    ]


GATES = {
    "identity_complete": Gate("REC-01", identity_complete),
    "two_sides_verified": Gate("REC-02", two_sides_verified),
    "recipient_ok": Gate("G12", recipient_ok),
}

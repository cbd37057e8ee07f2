"""The comparison of a safety number by two people of two sides, which makes a proven key the recipient's."""

import datetime as dt
import hmac

from handover.accounts.service import require_recent_second_factor
from handover.cases.queries import case_key, roles_of
from handover.context import Context
from handover.db import new_id
from handover.errors import InvalidInputError, NotFoundError
from handover.recipients.errors import SafetyNumberMismatchError, VerifierError
from handover.recipients.models import KeyVerification, Recipient, RecipientKey
from handover.recipients.queries import current_key, expected_number, verifications
from handover.recipients.service import log
from handover.settings import Settings
from handover.vault import Vault
from handover.workflow import Workflow

_SIDES = {
    "consultant": "agency",
    "lead_consultant": "agency",
    "legal": "agency",
    "dpo": "agency",
    "security_officer": "agency",
    "custodian": "seller",
    "seller_admin": "seller",
    "seller_signatory": "seller",
    "buyer_admin": "buyer",
    "buyer_signatory": "buyer",
}


def verify_number(ctx: Context, row: Recipient, groups: str, channel: str) -> RecipientKey:
    """Compares a typed safety number with the key's; the second match, from another side, activates the recipient.

    A mismatch is stored and logged before it is reported: the caller must commit, then raise what `mismatch` returns.

    Raises:
        VerifierError: the verifier is the recipient, registered the key, verified before, or sits on the same side.
    """
    key, side = _comparable(ctx, row)
    typed = "".join(groups.split())
    if len(typed) != 30 or not typed.isascii() or not typed.isdigit():
        raise InvalidInputError("type all six groups of five digits", field="groups")
    matched = hmac.compare_digest(typed, "".join(expected_number(ctx, row, key)))
    _note_comparison(ctx, row, key, side=side, channel=channel, matched=matched)
    if not matched:
        _reject(ctx, row, key)
        return key
    log(ctx, "recipient.safety_number_matched", row, key_sha256=key.sha256, side=side)
    if len({v.side for v in verifications(ctx, key.id) if v.matched}) >= 2:
        _activate(ctx, row, key)
    return key


def report_mismatch(ctx: Context, row: Recipient, channel: str) -> RecipientKey:
    """A verifier saw without typing that the number is another one: the key is rejected as by a wrong number.

    Raises:
        VerifierError: as in `verify_number`.
    """
    key, side = _comparable(ctx, row)
    _note_comparison(ctx, row, key, side=side, channel=channel, matched=False)
    _reject(ctx, row, key)
    return key


def mismatch(key: RecipientKey) -> SafetyNumberMismatchError | None:
    """The error to answer after the unit of work in which the key was rejected."""
    if key.state != "rejected":
        return None
    return SafetyNumberMismatchError(
        "the number does not match: the key is rejected and both sides are told; find out over another channel whose "
        "key it was, then register a new one",
        key_sha256=key.sha256,
    )


def _comparable(ctx: Context, row: Recipient) -> tuple[RecipientKey, str]:
    """The key that waits for its number, and the side for which the acting person compares it."""
    key = current_key(ctx, row.id)
    if key is None or key.state != "proven":
        raise NotFoundError("no key of this recipient waits for its safety number")
    side = verifier_side(ctx, row, key)
    require_recent_second_factor(ctx)
    return key, side


def _note_comparison(
    ctx: Context, row: Recipient, key: RecipientKey, *, side: str, channel: str, matched: bool
) -> None:
    identifier = new_id()
    ctx.session.add(
        KeyVerification(
            id=identifier,
            case_id=row.case_id,
            key_id=key.id,
            person_id=ctx.person(),
            side=side,
            channel_sealed=ctx.get(Vault).seal_text(
                case_key(row.case_id), channel, field="key_verifications.channel", row=identifier
            ),
            matched=matched,
        )
    )
    ctx.session.flush()


def verifier_side(ctx: Context, row: Recipient, key: RecipientKey) -> str:
    """The side for which the acting person may compare this key.

    Raises:
        VerifierError: the recipient themselves, no side, or a side that compared already.
    """
    person = ctx.person()
    if person in {row.person_id, key.registered_by}:
        raise VerifierError("the recipient cannot verify their own key; two others do, from two sides")
    mine = {_SIDES[r.role] for r in roles_of(ctx, row.case_id) if r.role in _SIDES}
    if not mine:
        raise VerifierError("verifying a key takes a role on the side of the agency, the seller or the buyer")
    done = [v for v in verifications(ctx, key.id) if v.matched]
    if any(v.person_id == person for v in done):
        raise VerifierError("you compared this number already; the other comparison must come from another side")
    side = min(mine)
    if any(v.side == side for v in done):
        raise VerifierError(
            f"the {side} compared this number already; the other comparison must come from another side"
        )
    return side


def _reject(ctx: Context, row: Recipient, key: RecipientKey) -> None:
    key.state = "rejected"
    log(ctx, "recipient.safety_number_mismatch", row, key_sha256=key.sha256, severity="security")
    with ctx.as_system():
        ctx.get(Workflow).fire(ctx, row, "reject_key")


def _activate(ctx: Context, row: Recipient, key: RecipientKey) -> None:
    days = ctx.get(Settings).policy.recipient_key_days
    key.state, key.verified_at = "verified", ctx.now()
    key.expires_at = ctx.now() + dt.timedelta(days=days)
    ctx.session.flush()
    with ctx.as_system():
        ctx.get(Workflow).fire(ctx, row, "activate")

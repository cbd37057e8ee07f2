"""Writes about recipients: who they are, and the key that they prove to hold; `comparison` makes it theirs."""

import datetime as dt
import hmac
import secrets
import uuid
from hashlib import sha256

from sqlalchemy import select

from handover.accounts.service import require_recent_second_factor
from handover.audit import AuditLog
from handover.cases.queries import case_key, member_roles, party, require_role, visible_case
from handover.context import Context
from handover.crypto import canonical
from handover.crypto.age import encrypt_bytes, is_post_quantum, parse_recipient
from handover.crypto.errors import CryptoError
from handover.db import new_id
from handover.errors import ForbiddenError, InvalidInputError
from handover.recipients.errors import KeyRefusedError, ProofRefusedError
from handover.recipients.models import KeyChallenge, Recipient, RecipientKey
from handover.settings import Settings
from handover.vault import Vault
from handover.workflow import Workflow

#: A challenge is answered at once by the computer that made the key; ten minutes allow for a person in between.
CHALLENGE_MINUTES = 10


def nominate(ctx: Context, case_id: uuid.UUID, party_id: uuid.UUID, person_id: uuid.UUID, place: str) -> Recipient:
    """Names a person of a party as one who will open packages.

    Raises:
        InvalidInputError: in an equity deal only persons of the target can be recipients (the controller stays the same).
    """
    case = visible_case(ctx, case_id)
    require_role(ctx, case_id, "consultant", "lead_consultant", "buyer_admin", "seller_admin")
    theirs = party(ctx, case_id, party_id)
    if case.structure == "equity_transfer" and theirs.side == "buyer" and theirs.standing == "won":
        raise InvalidInputError(
            "in an equity transfer the records stay with the target company; name a person of the target, or change "
            "the structure of the deal",
            field="party_id",
        )
    if not any(r.role == "recipient" and r.party_id == party_id for r in member_roles(ctx, case_id, person_id)):
        raise InvalidInputError("this person has no role recipient for this party; add it first", field="person_id")
    row = Recipient(
        case_id=case_id,
        party_id=party_id,
        person_id=person_id,
        state=ctx.get(Workflow).initial(Recipient.MACHINE),
        place=place,
        created_by=ctx.person(),
    )
    ctx.session.add(row)
    ctx.session.flush()
    log(ctx, "recipient.invited", row, to_state=row.state)
    return row


def give_identity(
    ctx: Context, row: Recipient, *, document: str, employer: str, checked_against: str, mandate_id: uuid.UUID | None
) -> Recipient:
    """Records what the recipient showed; the text is sealed with the case."""
    require_role(ctx, row.case_id, "recipient", "buyer_admin", "seller_admin", "consultant", "lead_consultant")
    if row.state != "invited":
        raise InvalidInputError(f"identity can be given while the recipient is invited, not in state {row.state}")
    row.identity_sealed = ctx.get(Vault).seal_json(
        case_key(row.case_id),
        {"document": document, "employer": employer, "checked_against": checked_against},
        field="recipients.identity",
        row=row.id,
    )
    row.mandate_id = mandate_id
    row.identity_at = ctx.now()
    ctx.session.flush()
    log(ctx, "recipient.identity_given", row, mandate="given" if mandate_id else "none")
    return row


def submit_key(ctx: Context, row: Recipient, recipient: str) -> tuple[RecipientKey, KeyChallenge, str]:
    """Registers a public key and asks its holder to prove it; returns key, challenge and the armored challenge file.

    Raises:
        KeyRefusedError: malformed, of the wrong kind for the case, or registered before.
    """
    if ctx.actor.person_id != row.person_id:
        raise ForbiddenError("only the recipient registers their own key, from the computer that will open the package")
    require_recent_second_factor(ctx)
    kind = _checked_kind(ctx, row, recipient)
    key = RecipientKey(
        case_id=row.case_id,
        recipient_id=row.id,
        recipient=recipient,
        kind=kind,
        sha256=sha256(recipient.encode()).hexdigest(),
        registered_by=ctx.person(),
    )
    ctx.session.add(key)
    ctx.session.flush()
    with ctx.as_system():
        ctx.get(Workflow).fire(ctx, row, "submit_key")
    log(ctx, "recipient.key_submitted_details", row, key_sha256=key.sha256, kind=kind)
    return (key, *challenge(ctx, row, key))


def challenge(ctx: Context, row: Recipient, key: RecipientKey) -> tuple[KeyChallenge, str]:
    """A fresh challenge for a key that is not proven yet: an age file to it that holds a secret and the context."""
    if key.state != "submitted":
        raise ProofRefusedError(f"possession of this key needs no proof now, it is {key.state}")
    identifier, secret = new_id(), secrets.token_bytes(32)
    context = canonical.encode(
        {
            "challenge": str(identifier),
            "case": visible_case(ctx, row.case_id).reference,
            "key": key.sha256,
            "origin": ctx.get(Settings).public_url,
            "person": str(row.person_id),
        }
    ).decode()
    made = KeyChallenge(
        id=identifier,
        case_id=row.case_id,
        key_id=key.id,
        context=context,
        secret_sealed=ctx.get(Vault).seal_text("server", secret.hex(), field="key_challenges.secret", row=identifier),
        expires_at=ctx.now() + dt.timedelta(minutes=CHALLENGE_MINUTES),
    )
    ctx.session.add(made)
    ctx.session.flush()
    plain = canonical.encode({"context": context, "secret": secret.hex()})
    return made, encrypt_bytes(plain, [key.recipient], armored=True).decode()


def prove(ctx: Context, row: Recipient, key: RecipientKey, answer: str) -> RecipientKey:
    """Checks the answer, HMAC-SHA-256(secret, context) in hex; a challenge is spent by the first answer.

    Raises:
        ProofRefusedError: wrong, late, or no challenge is open.
    """
    query = (
        select(KeyChallenge)
        .where(KeyChallenge.key_id == key.id, KeyChallenge.used_at.is_(None))
        .order_by(KeyChallenge.id.desc())
        .with_for_update()
    )
    asked = ctx.session.scalars(query).first()
    if asked is None or asked.expires_at < ctx.now():
        raise ProofRefusedError("no challenge is open for this key; ask for a new one")
    secret = ctx.get(Vault).open_text("server", asked.secret_sealed, field="key_challenges.secret", row=asked.id)
    expected = hmac.digest(bytes.fromhex(secret), asked.context.encode(), "sha256").hex()
    if not hmac.compare_digest(expected, answer.lower()):
        raise ProofRefusedError("the answer does not fit the challenge; use the key's own computer and a new challenge")
    asked.used_at = ctx.now()
    key.state, key.proven_at = "proven", ctx.now()
    ctx.session.flush()
    with ctx.as_system():
        ctx.get(Workflow).fire(ctx, row, "prove_possession")
    return key


def key_replaced(ctx: Context, row: Recipient, _details: object) -> None:
    """Effect of `replace_key` and `revoke`: the old key never gets another package."""
    for key in ctx.session.scalars(select(RecipientKey).where(RecipientKey.recipient_id == row.id)):
        if key.state in {"submitted", "proven", "verified"}:
            key.state = "revoked" if row.state == "revoked" else "replaced"
            log(ctx, "recipient.key_retired", row, key_sha256=key.sha256)


def expire_due(ctx: Context) -> int:
    """Expires recipients whose key ran out; called by the sweeper. Returns how many."""
    query = select(RecipientKey).where(RecipientKey.state == "verified", RecipientKey.expires_at < ctx.now())
    found = list(ctx.session.scalars(query))
    for key in found:
        key.state = "expired"
        row = ctx.session.get_one(Recipient, key.recipient_id)
        if row.state == "active":
            ctx.get(Workflow).fire(ctx, row, "expire")
    return len(found)


def _checked_kind(ctx: Context, row: Recipient, recipient: str) -> str:
    policy = visible_case(ctx, row.case_id).key_policy
    try:
        parse_recipient(recipient)
    except CryptoError as error:
        raise KeyRefusedError(f"this is not an age recipient: {error.message}", field="recipient") from error
    kind = "post_quantum" if is_post_quantum(recipient) else "classic"
    if kind != policy:
        wanted = "age1pq1…" if policy == "post_quantum" else "age1…"
        raise KeyRefusedError(f"this case takes {policy} keys, which begin with {wanted}", field="recipient")
    known = select(RecipientKey.id).where(
        RecipientKey.case_id == row.case_id, RecipientKey.sha256 == sha256(recipient.encode()).hexdigest()
    )
    if ctx.session.scalars(known).first() is not None:
        raise KeyRefusedError("this key was registered in this case before; make a new one", field="recipient")
    return kind


def log(ctx: Context, event: str, row: Recipient, *, to_state: str | None = None, **details: str | int) -> None:
    """One audit entry about a recipient."""
    ctx.get(AuditLog).append(
        ctx, event, entity="recipient", entity_id=row.id, case_id=row.case_id, to_state=to_state, details=details
    )

"""Reads of recipients and their keys."""

import datetime as dt
import uuid

import msgspec
from sqlalchemy import select

from handover.accounts.queries import person_name
from handover.agreements.models import PaperScan
from handover.cases.queries import case_key, members_of, party, party_name, roles_of, visible_case
from handover.context import Context
from handover.crypto.safety_number import safety_number
from handover.errors import NotFoundError
from handover.recipients.models import KeyVerification, Recipient, RecipientKey
from handover.vault import SealedBlob, Vault

#: A key that may still become, or is, the one that packages are made for.
CURRENT = ("submitted", "proven", "verified")
_BUYER_ROLES = frozenset({"buyer_admin", "buyer_signatory", "recipient"})
#: They verify identities, so they see the papers.
_VERIFIERS = frozenset({"consultant", "lead_consultant", "legal"})


class VerificationView(msgspec.Struct, frozen=True, kw_only=True):
    """One comparison of the safety number."""

    person_id: str
    side: str
    channel: str | None
    matched: bool
    at: dt.datetime


class KeyView(msgspec.Struct, frozen=True, kw_only=True):
    """A registered public key; the safety number is computed by the verifiers' own tools, so it is not shown here."""

    id: str
    recipient: str
    kind: str
    sha256: str
    state: str
    registered_by: str
    proven_at: dt.datetime | None
    verified_at: dt.datetime | None
    expires_at: dt.datetime | None
    verifications: list[VerificationView]


class RecipientView(msgspec.Struct, frozen=True, kw_only=True):
    """A recipient with the current key, if there is one."""

    id: str
    version: int
    case_id: str
    party_id: str
    person_id: str
    name: str
    state: str
    place: str
    identity_given: bool
    mandate_given: bool
    key: KeyView | None


class Papers(msgspec.Struct, frozen=True, kw_only=True):
    """What the recipient showed of themselves, in their words."""

    document: str
    employer: str
    checked_against: str


class Candidate(msgspec.Struct, frozen=True, kw_only=True):
    """A person with the role recipient who is not named as one yet."""

    member_id: str
    party_id: str
    person_id: str
    name: str
    party: str | None


class Scan(msgspec.Struct, frozen=True):
    """A mandate as it was uploaded."""

    media_type: str
    data: bytes


def visible_recipient(ctx: Context, recipient_id: uuid.UUID) -> Recipient:
    """The recipient, for members of the case; a bidder's people see their own party's only.

    Raises:
        NotFoundError: missing or not the actor's to see.
    """
    row = ctx.session.get(Recipient, recipient_id)
    if row is None:
        raise NotFoundError("there is no such recipient")
    visible_case(ctx, row.case_id)
    if not _may_see(ctx, row):
        raise NotFoundError("there is no such recipient")
    return row


def recipients_of(ctx: Context, case_id: uuid.UUID) -> list[Recipient]:
    """All recipients of a case that the actor may see, oldest first."""
    rows = ctx.session.scalars(select(Recipient).where(Recipient.case_id == case_id).order_by(Recipient.id))
    return [row for row in rows if ctx.actor.is_system or _may_see(ctx, row)]


def recipient_of_person(ctx: Context, case_id: uuid.UUID) -> Recipient | None:
    """The acting person as a recipient of a case."""
    query = select(Recipient).where(Recipient.case_id == case_id, Recipient.person_id == ctx.person())
    return ctx.session.scalars(query).one_or_none()


def candidates(ctx: Context, case_id: uuid.UUID) -> list[Candidate]:
    """People with the role recipient of whom none is named yet."""
    named = set(ctx.session.scalars(select(Recipient.person_id).where(Recipient.case_id == case_id)))
    return [
        Candidate(
            member_id=str(member.id),
            party_id=str(member.party_id),
            person_id=str(member.person_id),
            name=person_name(ctx, member.person_id),
            party=party_name(ctx, party(ctx, case_id, member.party_id)),
        )
        for member in members_of(ctx, case_id)
        if member.role == "recipient" and member.party_id is not None and member.person_id not in named
    ]


def party_of(ctx: Context, row: Recipient) -> str | None:
    """The name of the party that the recipient belongs to; None once names are destroyed."""
    return party_name(ctx, party(ctx, row.case_id, row.party_id))


def current_key(ctx: Context, recipient_id: uuid.UUID) -> RecipientKey | None:
    """The newest key that was not replaced, rejected, revoked or expired."""
    query = (
        select(RecipientKey)
        .where(RecipientKey.recipient_id == recipient_id, RecipientKey.state.in_(CURRENT))
        .order_by(RecipientKey.id.desc())
    )
    return ctx.session.scalars(query).first()


def newest_key(ctx: Context, recipient_id: uuid.UUID) -> RecipientKey | None:
    """The key that was registered last, whatever became of it: pages say so when it was rejected."""
    query = select(RecipientKey).where(RecipientKey.recipient_id == recipient_id).order_by(RecipientKey.id.desc())
    return ctx.session.scalars(query).first()


def papers_of(ctx: Context, row: Recipient) -> Papers | None:
    """What was shown, for those who verify it and for the recipient; None for others, and once names are destroyed."""
    vault, key = ctx.get(Vault), case_key(row.case_id)
    if row.identity_sealed is None or not vault.has(key) or not _may_see_papers(ctx, row):
        return None
    opened = vault.open_json(key, row.identity_sealed, field="recipients.identity", row=row.id)
    return msgspec.convert(opened, Papers)


def mandate_of(ctx: Context, row: Recipient) -> Scan:
    """The company's mandate, for those who verify it and for the recipient.

    Raises:
        NotFoundError: there is none, or it is not the actor's to see.
    """
    scan = ctx.session.get(PaperScan, row.mandate_id) if row.mandate_id else None
    if scan is None or scan.case_id != row.case_id or not _may_see_papers(ctx, row):
        raise NotFoundError("there is no such mandate")
    with ctx.get(Vault).reader("evidence", msgspec.convert(scan.blob, SealedBlob)) as source:
        return Scan(scan.media_type, source.read())


def verifications(ctx: Context, key_id: uuid.UUID) -> list[KeyVerification]:
    query = select(KeyVerification).where(KeyVerification.key_id == key_id).order_by(KeyVerification.id)
    return list(ctx.session.scalars(query))


def expected_number(ctx: Context, row: Recipient, key: RecipientKey) -> tuple[str, ...]:
    """The safety number that both verifiers must have computed themselves."""
    return safety_number(key.recipient, visible_case(ctx, row.case_id).reference, str(row.person_id)).groups


def channel(ctx: Context, row: KeyVerification) -> str | None:
    """How the number was read out; None once the case's data is destroyed."""
    vault, key = ctx.get(Vault), case_key(row.case_id)
    if not vault.has(key):
        return None
    return vault.open_text(key, row.channel_sealed, field="key_verifications.channel", row=row.id)


def recipient_view(ctx: Context, row: Recipient) -> RecipientView:
    key = current_key(ctx, row.id)
    return RecipientView(
        id=str(row.id),
        version=row.version,
        case_id=str(row.case_id),
        party_id=str(row.party_id),
        person_id=str(row.person_id),
        name=person_name(ctx, row.person_id),
        state=row.state,
        place=row.place,
        identity_given=row.identity_at is not None,
        mandate_given=row.mandate_id is not None,
        key=_key_view(ctx, key) if key else None,
    )


def _key_view(ctx: Context, key: RecipientKey) -> KeyView:
    return KeyView(
        id=str(key.id),
        recipient=key.recipient,
        kind=key.kind,
        sha256=key.sha256,
        state=key.state,
        registered_by=str(key.registered_by),
        proven_at=key.proven_at,
        verified_at=key.verified_at,
        expires_at=key.expires_at,
        verifications=[
            VerificationView(
                person_id=str(v.person_id), side=v.side, channel=channel(ctx, v), matched=v.matched, at=v.created_at
            )
            for v in verifications(ctx, key.id)
        ],
    )


def _may_see(ctx: Context, row: Recipient) -> bool:
    held = roles_of(ctx, row.case_id)
    if ctx.actor.is_system or any(r.role not in _BUYER_ROLES for r in held):
        return True
    return any(r.party_id == row.party_id for r in held)


def _may_see_papers(ctx: Context, row: Recipient) -> bool:
    held = {r.role for r in roles_of(ctx, row.case_id)}
    return bool(held & _VERIFIERS) or ctx.actor.person_id == row.person_id

"""Reads of agreements, and the two questions every later room asks: who is covered, and is the deal confirmed."""

import datetime as dt
import uuid
from typing import Any

import msgspec
from sqlalchemy import select

from handover.accounts.queries import person_name
from handover.agreements.models import Agreement, PaperScan, Signer
from handover.cases.queries import bidder_party, case_key, roles_of, visible_case
from handover.context import Context
from handover.errors import NotFoundError
from handover.jobs import Job
from handover.vault import Vault

#: States in which an agreement takes signatures.
OPEN = ("sent", "partially_signed")
_ISSUE = "attestations.issue"


class SignerView(msgspec.Struct, frozen=True, kw_only=True):
    """One signer; `level` is printed as it is."""

    id: str
    person_id: str
    name: str
    party_id: str | None
    capacity: str
    state: str
    signed_at: dt.datetime | None
    method: str | None
    level: str | None
    mandate_given: bool


class AgreementView(msgspec.Struct, frozen=True, kw_only=True):
    """An agreement with its text; sign exactly `text_sha256`."""

    id: str
    version: int
    case_id: str
    kind: str
    state: str
    party_id: str
    counterparty_id: str | None
    text: dict[str, Any] | None
    text_sha256: str
    levels: list[str]
    years: int
    sent_at: dt.datetime | None
    in_force_at: dt.datetime | None
    expires_at: dt.datetime | None
    signers: list[SignerView]


def visible_agreement(ctx: Context, agreement_id: uuid.UUID) -> Agreement:
    """An agreement that the actor signs or whose case they work on; bidders see their own party's.

    Raises:
        NotFoundError: missing or not the actor's to see.
    """
    row = ctx.session.get(Agreement, agreement_id)
    if row is None:
        raise NotFoundError("there is no such agreement")
    visible_case(ctx, row.case_id)
    if not _may_see(ctx, row):
        raise NotFoundError("there is no such agreement")
    return row


def agreements_of(ctx: Context, case_id: uuid.UUID) -> list[Agreement]:
    rows = ctx.session.scalars(select(Agreement).where(Agreement.case_id == case_id).order_by(Agreement.id))
    return [row for row in rows if _may_see(ctx, row)]


def signers_of(ctx: Context, agreement_id: uuid.UUID) -> list[Signer]:
    return list(ctx.session.scalars(select(Signer).where(Signer.agreement_id == agreement_id).order_by(Signer.id)))


def agreement_of(ctx: Context, case_id: uuid.UUID, agreement_id: uuid.UUID) -> Agreement:
    """An agreement of this very case.

    Raises:
        NotFoundError: missing, of another case, or not the actor's to see.
    """
    row = visible_agreement(ctx, agreement_id)
    if row.case_id != case_id:
        raise NotFoundError("there is no such agreement")
    return row


def waiting_for(ctx: Context, case_id: uuid.UUID) -> list[Signer]:
    """The signatures of a case that are awaited from the actor, oldest first."""
    query = (
        select(Signer)
        .join(Agreement, Agreement.id == Signer.agreement_id)
        .where(
            Agreement.case_id == case_id,
            Agreement.state.in_(OPEN),
            Signer.person_id == ctx.actor.person_id,
            Signer.state == "pending",
        )
        .order_by(Agreement.id)
    )
    return list(ctx.session.scalars(query))


def newest_mandate(ctx: Context, case_id: uuid.UUID) -> PaperScan | None:
    """The mandate that the actor showed last in this case."""
    query = (
        select(PaperScan)
        .where(
            PaperScan.case_id == case_id, PaperScan.uploaded_by == ctx.actor.person_id, PaperScan.purpose == "mandate"
        )
        .order_by(PaperScan.id.desc())
    )
    return ctx.session.scalars(query).first()


def documents_of(ctx: Context, case_id: uuid.UUID) -> dict[str, str]:
    """How far the documents of a case are, by agreement: the state of the job that issues each (queued, leased, done, dead)."""
    query = select(Job).where(Job.case_id == case_id, Job.kind == _ISSUE).order_by(Job.id)
    return {str(job.arguments.get("entity_id")): job.state for job in ctx.session.scalars(query)}


def fields_of(ctx: Context, row: Agreement) -> dict[str, str]:
    """What the blanks of the template are filled with; nothing once the case's names are destroyed."""
    vault, key = ctx.get(Vault), case_key(row.case_id)
    if not vault.has(key):
        return {}
    found: dict[str, str] = vault.open_json(key, row.fields_sealed, field="agreements.fields", row=row.id)
    return found


def text_of(ctx: Context, row: Agreement) -> dict[str, Any] | None:
    """None once the case's names are destroyed; the signed PDF keeps the text."""
    vault, key = ctx.get(Vault), case_key(row.case_id)
    if not vault.has(key):
        return None
    text: dict[str, Any] = vault.open_json(key, row.text_sealed, field="agreements.text", row=row.id)
    return text


def in_force(ctx: Context, case_id: uuid.UUID, kind: str) -> list[Agreement]:
    """Agreements of a kind that are in force today."""
    query = select(Agreement).where(Agreement.case_id == case_id, Agreement.kind == kind, Agreement.state == "in_force")
    return [a for a in ctx.session.scalars(query) if a.expires_at is None or a.expires_at > ctx.now()]


def nda_covers(ctx: Context, case_id: uuid.UUID, person_id: uuid.UUID, party_id: uuid.UUID | None) -> bool:
    """An NDA in force was signed by this person, and covers their party where they act for one."""
    for agreement in in_force(ctx, case_id, "nda"):
        fits = party_id is None or party_id in {agreement.party_id, agreement.counterparty_id}
        if fits and any(s.person_id == person_id and s.state == "signed" for s in signers_of(ctx, agreement.id)):
            return True
    return False


def undertaking_in_force(ctx: Context, case_id: uuid.UUID, party_id: uuid.UUID) -> bool:
    return any(a.party_id == party_id for a in in_force(ctx, case_id, "undertaking"))


def agreement_view(ctx: Context, row: Agreement) -> AgreementView:
    return AgreementView(
        id=str(row.id),
        version=row.version,
        case_id=str(row.case_id),
        kind=row.kind,
        state=row.state,
        party_id=str(row.party_id),
        counterparty_id=str(row.counterparty_id) if row.counterparty_id else None,
        text=text_of(ctx, row),
        text_sha256=row.text_sha256,
        levels=row.levels,
        years=row.years,
        sent_at=row.sent_at,
        in_force_at=row.in_force_at,
        expires_at=row.expires_at,
        signers=[
            SignerView(
                id=str(s.id),
                person_id=str(s.person_id),
                name=person_name(ctx, s.person_id),
                party_id=str(s.party_id) if s.party_id else None,
                capacity=s.capacity,
                state=s.state,
                signed_at=s.signed_at,
                method=s.method,
                level=s.level,
                mandate_given=s.mandate_id is not None,
            )
            for s in signers_of(ctx, row.id)
        ],
    )


def _may_see(ctx: Context, row: Agreement) -> bool:
    if ctx.actor.is_system or bidder_party(ctx, row.case_id) is None:
        return True
    mine = {r.party_id for r in roles_of(ctx, row.case_id)}
    return bool(mine & {row.party_id, row.counterparty_id}) or any(
        s.person_id == ctx.actor.person_id for s in signers_of(ctx, row.id)
    )

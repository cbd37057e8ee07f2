"""Reads of cases, and the questions every other room asks: may the actor see this case, and in which role."""

import datetime as dt
import uuid

import msgspec
from sqlalchemy import select

from handover.cases.models import Case, ConflictDeclaration, LegalHold, Member, Override, Party
from handover.context import Context
from handover.errors import ForbiddenError, NotFoundError
from handover.vault import Vault
from handover.workflow import RoleInCase

#: People who take part for a bidder; other bidders do not exist for them.
BUYER_ROLES = frozenset({"buyer_admin", "buyer_signatory", "recipient"})
#: Roles in the installation that reach into every case, read-only.
_EVERYWHERE = frozenset({"auditor"})


class PartyView(msgspec.Struct, frozen=True, kw_only=True):
    """A party; names are absent once the case's names are destroyed."""

    id: str
    version: int
    case_id: str
    side: str
    kind: str
    name: str | None
    uscc: str | None
    contact: str | None
    place: str
    standing: str


class MemberView(msgspec.Struct, frozen=True, kw_only=True):
    """One role of one person."""

    id: str
    version: int
    person_id: str
    role: str
    party_id: str | None
    effective_at: dt.datetime


class CaseView(msgspec.Struct, frozen=True, kw_only=True):
    """A case as its members see it."""

    id: str
    version: int
    reference: str
    structure: str
    title: str | None
    state: str
    resume_to: str | None
    key_policy: str
    jurisdictions: list[str]
    review_on: dt.date | None
    created_at: dt.datetime
    closed_at: dt.datetime | None
    my_roles: list[str]


class OverrideView(msgspec.Struct, frozen=True, kw_only=True):
    """An override; it counts once a second person confirmed it."""

    id: str
    version: int
    case_id: str
    machine: str
    entity_id: str
    gate: str
    reason: str | None
    requested_by: str
    confirmed_by: str | None
    confirmed_at: dt.datetime | None


class HoldView(msgspec.Struct, frozen=True, kw_only=True):
    """A legal hold."""

    id: str
    version: int
    case_id: str
    state: str
    scope: str
    scope_id: str | None
    reason: str | None
    review_on: dt.date


def case_key(case_id: uuid.UUID) -> str:
    """The key under which everything readable about a case is sealed; it dies with the case."""
    return f"case:{case_id}:metadata"


def visible_case(ctx: Context, case_id: uuid.UUID) -> Case:
    """The case, for its members, auditors and the system.

    Raises:
        NotFoundError: missing, or not the actor's to see; the two answer alike.
    """
    row = ctx.session.get(Case, case_id)
    if row is None or not (ctx.actor.is_system or roles_of(ctx, case_id)):
        raise NotFoundError("there is no such case")
    return row


def case_by_reference(ctx: Context, reference: str) -> Case:
    """The case by the name that it has outside, for its members, auditors and the system.

    Raises:
        NotFoundError: missing, or not the actor's to see; the two answer alike.
    """
    row = ctx.session.scalars(select(Case).where(Case.reference == reference)).one_or_none()
    if row is None:
        raise NotFoundError("there is no such case")
    return visible_case(ctx, row.id)


def roles_of(ctx: Context, case_id: uuid.UUID) -> list[RoleInCase]:
    """The acting person's roles in a case."""
    if ctx.actor.person_id is None:
        return []
    held = member_roles(ctx, case_id, ctx.actor.person_id)
    return [*held, *(RoleInCase(r, None, ctx.now()) for r in sorted(ctx.actor.roles & _EVERYWHERE))]


def member_roles(ctx: Context, case_id: uuid.UUID, person_id: uuid.UUID) -> list[RoleInCase]:
    """A person's roles in a case that have not ended."""
    query = (
        select(Member)
        .where(Member.case_id == case_id, Member.person_id == person_id, Member.ended_at.is_(None))
        .order_by(Member.id)
    )
    return [RoleInCase(m.role, m.party_id, m.effective_at) for m in ctx.session.scalars(query)]


def members_of(ctx: Context, case_id: uuid.UUID) -> list[Member]:
    """Everyone in the case; for a bidder's people only their own party's."""
    query = select(Member).where(Member.case_id == case_id, Member.ended_at.is_(None)).order_by(Member.id)
    rows = list(ctx.session.scalars(query))
    own = bidder_party(ctx, case_id)
    return rows if own is None else [m for m in rows if m.party_id == own or m.role not in BUYER_ROLES]


def require_role(ctx: Context, case_id: uuid.UUID, *roles: str, party_id: uuid.UUID | None = None) -> RoleInCase:
    """The first of the roles that the actor holds; with `party_id`, for that party.

    Raises:
        ForbiddenError: none of them.
    """
    for held in roles_of(ctx, case_id):
        if held.role in roles and (party_id is None or held.party_id == party_id):
            return held
    raise ForbiddenError(f"this takes one of the roles: {', '.join(roles)}", roles=list(roles))


def bidder_party(ctx: Context, case_id: uuid.UUID) -> uuid.UUID | None:
    """The party of an actor who takes part for a bidder and in no other way."""
    held = roles_of(ctx, case_id)
    if ctx.actor.is_system or not held or any(r.role not in BUYER_ROLES for r in held):
        return None
    return held[0].party_id


def parties(ctx: Context, case_id: uuid.UUID) -> list[Party]:
    """The parties that the actor may know of, oldest first."""
    rows = list(ctx.session.scalars(select(Party).where(Party.case_id == case_id).order_by(Party.id)))
    own = bidder_party(ctx, case_id)
    return rows if own is None else [p for p in rows if p.side != "buyer" or p.id == own]


def party(ctx: Context, case_id: uuid.UUID, party_id: uuid.UUID) -> Party:
    """One party of a case.

    Raises:
        NotFoundError: of another case, or a bidder that the actor must not know of.
    """
    for row in parties(ctx, case_id):
        if row.id == party_id:
            return row
    raise NotFoundError("there is no such party in this case")


def visible_party(ctx: Context, party_id: uuid.UUID) -> Party:
    """A party by its id alone.

    Raises:
        NotFoundError: missing, of a foreign case, or a bidder that the actor must not know of.
    """
    row = ctx.session.get(Party, party_id)
    if row is None:
        raise NotFoundError("there is no such party")
    visible_case(ctx, row.case_id)
    return party(ctx, row.case_id, party_id)


def party_name(ctx: Context, row: Party) -> str | None:
    return _open(ctx, row.case_id, row.name_sealed, "parties.name", row.id)


def conflict_of(ctx: Context, case_id: uuid.UUID, person_id: uuid.UUID) -> ConflictDeclaration | None:
    """The person's latest declaration."""
    query = (
        select(ConflictDeclaration)
        .where(ConflictDeclaration.case_id == case_id, ConflictDeclaration.person_id == person_id)
        .order_by(ConflictDeclaration.id.desc())
    )
    return ctx.session.scalars(query).first()


class ConflictView(msgspec.Struct, frozen=True, kw_only=True):
    """What a member of the team declared last; `note` is None once the case's names are destroyed."""

    person_id: uuid.UUID
    clean: bool
    note: str | None
    created_at: dt.datetime


def conflicts_of(ctx: Context, case_id: uuid.UUID) -> list[ConflictView]:
    """The latest declaration of each person who declared, in the order of their first."""
    query = select(ConflictDeclaration).where(ConflictDeclaration.case_id == case_id).order_by(ConflictDeclaration.id)
    latest = {row.person_id: row for row in ctx.session.scalars(query)}
    return [
        ConflictView(
            person_id=row.person_id,
            clean=row.clean,
            note=_open(ctx, case_id, row.note_sealed, "conflict_declarations.note", row.id),
            created_at=row.created_at,
        )
        for row in latest.values()
    ]


def is_overridden(ctx: Context, row: object, gate: str) -> bool:
    """Two persons set this gate aside for this very row."""
    query = select(Override.id).where(
        Override.entity_id == getattr(row, "id", None), Override.gate == gate, Override.confirmed_by.is_not(None)
    )
    return ctx.session.scalars(query).first() is not None


def overrides_of(ctx: Context, case_id: uuid.UUID) -> list[Override]:
    return list(ctx.session.scalars(select(Override).where(Override.case_id == case_id).order_by(Override.id)))


def holds_of(ctx: Context, case_id: uuid.UUID) -> list[LegalHold]:
    return list(ctx.session.scalars(select(LegalHold).where(LegalHold.case_id == case_id).order_by(LegalHold.id)))


def active_holds(ctx: Context, case_id: uuid.UUID) -> list[LegalHold]:
    return [hold for hold in holds_of(ctx, case_id) if hold.state == "active"]


def visible_hold(ctx: Context, hold_id: uuid.UUID) -> LegalHold:
    row = ctx.session.get(LegalHold, hold_id)
    if row is None:
        raise NotFoundError("there is no such legal hold")
    visible_case(ctx, row.case_id)
    if bidder_party(ctx, row.case_id) is not None:
        raise NotFoundError("there is no such legal hold")
    return row


def cases_of(ctx: Context, after: uuid.UUID | None, limit: int) -> list[Case]:
    """Cases that the actor takes part in (auditors: all), by id, after a cursor."""
    query = select(Case).order_by(Case.id).limit(limit)
    if not (ctx.actor.roles & _EVERYWHERE):
        mine = select(Member.case_id).where(Member.person_id == ctx.actor.person_id, Member.ended_at.is_(None))
        query = query.where(Case.id.in_(mine))
    if after is not None:
        query = query.where(Case.id > after)
    return list(ctx.session.scalars(query))


def case_title(ctx: Context, row: Case) -> str | None:
    """The title, for readers of whom the caller knows that they are no bidders; None once the names are destroyed."""
    return _open(ctx, row.id, row.title_sealed, "cases.title", row.id)


def case_view(ctx: Context, row: Case) -> CaseView:
    return CaseView(
        id=str(row.id),
        version=row.version,
        reference=row.reference,
        structure=row.structure,
        title=None if bidder_party(ctx, row.id) else case_title(ctx, row),
        state=row.state,
        resume_to=row.resume_to,
        key_policy=row.key_policy,
        jurisdictions=row.jurisdictions,
        review_on=row.review_on,
        created_at=row.created_at,
        closed_at=row.closed_at,
        my_roles=sorted({r.role for r in roles_of(ctx, row.id)}),
    )


def party_view(ctx: Context, row: Party) -> PartyView:
    return PartyView(
        id=str(row.id),
        version=row.version,
        case_id=str(row.case_id),
        side=row.side,
        kind=row.kind,
        name=party_name(ctx, row),
        uscc=_open(ctx, row.case_id, row.uscc_sealed, "parties.uscc", row.id),
        contact=_open(ctx, row.case_id, row.contact_sealed, "parties.contact", row.id),
        place=row.place,
        standing=row.standing,
    )


def member_view(row: Member) -> MemberView:
    return MemberView(
        id=str(row.id),
        version=row.version,
        person_id=str(row.person_id),
        role=row.role,
        party_id=str(row.party_id) if row.party_id else None,
        effective_at=row.effective_at,
    )


def override_view(ctx: Context, row: Override) -> OverrideView:
    return OverrideView(
        id=str(row.id),
        version=row.version,
        case_id=str(row.case_id),
        machine=row.machine,
        entity_id=str(row.entity_id),
        gate=row.gate,
        reason=_open(ctx, row.case_id, row.reason_sealed, "overrides.reason", row.id),
        requested_by=str(row.requested_by),
        confirmed_by=str(row.confirmed_by) if row.confirmed_by else None,
        confirmed_at=row.confirmed_at,
    )


def hold_view(ctx: Context, row: LegalHold) -> HoldView:
    return HoldView(
        id=str(row.id),
        version=row.version,
        case_id=str(row.case_id),
        state=row.state,
        scope=row.scope,
        scope_id=str(row.scope_id) if row.scope_id else None,
        reason=_open(ctx, row.case_id, row.reason_sealed, "legal_holds.reason", row.id),
        review_on=row.review_on,
    )


def _open(ctx: Context, case_id: uuid.UUID, sealed: bytes | None, field: str, row: uuid.UUID) -> str | None:
    vault, key = ctx.get(Vault), case_key(case_id)
    if sealed is None or not vault.has(key):
        return None
    return vault.open_text(key, sealed, field=field, row=row)

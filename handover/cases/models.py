"""Tables of cases. Titles, names, contacts, notes and reasons are sealed with the case's metadata key."""

import datetime as dt
import uuid
from typing import ClassVar

import sqlalchemy as sa
from sqlalchemy.orm import Mapped, mapped_column, synonym

from handover.db import Base, Identified, Versioned


class Case(Versioned, Base):
    """One company transfer."""

    __tablename__ = "cases"
    MACHINE: ClassVar[str] = "case"

    #: `HO-2026-0001`: the name of the case outside, which says nothing about whose it is.
    reference: Mapped[str] = mapped_column(sa.String(16), unique=True)
    structure: Mapped[str] = mapped_column(sa.String(32))
    title_sealed: Mapped[bytes]
    state: Mapped[str] = mapped_column(sa.String(32), index=True)
    #: Where `resume` and `unfreeze` return to.
    resume_to: Mapped[str | None] = mapped_column(sa.String(32))
    #: classic or post_quantum: the kind of every recipient key of the case.
    key_policy: Mapped[str] = mapped_column(sa.String(16))
    jurisdictions: Mapped[list[str]]
    created_by: Mapped[uuid.UUID]
    review_on: Mapped[dt.date | None]
    closed_at: Mapped[dt.datetime | None]
    #: Rows of other machines carry the case's id under this name; so does the case.
    case_id: Mapped[uuid.UUID] = synonym("id")


class Party(Versioned, Base):
    """A seller, target, buyer (bidder) or the agency."""

    __tablename__ = "parties"

    case_id: Mapped[uuid.UUID] = mapped_column(sa.ForeignKey("cases.id"), index=True)
    side: Mapped[str] = mapped_column(sa.String(16))
    kind: Mapped[str] = mapped_column(sa.String(16))
    name_sealed: Mapped[bytes]
    uscc_sealed: Mapped[bytes | None]
    #: Keyed digest of the code, to see that two parties are the same company without opening the names.
    uscc_digest: Mapped[str | None] = mapped_column(sa.String(64))
    contact_sealed: Mapped[bytes | None]
    #: ISO 3166-2 code of where it works with the data.
    place: Mapped[str] = mapped_column(sa.String(8))
    #: active, won, lost, withdrawn
    standing: Mapped[str] = mapped_column(sa.String(16), default="active")


class Member(Versioned, Base):
    """One role of one person in one case."""

    __tablename__ = "members"

    case_id: Mapped[uuid.UUID] = mapped_column(sa.ForeignKey("cases.id"), index=True)
    person_id: Mapped[uuid.UUID] = mapped_column(index=True)
    role: Mapped[str] = mapped_column(sa.String(32))
    party_id: Mapped[uuid.UUID | None] = mapped_column(sa.ForeignKey("parties.id"))
    granted_by: Mapped[uuid.UUID]
    #: From when an approval in this role counts.
    effective_at: Mapped[dt.datetime]
    ended_at: Mapped[dt.datetime | None]


class ConflictDeclaration(Identified, Base):
    """What a member said about conflicts of interest; the latest counts."""

    __tablename__ = "conflict_declarations"

    case_id: Mapped[uuid.UUID] = mapped_column(index=True)
    person_id: Mapped[uuid.UUID]
    clean: Mapped[bool]
    note_sealed: Mapped[bytes | None]


class Override(Versioned, Base):
    """A gate set aside for one row by two persons, with a reason; listed in the closing report."""

    __tablename__ = "overrides"

    case_id: Mapped[uuid.UUID] = mapped_column(index=True)
    machine: Mapped[str] = mapped_column(sa.String(32))
    entity_id: Mapped[uuid.UUID]
    gate: Mapped[str] = mapped_column(sa.String(64))
    reason_sealed: Mapped[bytes]
    reason_salt: Mapped[str] = mapped_column(sa.String(32))
    requested_by: Mapped[uuid.UUID]
    confirmed_by: Mapped[uuid.UUID | None]
    confirmed_at: Mapped[dt.datetime | None]


class LegalHold(Versioned, Base):
    """An order to keep; while active it beats every deletion."""

    __tablename__ = "legal_holds"
    MACHINE: ClassVar[str] = "legal_hold"

    case_id: Mapped[uuid.UUID] = mapped_column(index=True)
    state: Mapped[str] = mapped_column(sa.String(16))
    #: case, record_set or copy
    scope: Mapped[str] = mapped_column(sa.String(16))
    scope_id: Mapped[uuid.UUID | None]
    reason_sealed: Mapped[bytes]
    review_on: Mapped[dt.date]
    proposed_by: Mapped[uuid.UUID]

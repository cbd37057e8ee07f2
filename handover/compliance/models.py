"""Tables of legal bases, notices, the subject ledger and return-or-destroy declarations.

The ledger holds keyed digests of subject references, never the references: who has not the case's subject key
cannot tell whose row it is, and nobody can once that key is destroyed.
"""

import datetime as dt
import uuid
from typing import Any

import sqlalchemy as sa
from sqlalchemy.orm import Mapped, mapped_column

from handover.db import Base, Identified, Versioned


class LegalBasis(Versioned, Base):
    """Why one record set may move (PIPL Art. 13, 22, 23), for how long it must be kept, and who said so."""

    __tablename__ = "legal_bases"

    case_id: Mapped[uuid.UUID] = mapped_column(index=True)
    record_set_id: Mapped[uuid.UUID] = mapped_column(unique=True)
    basis: Mapped[str] = mapped_column(sa.String(40))
    #: Which of the seven bases of PIPL Art. 13(1) the collection rests on, 1 to 7.
    pipl13: Mapped[int]
    purpose_sealed: Mapped[bytes]
    purpose_unchanged: Mapped[bool]
    opinion_sealed: Mapped[bytes | None]
    retention_until: Mapped[dt.date | None]
    approved_by: Mapped[uuid.UUID]
    approved_at: Mapped[dt.datetime]


class Notice(Versioned, Base):
    """A notice to the customers, in the seller's name, about one recipient."""

    __tablename__ = "notices"

    case_id: Mapped[uuid.UUID] = mapped_column(index=True)
    basis: Mapped[str] = mapped_column(sa.String(40))
    recipient_party_id: Mapped[uuid.UUID]
    text_sealed: Mapped[bytes]
    #: SHA-256 of the canonical text in both languages; consents name it.
    text_sha256: Mapped[str] = mapped_column(sa.String(64), index=True)
    period_days: Mapped[int]
    approved_by: Mapped[uuid.UUID]
    started_at: Mapped[dt.datetime]
    completed_at: Mapped[dt.datetime | None]
    completed_by: Mapped[uuid.UUID | None]


class SubjectEntry(Base):
    """What one customer was told and decided."""

    __tablename__ = "subject_entries"

    case_id: Mapped[uuid.UUID] = mapped_column(primary_key=True)
    subject_digest: Mapped[str] = mapped_column(sa.String(32), primary_key=True)
    #: none, delivered, bounced, fallback
    notice: Mapped[str] = mapped_column(sa.String(16), default="none")
    #: none, granted, refused, withdrawn
    consent: Mapped[str] = mapped_column(sa.String(16), default="none")
    consent_party_id: Mapped[uuid.UUID | None]
    consent_text_sha256: Mapped[str | None] = mapped_column(sa.String(64))
    sensitive: Mapped[bool] = mapped_column(default=False)
    guardian: Mapped[bool] = mapped_column(default=False)
    minor: Mapped[bool] = mapped_column(default=False)
    restricted: Mapped[bool] = mapped_column(default=False)
    channel: Mapped[str] = mapped_column(sa.String(32), default="")
    changed_at: Mapped[dt.datetime] = mapped_column(index=True)


class SubjectImport(Identified, Base):
    """One imported file of notices or consents: counts, and a salted digest of the file."""

    __tablename__ = "subject_imports"

    case_id: Mapped[uuid.UUID] = mapped_column(index=True)
    kind: Mapped[str] = mapped_column(sa.String(16))
    accepted: Mapped[int]
    rejected: Mapped[int]
    salt: Mapped[str] = mapped_column(sa.String(32))
    salted_sha256: Mapped[str] = mapped_column(sa.String(64))
    by: Mapped[uuid.UUID]


class ReturnDeclaration(Versioned, Base):
    """What a bidder who did not win declares about the copies it holds: self-declared, never verified here."""

    __tablename__ = "return_declarations"
    __table_args__ = (sa.UniqueConstraint("case_id", "party_id"),)

    case_id: Mapped[uuid.UUID] = mapped_column(index=True)
    party_id: Mapped[uuid.UUID]
    #: requested, declared, refused, overdue
    state: Mapped[str] = mapped_column(sa.String(16), default="requested")
    due_at: Mapped[dt.datetime]
    kind: Mapped[str | None] = mapped_column(sa.String(16))
    copies: Mapped[int | None]
    details_sealed: Mapped[bytes | None]
    person_id: Mapped[uuid.UUID | None]
    declared_at: Mapped[dt.datetime | None]
    statement: Mapped[dict[str, Any] | None]

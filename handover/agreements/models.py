"""Tables of agreements and signers. Texts and typed names are sealed with the case."""

import datetime as dt
import uuid
from typing import Any, ClassVar

import sqlalchemy as sa
from sqlalchemy.orm import Mapped, mapped_column

from handover.db import Base, Identified, Versioned


class Agreement(Versioned, Base):
    """One agreement; its text is frozen by a digest when it is sent."""

    __tablename__ = "agreements"
    MACHINE: ClassVar[str] = "agreement"

    case_id: Mapped[uuid.UUID] = mapped_column(index=True)
    #: nda, entrustment, undertaking, closing_confirmation
    kind: Mapped[str] = mapped_column(sa.String(32))
    state: Mapped[str] = mapped_column(sa.String(32))
    party_id: Mapped[uuid.UUID]
    counterparty_id: Mapped[uuid.UUID | None]
    template_version: Mapped[int]
    fields_sealed: Mapped[bytes]
    text_sealed: Mapped[bytes]
    text_sha256: Mapped[str] = mapped_column(sa.String(64))
    levels: Mapped[list[str]]
    years: Mapped[int]
    created_by: Mapped[uuid.UUID]
    sent_at: Mapped[dt.datetime | None]
    in_force_at: Mapped[dt.datetime | None]
    expires_at: Mapped[dt.datetime | None]


class Signer(Versioned, Base):
    """One person who signs one agreement, and the evidence of how."""

    __tablename__ = "signers"
    __table_args__ = (sa.UniqueConstraint("agreement_id", "person_id"),)

    case_id: Mapped[uuid.UUID]
    agreement_id: Mapped[uuid.UUID] = mapped_column(sa.ForeignKey("agreements.id"), index=True)
    person_id: Mapped[uuid.UUID]
    party_id: Mapped[uuid.UUID | None]
    #: company: for the party, with a mandate; person: for themselves
    capacity: Mapped[str] = mapped_column(sa.String(16))
    #: pending, scan_uploaded, signed
    state: Mapped[str] = mapped_column(sa.String(16), default="pending")
    typed_name_sealed: Mapped[bytes | None]
    signed_at: Mapped[dt.datetime | None]
    #: totp, telephone or wet_ink
    method: Mapped[str | None] = mapped_column(sa.String(16))
    #: ordinary, agreed_reliable or wet_ink_scanned: printed as it is
    level: Mapped[str | None] = mapped_column(sa.String(32))
    text_sha256: Mapped[str | None] = mapped_column(sa.String(64))
    mandate_id: Mapped[uuid.UUID | None]
    scan_id: Mapped[uuid.UUID | None]
    confirmed_by: Mapped[uuid.UUID | None]
    evidence: Mapped[dict[str, Any] | None]


class PaperScan(Identified, Base):
    """A mandate or a stamped page, kept as evidence."""

    __tablename__ = "paper_scans"

    case_id: Mapped[uuid.UUID] = mapped_column(index=True)
    #: mandate or signature
    purpose: Mapped[str] = mapped_column(sa.String(16))
    media_type: Mapped[str] = mapped_column(sa.String(32))
    size: Mapped[int]
    salt: Mapped[str] = mapped_column(sa.String(32))
    salted_sha256: Mapped[str] = mapped_column(sa.String(64))
    blob: Mapped[dict[str, Any]]
    uploaded_by: Mapped[uuid.UUID]

"""Tables of deliveries, downloads, receipts and custody items."""

import datetime as dt
import uuid
from typing import Any, ClassVar

import sqlalchemy as sa
from sqlalchemy.orm import Mapped, mapped_column

from handover.db import Base, Identified, Versioned


class Delivery(Versioned, Base):
    """The handover of one package, or of custody when `package_id` is empty."""

    __tablename__ = "deliveries"
    MACHINE: ClassVar[str] = "delivery"

    case_id: Mapped[uuid.UUID] = mapped_column(index=True)
    state: Mapped[str] = mapped_column(sa.String(32))
    #: download or custody
    kind: Mapped[str] = mapped_column(sa.String(16))
    package_id: Mapped[uuid.UUID | None] = mapped_column(unique=True)
    recipient_id: Mapped[uuid.UUID | None]
    party_id: Mapped[uuid.UUID | None]
    expires_at: Mapped[dt.datetime | None]
    #: Bytes that may leave in all: so many whole downloads and not one more, however they are cut.
    byte_budget: Mapped[int] = mapped_column(sa.BigInteger, default=0)
    bytes_reserved: Mapped[int] = mapped_column(sa.BigInteger, default=0)
    opened_manifest_sha256: Mapped[str | None] = mapped_column(sa.String(64))
    #: When the data could be retrieved, and when the recipient proved to have identified it (Civil Code 512(2)).
    entered_at: Mapped[dt.datetime | None]
    identified_at: Mapped[dt.datetime | None]
    accepted_at: Mapped[dt.datetime | None]


class Download(Identified, Base):
    """One request for bytes of a package; `sent` is empty while it runs."""

    __tablename__ = "downloads"

    case_id: Mapped[uuid.UUID]
    delivery_id: Mapped[uuid.UUID] = mapped_column(sa.ForeignKey("deliveries.id"), index=True)
    person_id: Mapped[uuid.UUID]
    start: Mapped[int] = mapped_column(sa.BigInteger)
    length: Mapped[int] = mapped_column(sa.BigInteger)
    sent: Mapped[int | None] = mapped_column(sa.BigInteger)
    ended_at: Mapped[dt.datetime | None]


class Receipt(Identified, Base):
    """The signed statement of who opened the package; counts and digests only."""

    __tablename__ = "receipts"

    case_id: Mapped[uuid.UUID] = mapped_column(index=True)
    delivery_id: Mapped[uuid.UUID] = mapped_column(sa.ForeignKey("deliveries.id"), unique=True)
    package_id: Mapped[uuid.UUID]
    person_id: Mapped[uuid.UUID]
    sha256: Mapped[str] = mapped_column(sa.String(64), unique=True)
    statement: Mapped[dict[str, Any]]
    text_sealed: Mapped[bytes]


class CustodyItem(Versioned, Base):
    """One thing that changes hands: by whom, to whom, before whom. Credentials are rotated, never written here."""

    __tablename__ = "custody_items"

    case_id: Mapped[uuid.UUID]
    delivery_id: Mapped[uuid.UUID] = mapped_column(sa.ForeignKey("deliveries.id"), index=True)
    kind: Mapped[str] = mapped_column(sa.String(32))
    what_sealed: Mapped[bytes]
    note_sealed: Mapped[bytes | None]
    handed_by: Mapped[uuid.UUID]
    received_by: Mapped[uuid.UUID]
    witness: Mapped[uuid.UUID]
    at: Mapped[dt.datetime]
    #: Person id to ISO time: each of the three confirms the row in their own session.
    confirmations: Mapped[dict[str, Any]]

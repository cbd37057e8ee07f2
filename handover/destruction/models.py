"""Tables of destruction orders."""

import datetime as dt
import uuid
from typing import Any, ClassVar

import sqlalchemy as sa
from sqlalchemy.orm import Mapped, mapped_column

from handover.db import Base, Versioned


class DestructionOrder(Versioned, Base):
    """One order over a list of copies."""

    __tablename__ = "destruction_orders"
    MACHINE: ClassVar[str] = "destruction"

    case_id: Mapped[uuid.UUID] = mapped_column(index=True)
    state: Mapped[str] = mapped_column(sa.String(32))
    #: Who asked; None when the system drafted it at the end of the handover.
    requested_by: Mapped[uuid.UUID | None]
    executor_id: Mapped[uuid.UUID | None]
    witness_id: Mapped[uuid.UUID | None]
    approved_at: Mapped[dt.datetime | None]
    executed_by: Mapped[uuid.UUID | None]
    executed_at: Mapped[dt.datetime | None]
    verified_by: Mapped[uuid.UUID | None]
    verified_at: Mapped[dt.datetime | None]
    #: Generations and digests of the master key before and after: what the key ring reported.
    key_destruction: Mapped[dict[str, Any] | None]


class DestructionItem(Versioned, Base):
    """One copy of the order: how it is destroyed, and what was seen afterwards."""

    __tablename__ = "destruction_items"
    __table_args__ = (sa.UniqueConstraint("order_id", "copy_id"),)

    case_id: Mapped[uuid.UUID]
    order_id: Mapped[uuid.UUID] = mapped_column(sa.ForeignKey("destruction_orders.id"), index=True)
    copy_id: Mapped[uuid.UUID]
    copy_kind: Mapped[str] = mapped_column(sa.String(16))
    record_set_id: Mapped[uuid.UUID | None]
    package_id: Mapped[uuid.UUID | None]
    #: key_destruction (sealed copies), object_deletion (packages: no key is held), declared (copies elsewhere)
    method: Mapped[str] = mapped_column(sa.String(24))
    level: Mapped[str] = mapped_column(sa.String(2))
    place: Mapped[str] = mapped_column(sa.String(8))
    #: pending, done, failed, residual
    state: Mapped[str] = mapped_column(sa.String(16), default="pending")
    key_id: Mapped[str | None] = mapped_column(sa.String(96))
    blob_key: Mapped[str | None] = mapped_column(sa.String(64))
    size: Mapped[int | None] = mapped_column(sa.BigInteger)
    retained_until: Mapped[dt.date | None]
    started_at: Mapped[dt.datetime | None]
    ended_at: Mapped[dt.datetime | None]
    #: What trying to read it showed: {"key_absent", "object_absent", "decryption_refused"}.
    verification: Mapped[dict[str, Any] | None]

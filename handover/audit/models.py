"""The tables of the log. Entries are only ever inserted; no code updates or deletes one."""

import datetime as dt
import uuid

import sqlalchemy as sa
from sqlalchemy.orm import Mapped, mapped_column

from handover.db import Base, Identified

#: The head is one row: who writes an entry locks it, so appends are serial.
HEAD_ID = 1


class AuditEntry(Base):
    """One leaf. `entry` is its canonical text and the truth; the other columns repeat it, for looking up."""

    __tablename__ = "audit_entries"
    __table_args__ = (sa.Index("ix_audit_entries_case", "case_id", "index"),)

    index: Mapped[int] = mapped_column(sa.BigInteger, primary_key=True, autoincrement=False)
    case_id: Mapped[uuid.UUID | None]
    time: Mapped[dt.datetime]
    entry: Mapped[str] = mapped_column(sa.Text)
    leaf_hash: Mapped[bytes] = mapped_column(sa.LargeBinary(32))


class AuditHead(Base):
    """The right edge of the tree."""

    __tablename__ = "audit_head"

    id: Mapped[int] = mapped_column(primary_key=True, autoincrement=False)
    size: Mapped[int] = mapped_column(sa.BigInteger)
    frontier: Mapped[bytes]


class AuditCheckpoint(Base):
    """A signed checkpoint, kept so that tampering can be located between two of them."""

    __tablename__ = "audit_checkpoints"

    size: Mapped[int] = mapped_column(sa.BigInteger, primary_key=True, autoincrement=False)
    root: Mapped[bytes] = mapped_column(sa.LargeBinary(32))
    note: Mapped[str] = mapped_column(sa.Text)
    signed_at: Mapped[dt.datetime]


class AuditVerification(Identified, Base):
    """The outcome of one full recomputation of the log."""

    __tablename__ = "audit_verifications"

    verified_at: Mapped[dt.datetime] = mapped_column(index=True)
    size: Mapped[int] = mapped_column(sa.BigInteger)
    root: Mapped[bytes] = mapped_column(sa.LargeBinary(32))
    #: None when it held; else the stable word of what did not.
    problem: Mapped[str | None] = mapped_column(sa.String(64))
    first_index: Mapped[int | None] = mapped_column(sa.BigInteger)
    last_index: Mapped[int | None] = mapped_column(sa.BigInteger)

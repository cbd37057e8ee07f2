"""Tables of the engine: pinned versions, approvals, reasons."""

import datetime as dt
import uuid

import sqlalchemy as sa
from sqlalchemy.orm import Mapped, mapped_column

from handover.db import Base, Identified


class WorkflowPin(Identified, Base):
    """The version of a machine under which a case was opened."""

    __tablename__ = "workflow_pins"
    __table_args__ = (sa.UniqueConstraint("case_id", "machine"),)

    case_id: Mapped[uuid.UUID] = mapped_column(index=True)
    machine: Mapped[str] = mapped_column(sa.String(64))
    workflow_version: Mapped[int]
    sha256: Mapped[str] = mapped_column(sa.String(64))


class Approval(Identified, Base):
    """One person's approval of one transition of one row, bound to what was shown (`subject_sha256`)."""

    __tablename__ = "approvals"
    __table_args__ = (sa.Index("ix_approvals_entity", "entity_id", "trigger"),)

    case_id: Mapped[uuid.UUID]
    machine: Mapped[str] = mapped_column(sa.String(64))
    entity_id: Mapped[uuid.UUID]
    trigger: Mapped[str] = mapped_column(sa.String(64))
    subject_sha256: Mapped[str] = mapped_column(sa.String(64))
    person_id: Mapped[uuid.UUID]
    roles: Mapped[list[str]]
    #: Set when the transition fired with it, or when it was voided; a spent approval never counts again.
    spent_at: Mapped[dt.datetime | None]


class TransitionReason(Identified, Base):
    """The text of a reason, sealed with the case; the log holds its salted digest."""

    __tablename__ = "transition_reasons"

    case_id: Mapped[uuid.UUID] = mapped_column(index=True)
    machine: Mapped[str] = mapped_column(sa.String(64))
    entity_id: Mapped[uuid.UUID]
    trigger: Mapped[str] = mapped_column(sa.String(64))
    person_id: Mapped[uuid.UUID | None]
    salt: Mapped[str] = mapped_column(sa.String(32))
    text_sealed: Mapped[bytes]

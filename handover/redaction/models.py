"""Tables of redaction runs. Plans and reports are sealed; counts are clear."""

import datetime as dt
import uuid
from typing import Any, ClassVar

import sqlalchemy as sa
from sqlalchemy.orm import Mapped, mapped_column

from handover.db import Base, Identified, Versioned


class Redaction(Versioned, Base):
    """One run for one bidder, over all approved record sets, under the bidder's own pseudonym key."""

    __tablename__ = "redactions"
    MACHINE: ClassVar[str] = "redaction"

    case_id: Mapped[uuid.UUID] = mapped_column(index=True)
    party_id: Mapped[uuid.UUID]
    state: Mapped[str] = mapped_column(sa.String(32))
    #: Policy per record set, canonical JSON, sealed with the case.
    plan_sealed: Mapped[bytes]
    plan_sha256: Mapped[str] = mapped_column(sa.String(64))
    created_by: Mapped[uuid.UUID]
    reviewed_by: Mapped[uuid.UUID | None]
    approved_by: Mapped[uuid.UUID | None]
    approved_at: Mapped[dt.datetime | None]
    run_at: Mapped[dt.datetime | None]


class RedactionItem(Versioned, Base):
    """What the run made of one record set."""

    __tablename__ = "redaction_items"
    __table_args__ = (sa.UniqueConstraint("redaction_id", "record_set_id"),)

    case_id: Mapped[uuid.UUID]
    redaction_id: Mapped[uuid.UUID] = mapped_column(sa.ForeignKey("redactions.id"), index=True)
    record_set_id: Mapped[uuid.UUID]
    output_copy_id: Mapped[uuid.UUID]
    #: The records that a reviewer is shown; a copy of its own, because they hold text of the output.
    sample_copy_id: Mapped[uuid.UUID]
    records_in: Mapped[int]
    records_out: Mapped[int]
    #: Replaced values by kind.
    counts: Mapped[dict[str, Any]]
    #: Leftovers by level and kind from the scan of the output; None before that scan.
    residual: Mapped[dict[str, Any] | None]
    #: The smallest group over the quasi-identifiers that remain; None when none remain.
    k_min: Mapped[int | None]
    quasi_identifiers: Mapped[int] = mapped_column(default=0)


class RedactionPart(Identified, Base):
    """One part of a run's work on one record set, with a job of its own; done once it has a report."""

    __tablename__ = "redaction_parts"

    case_id: Mapped[uuid.UUID]
    redaction_id: Mapped[uuid.UUID] = mapped_column(sa.ForeignKey("redactions.id"), index=True)
    record_set_id: Mapped[uuid.UUID]
    #: Which part of how many, counted from 0 in the order of the file.
    number: Mapped[int]
    of: Mapped[int]
    output_copy_id: Mapped[uuid.UUID | None]
    sample_copy_id: Mapped[uuid.UUID | None]
    #: What the part did, sealed with the case, because it names fields.
    report_sealed: Mapped[bytes | None]


class RedactionReview(Identified, Base):
    """One reviewer's sample of one record set."""

    __tablename__ = "redaction_reviews"

    case_id: Mapped[uuid.UUID]
    redaction_id: Mapped[uuid.UUID] = mapped_column(sa.ForeignKey("redactions.id"), index=True)
    record_set_id: Mapped[uuid.UUID]
    person_id: Mapped[uuid.UUID]
    #: Of which run: a sample of an earlier run does not count for a later one.
    run_at: Mapped[dt.datetime]
    sampled: Mapped[int]
    errors: Mapped[int]
    note_sealed: Mapped[bytes | None]

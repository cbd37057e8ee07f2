"""Tables of uploads, record sets, fields and copies. Names and content digests are sealed with the case."""

import datetime as dt
import uuid
from typing import Any, ClassVar

import sqlalchemy as sa
from sqlalchemy.orm import Mapped, mapped_column

from handover.db import Base, Identified, Versioned


class Upload(Versioned, Base):
    """Bytes that are arriving; every acknowledged one is sealed and durable."""

    __tablename__ = "uploads"

    case_id: Mapped[uuid.UUID] = mapped_column(index=True)
    created_by: Mapped[uuid.UUID]
    filename_sealed: Mapped[bytes]
    size: Mapped[int] = mapped_column(sa.BigInteger)
    offset: Mapped[int] = mapped_column(sa.BigInteger, default=0)
    #: Sealed segments in order, each a vault blob under the key `copy:<upload id>`.
    segments: Mapped[list[Any]]
    #: open, complete, ingested, removed
    state: Mapped[str] = mapped_column(sa.String(16), default="open")
    expires_at: Mapped[dt.datetime]


class RecordSet(Versioned, Base):
    """One set of customer records, as it was uploaded."""

    __tablename__ = "record_sets"
    __table_args__ = (sa.UniqueConstraint("case_id", "number"),)
    MACHINE: ClassVar[str] = "record_set"

    case_id: Mapped[uuid.UUID] = mapped_column(index=True)
    #: `RS-01`: how people and reasons name it, since its title is sealed.
    number: Mapped[str] = mapped_column(sa.String(16))
    kind: Mapped[str] = mapped_column(sa.String(32))
    state: Mapped[str] = mapped_column(sa.String(32))
    owner_party_id: Mapped[uuid.UUID]
    #: title, file name, source statement, period, systems, subject field
    facts_sealed: Mapped[bytes]
    upload_id: Mapped[uuid.UUID] = mapped_column(sa.ForeignKey("uploads.id"))
    created_by: Mapped[uuid.UUID]
    format: Mapped[str | None] = mapped_column(sa.String(16))
    encoding: Mapped[str | None] = mapped_column(sa.String(16))
    size: Mapped[int] = mapped_column(sa.BigInteger)
    records: Mapped[int] = mapped_column(default=0)
    persons: Mapped[int] = mapped_column(default=0)
    persons_method: Mapped[str] = mapped_column(sa.String(160), default="")
    minors: Mapped[int] = mapped_column(default=0)
    level: Mapped[str | None] = mapped_column(sa.String(2))
    #: Why it cannot be inspected, in both languages; blocks until the set is excluded.
    blocked: Mapped[dict[str, Any] | None]
    report_sealed: Mapped[bytes | None]
    reviewed_by: Mapped[uuid.UUID | None]
    approved_by: Mapped[uuid.UUID | None]
    approved_at: Mapped[dt.datetime | None]


class InspectionPart(Identified, Base):
    """One part of the inspection of a large record set, with a job of its own; done once its result is a copy."""

    __tablename__ = "inspection_parts"

    case_id: Mapped[uuid.UUID]
    record_set_id: Mapped[uuid.UUID] = mapped_column(sa.ForeignKey("record_sets.id"), index=True)
    number: Mapped[int]
    of: Mapped[int]
    #: Counts and keyed digests of persons, a working copy that ends with the inspection.
    result_copy_id: Mapped[uuid.UUID | None]


class Field(Versioned, Base):
    """One field of a record set: what was found in it, how sensitive it is, and whether the buyer needs it."""

    __tablename__ = "fields"

    case_id: Mapped[uuid.UUID]
    record_set_id: Mapped[uuid.UUID] = mapped_column(sa.ForeignKey("record_sets.id"), index=True)
    position: Mapped[int]
    name_sealed: Mapped[bytes]
    kinds: Mapped[dict[str, Any]]
    proposed_level: Mapped[str] = mapped_column(sa.String(2))
    level: Mapped[str] = mapped_column(sa.String(2))
    #: required, optional or excluded; None until somebody decided
    need: Mapped[str | None] = mapped_column(sa.String(16))
    reason_sealed: Mapped[bytes | None]
    decided_by: Mapped[uuid.UUID | None]


class Copy(Versioned, Base):
    """One instance of data somewhere: the register that destruction works through."""

    __tablename__ = "copies"

    case_id: Mapped[uuid.UUID] = mapped_column(index=True)
    #: upload, source, working, redacted, sample, package, recipient_copy, backup, paper, other
    kind: Mapped[str] = mapped_column(sa.String(16))
    record_set_id: Mapped[uuid.UUID | None]
    package_id: Mapped[uuid.UUID | None]
    #: Who holds it; None is this service.
    holder_party_id: Mapped[uuid.UUID | None]
    controller_party_id: Mapped[uuid.UUID | None]
    place: Mapped[str] = mapped_column(sa.String(8), default="CN")
    level: Mapped[str] = mapped_column(sa.String(2), default="L3")
    key_id: Mapped[str | None] = mapped_column(sa.String(96))
    #: The vault blob (or, for a package, the storage key): {key, header_sha256, size, plain_size}.
    blob: Mapped[dict[str, Any] | None]
    #: sha256, crc32, size, deflated size, media type: sealed, because a digest of a small file can be guessed back.
    content_sealed: Mapped[bytes | None]
    #: live, retained, destroyed, declared
    state: Mapped[str] = mapped_column(sa.String(16), default="live")
    retained_until: Mapped[dt.date | None]
    ended_at: Mapped[dt.datetime | None]


class CopyNote(Identified, Base):
    """Where and how a copy outside this service is kept, in the words of whoever declared it."""

    __tablename__ = "copy_notes"

    case_id: Mapped[uuid.UUID]
    copy_id: Mapped[uuid.UUID] = mapped_column(sa.ForeignKey("copies.id"), index=True)
    text_sealed: Mapped[bytes]
    by: Mapped[uuid.UUID]

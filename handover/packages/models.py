"""The table of packages. The service keeps no key to a package file."""

import datetime as dt
import uuid
from typing import Any, ClassVar

import sqlalchemy as sa
from sqlalchemy.orm import Mapped, mapped_column

from handover.db import Base, Versioned


class Package(Versioned, Base):
    """One package for one recipient; the facts are empty until it is built."""

    __tablename__ = "packages"
    __table_args__ = (sa.UniqueConstraint("number"),)
    MACHINE: ClassVar[str] = "package"

    case_id: Mapped[uuid.UUID] = mapped_column(index=True)
    number: Mapped[str] = mapped_column(sa.String(40))
    #: due_diligence, closing or return
    purpose: Mapped[str] = mapped_column(sa.String(16))
    state: Mapped[str] = mapped_column(sa.String(32))
    recipient_id: Mapped[uuid.UUID]
    party_id: Mapped[uuid.UUID]
    #: The key it is wrapped to, fixed when the build starts.
    key_id: Mapped[uuid.UUID | None]
    redaction_id: Mapped[uuid.UUID | None]
    created_by: Mapped[uuid.UUID]
    storage_key: Mapped[str | None] = mapped_column(sa.String(64))
    manifest_sha256: Mapped[str | None] = mapped_column(sa.String(64))
    files_root: Mapped[str | None] = mapped_column(sa.String(64))
    header_sha256: Mapped[str | None] = mapped_column(sa.String(64))
    ciphertext_sha256: Mapped[str | None] = mapped_column(sa.String(64))
    size: Mapped[int | None] = mapped_column(sa.BigInteger)
    stanza_kind: Mapped[str | None] = mapped_column(sa.String(32))
    receipt_key: Mapped[str | None] = mapped_column(sa.String(128))
    file_count: Mapped[int] = mapped_column(default=0)
    content_size: Mapped[int] = mapped_column(sa.BigInteger, default=0)
    records: Mapped[int] = mapped_column(default=0)
    persons: Mapped[int] = mapped_column(default=0)
    #: Records left out, by reason.
    exclusions: Mapped[dict[str, Any]]
    record_set_ids: Mapped[list[str]]
    stale_reason: Mapped[str | None] = mapped_column(sa.String(64))
    #: When the facts that decide who is inside were read; later changes make the package stale.
    facts_at: Mapped[dt.datetime | None]
    built_at: Mapped[dt.datetime | None]
    released_at: Mapped[dt.datetime | None]

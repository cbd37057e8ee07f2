"""The table of issued documents; their bytes are kept under the evidence key, which outlives every case."""

import datetime as dt
import uuid
from typing import Any

import sqlalchemy as sa
from sqlalchemy.orm import Mapped, mapped_column

from handover.db import Base, Identified


class IssuedDocument(Identified, Base):
    """One issued PDF with its twin."""

    __tablename__ = "issued_documents"
    __table_args__ = (sa.UniqueConstraint("kind", "entity_id", "issue"),)

    case_id: Mapped[uuid.UUID] = mapped_column(index=True)
    kind: Mapped[str] = mapped_column(sa.String(32))
    entity_id: Mapped[uuid.UUID]
    #: 1, 2, …: a later issue of the same document supersedes the earlier ones.
    issue: Mapped[int]
    #: Which bidder may see it; empty when it is the team's and the seller's alone.
    party_id: Mapped[uuid.UUID | None]
    number: Mapped[str] = mapped_column(sa.String(64), unique=True)
    title: Mapped[dict[str, Any]]
    sha256: Mapped[str] = mapped_column(sa.String(64), index=True)
    twin_sha256: Mapped[str] = mapped_column(sa.String(64))
    size: Mapped[int]
    blob: Mapped[dict[str, Any]]
    twin_blob: Mapped[dict[str, Any]]
    level: Mapped[str] = mapped_column(sa.String(8))
    issued_at: Mapped[dt.datetime]
    supersedes: Mapped[str | None] = mapped_column(sa.String(64))

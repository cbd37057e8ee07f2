"""The job table."""

import datetime as dt
import uuid
from typing import Any

import sqlalchemy as sa
from sqlalchemy.orm import Mapped, mapped_column

from handover.db import Base, Identified

#: States of a row. `dead` ones stay for people to look at; nothing picks them up again by itself.
OPEN_STATES = ("queued", "leased")


class Job(Identified, Base):
    """One piece of work."""

    __tablename__ = "jobs"
    __table_args__ = (sa.Index("ix_jobs_due", "state", "run_after"),)

    case_id: Mapped[uuid.UUID | None] = mapped_column(index=True)
    kind: Mapped[str] = mapped_column(sa.String(64))
    arguments: Mapped[dict[str, Any]]
    state: Mapped[str] = mapped_column(sa.String(16), default="queued")
    run_after: Mapped[dt.datetime]
    attempts: Mapped[int] = mapped_column(default=0)
    #: Random per lease: a worker that lost its lease can no longer write under it.
    lease: Mapped[str | None] = mapped_column(sa.String(32))
    leased_until: Mapped[dt.datetime | None]
    done_units: Mapped[int] = mapped_column(sa.BigInteger, default=0)
    total_units: Mapped[int] = mapped_column(sa.BigInteger, default=0)
    cancel_requested: Mapped[bool] = mapped_column(default=False)
    error_code: Mapped[str | None] = mapped_column(sa.String(64))
    error_sealed: Mapped[bytes | None]
    #: A name that a killed run may have left behind, so that the next run removes it first.
    temporary: Mapped[str | None] = mapped_column(sa.String(128))
    created_by: Mapped[uuid.UUID | None]
    request_id: Mapped[str] = mapped_column(sa.String(64))
    started_at: Mapped[dt.datetime | None]
    ended_at: Mapped[dt.datetime | None]

"""The outbox, and what keeps the sweep that fills it from telling anybody anything twice."""

import datetime as dt
import uuid

import sqlalchemy as sa
from sqlalchemy.orm import Mapped, mapped_column

from handover.db import Base, Identified


class Mail(Identified, Base):
    """One mail to one person. Address, subject and text are sealed: nothing of it is readable at rest."""

    __tablename__ = "mails"
    __table_args__ = (sa.UniqueConstraint("person_id", "cause"),)

    person_id: Mapped[uuid.UUID]
    case_id: Mapped[uuid.UUID] = mapped_column(index=True)
    #: your_turn, reminder, declined or job_failed
    kind: Mapped[str] = mapped_column(sa.String(16))
    #: What it is about, by ids; a person gets one mail about one cause.
    cause: Mapped[str] = mapped_column(sa.String(128))
    #: kept (there was no mail server), queued, sent or failed
    state: Mapped[str] = mapped_column(sa.String(8))
    message_sealed: Mapped[bytes]
    sent_at: Mapped[dt.datetime | None]
    #: Why the last attempt did not send it, as a stable word.
    error_code: Mapped[str | None] = mapped_column(sa.String(64))


class Turn(Identified, Base):
    """A step that a person was told to take, for as long as it waits for them."""

    __tablename__ = "mail_turns"
    __table_args__ = (sa.UniqueConstraint("case_id", "person_id", "step"),)

    case_id: Mapped[uuid.UUID]
    person_id: Mapped[uuid.UUID]
    #: What is to be done, of which row: a digest.
    step: Mapped[str] = mapped_column(sa.String(64))


class Look(Base):
    """Up to which entry of the log a case was looked at."""

    __tablename__ = "mail_looks"

    case_id: Mapped[uuid.UUID] = mapped_column(primary_key=True)
    index: Mapped[int] = mapped_column(sa.BigInteger)

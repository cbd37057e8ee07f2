"""The table of idempotency keys."""

import datetime as dt

import sqlalchemy as sa
from sqlalchemy.orm import Mapped, mapped_column

from handover.db import Base, Identified


class IdempotentAnswer(Identified, Base):
    """The answer to a request that carried an Idempotency-Key; sealed, because answers hold links and names."""

    __tablename__ = "idempotent_answers"
    __table_args__ = (sa.UniqueConstraint("actor", "key"),)

    actor: Mapped[str] = mapped_column(sa.String(36))
    key: Mapped[str] = mapped_column(sa.String(128))
    request_sha256: Mapped[str] = mapped_column(sa.String(64))
    answer_sealed: Mapped[bytes]
    expires_at: Mapped[dt.datetime]

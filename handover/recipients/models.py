"""Tables of recipients and their keys. Only public keys ever arrive here."""

import datetime as dt
import uuid
from typing import ClassVar

import sqlalchemy as sa
from sqlalchemy.orm import Mapped, mapped_column

from handover.db import Base, Identified, Versioned


class Recipient(Versioned, Base):
    """One natural person of one party who may receive packages of one case."""

    __tablename__ = "recipients"
    __table_args__ = (sa.UniqueConstraint("case_id", "person_id"),)
    MACHINE: ClassVar[str] = "recipient"

    case_id: Mapped[uuid.UUID] = mapped_column(index=True)
    party_id: Mapped[uuid.UUID]
    person_id: Mapped[uuid.UUID]
    state: Mapped[str] = mapped_column(sa.String(32))
    #: ISO 3166-2 code of the place of access, for example CN-31.
    place: Mapped[str] = mapped_column(sa.String(8))
    created_by: Mapped[uuid.UUID]
    #: What was shown and checked, sealed: document kind, employer, how it was checked, mandate.
    identity_sealed: Mapped[bytes | None]
    #: A company's signatory shows a mandate; the id of the sealed scan.
    mandate_id: Mapped[uuid.UUID | None]
    identity_at: Mapped[dt.datetime | None]


class RecipientKey(Versioned, Base):
    """A public key that a recipient registered, and how far it was checked."""

    __tablename__ = "recipient_keys"
    __table_args__ = (sa.UniqueConstraint("case_id", "sha256"),)

    case_id: Mapped[uuid.UUID] = mapped_column(index=True)
    recipient_id: Mapped[uuid.UUID] = mapped_column(sa.ForeignKey("recipients.id"), index=True)
    recipient: Mapped[str] = mapped_column(sa.Text)
    kind: Mapped[str] = mapped_column(sa.String(16))
    #: SHA-256 of the recipient string: the fingerprint that manifests and documents print.
    sha256: Mapped[str] = mapped_column(sa.String(64))
    #: submitted, proven, verified, replaced, rejected, revoked, expired
    state: Mapped[str] = mapped_column(sa.String(16), default="submitted")
    registered_by: Mapped[uuid.UUID]
    proven_at: Mapped[dt.datetime | None]
    verified_at: Mapped[dt.datetime | None]
    expires_at: Mapped[dt.datetime | None]


class KeyChallenge(Identified, Base):
    """A proof of possession that was asked for: single use, ten minutes."""

    __tablename__ = "key_challenges"

    case_id: Mapped[uuid.UUID]
    key_id: Mapped[uuid.UUID] = mapped_column(sa.ForeignKey("recipient_keys.id"), index=True)
    context: Mapped[str] = mapped_column(sa.Text)
    secret_sealed: Mapped[bytes]
    expires_at: Mapped[dt.datetime]
    used_at: Mapped[dt.datetime | None]


class KeyVerification(Identified, Base):
    """One verifier's comparison of the safety number."""

    __tablename__ = "key_verifications"
    __table_args__ = (sa.UniqueConstraint("key_id", "person_id"),)

    case_id: Mapped[uuid.UUID]
    key_id: Mapped[uuid.UUID] = mapped_column(sa.ForeignKey("recipient_keys.id"), index=True)
    person_id: Mapped[uuid.UUID]
    #: Which side compared: agency, seller or buyer.
    side: Mapped[str] = mapped_column(sa.String(16))
    channel_sealed: Mapped[bytes]
    matched: Mapped[bool]

"""Tables of accounts. Names, addresses and second factors are sealed; what is looked up is a keyed digest."""

import datetime as dt
import uuid
from typing import Any

import sqlalchemy as sa
from sqlalchemy.orm import Mapped, mapped_column

from handover.db import Base, Identified, Versioned


class Person(Versioned, Base):
    """A natural person with an account; `password_hash` is empty until the invitation is accepted."""

    __tablename__ = "people"

    email_digest: Mapped[str] = mapped_column(sa.String(64), unique=True)
    email_sealed: Mapped[bytes]
    name_sealed: Mapped[bytes]
    language: Mapped[str] = mapped_column(sa.String(2), default="zh")
    organisation_roles: Mapped[list[str]]
    password_hash: Mapped[str | None] = mapped_column(sa.String(255))
    #: totp, telephone or passkey
    second_factor: Mapped[str | None] = mapped_column(sa.String(16))
    totp_sealed: Mapped[bytes | None]
    #: The last time step that was used: no code counts twice.
    totp_step: Mapped[int] = mapped_column(sa.BigInteger, default=0)
    #: A new secret that counts once a code of it was typed.
    totp_pending_sealed: Mapped[bytes | None]
    suspended_at: Mapped[dt.datetime | None]


class Invitation(Versioned, Base):
    """A single-use link; opening it consumes nothing, accepting it does."""

    __tablename__ = "invitations"

    person_id: Mapped[uuid.UUID] = mapped_column(sa.ForeignKey("people.id"), index=True)
    token_sha256: Mapped[str] = mapped_column(sa.String(64), unique=True)
    #: Keyed digest of the code that is told over another channel.
    code_digest: Mapped[str] = mapped_column(sa.String(64))
    attempts: Mapped[int] = mapped_column(default=0)
    invited_by: Mapped[uuid.UUID | None]
    expires_at: Mapped[dt.datetime]
    used_at: Mapped[dt.datetime | None]


class LoginSession(Identified, Base):
    """A session on the server; only the digest of its token is kept."""

    __tablename__ = "sessions"

    person_id: Mapped[uuid.UUID] = mapped_column(sa.ForeignKey("people.id"), index=True)
    token_sha256: Mapped[str] = mapped_column(sa.String(64), unique=True)
    second_factor_at: Mapped[dt.datetime | None]
    #: How the second factor was proven: totp, telephone or passkey.
    method: Mapped[str] = mapped_column(sa.String(16))
    language: Mapped[str] = mapped_column(sa.String(2))
    seen_at: Mapped[dt.datetime]
    expires_at: Mapped[dt.datetime]
    ended_at: Mapped[dt.datetime | None]


class ApiToken(Identified, Base):
    """A token for programs; it never holds a second factor, so it can neither sign nor approve."""

    __tablename__ = "api_tokens"

    person_id: Mapped[uuid.UUID] = mapped_column(sa.ForeignKey("people.id"), index=True)
    token_sha256: Mapped[str] = mapped_column(sa.String(64), unique=True)
    name_sealed: Mapped[bytes]
    scopes: Mapped[list[Any]]
    expires_at: Mapped[dt.datetime]
    revoked_at: Mapped[dt.datetime | None]
    used_at: Mapped[dt.datetime | None]


class TelephoneCode(Versioned, Base):
    """A one-time code that somebody else reads out on the telephone."""

    __tablename__ = "telephone_codes"

    person_id: Mapped[uuid.UUID] = mapped_column(sa.ForeignKey("people.id"), index=True)
    code_digest: Mapped[str] = mapped_column(sa.String(64))
    issued_by: Mapped[uuid.UUID]
    attempts: Mapped[int] = mapped_column(default=0)
    expires_at: Mapped[dt.datetime]
    used_at: Mapped[dt.datetime | None]


class LoginThrottle(Base):
    """Attempts per account, whether the account exists or not."""

    __tablename__ = "login_throttles"

    subject: Mapped[str] = mapped_column(sa.String(64), primary_key=True)
    attempts: Mapped[int] = mapped_column(default=0)
    window_started_at: Mapped[dt.datetime]


class Passkey(Identified, Base):
    """A WebAuthn credential; a removed one stays, because what it signed must stay verifiable."""

    __tablename__ = "passkeys"

    person_id: Mapped[uuid.UUID] = mapped_column(sa.ForeignKey("people.id"), index=True)
    credential_sha256: Mapped[str] = mapped_column(sa.String(64), unique=True)
    credential_id: Mapped[bytes]
    #: COSE, as the authenticator gave it.
    public_key: Mapped[bytes]
    sign_count: Mapped[int] = mapped_column(sa.BigInteger, default=0)
    name_sealed: Mapped[bytes]
    used_at: Mapped[dt.datetime | None]
    removed_at: Mapped[dt.datetime | None]


class SpentChallenge(Base):
    """A challenge that was answered: none counts twice. Rows go when the challenge would have expired."""

    __tablename__ = "spent_challenges"

    challenge_sha256: Mapped[str] = mapped_column(sa.String(64), primary_key=True)
    expires_at: Mapped[dt.datetime]

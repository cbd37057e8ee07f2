"""Logins and sessions: throttled per account in the database, server-side, rotated, with idle and absolute limits."""

import datetime as dt
import hmac
import secrets
import uuid
from hashlib import sha256

import msgspec
from sqlalchemy import select

from handover.accounts import factors
from handover.accounts.errors import LoginError, NotLoggedInError, TooManyAttemptsError
from handover.accounts.models import ApiToken, LoginSession, LoginThrottle, Person
from handover.accounts.passwords import Passwords
from handover.accounts.people import normal_email
from handover.audit import AuditLog
from handover.context import ANONYMOUS, Actor, Context, Installation
from handover.errors import InvalidInputError
from handover.settings import Settings
from handover.vault import Vault

#: A session's last use is written at most this often, so that reads stay reads.
_SEEN_SECONDS = 60
TOKEN_PREFIX = "hvt_"  # noqa: S105  (the visible beginning of API tokens)


class LoggedIn(msgspec.Struct, frozen=True, kw_only=True):
    """A new session; the token is shown this once (and set as a cookie)."""

    token: str
    csrf_token: str
    person_id: str
    expires_at: dt.datetime


def log_in(
    installation: Installation,
    *,
    email: str,
    password: str,
    totp: str | None,
    telephone_code: str | None,
    language: str,
    request_id: str,
) -> LoggedIn:
    """Checks password and second factor together; the attempt is counted before it is judged.

    Raises:
        LoginError: something is wrong; the same answer for an unknown account.
        TooManyAttemptsError: this account, existing or not, was tried too often.
    """
    try:
        address = normal_email(email)
    except InvalidInputError as error:
        raise LoginError("e-mail, password or second factor are not right") from error
    with installation.unit_of_work(ANONYMOUS, request_id=request_id) as ctx:
        digest = ctx.get(Vault).digest("accounts", "email", address)
        _count(ctx, digest)
        person = ctx.session.scalars(select(Person).where(Person.email_digest == digest)).one_or_none()
        stored = person.password_hash if person and person.suspended_at is None else None
    # Outside any transaction: this takes a core for a fifth of a second, on purpose.
    if not installation.get(Passwords).matches(stored, password) or person is None:
        _refused(installation, person.id if person else None, request_id)
        raise LoginError("e-mail, password or second factor are not right")
    try:
        with installation.unit_of_work(ANONYMOUS, request_id=request_id) as ctx:
            person = ctx.session.get_one(Person, person.id, with_for_update=True)
            method = factors.prove(ctx, person, totp=totp, telephone_code=telephone_code)
            _reset(ctx, digest)
            return start(ctx, person, method, language)
    except LoginError:
        _refused(installation, person.id, request_id)
        raise


def start(ctx: Context, person: Person, method: str, language: str) -> LoggedIn:
    """A new session with a token of its own; nothing that the client sent becomes part of it."""
    token = secrets.token_urlsafe(32)
    row = LoginSession(
        person_id=person.id,
        token_sha256=_digest(token),
        second_factor_at=ctx.now(),
        method=method,
        language=language,
        seen_at=ctx.now(),
        expires_at=ctx.now() + dt.timedelta(hours=ctx.get(Settings).policy.session_hours),
    )
    ctx.session.add(row)
    ctx.session.flush()
    ctx.get(AuditLog).append(ctx, "account.logged_in", entity="person", entity_id=person.id, details={"method": method})
    return LoggedIn(token=token, csrf_token=csrf_token(token), person_id=str(person.id), expires_at=row.expires_at)


def authenticate(ctx: Context, token: str) -> Actor:
    """The person behind a session or API token.

    Raises:
        NotLoggedInError: unknown, ended, idle for too long, expired, or the account is suspended.
    """
    if token.startswith(TOKEN_PREFIX):
        return _api_actor(ctx, token)
    row = ctx.session.scalars(select(LoginSession).where(LoginSession.token_sha256 == _digest(token))).one_or_none()
    idle = dt.timedelta(minutes=ctx.get(Settings).policy.session_idle_minutes)
    if row is None or row.ended_at is not None or row.expires_at <= ctx.now() or row.seen_at + idle <= ctx.now():
        raise NotLoggedInError("log in again: there is no session, or it ended")
    person = _active(ctx, row.person_id)
    return Actor(
        kind="person",
        person_id=person.id,
        roles=frozenset(person.organisation_roles),
        session_id=row.id,
        second_factor_at=row.second_factor_at,
    )


def touch(ctx: Context, session_id: uuid.UUID) -> None:
    """Notes that a session is in use."""
    row = ctx.session.get(LoginSession, session_id)
    if row is not None and row.seen_at + dt.timedelta(seconds=_SEEN_SECONDS) < ctx.now():
        row.seen_at = ctx.now()


def step_up(ctx: Context, *, totp: str | None, telephone_code: str | None) -> LoggedIn:
    """Proves the second factor again; the session gets a new token.

    Raises:
        LoginError: the factor is wrong or was used.
    """
    row = _current(ctx)
    person = ctx.session.get_one(Person, row.person_id, with_for_update=True)
    row.method = factors.prove(ctx, person, totp=totp, telephone_code=telephone_code)
    token = secrets.token_urlsafe(32)
    row.token_sha256, row.second_factor_at = _digest(token), ctx.now()
    ctx.session.flush()
    ctx.get(AuditLog).append(
        ctx, "account.second_factor_proven", entity="person", entity_id=person.id, details={"method": row.method}
    )
    return LoggedIn(token=token, csrf_token=csrf_token(token), person_id=str(person.id), expires_at=row.expires_at)


def log_out(ctx: Context) -> None:
    _current(ctx).ended_at = ctx.now()
    ctx.get(AuditLog).append(ctx, "account.logged_out", entity="person", entity_id=ctx.person())


def change_password(ctx: Context, *, old: str, new: str) -> None:
    """Sets a new password and ends every other session.

    Raises:
        LoginError: the old password is wrong.
    """
    factors.require_recent(ctx)
    person, passwords = ctx.session.get_one(Person, ctx.person()), ctx.get(Passwords)
    if not passwords.matches(person.password_hash, old):
        raise LoginError("the old password is not right")
    minimum = ctx.get(Settings).policy.password_min_length
    person.password_hash = passwords.hash(passwords.check_new(new, minimum=minimum))
    for row in ctx.session.scalars(select(LoginSession).where(LoginSession.person_id == person.id)):
        if row.id != ctx.actor.session_id:
            row.ended_at = row.ended_at or ctx.now()
    ctx.get(AuditLog).append(ctx, "account.password_changed", entity="person", entity_id=person.id)


def csrf_token(token: str) -> str:
    """Bound to the session's token, so it needs no storage and dies with it."""
    return hmac.digest(token.encode(), b"handover-csrf-v1", "sha256").hex()[:32]


def signing_method(ctx: Context) -> str:
    """How the acting session proved its second factor: totp or telephone."""
    return _current(ctx).method


def _api_actor(ctx: Context, token: str) -> Actor:
    row = ctx.session.scalars(select(ApiToken).where(ApiToken.token_sha256 == _digest(token))).one_or_none()
    if row is None or row.revoked_at is not None or row.expires_at <= ctx.now():
        raise NotLoggedInError("this token is unknown, revoked or expired")
    person = _active(ctx, row.person_id)
    return Actor(
        kind="person",
        person_id=person.id,
        roles=frozenset(person.organisation_roles),
        scopes=frozenset(row.scopes),
    )


def _active(ctx: Context, person_id: uuid.UUID) -> Person:
    person = ctx.session.get_one(Person, person_id)
    if person.suspended_at is not None:
        raise NotLoggedInError("this account is suspended")
    return person


def _current(ctx: Context) -> LoginSession:
    row = ctx.session.get(LoginSession, ctx.actor.session_id) if ctx.actor.session_id else None
    if row is None:
        raise NotLoggedInError("this takes a session, not a token")
    return row


def _count(ctx: Context, digest: str) -> None:
    policy, now = ctx.get(Settings).policy, ctx.now()
    window = dt.timedelta(minutes=policy.login_window_minutes)
    row = ctx.session.get(LoginThrottle, digest, with_for_update=True)
    if row is None:
        row = LoginThrottle(subject=digest, attempts=0, window_started_at=now)
        ctx.session.add(row)
    if row.window_started_at + window <= now:
        row.attempts, row.window_started_at = 0, now
    if row.attempts >= policy.login_attempts:
        seconds = int((row.window_started_at + window - now).total_seconds()) + 1
        raise TooManyAttemptsError(f"too many attempts; try again in {seconds} seconds", retry_after=seconds)
    row.attempts += 1


def _reset(ctx: Context, digest: str) -> None:
    row = ctx.session.get(LoginThrottle, digest)
    if row is not None:
        ctx.session.delete(row)


def _refused(installation: Installation, person_id: uuid.UUID | None, request_id: str) -> None:
    with installation.unit_of_work(ANONYMOUS, request_id=request_id) as ctx:
        ctx.get(AuditLog).append(ctx, "account.login_refused", entity="person", entity_id=person_id)


def _digest(token: str) -> str:
    return sha256(token.encode()).hexdigest()

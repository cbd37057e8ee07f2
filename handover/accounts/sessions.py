"""Logins and sessions: throttled per account in the database, server-side, rotated, with idle and absolute limits."""

import datetime as dt
import hmac
import secrets
import uuid
from hashlib import sha256

import msgspec
from sqlalchemy import select

from handover.accounts import factors, passkeys, throttle
from handover.accounts.emails import normal_email
from handover.accounts.errors import LoginError, NotLoggedInError
from handover.accounts.models import ApiToken, LoginSession, Person
from handover.accounts.passwords import Passwords
from handover.accounts.queries import PersonView, person_view
from handover.audit import AuditLog
from handover.context import ANONYMOUS, Actor, Context, Installation
from handover.errors import InvalidInputError, NotFoundError
from handover.settings import Settings
from handover.vault import Vault

#: A session's last use is written at most this often, so that reads stay reads.
_SEEN_SECONDS = 60
#: More open sessions than anybody has.
MAX_LISTED = 200
TOKEN_PREFIX = "hvt_"  # noqa: S105  (the visible beginning of API tokens)


class LoggedIn(msgspec.Struct, frozen=True, kw_only=True):
    """A new session; the token is shown this once (and set as a cookie)."""

    token: str
    csrf_token: str
    person_id: str
    person: PersonView
    expires_at: dt.datetime


class SessionView(msgspec.Struct, frozen=True, kw_only=True):
    """An open session, without its token."""

    id: str
    current: bool
    method: str
    created_at: dt.datetime
    seen_at: dt.datetime
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
        raise _refusal() from error
    subject = installation.get(Vault).digest("accounts", "email", address)
    throttle.count(installation, ANONYMOUS, subject, request_id)
    with installation.unit_of_work(ANONYMOUS, request_id=request_id, write=False) as ctx:
        person = ctx.session.scalars(select(Person).where(Person.email_digest == subject)).one_or_none()
        stored = person.password_hash if person and person.suspended_at is None else None
    # Outside any transaction: this takes a core for a fifth of a second, on purpose.
    matches = installation.get(Passwords).matches(stored, password)
    with installation.unit_of_work(ANONYMOUS, request_id=request_id) as ctx:
        made = None
        if matches and person is not None:
            made = _prove_and_start(ctx, person.id, subject, totp, telephone_code, language)
        if made is None:
            entity_id = person.id if person else None
            ctx.get(AuditLog).append(ctx, "account.login_refused", entity="person", entity_id=entity_id)
    if made is None:
        raise _refusal()
    return made


def log_in_with_passkey(installation: Installation, assertion: str, *, language: str, request_id: str) -> LoggedIn:
    """A login by a passkey alone: it was held and its user verified, which are two factors.

    Raises:
        LoginError: the answer does not hold, or the account is suspended.
    """
    try:
        with installation.unit_of_work(ANONYMOUS, request_id=request_id) as ctx:
            row = passkeys.prove(ctx, assertion, passkeys.LOGIN, "")
            person = ctx.session.get_one(Person, row.person_id, with_for_update=True)
            if person.suspended_at is not None:
                raise LoginError("this passkey is not known here, or was removed")
            return start(ctx, person, "passkey", language)
    except LoginError:
        with installation.unit_of_work(ANONYMOUS, request_id=request_id) as ctx:
            ctx.get(AuditLog).append(ctx, "account.login_refused", entity="person", entity_id=None)
        raise


def _prove_and_start(
    ctx: Context, person_id: uuid.UUID, subject: str, totp: str | None, telephone_code: str | None, language: str
) -> LoggedIn | None:
    person = ctx.session.get_one(Person, person_id, with_for_update=True)
    method = factors.spend(ctx, person, totp=totp, telephone_code=telephone_code)
    if method is None or person.suspended_at is not None:
        return None
    throttle.reset(ctx, subject)
    return start(ctx, person, method, language)


def start(ctx: Context, person: Person, method: str, language: str) -> LoggedIn:
    """A new session with a token of its own; nothing that the client sent becomes part of it."""
    token = secrets.token_urlsafe(32)
    row = LoginSession(
        person_id=person.id,
        token_sha256=token_digest(token),
        second_factor_at=ctx.now(),
        method=method,
        language=language,
        seen_at=ctx.now(),
        expires_at=ctx.now() + dt.timedelta(hours=ctx.get(Settings).policy.session_hours),
    )
    ctx.session.add(row)
    ctx.session.flush()
    ctx.get(AuditLog).append(ctx, "account.logged_in", entity="person", entity_id=person.id, details={"method": method})
    return logged_in(ctx, person, row, token)


def authenticate(ctx: Context, token: str) -> Actor:
    """The person behind a session or API token.

    Raises:
        NotLoggedInError: unknown, ended, idle for too long, expired, or the account is suspended.
    """
    if token.startswith(TOKEN_PREFIX):
        return _api_actor(ctx, token)
    row = ctx.session.scalars(
        select(LoginSession).where(LoginSession.token_sha256 == token_digest(token))
    ).one_or_none()
    if row is None or not _open(ctx, row):
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
    """Notes that a session is in use; its absolute end does not move."""
    if touch_is_due(ctx, session_id):
        ctx.session.get_one(LoginSession, session_id).seen_at = ctx.now()


def touch_is_due(ctx: Context, session_id: uuid.UUID) -> bool:
    """Whether the last note of the session's use is older than a minute; an ended session gets none."""
    row = ctx.session.get(LoginSession, session_id)
    return row is not None and _open(ctx, row) and row.seen_at + dt.timedelta(seconds=_SEEN_SECONDS) < ctx.now()


def log_out(ctx: Context) -> None:
    """Ends the acting session."""
    current(ctx).ended_at = ctx.now()
    ctx.get(AuditLog).append(ctx, "account.logged_out", entity="person", entity_id=ctx.person())


def own(ctx: Context) -> list[SessionView]:
    """The acting person's open sessions, newest first."""
    query = select(LoginSession).where(LoginSession.person_id == ctx.person()).order_by(LoginSession.id.desc())
    return [
        SessionView(
            id=str(row.id),
            current=row.id == ctx.actor.session_id,
            method=row.method,
            created_at=row.created_at,
            seen_at=row.seen_at,
            expires_at=row.expires_at,
        )
        for row in ctx.session.scalars(query.limit(MAX_LISTED))
        if _open(ctx, row)
    ]


def end(ctx: Context, session_id: uuid.UUID) -> None:
    """Ends one of the acting person's sessions, wherever it is used.

    Raises:
        NotFoundError: no session of theirs.
    """
    row = ctx.session.get(LoginSession, session_id)
    if row is None or row.person_id != ctx.person():
        raise NotFoundError("there is no such session")
    row.ended_at = row.ended_at or ctx.now()
    ctx.get(AuditLog).append(ctx, "account.session_ended", entity="session", entity_id=row.id)


def end_others(ctx: Context) -> None:
    """Ends all sessions of the acting person but the one that acts."""
    end_all(ctx, ctx.person(), but=current(ctx).id)
    ctx.get(AuditLog).append(ctx, "account.other_sessions_ended", entity="person", entity_id=ctx.person())


def end_all(ctx: Context, person_id: uuid.UUID, *, but: uuid.UUID | None = None) -> None:
    """Ends a person's sessions, except perhaps one."""
    query = select(LoginSession).where(LoginSession.person_id == person_id, LoginSession.ended_at.is_(None))
    for row in ctx.session.scalars(query):
        if row.id != but:
            row.ended_at = ctx.now()


def csrf_token(token: str) -> str:
    """Bound to the session's token, so it needs no storage and dies with it."""
    return hmac.digest(token.encode(), b"handover-csrf-v1", "sha256").hex()[:32]


def signing_method(ctx: Context) -> str:
    """How the acting session proved its second factor: totp, telephone or passkey."""
    return current(ctx).method


def _api_actor(ctx: Context, token: str) -> Actor:
    row = ctx.session.scalars(select(ApiToken).where(ApiToken.token_sha256 == token_digest(token))).one_or_none()
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


def current(ctx: Context) -> LoginSession:
    """The acting session.

    Raises:
        NotLoggedInError: an API token acts, which has none.
    """
    row = ctx.session.get(LoginSession, ctx.actor.session_id) if ctx.actor.session_id else None
    if row is None or not _open(ctx, row):
        raise NotLoggedInError("this takes a session, not a token")
    return row


def _open(ctx: Context, row: LoginSession) -> bool:
    idle = dt.timedelta(minutes=ctx.get(Settings).policy.session_idle_minutes)
    return row.ended_at is None and row.expires_at > ctx.now() and row.seen_at + idle > ctx.now()


def logged_in(ctx: Context, person: Person, row: LoginSession, token: str) -> LoggedIn:
    """What the person is told of a session that begins or goes on under a new token."""
    return LoggedIn(
        token=token,
        csrf_token=csrf_token(token),
        person_id=str(person.id),
        person=person_view(ctx, person),
        expires_at=row.expires_at,
    )


def _refusal() -> LoginError:
    return LoginError("e-mail, password or second factor are not right")


def token_digest(token: str) -> str:
    return sha256(token.encode()).hexdigest()

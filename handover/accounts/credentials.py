"""A logged-in person proves or changes how they prove who they are.

Each attempt is counted before it is judged, so a stolen session cannot guess a second factor or a password.
"""

import secrets

from handover.accounts import factors, passkeys, throttle
from handover.accounts.errors import LoginError, PasskeyError
from handover.accounts.models import Person
from handover.accounts.passwords import Passwords
from handover.accounts.sessions import LoggedIn, current, end_all, logged_in, token_digest
from handover.audit import AuditLog
from handover.context import Actor, Context, Installation
from handover.errors import ConflictError
from handover.i18n import Language
from handover.settings import Settings
from handover.vault import Vault


def step_up(
    installation: Installation,
    actor: Actor,
    *,
    totp: str | None = None,
    telephone_code: str | None = None,
    passkey: str | None = None,
    request_id: str,
) -> LoggedIn:
    """Proves the second factor again; the session gets a new token.

    Raises:
        LoginError: the factor is wrong or was used. TooManyAttemptsError: it was tried too often.
    """
    subject = installation.get(Vault).digest("accounts", "step_up", str(actor.person_id))
    throttle.count(installation, actor, subject, request_id)
    with installation.unit_of_work(actor, request_id=request_id) as ctx:
        row, token = current(ctx), secrets.token_urlsafe(32)
        person = ctx.session.get_one(Person, row.person_id, with_for_update=True)
        if passkey is None:
            method = factors.spend(ctx, person, totp=totp, telephone_code=telephone_code)
        else:
            method = _passkey(ctx, person, passkey)
        if method is not None:
            row.method, row.token_sha256, row.second_factor_at = method, token_digest(token), ctx.now()
            throttle.reset(ctx, subject)
        event = "account.second_factor_refused" if method is None else "account.second_factor_proven"
        ctx.get(AuditLog).append(
            ctx, event, entity="person", entity_id=person.id, details={"method": method} if method else {}
        )
        made = logged_in(ctx, person, row, token)
    if method is None:
        raise LoginError("the second factor is not right, or was used before")
    return made


def step_up_with_field(installation: Installation, actor: Actor, given: str, request_id: str) -> str:
    """Proves the second factor with what a form's one field for it holds: a code of either kind, or a passkey's answer.

    Returns the session's new token.

    Raises:
        LoginError: it is wrong or was used. TooManyAttemptsError: it was tried too often.
    """
    kind = "passkey" if given.startswith("{") else "totp" if len(given) == factors.TOTP_DIGITS else "telephone_code"
    return step_up(installation, actor, **{kind: given}, request_id=request_id).token


def _passkey(ctx: Context, person: Person, assertion: str) -> str | None:
    try:
        row = passkeys.prove(ctx, assertion, passkeys.STEP_UP, str(ctx.actor.session_id))
    except PasskeyError:
        return None
    return "passkey" if row.person_id == person.id else None


def set_language(ctx: Context, language: Language) -> None:
    """The language of the acting person's pages and mails, from now on and on every device."""
    ctx.session.get_one(Person, ctx.person()).language = language
    current(ctx).language = language
    ctx.get(AuditLog).append(ctx, "account.language_changed", entity="person", entity_id=ctx.person())


def change_password(installation: Installation, actor: Actor, *, old: str, new: str, request_id: str) -> None:
    """Sets a new password and ends every other session.

    Raises:
        LoginError: the old password is wrong. TooManyAttemptsError: it was tried too often.
    """
    subject = installation.get(Vault).digest("accounts", "password", str(actor.person_id))
    passwords, settings = installation.get(Passwords), installation.get(Settings)
    acceptable = passwords.check_new(new, minimum=settings.policy.password_min_length)
    throttle.count(installation, actor, subject, request_id)
    with installation.unit_of_work(actor, request_id=request_id, write=False) as ctx:
        factors.require_recent(ctx)
        stored = ctx.session.get_one(Person, ctx.person()).password_hash
    if not passwords.matches(stored, old):
        raise LoginError("the old password is not right")
    hashed = passwords.hash(acceptable)
    with installation.unit_of_work(actor, request_id=request_id) as ctx:
        person = ctx.session.get_one(Person, ctx.person(), with_for_update=True)
        if person.password_hash != stored:
            raise ConflictError("the password was changed meanwhile; log in with the new one")
        person.password_hash = hashed
        throttle.reset(ctx, subject)
        end_all(ctx, person.id, but=ctx.actor.session_id)
        ctx.get(AuditLog).append(ctx, "account.password_changed", entity="person", entity_id=person.id)

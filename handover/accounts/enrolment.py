"""Between accepting an invitation and the first login: the new second factor is tried once, in the browser that accepted.

That browser holds a proof, a keyed digest of the link's secret, which it got for the right code; the link alone shows
nothing any more. A proof works for as long as an invitation does, and until the first login.
"""

import datetime as dt
import hmac
from hashlib import sha256

import msgspec
from sqlalchemy import select

from handover.accounts import factors, passkeys, queries, sessions, throttle
from handover.accounts.errors import InvitationError, LoginError
from handover.accounts.models import Invitation, Person
from handover.accounts.sessions import LoggedIn
from handover.context import ANONYMOUS, Context, Installation
from handover.settings import Settings
from handover.vault import Vault


class Waiting(msgspec.Struct, frozen=True, kw_only=True):
    """What the page of the first test shows; secret and options only for the factor that was chosen."""

    email: str
    second_factor: str
    totp_secret: str = ""
    totp_uri: str = ""
    passkey_options: str = ""


def proof_of(ctx: Context, token: str) -> str:
    """What the browser that accepted the invitation keeps."""
    return ctx.get(Vault).digest("accounts", "enrolment", token)


def waiting(ctx: Context, token: str, proof: str) -> Waiting:
    """What this person sets up now.

    Raises:
        InvitationError: another browser, too late, or logged in already.
    """
    person = _person(ctx, token, proof)
    secret = factors.open_secret(ctx, person, person.totp_sealed) if person.totp_sealed else ""
    return Waiting(
        email=queries.email_of(ctx, person),
        second_factor=str(person.second_factor),
        totp_secret=secret,
        totp_uri=factors.totp_uri(ctx, person, secret) if secret else "",
        passkey_options=passkeys.registration_options(ctx, person) if person.second_factor == "passkey" else "",
    )


def log_in_with_code(
    installation: Installation, token: str, proof: str, code: str, *, language: str, request_id: str
) -> LoggedIn:
    """The first login, by the first code of the new second factor.

    Raises:
        LoginError: the code is not right. TooManyAttemptsError: it was tried too often. InvitationError
    """
    with installation.unit_of_work(ANONYMOUS, request_id=request_id, write=False) as ctx:
        person_id = _person(ctx, token, proof).id
        subject = ctx.get(Vault).digest("accounts", "step_up", str(person_id))
    throttle.count(installation, ANONYMOUS, subject, request_id)
    is_totp = len(code) == factors.TOTP_DIGITS
    with installation.unit_of_work(ANONYMOUS, request_id=request_id) as ctx:
        person = _person(ctx, token, proof, lock=True)
        method = factors.spend(ctx, person, totp=code if is_totp else None, telephone_code=None if is_totp else code)
        made = sessions.start(ctx, person, method, language) if method else None
        if made is not None:
            throttle.reset(ctx, subject)
    if made is None:
        raise LoginError("the second factor is not right, or was used before", field="code")
    return made


def log_in_with_new_passkey(
    ctx: Context, token: str, proof: str, *, name: str, credential: str, language: str
) -> LoggedIn:
    """The first login, by registering the passkey that was chosen.

    Raises:
        PasskeyError: the browser's answer does not hold. InvitationError
    """
    person = _person(ctx, token, proof, lock=True)
    if person.second_factor != "passkey":
        raise InvitationError("another second factor was chosen")
    passkeys.register(ctx, person, name=name, credential=credential)
    return sessions.start(ctx, person, "passkey", language)


def _person(ctx: Context, token: str, proof: str, *, lock: bool = False) -> Person:
    row = ctx.session.scalars(
        select(Invitation).where(Invitation.token_sha256 == sha256(token.encode()).hexdigest())
    ).one_or_none()
    minutes = ctx.get(Settings).policy.invitation_minutes
    if (
        not hmac.compare_digest(proof.encode(), proof_of(ctx, token).encode())
        or row is None
        or row.used_at is None
        or row.used_at + dt.timedelta(minutes=minutes) < ctx.now()
    ):
        raise InvitationError("this link is used, expired or wrong; ask whoever sent it for a new one")
    newest = select(Invitation.id).where(Invitation.person_id == row.person_id).order_by(Invitation.id.desc()).limit(1)
    person = ctx.session.get_one(Person, row.person_id, with_for_update=lock)
    if (
        ctx.session.scalars(newest).one() != row.id
        or queries.has_logged_in(ctx, person.id)
        or person.suspended_at is not None
    ):
        raise InvitationError("this link is used, expired or wrong; ask whoever sent it for a new one")
    return person

"""Second factors: TOTP (RFC 6238), or a one-time code that another person reads out on the telephone."""

import datetime as dt
import hmac
import secrets
import uuid

import pyotp
from sqlalchemy import select

from handover.accounts.errors import SecondFactorRequiredError
from handover.accounts.models import Person, TelephoneCode
from handover.audit import AuditLog
from handover.context import Context
from handover.db import new_id
from handover.errors import ForbiddenError, InvalidInputError, NotFoundError
from handover.settings import Settings
from handover.vault import Vault

#: One code before and after now: clocks differ, but not by more.
_DRIFT_STEPS = (0, -1, 1)
_STEP_SECONDS = 30
CODE_DIGITS = 8
#: By the number of digits a form with one field for both knows which code was typed.
TOTP_DIGITS = 6
MAX_CODE_ATTEMPTS = 5
ISSUER = "handover"


def new_totp(ctx: Context, person: Person) -> str:
    """Gives the person a TOTP secret and returns it, for this once."""
    secret = pyotp.random_base32(32)
    person.totp_sealed = ctx.get(Vault).seal_text("accounts", secret, field="people.totp", row=person.id)
    person.totp_step = 0
    return secret


def totp_uri(ctx: Context, person: Person, secret: str) -> str:
    """What a QR code for an authenticator holds."""
    name = ctx.get(Vault).open_text("accounts", person.email_sealed, field="people.email", row=person.id)
    return pyotp.TOTP(secret).provisioning_uri(name=name, issuer_name=ISSUER)


def spend(ctx: Context, person: Person, *, totp: str | None, telephone_code: str | None) -> str | None:
    """The method by which the second factor that was given is right, and now spent; None when it is wrong.

    It raises nothing, so that the unit of work commits what a wrong code used up.
    """
    if totp is not None and _totp_fits(ctx, person, totp):
        return "totp"
    if telephone_code is not None and _code_fits(ctx, person, telephone_code):
        return "telephone"
    return None


def require_recent(ctx: Context) -> None:
    """The session proved a second factor within the policy's minutes; the system needs none.

    Raises:
        SecondFactorRequiredError: prove it again and repeat.
    """
    if ctx.actor.is_system:
        return
    minutes = ctx.get(Settings).policy.step_up_minutes
    at = ctx.actor.second_factor_at
    if at is None or at < ctx.now() - dt.timedelta(minutes=minutes):
        raise SecondFactorRequiredError(
            f"enter your second factor again: this act takes one that is at most {minutes} minutes old"
        )


def issue_code(ctx: Context, person_id: uuid.UUID) -> tuple[str, dt.datetime]:
    """A code for somebody else, to be read out on the telephone; returns code and expiry, for this once.

    Raises:
        ForbiddenError: for oneself, or without the role of a consultant or administrator.
    """
    if person_id == ctx.person():
        raise ForbiddenError("nobody issues a code for themselves; another person reads it out to you")
    if not ctx.actor.roles & {"consultant", "platform_admin"}:
        raise ForbiddenError("consultants and administrators issue telephone codes", roles=["consultant"])
    person = ctx.session.get(Person, person_id)
    if person is None or person.suspended_at is not None:
        raise NotFoundError("there is no such person")
    code = f"{secrets.randbelow(10**CODE_DIGITS):0{CODE_DIGITS}d}"
    expires = ctx.now() + dt.timedelta(minutes=ctx.get(Settings).policy.telephone_code_minutes)
    row = TelephoneCode(
        id=new_id(),
        person_id=person_id,
        code_digest=_digest(ctx, person_id, code),
        issued_by=ctx.person(),
        expires_at=expires,
    )
    ctx.session.add(row)
    ctx.session.flush()
    ctx.get(AuditLog).append(ctx, "account.telephone_code_issued", entity="person", entity_id=person_id)
    return code, expires


def _totp_fits(ctx: Context, person: Person, given: str) -> bool:
    if person.totp_sealed is None or not given.isascii() or not given.isdigit():
        return False
    secret = ctx.get(Vault).open_text("accounts", person.totp_sealed, field="people.totp", row=person.id)
    totp, now = pyotp.TOTP(secret), int(ctx.now().timestamp()) // _STEP_SECONDS
    for drift in _DRIFT_STEPS:
        step = now + drift
        if step > person.totp_step and hmac.compare_digest(totp.at(step * _STEP_SECONDS), given):
            person.totp_step = step
            ctx.session.flush()  # compares the version: of two uses at once one fails here
            return True
    return False


def _code_fits(ctx: Context, person: Person, given: str) -> bool:
    query = (
        select(TelephoneCode)
        .where(TelephoneCode.person_id == person.id, TelephoneCode.used_at.is_(None))
        .order_by(TelephoneCode.id.desc())
        .with_for_update()
    )
    row = ctx.session.scalars(query).first()
    if row is None or row.expires_at < ctx.now() or row.attempts >= MAX_CODE_ATTEMPTS:
        return False
    row.attempts += 1
    ctx.session.flush()
    if not hmac.compare_digest(row.code_digest, _digest(ctx, person.id, given)):
        return False
    row.used_at = ctx.now()
    ctx.session.flush()
    return True


def _digest(ctx: Context, person_id: uuid.UUID, code: str) -> str:
    return ctx.get(Vault).digest("accounts", "telephone_code", f"{person_id}:{code}")


def check_choice(choice: str) -> str:
    """The second factor that a person chose."""
    if choice not in {"totp", "telephone"}:
        raise InvalidInputError("second_factor is totp or telephone", field="second_factor")
    return choice

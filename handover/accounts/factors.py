"""Second factors by code: TOTP (RFC 6238), or one that another person reads out on the telephone."""

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
from handover.errors import ConflictError, ForbiddenError, InvalidInputError, NotFoundError
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
CHOICES = ("totp", "telephone", "passkey")


def new_totp(ctx: Context, person: Person) -> str:
    """Gives the person a TOTP secret and returns it, for this once."""
    secret = pyotp.random_base32(32)
    person.totp_sealed = ctx.get(Vault).seal_text("accounts", secret, field="people.totp", row=person.id)
    person.totp_step = 0
    return secret


def begin_totp(ctx: Context) -> None:
    """Makes the acting person another TOTP secret; the old one counts until a code of the new one was typed.

    Raises:
        SecondFactorRequiredError: whoever changes a factor proves the present one first.
    """
    require_recent(ctx)
    person, secret = ctx.session.get_one(Person, ctx.person()), pyotp.random_base32(32)
    person.totp_pending_sealed = ctx.get(Vault).seal_text("accounts", secret, field="people.totp", row=person.id)


def pending_totp(ctx: Context) -> str | None:
    """The acting person's secret that waits for its first code; shown to a session with a recent second factor only."""
    require_recent(ctx)
    person = ctx.session.get_one(Person, ctx.person())
    return open_secret(ctx, person, person.totp_pending_sealed) if person.totp_pending_sealed else None


def confirm_totp(ctx: Context, code: str) -> None:
    """Puts the waiting secret in place of the old one.

    Raises:
        ConflictError: none waits. InvalidInputError: the code is not of the waiting secret.
    """
    require_recent(ctx)
    person = ctx.session.get_one(Person, ctx.person(), with_for_update=True)
    if person.totp_pending_sealed is None:
        raise ConflictError("no authenticator app waits for its first code; begin again")
    step = _step_of(ctx, open_secret(ctx, person, person.totp_pending_sealed), code, after=0)
    if step is None:
        raise InvalidInputError("this code does not fit; check the clock of your telephone", field="code")
    person.totp_sealed, person.totp_pending_sealed = person.totp_pending_sealed, None
    person.totp_step, person.second_factor = step, "totp"
    ctx.get(AuditLog).append(
        ctx, "account.second_factor_changed", entity="person", entity_id=person.id, details={"second_factor": "totp"}
    )


def open_secret(ctx: Context, person: Person, sealed: bytes) -> str:
    """A TOTP secret in clear, for the person's own eyes."""
    return ctx.get(Vault).open_text("accounts", sealed, field="people.totp", row=person.id)


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
    if not ctx.actor.is_system and not is_recent(ctx):
        minutes = ctx.get(Settings).policy.step_up_minutes
        raise SecondFactorRequiredError(
            f"enter your second factor again: this act takes one that is at most {minutes} minutes old"
        )


def is_recent(ctx: Context) -> bool:
    """Whether the acting session proved its second factor within the policy's minutes."""
    at = ctx.actor.second_factor_at
    return at is not None and at >= ctx.now() - dt.timedelta(minutes=ctx.get(Settings).policy.step_up_minutes)


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
    if person.totp_sealed is None:
        return False
    step = _step_of(ctx, open_secret(ctx, person, person.totp_sealed), given, after=person.totp_step)
    if step is None:
        return False
    person.totp_step = step
    ctx.session.flush()  # compares the version: of two uses at once one fails here
    return True


def _step_of(ctx: Context, secret: str, given: str, *, after: int) -> int | None:
    """The time step of a code, when it is around now and later than `after`."""
    if not given.isascii() or not given.isdigit():
        return None
    totp, now = pyotp.TOTP(secret), int(ctx.now().timestamp()) // _STEP_SECONDS
    for step in (now + drift for drift in _DRIFT_STEPS):
        if step > after and hmac.compare_digest(totp.at(step * _STEP_SECONDS), given):
            return step
    return None


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
    if choice not in CHOICES:
        raise InvalidInputError(f"second_factor is one of: {', '.join(CHOICES)}", field="second_factor")
    return choice

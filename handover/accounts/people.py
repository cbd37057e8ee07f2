"""People: invited by a single-use link, enrolled with a password and a second factor of their choice."""

import datetime as dt
import hmac
import secrets
import unicodedata
import uuid
from hashlib import sha256

import msgspec
from sqlalchemy import select

from handover.accounts import factors
from handover.accounts.errors import InvitationError
from handover.accounts.models import Invitation, LoginSession, Person
from handover.accounts.passwords import Passwords
from handover.audit import AuditLog
from handover.context import Context
from handover.db import new_id
from handover.errors import ConflictError, ForbiddenError, InvalidInputError
from handover.settings import Settings
from handover.vault import Vault

ORGANISATION_ROLES = ("platform_admin", "consultant", "auditor")
MAX_INVITATION_ATTEMPTS = 5
_EMAIL_MAX = 254
_NAME_MAX = 300


class Invited(msgspec.Struct, frozen=True, kw_only=True):
    """A fresh invitation; link and code are shown this once, and go to the person over two channels."""

    id: str
    person_id: str
    link: str
    code: str
    expires_at: dt.datetime


class Enrolled(msgspec.Struct, frozen=True, kw_only=True):
    """An accepted invitation; the secret is shown this once."""

    person_id: str
    second_factor: str
    totp_secret: str | None
    totp_uri: str | None


def invite(ctx: Context, *, email: str, name: str, language: str, organisation_roles: list[str]) -> Invited:
    """Invites a person; someone who has not enrolled yet is invited anew, and the old link dies.

    Raises:
        ForbiddenError: the actor neither administers nor consults, or gives roles they may not give.
        ConflictError: the person has an account already.
    """
    _may_invite(ctx, organisation_roles)
    address = normal_email(email)
    shown = _checked_name(name)
    vault = ctx.get(Vault)
    digest = vault.digest("accounts", "email", address)
    person = ctx.session.scalars(select(Person).where(Person.email_digest == digest)).one_or_none()
    if person is None:
        identifier = new_id()
        person = Person(
            id=identifier,
            email_digest=digest,
            email_sealed=vault.seal_text("accounts", address, field="people.email", row=identifier),
            name_sealed=vault.seal_text("accounts", shown, field="people.name", row=identifier),
            language=language,
            organisation_roles=sorted(set(organisation_roles)),
        )
        ctx.session.add(person)
        ctx.session.flush()
    elif person.password_hash is not None:
        raise ConflictError("this person has an account; give them a role instead", person_id=str(person.id))
    return _new_invitation(ctx, person)


def find(ctx: Context, token: str) -> tuple[Invitation, Person]:
    """The open invitation behind a link; looking changes nothing.

    Raises:
        InvitationError: unknown, used or expired; the three answer alike.
    """
    digest = sha256(token.encode()).hexdigest()
    row = ctx.session.scalars(select(Invitation).where(Invitation.token_sha256 == digest)).one_or_none()
    if row is None or row.used_at is not None or row.expires_at < ctx.now() or row.attempts >= MAX_INVITATION_ATTEMPTS:
        raise InvitationError("this link is used, expired or wrong; ask whoever sent it for a new one")
    return row, ctx.session.get_one(Person, row.person_id)


def count_attempt(ctx: Context, token: str) -> None:
    """Counts a try before it is judged, in a unit of work of its own, so that a wrong code stays counted."""
    row, _ = find(ctx, token)
    row.attempts += 1


def accept(ctx: Context, token: str, *, code: str, password: str, second_factor: str) -> Enrolled:
    """Enrols the person: link, code told over another channel, password, second factor.

    Raises:
        InvitationError: the link or the code is not right.
        InvalidInputError: the password is not acceptable.
    """
    digest = sha256(token.encode()).hexdigest()
    query = select(Invitation).where(Invitation.token_sha256 == digest).with_for_update()
    row = ctx.session.scalars(query).one_or_none()
    if row is None or row.used_at is not None or row.expires_at < ctx.now() or row.attempts > MAX_INVITATION_ATTEMPTS:
        raise InvitationError("this link is used, expired or wrong; ask whoever sent it for a new one")
    if not hmac.compare_digest(row.code_digest, _code_digest(ctx, row.id, code)):
        raise InvitationError("the code does not fit the link; it was told to you over another channel")
    person = ctx.session.get_one(Person, row.person_id)
    passwords = ctx.get(Passwords)
    acceptable = passwords.check_new(password, minimum=ctx.get(Settings).policy.password_min_length)
    person.second_factor = factors.check_choice(second_factor)
    person.password_hash = passwords.hash(acceptable)
    row.used_at = ctx.now()
    secret = factors.new_totp(ctx, person) if second_factor == "totp" else None
    ctx.session.flush()
    ctx.get(AuditLog).append(
        ctx,
        "account.enrolled",
        entity="person",
        entity_id=person.id,
        details={"second_factor": second_factor},
    )
    return Enrolled(
        person_id=str(person.id),
        second_factor=second_factor,
        totp_secret=secret,
        totp_uri=factors.totp_uri(ctx, person, secret) if secret else None,
    )


def suspend(ctx: Context, person_id: uuid.UUID) -> Person:
    """Ends a person's access at once."""
    if "platform_admin" not in ctx.actor.roles:
        raise ForbiddenError("administrators suspend accounts", roles=["platform_admin"])
    person = ctx.session.get_one(Person, person_id)
    person.suspended_at = ctx.now()
    for session in ctx.session.scalars(select(LoginSession).where(LoginSession.person_id == person_id)):
        session.ended_at = session.ended_at or ctx.now()
    ctx.get(AuditLog).append(ctx, "account.suspended", entity="person", entity_id=person_id)
    return person


def normal_email(email: str) -> str:
    """The one spelling of an address by which an account is found."""
    text = unicodedata.normalize("NFKC", email).strip().casefold()
    local, at, domain = text.partition("@")
    if (
        not (local and at and "." in domain)
        or len(text) > _EMAIL_MAX
        or any(c.isspace() or ord(c) < 0x20 for c in text)
    ):
        raise InvalidInputError("this is not an e-mail address", field="email")
    return text


def _checked_name(name: str) -> str:
    text = unicodedata.normalize("NFC", name).strip()
    if not text or len(text) > _NAME_MAX or any(unicodedata.category(c) in {"Cc", "Cs"} for c in text):
        raise InvalidInputError(f"a name has 1 to {_NAME_MAX} characters and no control characters", field="name")
    return text


def _may_invite(ctx: Context, organisation_roles: list[str]) -> None:
    unknown = set(organisation_roles) - set(ORGANISATION_ROLES)
    if unknown:
        raise InvalidInputError(
            f"roles in the installation are: {', '.join(ORGANISATION_ROLES)}", field="organisation_roles"
        )
    if ctx.actor.is_system or "platform_admin" in ctx.actor.roles:
        return
    if "consultant" not in ctx.actor.roles:
        raise ForbiddenError("administrators and consultants invite people", roles=["platform_admin", "consultant"])
    if organisation_roles:
        raise ForbiddenError("only administrators give roles in the installation", roles=["platform_admin"])


def _new_invitation(ctx: Context, person: Person) -> Invited:
    for old in ctx.session.scalars(
        select(Invitation).where(Invitation.person_id == person.id, Invitation.used_at.is_(None))
    ):
        old.used_at = ctx.now()
    settings, token, identifier = ctx.get(Settings), secrets.token_urlsafe(32), new_id()
    code = f"{secrets.randbelow(10**factors.CODE_DIGITS):0{factors.CODE_DIGITS}d}"
    row = Invitation(
        id=identifier,
        person_id=person.id,
        token_sha256=sha256(token.encode()).hexdigest(),
        code_digest=_code_digest(ctx, identifier, code),
        invited_by=ctx.actor.person_id,
        expires_at=ctx.now() + dt.timedelta(minutes=settings.policy.invitation_minutes),
    )
    ctx.session.add(row)
    ctx.session.flush()
    ctx.get(AuditLog).append(ctx, "account.invited", entity="person", entity_id=person.id)
    return Invited(
        id=str(row.id),
        person_id=str(person.id),
        link=f"{settings.public_url}/p/{token}",
        code=code,
        expires_at=row.expires_at,
    )


def _code_digest(ctx: Context, invitation_id: uuid.UUID, code: str) -> str:
    return ctx.get(Vault).digest("accounts", "invitation_code", f"{invitation_id}:{code}")

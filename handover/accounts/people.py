"""People: invited by a single-use link, enrolled with a password and a second factor of their choice."""

import datetime as dt
import hmac
import secrets
import unicodedata
import uuid
from collections.abc import Callable
from hashlib import sha256

import msgspec
from sqlalchemy import select

from handover.accounts import factors, queries
from handover.accounts.emails import normal_email
from handover.accounts.errors import InvitationError
from handover.accounts.models import Invitation, Person
from handover.accounts.passwords import Passwords
from handover.accounts.sessions import end_all
from handover.audit import AuditLog
from handover.context import ANONYMOUS, Context, Installation
from handover.db import new_id
from handover.errors import ConflictError, ForbiddenError, InvalidInputError, NotFoundError
from handover.i18n import Language
from handover.settings import Settings
from handover.vault import Vault

ORGANISATION_ROLES = ("platform_admin", "consultant", "auditor")
MAX_INVITATION_ATTEMPTS = 5
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
    address, shown = normal_email(email), _checked_name(name)
    person = _by_email(ctx, address)
    if person is None:
        person = _new_person(ctx, address, shown, language, organisation_roles)
    else:
        _may_invite_again(ctx, person, organisation_roles)
        _rename(ctx, person, shown, language)
    return _new_invitation(ctx, person)


def bring_in(ctx: Context, *, email: str, name: str, language: str) -> tuple[uuid.UUID, Invited | None]:
    """The person with this address, invited where that is still to be done; their id, and the fresh invitation.

    For rooms that have checked that the actor may bring this person in. Who is no consultant invites again only whom
    they alone invited before: link and code would let them take over an account that somebody else trusts.
    """
    address, shown = normal_email(email), _checked_name(name)
    person = _by_email(ctx, address)
    if person is None:
        person = _new_person(ctx, address, shown, language, [])
        return person.id, _new_invitation(ctx, person)
    if queries.has_logged_in(ctx, person.id) or person.suspended_at is not None or person.organisation_roles:
        return person.id, None
    inviters = set(ctx.session.scalars(select(Invitation.invited_by).where(Invitation.person_id == person.id)))
    if "consultant" not in ctx.actor.roles and inviters != {ctx.person()}:
        return person.id, None
    _rename(ctx, person, shown, language)
    return person.id, _new_invitation(ctx, person)


def find(
    ctx: Context, token: str, *, lock: bool = False, tries: int = MAX_INVITATION_ATTEMPTS
) -> tuple[Invitation, Person]:
    """The open invitation behind a link, with fewer than `tries` attempts; looking changes nothing.

    Raises:
        InvitationError: unknown, used, expired or tried too often; all answer alike.
    """
    query = select(Invitation).where(Invitation.token_sha256 == sha256(token.encode()).hexdigest())
    row = ctx.session.scalars(query.with_for_update() if lock else query).one_or_none()
    if row is None or row.used_at is not None or row.expires_at < ctx.now() or row.attempts >= tries:
        raise InvitationError("this link is used, expired or wrong; ask whoever sent it for a new one")
    return row, ctx.session.get_one(Person, row.person_id)


def inviter(ctx: Context, token: str) -> str:
    """The name of who sent this link, also when it works no more; empty for the operator's and for unknown ones."""
    query = select(Invitation.invited_by).where(Invitation.token_sha256 == sha256(token.encode()).hexdigest())
    by = ctx.session.scalars(query).one_or_none()
    return queries.person_name(ctx, by) if by else ""


def accept(
    installation: Installation,
    token: str,
    *,
    code: str,
    password: str,
    second_factor: str,
    language: Language | None = None,
    request_id: str,
    keep: Callable[[Context, Enrolled], None] = lambda _ctx, _enrolled: None,
) -> Enrolled:
    """Enrols the person: link, code told over another channel, password, second factor; perhaps the language they read.
    `keep` is called with the answer in the transaction that enrols.

    A try is counted before it is judged, and the password is hashed outside any transaction, after the code was right.

    Raises:
        InvitationError: the link or the code is not right.
        InvalidInputError: the password is not acceptable.
    """
    passwords, minimum = installation.get(Passwords), installation.get(Settings).policy.password_min_length
    acceptable, choice = passwords.check_new(password, minimum=minimum), factors.check_choice(second_factor)
    with installation.unit_of_work(ANONYMOUS, request_id=request_id) as ctx:
        row, _ = find(ctx, token, lock=True)
        row.attempts += 1
        fits = hmac.compare_digest(row.code_digest, _code_digest(ctx, row.id, code))
        if not fits:
            ctx.get(AuditLog).append(ctx, "account.invitation_refused", entity="person", entity_id=row.person_id)
    if not fits:
        raise InvitationError("the code does not fit the link; it was told to you over another channel")
    hashed = passwords.hash(acceptable)
    with installation.unit_of_work(ANONYMOUS, request_id=request_id) as ctx:
        enrolled = _enrol(ctx, token, hashed, choice, language)
        keep(ctx, enrolled)
    return enrolled


def _enrol(ctx: Context, token: str, hashed: str, choice: str, language: Language | None) -> Enrolled:
    row, person = find(ctx, token, lock=True, tries=MAX_INVITATION_ATTEMPTS + 1)
    person.second_factor, person.password_hash = choice, hashed
    person.language = language or person.language
    person.totp_sealed = None
    row.used_at = ctx.now()
    secret = factors.new_totp(ctx, person) if choice == "totp" else None
    ctx.session.flush()
    ctx.get(AuditLog).append(
        ctx, "account.enrolled", entity="person", entity_id=person.id, details={"second_factor": choice}
    )
    return Enrolled(
        person_id=str(person.id),
        second_factor=choice,
        totp_secret=secret,
        totp_uri=factors.totp_uri(ctx, person, secret) if secret else None,
    )


def invite_first_again(ctx: Context) -> Invited | None:
    """A new link and code for the first administrator while nobody has enrolled; the old link dies.

    For the operator at the server's terminal alone: whoever gets it administers the installation.
    """
    if queries.anybody_enrolled(ctx):
        return None
    rows = ctx.session.scalars(select(Person).where(Person.suspended_at.is_(None)).order_by(Person.id))
    first = next((person for person in rows if "platform_admin" in person.organisation_roles), None)
    return _new_invitation(ctx, first) if first else None


def rename(ctx: Context, person_id: uuid.UUID, name: str) -> None:
    """Corrects a person's name. They sign under it, so nobody changes their own by themselves, but an administrator.

    Raises:
        ForbiddenError: not an administrator. NotFoundError: there is no such person.
    """
    queries.require_role(ctx, "platform_admin")
    factors.require_recent(ctx)
    person = ctx.session.get(Person, person_id)
    if person is None:
        raise NotFoundError("there is no such person")
    _rename(ctx, person, _checked_name(name), person.language)
    ctx.get(AuditLog).append(ctx, "account.renamed", entity="person", entity_id=person.id)


def suspend(ctx: Context, person_id: uuid.UUID) -> Person:
    """Ends a person's access at once: sessions, API tokens and open invitations.

    Raises:
        ForbiddenError: not an administrator, or oneself. NotFoundError: there is no such person.
    """
    if "platform_admin" not in ctx.actor.roles:
        raise ForbiddenError("administrators suspend accounts", roles=["platform_admin"])
    if person_id == ctx.person():
        raise ForbiddenError("nobody suspends themselves; another administrator does it", roles=["platform_admin"])
    person = ctx.session.get(Person, person_id)
    if person is None:
        raise NotFoundError("there is no such person")
    person.suspended_at = person.suspended_at or ctx.now()
    end_all(ctx, person_id)
    _end_invitations(ctx, person_id)
    ctx.get(AuditLog).append(ctx, "account.suspended", entity="person", entity_id=person_id)
    return person


def _by_email(ctx: Context, address: str) -> Person | None:
    digest = ctx.get(Vault).digest("accounts", "email", address)
    return ctx.session.scalars(select(Person).where(Person.email_digest == digest)).one_or_none()


def _new_person(ctx: Context, address: str, name: str, language: str, organisation_roles: list[str]) -> Person:
    vault, identifier = ctx.get(Vault), new_id()
    person = Person(
        id=identifier,
        email_digest=vault.digest("accounts", "email", address),
        email_sealed=vault.seal_text("accounts", address, field="people.email", row=identifier),
        name_sealed=vault.seal_text("accounts", name, field="people.name", row=identifier),
        language=language,
        organisation_roles=sorted(set(organisation_roles)),
    )
    ctx.session.add(person)
    ctx.session.flush()
    return person


def _rename(ctx: Context, person: Person, name: str, language: str) -> None:
    person.name_sealed = ctx.get(Vault).seal_text("accounts", name, field="people.name", row=person.id)
    person.language = language


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


def _may_invite_again(ctx: Context, person: Person, organisation_roles: list[str]) -> None:
    """Until the first login proves the second factor, a lost link or secret is mended by a new invitation.

    Whoever invites learns link and code, so nobody is invited again by someone who could not have given their roles.
    """
    if queries.has_logged_in(ctx, person.id) or person.suspended_at is not None:
        raise ConflictError("this person has an account; give them a role instead", person_id=str(person.id))
    wanted = sorted(set(organisation_roles))
    if ctx.actor.is_system or "platform_admin" in ctx.actor.roles:
        person.organisation_roles = wanted or person.organisation_roles
    elif person.organisation_roles:
        raise ForbiddenError("an administrator invited this person and invites them again", roles=["platform_admin"])


def _end_invitations(ctx: Context, person_id: uuid.UUID) -> None:
    query = select(Invitation).where(Invitation.person_id == person_id, Invitation.used_at.is_(None))
    for row in ctx.session.scalars(query):
        row.used_at = ctx.now()


def _new_invitation(ctx: Context, person: Person) -> Invited:
    _end_invitations(ctx, person.id)
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

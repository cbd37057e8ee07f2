"""Reads of accounts."""

import datetime as dt
import uuid
from collections.abc import Iterable
from itertools import islice

import msgspec
from sqlalchemy import select

from handover.accounts.emails import normal_email
from handover.accounts.models import LoginSession, Person
from handover.context import Context
from handover.errors import ForbiddenError, InvalidInputError, NotFoundError
from handover.vault import Vault

#: As many names are opened for a search: they are sealed one by one, and more would make a page slow.
MAX_SEARCHED = 200


class PersonView(msgspec.Struct, frozen=True, kw_only=True):
    """A person as others see them: no address, no credentials."""

    id: str
    name: str
    language: str
    roles: frozenset[str]
    enrolled: bool
    suspended: bool


def require_person(ctx: Context, person_id: uuid.UUID) -> PersonView:
    """A person who exists and is not suspended.

    Raises:
        NotFoundError: nobody, or suspended.
    """
    row = ctx.session.get(Person, person_id)
    if row is None or row.suspended_at is not None:
        raise NotFoundError("there is no such person")
    return person_view(ctx, row)


def person_name(ctx: Context, person_id: uuid.UUID) -> str:
    """The person's name; their id where there is no such person."""
    row = ctx.session.get(Person, person_id)
    if row is None:
        return str(person_id)
    return ctx.get(Vault).open_text("accounts", row.name_sealed, field="people.name", row=row.id)


def person_names(ctx: Context, ids: Iterable[str]) -> dict[str, str]:
    """Names by id, for pages that tell who did what."""
    return {identifier: person_name(ctx, uuid.UUID(identifier)) for identifier in set(ids)}


def people(ctx: Context, after: uuid.UUID | None, limit: int) -> list[Person]:
    query = select(Person).order_by(Person.id).limit(limit)
    return list(ctx.session.scalars(query if after is None else query.where(Person.id > after)))


def person_view(ctx: Context, row: Person) -> PersonView:
    return PersonView(
        id=str(row.id),
        name=person_name(ctx, row.id),
        language=row.language,
        roles=frozenset(row.organisation_roles),
        enrolled=row.password_hash is not None,
        suspended=row.suspended_at is not None,
    )


class PersonRow(msgspec.Struct, frozen=True, kw_only=True):
    """A person as administrators see them in the list: with address and standing, without credentials."""

    id: str
    name: str
    email: str
    roles: list[str]
    #: invited, enrolled or suspended
    state: str
    second_factor: str | None
    language: str
    created_at: dt.datetime


def person_row(ctx: Context, row: Person) -> PersonRow:
    enrolled = "enrolled" if row.password_hash is not None else "invited"
    return PersonRow(
        id=str(row.id),
        name=person_name(ctx, row.id),
        email=email_of(ctx, row),
        roles=list(row.organisation_roles),
        state="suspended" if row.suspended_at is not None else enrolled,
        second_factor=row.second_factor if row.password_hash is not None else None,
        language=row.language,
        created_at=row.created_at,
    )


def sought(ctx: Context, text: str, limit: int) -> list[Person]:
    """Whose address this is; or the newest people whose name holds `text`, of the newest `MAX_SEARCHED`."""
    if "@" in text:
        return _with_address(ctx, text)
    wanted = text.strip().casefold()
    rows = ctx.session.scalars(select(Person).order_by(Person.id.desc()).limit(MAX_SEARCHED))
    found = (row for row in rows if wanted in person_name(ctx, row.id).casefold())
    return list(islice(found, limit))


def _with_address(ctx: Context, text: str) -> list[Person]:
    try:
        digest = ctx.get(Vault).digest("accounts", "email", normal_email(text))
    except InvalidInputError:
        return []
    return list(ctx.session.scalars(select(Person).where(Person.email_digest == digest)))


def me(ctx: Context) -> PersonView:
    """The acting person, for the frame of their pages."""
    return person_view(ctx, ctx.session.get_one(Person, ctx.person()))


def require_role(ctx: Context, *roles: str) -> None:
    """One of these roles in the installation.

    Raises:
        ForbiddenError: none of them.
    """
    if not ctx.actor.roles & set(roles):
        raise ForbiddenError(f"this takes one of the roles: {', '.join(roles)}", roles=list(roles))


def require_staff(ctx: Context) -> None:
    """Administrators and consultants may look people up.

    Raises:
        ForbiddenError: anybody else.
    """
    if not ctx.actor.roles & {"platform_admin", "consultant"}:
        raise ForbiddenError("administrators and consultants see the list of people", roles=["consultant"])


def anybody_enrolled(ctx: Context) -> bool:
    """Whether this installation has begun: until then it waits for its first administrator."""
    return ctx.session.scalars(select(Person.id).where(Person.password_hash.is_not(None)).limit(1)).first() is not None


def has_logged_in(ctx: Context, person_id: uuid.UUID) -> bool:
    """Whether this person ever proved a second factor."""
    return (
        ctx.session.scalars(select(LoginSession.id).where(LoginSession.person_id == person_id).limit(1)).first()
        is not None
    )


def own_email(ctx: Context) -> str:
    """The acting person's address, by which they log in."""
    return email_of(ctx, ctx.session.get_one(Person, ctx.person()))


def email_of(ctx: Context, row: Person) -> str:
    """A person's address, for themselves and for administrators."""
    return ctx.get(Vault).open_text("accounts", row.email_sealed, field="people.email", row=row.id)

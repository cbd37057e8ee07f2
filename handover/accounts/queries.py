"""Reads of accounts."""

import uuid

import msgspec
from sqlalchemy import select

from handover.accounts.models import LoginSession, Person
from handover.context import Context
from handover.errors import ForbiddenError, NotFoundError
from handover.vault import Vault


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


def me(ctx: Context) -> PersonView:
    """The acting person, for the frame of their pages."""
    return person_view(ctx, ctx.session.get_one(Person, ctx.person()))


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

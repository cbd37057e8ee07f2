"""Reads of accounts."""

import uuid
from collections.abc import Iterable

import msgspec
from sqlalchemy import select

from handover.accounts.models import Person
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

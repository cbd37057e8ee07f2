"""Inviting a person: alone, or straight into a case; account and place are made in one transaction or not at all.

Whether an address belongs to an account is learned only by those who may invite it; nobody gets a link to an account
that is in use.
"""

import datetime as dt
import uuid

import msgspec

from handover.accounts import people
from handover.cases.members import add_member, require_may_add
from handover.cases.queries import MemberView, member_roles, member_view, visible_case
from handover.context import Context


class Invitation(msgspec.Struct, frozen=True, kw_only=True):
    """What an invitation led to. Link and code are shown this once, to be sent over two channels.

    `had_account` says that the person was known already: they have their place in the case now, and no link was made.
    """

    id: str | None
    person_id: str
    link: str | None
    code: str | None
    expires_at: dt.datetime | None
    had_account: bool
    #: The place in the case; null without a case, and when an invitation is repeated for a place given before.
    member: MemberView | None


def invite(ctx: Context, *, email: str, name: str, language: str, organisation_roles: list[str]) -> Invitation:
    """Invites a person to the installation; see `accounts.people.invite`."""
    made = people.invite(ctx, email=email, name=name, language=language, organisation_roles=organisation_roles)
    return _view(uuid.UUID(made.person_id), made, None)


def invite_to_case(
    ctx: Context, case_id: uuid.UUID, *, email: str, name: str, language: str, role: str, party_id: uuid.UUID | None
) -> Invitation:
    """Gives the person with this address a role in the case, and a link when they have no account yet.

    Raises:
        ForbiddenError: the actor may not give this role. It is judged before the address is looked up.
        ConflictError: the role clashes with one that the person holds, or they have it and an account already.
    """
    visible_case(ctx, case_id)
    require_may_add(ctx, case_id, role, party_id)
    person_id, invited = people.bring_in(ctx, email=email, name=name, language=language)
    held = member_roles(ctx, case_id, person_id)
    if invited is not None and any((r.role, r.party_id) == (role, party_id) for r in held):
        return _view(person_id, invited, None)
    row = add_member(ctx, case_id, person_id=person_id, role=role, party_id=party_id)
    return _view(person_id, invited, member_view(row))


def _view(person_id: uuid.UUID, invited: people.Invited | None, member: MemberView | None) -> Invitation:
    return Invitation(
        id=invited.id if invited else None,
        person_id=str(person_id),
        link=invited.link if invited else None,
        code=invited.code if invited else None,
        expires_at=invited.expires_at if invited else None,
        had_account=invited is None,
        member=member,
    )

"""Who takes part in a case, in which role: adding people and ending their roles, under the separation of duties."""

import datetime as dt
import uuid
from collections.abc import Sequence

from handover.accounts.queries import require_person
from handover.audit import AuditLog
from handover.cases.models import Member
from handover.cases.queries import bidder_party, member_roles, members_of, parties, party, require_role, visible_case
from handover.cases.separation import BUYER_ROLES, ROLES, check_clash, sides_of
from handover.context import Context
from handover.errors import ConflictError, InvalidInputError
from handover.settings import Settings
from handover.workflow import RoleInCase


def add_member(
    ctx: Context, case_id: uuid.UUID, *, person_id: uuid.UUID, role: str, party_id: uuid.UUID | None
) -> Member:
    """Gives a person a role in the case; approvals in it count after the policy's waiting time.

    Raises:
        ConflictError: the role clashes with one that the person holds, or serves two bidders.
        InvalidInputError: an unknown role, or a role of a party without its party.
    """
    visible_case(ctx, case_id)
    require_may_add(ctx, case_id, role, party_id)
    person = require_person(ctx, person_id)
    if role not in ROLES:
        raise InvalidInputError(f"the role is one of: {', '.join(sorted(ROLES))}", field="role")
    sides = sides_of(role)
    if sides and (party_id is None or party(ctx, case_id, party_id).side not in sides):
        raise InvalidInputError(
            f"{role} is held for a party on the side of {', '.join(sorted(sides))}", field="party_id"
        )
    held = member_roles(ctx, case_id, person_id)
    if any(r.role == role and r.party_id == party_id for r in held):
        raise ConflictError("the person has this role already")
    _check_fits(ctx, case_id, role, party_id, held, person.roles)
    hours = ctx.get(Settings).policy.approver_cooling_hours
    row = Member(
        case_id=case_id,
        person_id=person_id,
        role=role,
        party_id=party_id,
        granted_by=ctx.person(),
        effective_at=ctx.now() + dt.timedelta(hours=hours),
    )
    ctx.session.add(row)
    ctx.session.flush()
    _log(ctx, "member.added", row)
    return row


def end_member(ctx: Context, case_id: uuid.UUID, member_id: uuid.UUID) -> None:
    """Ends a role at once."""
    require_role(ctx, case_id, "lead_consultant", "security_officer")
    row = ctx.session.get(Member, member_id)
    if row is None or row.case_id != case_id or row.ended_at is not None:
        raise InvalidInputError("there is no such role in this case", field="member_id")
    leads = [m for m in members_of(ctx, case_id) if m.role == "lead_consultant"]
    if row.role == "lead_consultant" and len(leads) == 1:
        raise ConflictError("name another lead consultant first")
    row.ended_at = ctx.now()
    ctx.session.flush()
    _log(ctx, "member.ended", row)


def require_may_add(ctx: Context, case_id: uuid.UUID, role: str, party_id: uuid.UUID | None) -> None:
    """The agency adds anybody; a bidder's administrator adds people of their own party.

    Raises:
        ForbiddenError: the actor may not give this role.
    """
    own = {r.party_id for r in member_roles(ctx, case_id, ctx.person()) if r.role == "buyer_admin"}
    if role in BUYER_ROLES | {"recipient"} and party_id in own:
        return
    require_role(ctx, case_id, "lead_consultant", "consultant")


def _check_fits(
    ctx: Context,
    case_id: uuid.UUID,
    role: str,
    party_id: uuid.UUID | None,
    held: Sequence[RoleInCase],
    organisation: frozenset[str],
) -> None:
    """A bidder's administrator is not told what stands against it: they could learn who else takes part, and for whom."""
    with ctx.as_system():
        bidders = {p.id for p in parties(ctx, case_id) if p.side == "buyer"}
    try:
        check_clash([*(r.role for r in held), role], organisation)
        if len(bidders & {party_id, *(r.party_id for r in held)}) > 1:
            raise ConflictError("one person cannot serve two competing bidders")
    except ConflictError as error:
        if bidder_party(ctx, case_id) is None:
            raise
        raise ConflictError("this person cannot have this role here; ask the consultant who leads the case") from error


def _log(ctx: Context, event: str, row: Member) -> None:
    details = {"role": row.role, "person": str(row.person_id)}
    ctx.get(AuditLog).append(ctx, event, entity="member", entity_id=row.id, case_id=row.case_id, details=details)

"""Who is meant by a role: the people of cases by role and side, by name, read once for a whole page."""

import uuid
from collections.abc import Iterable, Sequence

import msgspec
from sqlalchemy import select

from handover.accounts.queries import person_name
from handover.cases.frame import PARTY_ROLES
from handover.cases.models import Member, Party
from handover.cases.queries import BUYER_ROLES
from handover.context import Context

#: Standings of bidders who are no longer in it.
OUT = ("lost", "withdrawn")


class Named(msgspec.Struct, frozen=True, order=True):
    """One person who takes part in a case."""

    name: str
    id: uuid.UUID
    #: Takes part as seller, buyer or recipient: their pages are below `/my`.
    party: bool


class People:
    """The members of the cases of one page."""

    def __init__(self, ctx: Context, case_ids: Sequence[uuid.UUID]) -> None:
        self._ctx = ctx
        self._names: dict[uuid.UUID, str] = {}
        self._members: dict[uuid.UUID, list[Member]] = {case_id: [] for case_id in case_ids}
        query = select(Member).where(Member.case_id.in_(case_ids), Member.ended_at.is_(None)).order_by(Member.id)
        for member in ctx.session.scalars(query):
            self._members[member.case_id].append(member)
        out = select(Party.id).where(Party.case_id.in_(case_ids), Party.standing.in_(OUT))
        self._out = frozenset(ctx.session.scalars(out))

    def name(self, person_id: uuid.UUID) -> str:
        if person_id not in self._names:
            self._names[person_id] = person_name(self._ctx, person_id)
        return self._names[person_id]

    def holding(self, case_id: uuid.UUID, roles: Iterable[str], party_id: uuid.UUID | None = None) -> list[Named]:
        """Who holds one of the roles; of bidders only those of the party, where one is named."""
        wanted = frozenset(roles)
        if "consultant" in wanted and not any(m.role == "consultant" for m in self._members[case_id]):
            wanted |= {"lead_consultant"}  # in a small agency the lead does what consultants do
        found = {
            m.person_id
            for m in self._members[case_id]
            if m.role in wanted and (m.role not in BUYER_ROLES or self._meant(m, party_id))
        }
        return sorted(self.named(case_id, person) for person in found)

    def _meant(self, member: Member, party_id: uuid.UUID | None) -> bool:
        """Of a bidder that is out nothing more is expected but what is asked of that party itself."""
        return member.party_id == party_id if party_id is not None else member.party_id not in self._out

    def named(self, case_id: uuid.UUID, person_id: uuid.UUID) -> Named:
        held = {m.role for m in self._members[case_id] if m.person_id == person_id}
        return Named(self.name(person_id), person_id, party=bool(held) and held <= PARTY_ROLES)

    def roles_of(self, case_id: uuid.UUID, person_id: uuid.UUID) -> frozenset[str]:
        return frozenset(m.role for m in self._members[case_id] if m.person_id == person_id)

    def everybody(self, case_id: uuid.UUID) -> list[Named]:
        return sorted({self.named(case_id, m.person_id) for m in self._members[case_id]})

    def leads(self, case_id: uuid.UUID) -> list[Named]:
        return self.holding(case_id, ("lead_consultant",))

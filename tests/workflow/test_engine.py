"""Firing a transition, on both databases: roles, approvals, gates, and the entry that goes with every change."""

import threading
import uuid

import pytest
from sqlalchemy import func, select

from handover.accounts import people
from handover.audit.models import AuditEntry
from handover.cases import members, overrides, service
from handover.cases.models import Case, LegalHold
from handover.context import SYSTEM, Actor, Context, Installation
from handover.errors import ConflictError, ForbiddenError, InvalidInputError
from handover.workflow import BlockedError, TransitionError, Workflow
from handover.workflow.approvals import ApprovalError
from tests.actors import Clock
from tests.conftest import any_database


class World:
    """A draft case with a lead consultant, legal, a DPO and a security officer."""

    def __init__(self, installation: Installation, clock: Clock) -> None:
        self.installation, self.clock = installation, clock
        self.ids: dict[str, uuid.UUID] = {}
        for who in ("lead", "legal", "dpo"):
            with installation.unit_of_work(SYSTEM) as ctx:
                made = people.invite(
                    ctx, email=f"{who}@x.example", name=who, language="en", organisation_roles=["consultant"]
                )
            self.ids[who] = uuid.UUID(made.person_id)
        with installation.unit_of_work(self.actor("lead")) as ctx:
            row = service.create(ctx, title="t", structure="asset_transfer", key_policy="classic", jurisdictions=["CN"])
            self.case_id = row.id
            for who, role in (("legal", "legal"), ("dpo", "security_officer")):
                members.add_member(ctx, row.id, person_id=self.ids[who], role=role, party_id=None)
        clock.advance(hours=25)  # approvers wait for a day before their approval counts

    def actor(self, who: str) -> Actor:
        roles = frozenset({"consultant"})
        return Actor(kind="person", person_id=self.ids[who], roles=roles, second_factor_at=self.clock())

    def case(self, ctx: Context) -> Case:
        return ctx.session.get_one(Case, self.case_id)

    def fire(self, who: str, trigger: str, reason: str | None = None) -> object:
        with self.installation.unit_of_work(self.actor(who)) as ctx:
            return ctx.get(Workflow).fire(ctx, self.case(ctx), trigger, reason=reason)

    def state(self) -> tuple[str, int]:
        with self.installation.unit_of_work(SYSTEM, write=False) as ctx:
            return self.case(ctx).state, ctx.session.scalar(select(func.count()).select_from(AuditEntry)) or 0


@pytest.fixture
def world(installation: Installation, clock: Clock) -> World:
    return World(installation, clock)


@any_database
def test_what_is_refused_changes_nothing(world: World) -> None:
    before = world.state()
    with pytest.raises(BlockedError) as caught:
        world.fire("lead", "open")
    assert {gate["code"] for gate in caught.value.details["gates"]} == {"CASE-01", "CASE-02"}
    with pytest.raises(TransitionError, match="not possible"):
        world.fire("lead", "close")
    with pytest.raises(TransitionError):
        world.fire("lead", "no_such_trigger")
    with pytest.raises(ForbiddenError, match="lead_consultant"):
        world.fire("legal", "open")
    with pytest.raises(ForbiddenError, match="needs a person"), world.installation.unit_of_work(SYSTEM) as ctx:
        ctx.get(Workflow).fire(ctx, world.case(ctx), "open")
    assert world.state() == before


def _running(world: World) -> None:
    """The case as if it were in inventory."""
    with world.installation.unit_of_work(SYSTEM) as ctx:
        world.case(ctx).state = "inventory"


@any_database
def test_a_reason_is_demanded_sealed_and_only_its_digest_logged(world: World) -> None:
    _running(world)
    with pytest.raises(InvalidInputError, match="needs a reason"):
        world.fire("legal", "hold")
    world.fire("legal", "hold", reason="法院来函 A-17")
    with world.installation.unit_of_work(SYSTEM, write=False) as ctx:
        last = ctx.session.scalars(select(AuditEntry).order_by(AuditEntry.index.desc())).first()
        assert last is not None
        assert '"event":"case.held"' in last.entry
        assert "A-17" not in last.entry
        assert world.case(ctx).resume_to == "inventory"
    world.fire("lead", "resume")
    assert world.state()[0] == "inventory"


@any_database
def test_two_approvals_come_from_two_people(world: World) -> None:
    _running(world)
    world.fire("legal", "freeze", reason="court order")
    first = world.fire("legal", "unfreeze", reason="settled")
    assert first.pending  # type: ignore[attr-defined]
    assert world.state()[0] == "frozen"
    with pytest.raises(ApprovalError, match="another person"):
        world.fire("legal", "unfreeze", reason="settled")
    world.fire("dpo", "unfreeze", reason="settled")
    assert world.state()[0] == "inventory"


@any_database
def test_an_approval_is_void_when_what_was_approved_changes(world: World) -> None:
    _running(world)
    world.fire("legal", "freeze", reason="court order")
    world.fire("legal", "unfreeze", reason="settled")
    with world.installation.unit_of_work(SYSTEM) as ctx:
        world.case(ctx).structure = "merger"
    assert world.fire("dpo", "unfreeze", reason="settled").pending  # type: ignore[attr-defined]
    assert world.state()[0] == "frozen"


def test_a_role_that_was_given_just_now_approves_nothing_yet(installation: Installation, clock: Clock) -> None:
    world = World(installation, clock)
    clock.advance(hours=-25)
    _running(world)
    world.fire("legal", "freeze", reason="court order")
    with pytest.raises(ForbiddenError, match="too recently"):
        world.fire("legal", "unfreeze", reason="settled")


@any_database
def test_of_racing_clicks_exactly_one_wins(world: World) -> None:
    _running(world)
    barrier, outcomes = threading.Barrier(6), list[str]()

    def click() -> None:
        barrier.wait()
        try:
            world.fire("legal", "hold", reason="x")
            outcomes.append("won")
        except ConflictError:
            outcomes.append("lost")

    threads = [threading.Thread(target=click) for _ in range(6)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert sorted(outcomes) == ["lost"] * 5 + ["won"]


@any_database
def test_only_named_gates_can_be_overridden_and_by_two_people(world: World) -> None:
    with world.installation.unit_of_work(world.actor("legal")) as ctx:
        with pytest.raises(ForbiddenError, match="cannot be overridden"):
            overrides.request_override(
                ctx, world.case_id, machine="case", entity_id=world.case_id, gate="G09", reason="x"
            )
        made = overrides.request_override(
            ctx, world.case_id, machine="case", entity_id=world.case_id, gate="G07", reason="public notice"
        )
    with world.installation.unit_of_work(world.actor("legal")) as ctx, pytest.raises(ForbiddenError):
        overrides.confirm_override(ctx, made.id)
    with world.installation.unit_of_work(world.actor("lead")) as ctx:
        assert overrides.confirm_override(ctx, made.id).confirmed_by == world.ids["lead"]


@any_database
def test_a_hold_is_released_by_two_people(world: World) -> None:
    with world.installation.unit_of_work(world.actor("legal")) as ctx:
        hold = overrides.propose_hold(
            ctx, world.case_id, scope="case", scope_id=None, reason="suit", review_on=world.clock().date()
        )
        ctx.get(Workflow).fire(ctx, hold, "activate")
        assert ctx.get(Workflow).fire(ctx, hold, "release", reason="over").pending
    with world.installation.unit_of_work(world.actor("lead")) as ctx:
        row = ctx.session.get_one(LegalHold, hold.id)
        assert ctx.get(Workflow).fire(ctx, row, "release", reason="over").state == "released"

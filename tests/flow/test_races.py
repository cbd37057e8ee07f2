"""Of eight identical transitions at once, from two processes, exactly one wins: one state, one audit entry."""

import multiprocessing
import os
import shutil
import threading
import uuid
from pathlib import Path
from typing import Any

import pytest
import sqlalchemy as sa

from handover import rooms
from handover.app import open_installation
from handover.audit.models import AuditEntry
from handover.cases.models import Case
from handover.context import SYSTEM, Actor, Context, Installation
from handover.db import new_id
from handover.errors import ConflictError, ForbiddenError
from handover.resources import data_folder
from handover.settings import load
from handover.vault import Vault
from handover.workflow import Gate, MachineBinding, Registry, RoleInCase, Workflow
from handover.workflow.approvals import subject_digest
from handover.workflow.definition import Transition, read
from handover.workflow.loader import Machines
from handover.workflow.models import Approval
from handover.workflow.roles import ROLES

ROUNDS = int(os.environ.get("HANDOVER_RACE_ROUNDS", "2"))
PROCESSES, THREADS = 2, 4
_CASE = read(data_folder("workflows") / "case.v1.toml").definition


def _everybody(ctx: Context, _case_id: uuid.UUID) -> list[RoleInCase]:
    return [RoleInCase(role, None, ctx.now()) for role in ROLES if role != "system"]


def _open(environment: dict[str, str]) -> Installation:
    """The installation with gates that always pass: what is tried is the race alone."""
    installation = open_installation(load(environment))
    registry = Registry(
        machines={
            name: MachineBinding(name, binding.model, binding.collection, binding.load)
            for name, binding in rooms.machines().items()
        },
        gates={name: Gate(gate.code, lambda _ctx, _row: []) for name, gate in rooms.gates().items()},
        jobs=frozenset(rooms.jobs()),
        documents=rooms.documents(),
        roles=_everybody,
        overridden=lambda _ctx, _row, _gate: False,
        require_second_factor=lambda _ctx: None,
    )
    installation.services[Workflow] = Workflow(Machines(data_folder("workflows"), registry), registry)
    return installation


def _race(environment: dict[str, str], plan: list[Any], barrier: Any, results: Any) -> None:
    """One process: its threads fire each planned transition at the same moment as the other process's."""
    installation = _open(environment)
    people = [uuid.uuid4() for _ in range(THREADS)]

    def run(person: uuid.UUID) -> None:
        for case_id, trigger, system in plan:
            actor = SYSTEM if system else Actor(kind="person", person_id=person)
            barrier.wait(timeout=60)
            try:
                with installation.unit_of_work(actor) as ctx:
                    row = ctx.session.get_one(Case, case_id)
                    ctx.get(Workflow).fire(ctx, row, trigger, reason="race")
                results.put((str(case_id), "won"))
            except (ConflictError, ForbiddenError) as error:
                results.put((str(case_id), error.code))

    threads = [threading.Thread(target=run, args=(person,)) for person in people]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    installation.database.close()


def _prepare(installation: Installation, transition: Transition) -> uuid.UUID:
    """A case in the transition's first source state, with the first of two approvals given."""
    with installation.unit_of_work(SYSTEM) as ctx:
        identifier = new_id()
        ctx.get(Vault).create_secret(f"case:{identifier}:metadata")
        row = Case(
            id=identifier,
            reference=identifier.hex[-12:],
            structure="asset_transfer",
            title_sealed=b"",
            state=transition.source[0],
            resume_to="inventory",
            key_policy="classic",
            jurisdictions=["CN"],
            created_by=uuid.uuid4(),
        )
        ctx.session.add(row)
        ctx.session.flush()
        ctx.get(Workflow).pin(ctx, identifier)
        if transition.approvals:
            ctx.session.add(
                Approval(
                    case_id=identifier,
                    machine="case",
                    entity_id=identifier,
                    trigger=transition.trigger,
                    subject_sha256=subject_digest(""),
                    person_id=uuid.uuid4(),
                    roles=transition.approvals[0],
                )
            )
    return identifier


@pytest.mark.timeout(7200)
def test_of_eight_identical_transitions_exactly_one_wins(pristine: Path, tmp_path: Path) -> None:
    site = Path(shutil.copytree(pristine, tmp_path / "site"))
    environment = {"HANDOVER_DATA_DIR": str(site / "data")}
    installation = _open(environment)
    plan, events = [], {}
    for _ in range(ROUNDS):
        for transition in _CASE.transitions:
            case_id = _prepare(installation, transition)
            plan.append((case_id, transition.trigger, transition.who == ["system"]))
            events[str(case_id)] = transition.audit
    context = multiprocessing.get_context("spawn")
    barrier, results = context.Barrier(PROCESSES * THREADS), context.Queue()
    racers = [context.Process(target=_race, args=(environment, plan, barrier, results)) for _ in range(PROCESSES)]
    for racer in racers:
        racer.start()
    outcomes = [results.get(timeout=120) for _ in range(len(plan) * PROCESSES * THREADS)]
    for racer in racers:
        racer.join()
    winners = dict.fromkeys(events, 0)
    for case_id, outcome in outcomes:
        winners[case_id] += outcome == "won"
    assert set(winners.values()) == {1}
    with installation.unit_of_work(SYSTEM, write=False) as ctx:
        for case_id, event in events.items():
            query = sa.select(AuditEntry.entry).where(AuditEntry.case_id == uuid.UUID(case_id))
            fired = [entry for entry in ctx.session.scalars(query) if f'"event":"{event}"' in entry]
            assert len(fired) == 1
    installation.database.close()

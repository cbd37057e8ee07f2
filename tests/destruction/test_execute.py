"""An execution that is killed half-way is told by the next run as if it had been one."""

import uuid

import pytest

from handover import jobs
from handover.cases.models import Case
from handover.context import SYSTEM, Installation
from handover.db import new_id
from handover.destruction import execute
from handover.destruction.models import DestructionItem, DestructionOrder
from handover.inventory.models import Copy
from handover.jobs import Job, JobRun, leases
from handover.vault import CopyBinding, Vault
from handover.workflow import Workflow


class Killed(BaseException):
    """Stands for the process being gone."""


def executing(installation: Installation) -> tuple[uuid.UUID, uuid.UUID]:
    """An order in execution with one sealed copy, and a key of the case that no row names; ids of case and order."""
    case_id, order_id, copy_id = new_id(), new_id(), new_id()
    vault = installation.get(Vault)
    vault.create_secret(f"case:{case_id}:metadata")
    for identifier in (copy_id, lost := new_id()):
        vault.create_copy(f"copy:{identifier}", CopyBinding(case=case_id, copy=identifier, role="upload", level="L4"))
    key = f"copy:{copy_id}"
    assert vault.has(f"copy:{lost}")
    with installation.unit_of_work(SYSTEM) as ctx:
        ctx.session.add(
            Case(
                id=case_id,
                reference=case_id.hex[-12:],
                structure="asset_transfer",
                title_sealed=b"",
                state="destruction",
                key_policy="classic",
                jurisdictions=["CN"],
                created_by=uuid.uuid4(),
            )
        )
        ctx.session.add(Copy(id=copy_id, case_id=case_id, kind="upload", level="L4", key_id=key))
        ctx.session.add(DestructionOrder(id=order_id, case_id=case_id, state="executing"))
        ctx.session.flush()
        ctx.session.add(
            DestructionItem(
                case_id=case_id,
                order_id=order_id,
                copy_id=copy_id,
                copy_kind="upload",
                method="key_destruction",
                level="L4",
                place="CN",
                key_id=key,
            )
        )
        ctx.get(Workflow).pin(ctx, case_id)
        jobs.put(ctx, "destruction.execute", case_id=case_id, entity_id=order_id)
    return case_id, order_id


def run(installation: Installation) -> None:
    ((job_id, lease),) = leases.claim(installation, lease_seconds=0, limit=1)
    with installation.unit_of_work(SYSTEM, write=False) as ctx:
        job = ctx.session.get_one(Job, job_id)
    execute.execute(JobRun(installation, job, lease))


def test_what_a_killed_run_destroyed_is_on_the_order_and_no_key_of_the_records_is_left(
    installation: Installation, monkeypatch: pytest.MonkeyPatch
) -> None:
    case_id, order_id = executing(installation)

    def die(*_: object) -> None:
        raise Killed

    with monkeypatch.context() as killed:
        killed.setattr(execute, "try_to_read", die)
        with pytest.raises(Killed):
            run(installation)
    vault = installation.get(Vault)
    assert vault.keys_of_case(case_id) == {f"case:{case_id}:metadata"}
    run(installation)
    with installation.unit_of_work(SYSTEM, write=False) as ctx:
        order = ctx.session.get_one(DestructionOrder, order_id)
        assert order.state == "executed"
        assert order.key_destruction is not None
        assert order.key_destruction["generation_after"] == vault.keyring.generation

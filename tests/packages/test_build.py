"""What a build leaves when it is killed or gives up: the last step, or nothing."""

import uuid

import pytest

from handover import rooms
from handover.context import SYSTEM, Installation
from handover.db import new_id
from handover.inventory.models import Copy
from handover.jobs import Job, leases, put
from handover.jobs.execute import Executor
from handover.packages.models import Package
from handover.recipients.models import Recipient
from handover.storage import Storage, new_blob_key
from tests.actors import Actors
from tests.forms import Staged

CIPHERTEXT = b"whole, and its key is gone"


@pytest.fixture
def staged(actors: Actors) -> Staged:
    return Staged(actors)


def described(staged: Staged) -> tuple[Package, uuid.UUID]:
    """A package whose worker was killed after its ciphertext was whole, and the job."""
    person, party = uuid.UUID(staged.actors("recipient").id), uuid.UUID(staged.parties["seller"])
    made = {"id": new_id(), "case_id": staged.id, "party_id": party, "created_by": uuid.UUID(staged.lead.id)}
    recipient = Recipient(**made, person_id=person, state="active", place="CN-31")
    staged.put(recipient)
    facts = {"manifest_sha256": "ab" * 32, "header_sha256": "cd" * 32, "ciphertext_sha256": "ef" * 32}
    row = Package(
        **{**made, "id": new_id()},
        **facts,
        number=f"{staged.reference}-P01",
        purpose="return",
        state="building",
        recipient_id=recipient.id,
        storage_key=new_blob_key(),
        size=len(CIPHERTEXT),
        exclusions={},
        record_set_ids=[],
    )
    staged.put(row)
    installation = staged.actors.installation
    with installation.get(Storage).stage(str(row.storage_key)) as target:  # type: ignore[type-abstract]
        target.write(CIPHERTEXT)
    with installation.unit_of_work(SYSTEM) as ctx:
        job = put(ctx, "packages.build", case_id=staged.id, entity_id=row.id)
        ctx.session.get_one(Job, job).temporary = row.storage_key
    return row, job


def run(installation: Installation, job: uuid.UUID) -> None:
    claimed = dict(leases.claim(installation, lease_seconds=60, limit=100))
    Executor(installation, rooms.jobs()).execute(job, claimed[job])


def test_a_build_whose_ciphertext_is_whole_is_finished_without_building_again(
    staged: Staged, installation: Installation, gates_pass: None
) -> None:
    row, job = described(staged)
    run(installation, job)
    with installation.unit_of_work(SYSTEM, write=False) as ctx:
        built = ctx.session.get_one(Package, row.id)
        assert (built.state, built.storage_key, built.manifest_sha256) == ("built", row.storage_key, "ab" * 32)
        (copy,) = [copy for copy in ctx.session.query(Copy) if copy.package_id == row.id]
        assert copy.blob is not None
        assert copy.blob["key"] == row.storage_key
    with installation.get(Storage).open(str(row.storage_key)) as stored:  # type: ignore[type-abstract]
        assert stored.read() == CIPHERTEXT
    assert staged.logged("package.sealed") == 1


def test_a_build_that_is_cancelled_leaves_no_file(staged: Staged, installation: Installation, gates_pass: None) -> None:
    row, job = described(staged)
    with installation.unit_of_work(SYSTEM) as ctx:
        ctx.session.get_one(Job, job).cancel_requested = True
    run(installation, job)
    with installation.unit_of_work(SYSTEM, write=False) as ctx:
        failed = ctx.session.get_one(Package, row.id)
        assert (failed.state, failed.storage_key) == ("failed", None)
    assert not installation.get(Storage).exists(str(row.storage_key))  # type: ignore[type-abstract]

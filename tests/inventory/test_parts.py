"""A large record set is inspected in parts by several workers, and its inventory is the same as in one piece."""

import uuid
from typing import Any

import pytest
from sqlalchemy import select

from handover.context import SYSTEM
from handover.inventory import ingest
from handover.inventory.models import Copy, InspectionPart
from handover.jobs import Job
from tests.actors import Actors
from tests.casework import Scene, in_inventory, record_set, scene, work

TABLE = "客户编号,姓名,手机,备注\n" + "".join(
    f"C{n % 4000:05},张三丰,1381234{n % 9000:04},{'张三丰来电' if n % 3 else '好'}\n" for n in range(9000)
)


@pytest.fixture
def made(actors: Actors) -> Scene:
    found = scene(actors)
    in_inventory(found)
    return found


def inventory(made: Scene, row: str) -> dict[str, Any]:
    found = made.lead.get(f"record-sets/{row}").json()
    fields = [{k: f[k] for k in ("name", "kinds", "proposed_level")} for f in found["fields"]]
    return {k: found[k] for k in ("state", "records", "persons", "persons_method", "level")} | {"fields": fields}


def in_parts(monkeypatch: pytest.MonkeyPatch, parts: int) -> None:
    monkeypatch.setattr(ingest, "parts_for", lambda *_: parts)


def test_the_inventory_in_parts_is_that_of_the_whole(made: Scene, monkeypatch: pytest.MonkeyPatch) -> None:
    whole = inventory(made, record_set(made, data=TABLE))
    in_parts(monkeypatch, 2)
    row = record_set(made, name="again.csv", data=TABLE)
    for kind in ("inventory.inspect", "inventory.conclude"):
        assert inventory(made, row)["state"] == "scanning"
        work(made, kind)
    assert inventory(made, row) == whole
    assert (whole["state"], whole["persons"]) == ("classified", 4000)


def test_what_parts_handed_on_ends_with_the_inspection(made: Scene, monkeypatch: pytest.MonkeyPatch) -> None:
    in_parts(monkeypatch, 3)
    row = record_set(made, data=TABLE)
    work(made, "inventory.inspect")
    work(made, "inventory.conclude")
    with made.actors.installation.unit_of_work(SYSTEM) as ctx:
        parts = ctx.session.scalars(select(InspectionPart).where(InspectionPart.record_set_id == uuid.UUID(row))).all()
        copies = [ctx.session.get_one(Copy, part.result_copy_id) for part in parts]
    assert sorted(part.number for part in parts) == [0, 1, 2]
    assert all(copy.blob is None and copy.kind == "working" and copy.key_id for copy in copies)


def test_a_part_that_cannot_be_inspected_refuses_the_set(made: Scene, monkeypatch: pytest.MonkeyPatch) -> None:
    in_parts(monkeypatch, 2)
    row = record_set(made, data='a,b\n1,"' + "x" * 10, name="broken.jsonl")
    work(made, "inventory.inspect")
    found = made.lead.get(f"record-sets/{row}").json()
    assert found["state"] == "refused"
    assert "JSONL" in found["blocked"]["en"]
    with made.actors.installation.unit_of_work(SYSTEM) as ctx:
        open_jobs = ctx.session.scalars(select(Job.kind).where(Job.kind == "inventory.conclude")).all()
    assert open_jobs == []

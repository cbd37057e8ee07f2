"""A workflow file that names something wrong stops the start, with the file and the place."""

import shutil
from pathlib import Path
from typing import Any

import pytest

from handover import rooms
from handover.accounts.service import require_recent_second_factor
from handover.cases.queries import is_overridden, roles_of
from handover.resources import data_folder
from handover.workflow import Registry, WorkflowDefinitionError
from handover.workflow.loader import Machines


@pytest.fixture
def registry() -> Registry:
    rooms.load_tables()
    return Registry(
        machines=rooms.machines(),
        gates=rooms.gates(),
        jobs=frozenset(rooms.jobs()),
        documents=rooms.documents(),
        roles=roles_of,
        overridden=is_overridden,
        require_second_factor=require_recent_second_factor,
    )


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    return Path(shutil.copytree(data_folder("workflows"), tmp_path / "workflows"))


def _change(folder: Path, file: str, old: str, new: str) -> None:
    path = folder / file
    text = path.read_text()
    assert old in text
    path.write_text(text.replace(old, new, 1))


def test_the_shipped_files_bind(folder: Path, registry: Registry) -> None:
    assert Machines(folder, registry).names() == sorted(registry.machines)


@pytest.mark.parametrize(
    ("old", "new", "complaint"),
    [
        ('gates = ["case_complete", "conflicts_clear"]', 'gates = ["case_complet"]', "unknown gate 'case_complet'"),
        ('jobs = ["packages.mark_stale"]', 'jobs = ["packages.mark"]', "unknown job 'packages.mark'"),
        ('documents = ["inventory_report"]', 'documents = ["inventry"]', "unknown document 'inventry'"),
        ('dest = "nda_pending"', 'dest = "nda"', "unknown state 'nda'"),
        ('who = ["lead_consultant"]', 'who = ["boss"]', "unknown role 'boss'"),
        ('trigger = "open"', 'trigger = "open"\ncolour = "red"', "colour"),
        ('dest = "closed"', 'dest = "destruction"', "'closed' cannot be reached"),
        ("terminal = true", "terminal = false", "has no way out"),
        ('approvals = [["legal"], ["seller_admin"]]', 'approvals = [["legal"]]', "one approval list"),
    ],
)
def test_a_wrong_name_stops_the_start(folder: Path, registry: Registry, old: str, new: str, complaint: str) -> None:
    _change(folder, "case.v1.toml", old, new)
    with pytest.raises(WorkflowDefinitionError, match=complaint) as caught:
        Machines(folder, registry)
    assert "case.v1.toml" in caught.value.message


def test_a_missing_file_and_a_foreign_machine_are_refused(folder: Path, registry: Registry) -> None:
    shutil.move(folder / "package.v1.toml", folder / "parcel.v1.toml")
    with pytest.raises(WorkflowDefinitionError, match="rename the file"):
        Machines(folder, registry)
    (folder / "parcel.v1.toml").unlink()
    with pytest.raises(WorkflowDefinitionError, match="no workflow file for: package"):
        Machines(folder, registry)


def test_a_file_edited_after_cases_were_opened_is_not_run(folder: Path, registry: Registry) -> None:
    before = Machines(folder, registry).newest("case")
    _change(folder, "case.v1.toml", "启动", "开启")
    machines: Any = Machines(folder, registry)
    with pytest.raises(WorkflowDefinitionError, match="was edited after cases were opened"):
        machines.pinned("case", 1, before.sha256)
    with pytest.raises(WorkflowDefinitionError, match="missing"):
        machines.pinned("case", 7, before.sha256)

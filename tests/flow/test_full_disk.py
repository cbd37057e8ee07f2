"""A disk that fills up: a clear refusal, nothing half there, reads go on, and all goes on once there is space."""

import base64
import os
import random
import subprocess
import sys
import time
import uuid
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import httpx
import pytest

from handover.audit import AuditLog
from handover.cases.models import Case
from handover.context import SYSTEM, Installation
from handover.settings import Settings
from handover.storage import Storage
from tests.actors import Actors, Someone

ROOT = Path(__file__).resolve().parents[2]
DISK_MIB = 24
PIECE = 2 << 20
TUS = {"Tus-Resumable": "1.0.0"}


@pytest.fixture
def tmp_path(tmp_path: Path) -> Iterator[Path]:
    """The folder of the test, on a small disk of its own."""
    mounted = ["mount", "-t", "tmpfs", "-o", f"size={DISK_MIB}m", "tmpfs", str(tmp_path)]
    if os.geteuid() != 0 or subprocess.run(mounted, check=False, capture_output=True).returncode:
        pytest.skip("a small disk of its own takes the right to mount one")
    yield tmp_path
    subprocess.run(["umount", "--lazy", str(tmp_path)], check=True)


class Disk:
    """Fills the disk with a file, and makes room again by removing it."""

    def __init__(self, folder: Path) -> None:
        self._file = folder / "ballast"
        self._folder = folder

    def leave(self, free: int) -> None:
        status = os.statvfs(self._folder)
        with self._file.open("ab") as ballast:
            ballast.write(b"\0" * max(status.f_bavail * status.f_frsize - free, 0))

    def make_room(self) -> None:
        self._file.unlink()


class Inventory:
    """A case that takes records, and its lead."""

    def __init__(self, installation: Installation, lead: Someone) -> None:
        self.lead, self.installation = lead, installation
        self.case_id = lead.post("cases", {"title": "t", "structure": "asset_transfer"}).json()["id"]
        party = {"case_id": self.case_id, "side": "seller", "name": "s", "uscc": "91310000MA1FL0001R"}
        self.seller = lead.post("parties", party).json()["id"]
        with installation.unit_of_work(SYSTEM) as ctx:
            ctx.session.get_one(Case, uuid.UUID(self.case_id)).state = "inventory"

    def party(self, number: int) -> httpx.Response:
        party = {"case_id": self.case_id, "side": "agency", "kind": "person", "name": f"{number} {'x' * 280}"}
        return self.lead.post("parties", party)

    def begin(self, size: int) -> str:
        told = {"case_id": self.case_id, "filename": "a.csv"}
        metadata = ",".join(f"{key} {base64.b64encode(value.encode()).decode()}" for key, value in told.items())
        headers = {**TUS, "Upload-Length": str(size), "Upload-Metadata": metadata}
        begun = self.lead.call("POST", "uploads", headers=headers)
        assert begun.status_code == 201, begun.text
        return str(begun.headers["location"]).rpartition("/")[2]

    def append(self, upload: str, offset: int, data: bytes) -> httpx.Response:
        headers = {**TUS, "Upload-Offset": str(offset), "Content-Type": "application/offset+octet-stream"}
        return self.lead.call("PATCH", f"uploads/{upload}", headers=headers, content=data)

    def register(self, upload: str) -> str:
        body = {
            "upload_id": upload,
            "kind": "customer_profile",
            "title": "t",
            "owner_party_id": self.seller,
            "source_statement": "s",
        }
        made = self.lead.post("record-sets", body)
        assert made.status_code == 201, made.text
        return str(made.json()["id"])

    def offset(self, upload: str) -> int:
        return int(self.lead.call("HEAD", f"uploads/{upload}", headers=TUS).headers["upload-offset"])

    def job(self) -> dict[str, Any]:
        (job,) = [j for j in self.lead.get(f"jobs?case_id={self.case_id}").json() if j["kind"] == "inventory.ingest"]
        return dict(job)


def rows(size: int) -> bytes:
    """A table of about this many bytes that deflates to half of them."""
    noise = random.Random(size).randbytes(size // 2).hex()
    return b"customer_id,note\n" + b"".join(
        f"C{at:08},{noise[at : at + 90]}\n".encode() for at in range(0, len(noise), 90)
    )


@pytest.fixture
def inventory(installation: Installation, actors: Actors, gates_pass: None) -> Inventory:
    """Nobody signs anything: what is tried is the disk alone."""
    return Inventory(installation, actors("lead", "consultant"))


@pytest.fixture
def start_worker(installation: Installation) -> Iterator[Callable[[], subprocess.Popen[bytes]]]:
    """Starts the real worker, in a process of its own."""
    started: list[subprocess.Popen[bytes]] = []
    environment = {
        "PATH": os.environ["PATH"],
        "PYTHONPATH": str(ROOT),
        "HANDOVER_DATA_DIR": str(installation.get(Settings).data_dir),
        "HANDOVER_POLICY_JOB_LEASE_SECONDS": "2",
        "HANDOVER_POLICY_JOB_BACKOFF_SECONDS": "1",
    }
    command = [sys.executable, "-m", "handover", "worker"]

    def start() -> subprocess.Popen[bytes]:
        started.append(subprocess.Popen(command, env=environment, stderr=subprocess.DEVNULL))
        return started[-1]

    yield start
    for process in started:
        process.terminate()
        process.wait(timeout=15)


def half_written(installation: Installation) -> list[Path]:
    return [p for p in installation.get(Settings).data_dir.rglob("*incoming*/*") if p.is_file()]


def until(found: Callable[[], bool], seconds: float = 30) -> None:
    end = time.monotonic() + seconds
    while not found():
        assert time.monotonic() < end, "it did not happen in time"
        time.sleep(0.1)


def test_a_full_disk_refuses_clearly_loses_nothing_and_all_goes_on_with_space(
    inventory: Inventory,
    installation: Installation,
    tmp_path: Path,
    start_worker: Callable[[], subprocess.Popen[bytes]],
) -> None:
    disk, lead = Disk(tmp_path), inventory.lead
    store = installation.get(Storage)  # type: ignore[type-abstract]

    # A record set waits for its inspection; another upload is under way when the disk fills.
    first = rows(PIECE)
    ready = inventory.begin(len(first))
    assert inventory.append(ready, 0, first).status_code == 204
    record_set = inventory.register(ready)
    data = rows(3 * PIECE)
    upload = inventory.begin(len(data))
    disk.leave(PIECE + (2 << 20))
    assert inventory.append(upload, 0, data[:PIECE]).status_code == 204
    blobs = list(store.keys())
    disk.leave(PIECE // 4)

    # 1. The piece that does not fit is refused with a reason, and nothing of it is there.
    refused = inventory.append(upload, PIECE, data[PIECE : 2 * PIECE])
    assert (refused.status_code, refused.json()["code"]) == (507, "storage_full"), refused.text
    assert "full" in refused.json()["detail"]
    assert inventory.offset(upload) == PIECE
    assert list(store.keys()) == blobs
    assert half_written(installation) == []

    # 2. A job that meets the full disk is put back and tried again.
    worker = start_worker()
    until(lambda: inventory.job()["attempts"] >= 2)
    assert inventory.job()["state"] in {"queued", "leased"}
    assert inventory.job()["error_code"] == "storage_full"

    # 3. With no byte left for the database either, writes are refused, and reads go on.
    disk.leave(0)
    answers = [inventory.party(number) for number in range(40)]
    assert {answer.status_code for answer in answers} <= {201, 507}
    assert answers[-1].json()["code"] == "storage_full"
    assert lead.get(f"record-sets/{record_set}").json()["state"] == "scanning"
    written = sum(answer.status_code == 201 for answer in answers)
    assert len(lead.get(f"parties?case_id={inventory.case_id}").json()) == 1 + written
    assert lead.call("GET", "/readyz").status_code == 200

    # 4. With space everything goes on by itself, without a start anew.
    disk.make_room()
    until(lambda: inventory.job()["state"] == "done")
    assert lead.get(f"record-sets/{record_set}").json()["records"] == first.count(b"\n") - 1
    assert worker.poll() is None, "the worker lived through it"
    for offset in range(PIECE, len(data), PIECE):
        assert inventory.append(upload, offset, data[offset : offset + PIECE]).status_code == 204
    assert lead.get(f"uploads/{upload}").json()["state"] == "complete"
    assert half_written(installation) == []
    with installation.unit_of_work(SYSTEM) as ctx:
        ctx.get(AuditLog).checkpoint(ctx)
        assert ctx.get(AuditLog).verify_database(ctx).size > 10

"""One whole transfer through the real command: server, worker, HTTP API, foreign tools."""

import json
import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest

from benchmarks.soak import workers_of

ROOT = Path(__file__).resolve().parents[2]


def _demo(folder: Path, *options: str, kills: int = 0) -> dict[str, list[dict[str, str]]]:
    """Plays the demo; kills its worker so many times on the way."""
    environment = {name: value for name, value in os.environ.items() if not name.startswith("HANDOVER_")}
    more = {"PYTHONPATH": str(ROOT), "TMPDIR": str(folder), "HANDOVER_POLICY_JOB_LEASE_SECONDS": "4"}
    with (folder / "stdout").open("wb") as out, (folder / "stderr").open("wb") as err:
        process = subprocess.Popen(
            [sys.executable, "-m", "handover", "demo", "--json", "--out", str(folder / "out"), *options],
            env={**environment, **more},
            stdout=out,
            stderr=err,
        )
        while process.poll() is None and kills:
            time.sleep(5)
            for worker in workers_of(process.pid)[:1]:
                os.kill(worker, signal.SIGKILL)
                kills -= 1
        code = process.wait(timeout=200)
    assert code == 0, (folder / "stderr").read_text()[-3000:]
    assert kills == 0
    found: dict[str, list[dict[str, str]]] = json.loads((folder / "stdout").read_text())
    return found


@pytest.mark.timeout(240)
def test_an_asset_deal_runs_to_its_certificate_though_the_worker_is_killed_on_the_way(tmp_path: Path) -> None:
    found = _demo(tmp_path, "--records", "300", kills=3)
    assert found["stages"][-1]["state"] == "closed"
    assert {check["result"] for check in found["checks"]} == {"PASS"}
    names = {item["path"] for item in found["artefacts"]}
    assert {"package/closing.age", "package/due_diligence.age", "package/losing_bidder.age"} <= names
    assert {"audit/export.jsonl", "audit/checkpoint.txt", "buyer/identity.txt", "trust/log.vkey"} <= names
    kinds = {name.rsplit("-", 1)[1] for name in names if name.endswith(".pdf")}
    assert len(kinds) == 8, kinds
    assert list(tmp_path.glob("handover-demo-*")) == []


@pytest.mark.timeout(240)
def test_an_equity_deal_ends_in_a_custody_handover_and_no_package(tmp_path: Path) -> None:
    found = _demo(tmp_path, "--records", "120", "--structure", "equity")
    assert found["stages"][-1]["state"] == "closed"
    assert {check["result"] for check in found["checks"]} == {"PASS"}
    names = {item["path"] for item in found["artefacts"]}
    assert not any(name.startswith("package/") for name in names)
    assert any("custody_handover" in name for name in names)

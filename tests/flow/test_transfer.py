"""One whole transfer through the real command: server, worker, HTTP API, foreign tools."""

import json
import os
import random
import subprocess
import sys
from pathlib import Path

import pytest

from benchmarks.kills import play

ROOT = Path(__file__).resolve().parents[2]
KILLS = 3
_PAUSE_SECONDS = 5.0


@pytest.mark.timeout(600)
def test_an_asset_deal_runs_to_its_certificate_though_server_and_worker_are_killed_on_the_way(tmp_path: Path) -> None:
    lived = play(tmp_path, "--records", "300", most=KILLS, pause=lambda: _PAUSE_SECONDS, rng=random.Random(4), end=500)
    assert lived.server_kills >= 1
    assert lived.worker_kills >= 1
    assert lived.server_kills + lived.worker_kills == KILLS
    assert lived.summary["stages"][-1]["state"] == "closed"
    assert {check["result"] for check in lived.summary["checks"]} == {"PASS"}
    names = {item["path"] for item in lived.summary["artefacts"]}
    assert {"package/closing.age", "package/due_diligence.age", "package/losing_bidder.age"} <= names
    assert {"audit/export.jsonl", "audit/checkpoint.txt", "buyer/identity.txt", "trust/log.vkey"} <= names
    kinds = {name.rsplit("-", 1)[1] for name in names if name.endswith(".pdf")}
    assert len(kinds) == 8, kinds


@pytest.mark.timeout(240)
def test_an_equity_deal_ends_in_a_custody_handover_and_no_package(tmp_path: Path) -> None:
    clean = {name: value for name, value in os.environ.items() if not name.startswith("HANDOVER_")}
    options = ("--records", "120", "--structure", "equity")
    done = subprocess.run(
        [sys.executable, "-m", "handover", "demo", "--json", "--out", str(tmp_path / "out"), *options],
        env={**clean, "PYTHONPATH": str(ROOT), "TMPDIR": str(tmp_path)},
        capture_output=True,
        timeout=200,
        check=False,
    )
    assert done.returncode == 0, done.stderr.decode()[-3000:]
    found = json.loads(done.stdout)
    assert found["stages"][-1]["state"] == "closed"
    assert {check["result"] for check in found["checks"]} == {"PASS"}
    names = {item["path"] for item in found["artefacts"]}
    assert not any(name.startswith("package/") for name in names)
    assert any("custody_handover" in name for name in names)
    assert list(tmp_path.glob("handover-demo-*")) == []

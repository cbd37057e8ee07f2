"""One whole transfer through the real command: server, worker, HTTP API, foreign tools."""

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]


def _demo(folder: Path, *options: str) -> dict[str, list[dict[str, str]]]:
    environment = {name: value for name, value in os.environ.items() if not name.startswith("HANDOVER_")}
    done = subprocess.run(
        [sys.executable, "-m", "handover", "demo", "--json", "--out", str(folder / "out"), *options],
        env={**environment, "PYTHONPATH": str(ROOT), "TMPDIR": str(folder)},
        capture_output=True,
        text=True,
        check=False,
        timeout=200,
    )
    assert done.returncode == 0, done.stderr[-3000:]
    found: dict[str, list[dict[str, str]]] = json.loads(done.stdout)
    return found


@pytest.mark.timeout(240)
def test_an_asset_deal_runs_from_nda_to_certificate_and_every_check_passes(tmp_path: Path) -> None:
    found = _demo(tmp_path, "--records", "300")
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

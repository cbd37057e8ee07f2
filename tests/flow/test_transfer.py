"""A whole asset deal through the real command: server, worker, HTTP API, foreign tools."""

import random
from pathlib import Path

import pytest

from benchmarks.kills import play

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

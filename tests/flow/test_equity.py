"""A whole equity deal through the real command: server, worker, HTTP API, foreign tools."""

import json
import os
import subprocess
from pathlib import Path

import pytest

from tests.cheaply import COMMAND

ROOT = Path(__file__).resolve().parents[2]


@pytest.mark.timeout(240)
def test_an_equity_deal_ends_in_a_custody_handover_and_no_package(tmp_path: Path) -> None:
    clean = {name: value for name, value in os.environ.items() if not name.startswith("HANDOVER_")}
    options = ("--records", "120", "--structure", "equity")
    done = subprocess.run(
        [*COMMAND, "demo", "--json", "--out", str(tmp_path / "out"), *options],
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

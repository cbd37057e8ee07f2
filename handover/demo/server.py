"""A throw-away installation with a real server and worker on a free loopback port."""

import contextlib
import json
import os
import signal
import subprocess
import sys
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from handover.demo.client import Person

ADMIN = ("平台管理员", "admin@agency.example")
#: Waiting periods that a demo cannot sit out; the closing report prints that they differ from the defaults.
POLICIES = {
    "APPROVER_COOLING_HOURS": "0",
    "DESTRUCTION_COOLING_HOURS": "0",
    "DISPUTE_WINDOW_DAYS": "0",
    "NOTICE_PERIOD_DAYS": "0",
}


@dataclass(slots=True)
class Running:
    """The running installation."""

    address: str
    admin: Person
    data_dir: Path
    environment: dict[str, str]
    process: subprocess.Popen[str]


@contextlib.contextmanager
def running(data_dir: Path) -> Iterator[Running]:
    """Initialises, serves, and stops when the block ends."""
    environment = {
        **{n: v for n, v in os.environ.items() if not n.startswith("HANDOVER_") or n.startswith("HANDOVER_POLICY_")},
        "HANDOVER_DATA_DIR": str(data_dir),
        "HANDOVER_DEMO": "1",
        **{f"HANDOVER_POLICY_{name}": value for name, value in POLICIES.items()},
    }
    command = [sys.executable, "-m", "handover"]
    made = subprocess.run(
        [*command, "init", "--admin", ADMIN[1], "--name", ADMIN[0], "--demo", "--json"],
        env=environment,
        check=True,
        stdout=subprocess.PIPE,
        text=True,
    )
    log = (data_dir.parent / "server.log").open("w")
    process = subprocess.Popen(
        [*command, "serve", "--port", "0"], env=environment, stdout=subprocess.PIPE, stderr=log, text=True
    )
    admin: Person | None = None
    try:
        address = process.stdout.readline().strip() if process.stdout else ""
        if not address:
            raise RuntimeError(f"the server did not start; see {log.name}")
        admin = Person(address, *ADMIN)
        admin.enrol(json.loads(made.stdout))
        yield Running(address, admin, data_dir, environment, process)
    finally:
        if admin is not None:
            admin.close()
        process.send_signal(signal.SIGTERM)
        try:
            process.wait(timeout=30)
        except subprocess.TimeoutExpired:
            process.kill()
        if process.stdout:
            process.stdout.close()
        log.close()

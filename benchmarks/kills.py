"""Kills a demo's server and worker at random moments, and looks afterwards whether anything was lost or left.

The demo itself says whether it finished and whether everything verifies; then the installation is started once more,
as after any crash, and must be whole: no temporary file, rows and blobs without a difference, the log recomputed.
"""

import json
import os
import random
import signal
import subprocess
import sys
import time
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

ROOT = Path(__file__).resolve().parents[1]
#: From `serve` to its address, also on a machine that is busy.
_START_SECONDS = 60
_END_SECONDS = 900
#: What a process names that is being written; whole things have other names.
_UNFINISHED = ("*.new", "*.tmp", "incoming/*")


class SurvivalError(Exception):
    """Something was lost or left."""


@dataclass(slots=True)
class Survived:
    """What a demo went through, and its summary."""

    server_kills: int
    worker_kills: int
    seconds: float
    summary: dict[str, list[dict[str, str]]]


def play(
    folder: Path, *options: str, most: int, pause: Callable[[], float], rng: random.Random, end: float = _END_SECONDS
) -> Survived:
    """Plays a demo in `folder`, killing its server or its worker up to `most` times, after each pause.

    Raises:
        SurvivalError: it did not finish, a check failed, or the installation is not whole.
    """
    started = time.monotonic()
    clean = {name: value for name, value in os.environ.items() if not name.startswith("HANDOVER_")}
    environment = {**clean, "PYTHONPATH": str(ROOT), "TMPDIR": str(folder), "HANDOVER_POLICY_JOB_LEASE_SECONDS": "4"}
    command = [sys.executable, "-m", "handover", "demo", "--json", "--keep", "--out", str(folder / "out"), *options]
    with (folder / "stdout").open("wb") as out, (folder / "stderr").open("wb") as err:
        demo = subprocess.Popen(command, env=environment, stdout=out, stderr=err)
        try:
            killed = _kill(demo, most, pause, rng)
            code = demo.wait(timeout=end)
        finally:
            demo.kill()
            demo.wait()
    if code != 0:
        raise SurvivalError(f"the demo ended with {code}: {(folder / 'stderr').read_text()[-3000:]}")
    (data,) = folder.glob("handover-demo-*/data")
    check_whole(data, environment)
    summary = json.loads((folder / "stdout").read_text())
    return Survived(killed["server"], killed["worker"], time.monotonic() - started, summary)


def _kill(demo: "subprocess.Popen[bytes]", most: int, pause: Callable[[], float], rng: random.Random) -> dict[str, int]:
    """The first kill is the server's, the others are drawn; returns how many there were of each."""
    killed = {"server": 0, "worker": 0}
    while demo.poll() is None and sum(killed.values()) < most:
        name = rng.choice(("server", "worker")) if killed["server"] else "server"
        _running(demo)
        time.sleep(pause())
        if (victim := _running(demo).get(name)) is not None:
            os.kill(victim, signal.SIGKILL)
            killed[name] += 1
    return killed


def _running(demo: "subprocess.Popen[bytes]") -> dict[str, int]:
    """Server and worker, as soon as both run, so that the demo gets on between kills; none when it ended."""
    while demo.poll() is None:
        server = child_of(demo.pid, b"serve")
        worker = child_of(server, b"worker") if server is not None else None
        if server is not None and worker is not None:
            return {"server": server, "worker": worker}
        time.sleep(0.1)
    return {}


def child_of(parent: int, command: bytes) -> int | None:
    """The newest child of a process that runs this command."""
    found = []
    for process in Path("/proc").iterdir():
        try:
            fields = (process / "stat").read_text().rpartition(")")[2].split()
            if int(fields[1]) == parent and command in (process / "cmdline").read_bytes().split(b"\0"):
                found.append(int(process.name))
        except (OSError, ValueError, IndexError):
            continue
    return max(found, default=None)


def check_whole(data: Path, environment: dict[str, str]) -> None:
    """Starts and stops the service once more, then looks with `doctor` and for temporary files.

    Raises:
        SurvivalError: names what is not whole.
    """
    environment = {**environment, "HANDOVER_DATA_DIR": str(data)}
    command = [sys.executable, "-m", "handover"]
    server = subprocess.Popen([*command, "serve", "--port", "0"], env=environment, stdout=subprocess.PIPE)
    with server:
        ready = server.stdout.readline() if server.stdout else b""
        server.send_signal(signal.SIGTERM)
        server.wait(timeout=_START_SECONDS)
    if not ready:
        raise SurvivalError("the service does not start any more")
    told = subprocess.run([*command, "doctor", "--json"], env=environment, stdout=subprocess.PIPE, check=False).stdout
    # The demo's authority lies beside its installation, which doctor says on every one of them.
    bad = [c for c in json.loads(told)["checks"] if c["state"] != "ok" and c["name"] != "permissions"]
    if bad:
        raise SurvivalError(f"doctor: {bad}")
    left = [str(path) for pattern in _UNFINISHED for path in data.rglob(pattern) if path.is_file()]
    if left:
        raise SurvivalError(f"left behind: {left}")

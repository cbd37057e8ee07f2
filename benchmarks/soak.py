"""Endurance: racing transitions, killed workers, a large upload. About twenty minutes; prints what it measured.

python benchmarks/soak.py [races] [kills] [upload]      (all three without arguments)
"""

import os
import random
import signal
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from functools import partial
from pathlib import Path

from benchmarks.large import carry, plain_write
from handover.demo.server import running

ROOT = Path(__file__).resolve().parents[1]
KILLS = 50
UPLOAD_BYTES, UPLOAD_PERSONS = 2 << 30, 20_000
ROUNDS = 100


def main() -> None:
    wanted = sys.argv[1:] or ["races", "kills", "upload"]
    for name in wanted:
        started = time.monotonic()
        print(f"== {name}", flush=True)
        {"races": races, "kills": kills, "upload": upload}[name]()
        print(f"   {time.monotonic() - started:.0f} s", flush=True)


def races() -> None:
    """Eight identical transitions at once from two processes, for every transition of the case machine."""
    command = [sys.executable, "-m", "pytest", "-q", str(ROOT / "tests" / "flow" / "test_races.py")]
    subprocess.run(command, check=True, cwd=ROOT, env={**os.environ, "HANDOVER_RACE_ROUNDS": str(ROUNDS)})


def kills() -> None:
    """Kills the worker at random moments of the demo; every run must end closed with every check passed."""
    done, rng = 0, random.Random(os.getpid())
    while done < KILLS:
        with _demo() as process:
            done += _kill(process, rng, KILLS - done)
            if process.wait(timeout=900) != 0:
                raise SystemExit("a demo with killed workers did not finish")
        print(f"   {done} kills, finished", flush=True)


@contextmanager
def _demo() -> Iterator["subprocess.Popen[bytes]"]:
    with tempfile.TemporaryDirectory() as folder:
        command = [sys.executable, "-m", "handover", "demo", "--records", "2000", "--out", f"{folder}/out", "--json"]
        process = subprocess.Popen(command, cwd=ROOT, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
        try:
            yield process
        finally:
            process.kill()
            process.wait()


def _kill(process: "subprocess.Popen[bytes]", rng: random.Random, most: int) -> int:
    """Kills workers of this demo until it ends; returns how many."""
    killed = 0
    while process.poll() is None:
        time.sleep(rng.uniform(1, 6))
        for worker in workers_of(process.pid):
            if killed < most:
                os.kill(worker, signal.SIGKILL)
                killed += 1
    return killed


def workers_of(demo: int) -> list[int]:
    """The worker processes under a demo's server."""
    children = {int(p.name): _parent(p) for p in Path("/proc").iterdir() if p.name.isdigit()}
    servers = [pid for pid, parent in children.items() if parent == demo]
    return [pid for pid, parent in children.items() if parent in servers and b"worker" in _command(pid)]


def _parent(process: Path) -> int:
    try:
        return int((process / "stat").read_text().rpartition(")")[2].split()[1])
    except (OSError, ValueError, IndexError):
        return 0


def _command(pid: int) -> bytes:
    try:
        return Path(f"/proc/{pid}/cmdline").read_bytes()
    except OSError:
        return b""


def upload() -> None:
    """A large record set from upload to an opened package; the gates ask for a consent of each of its persons."""
    # Nobody logs in again while machines work, however slow this one is.
    os.environ |= {"HANDOVER_POLICY_STEP_UP_MINUTES": "600", "HANDOVER_POLICY_SESSION_IDLE_MINUTES": "600"}
    with tempfile.TemporaryDirectory() as name, running(Path(name) / "data") as server:
        folder = Path(name)
        done = carry(server, folder, UPLOAD_BYTES, UPLOAD_PERSONS, partial(print, flush=True))
        plain = plain_write(folder / "plain", done.size)
    print(f"   {done.size >> 20} MiB in {done.records} records, {done.package['records']} of them in the package")
    print(
        f"   upload {done.size / done.seconds['upload'] / 1e6:.0f} MB/s; plain write with fsync {done.size / plain / 1e6:.0f} MB/s"
    )


if __name__ == "__main__":
    main()

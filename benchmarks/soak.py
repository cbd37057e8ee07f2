"""Endurance: racing transitions, killed servers, workers and builds, a large upload, a million records. Half an hour; prints what it measured.

python benchmarks/soak.py [races] [kills] [builds] [upload] [million]      (all without arguments)
"""

import os
import random
import secrets
import subprocess
import sys
import tempfile
import time
from functools import partial
from pathlib import Path

from benchmarks.killed_builds import kill_builds
from benchmarks.kills import play
from benchmarks.large import carry, plain_write
from benchmarks.million import carry_rows
from handover.demo.server import running

ROOT = Path(__file__).resolve().parents[1]
KILLS = 50
#: So that the kills fall into every stage, over several demos.
KILLS_OF_A_DEMO = 10
BUILD_BYTES, BUILD_KILLS = 1 << 30, 100
UPLOAD_BYTES, UPLOAD_PERSONS = 2 << 30, 20_000
ROWS = 1_000_000
ROUNDS = 100


#: Nobody logs in again while machines work, however slow this one is.
_PATIENT = {"HANDOVER_POLICY_STEP_UP_MINUTES": "600", "HANDOVER_POLICY_SESSION_IDLE_MINUTES": "600"}


def main() -> None:
    wanted = sys.argv[1:] or ["races", "kills", "builds", "upload", "million"]
    for name in wanted:
        started = time.monotonic()
        print(f"== {name}", flush=True)
        {"races": races, "kills": kills, "builds": builds, "upload": upload, "million": million}[name]()
        print(f"   {time.monotonic() - started:.0f} s", flush=True)


def races() -> None:
    """Eight identical transitions at once from two processes, for every transition of the case machine."""
    command = [sys.executable, "-m", "pytest", "-q", str(ROOT / "tests" / "flow" / "test_races.py")]
    subprocess.run(command, check=True, cwd=ROOT, env={**os.environ, "HANDOVER_RACE_ROUNDS": str(ROUNDS)})


def kills() -> None:
    """Kills server and worker at random moments; every demo must end with every check passed and nothing left."""
    seed = secrets.randbits(32)
    done, rng = 0, random.Random(seed)
    print(f"   seed {seed}", flush=True)
    while done < KILLS:
        with tempfile.TemporaryDirectory() as folder:
            most = min(KILLS_OF_A_DEMO, KILLS - done)
            lived = play(Path(folder), "--records", "1000", most=most, pause=lambda: rng.uniform(0, 12), rng=rng)
        results = {check["result"] for check in lived.summary["checks"]}
        if results != {"PASS"} or lived.summary["stages"][-1]["state"] != "closed":
            raise SystemExit(f"the demo finished with {results}")
        done += lived.server_kills + lived.worker_kills
        print(
            f"   {done} kills; this demo: server {lived.server_kills}, worker {lived.worker_kills}, "
            f"{lived.seconds:.0f} s, {len(lived.summary['checks'])} checks passed, nothing left",
            flush=True,
        )


def builds() -> None:
    """Kills the sealing of a large file at random moments."""
    seed = secrets.randbits(32)
    with tempfile.TemporaryDirectory(dir=os.environ.get("HANDOVER_SOAK_FOLDER")) as folder:
        done = kill_builds(Path(folder), BUILD_BYTES, BUILD_KILLS, random.Random(seed))
    print(
        f"   seed {seed}; {done.kills} kills, {done.begun} of them after the first byte; a whole build {done.seconds:.1f} s"
    )


def upload() -> None:
    """A large record set from upload to an opened package; the gates ask for a consent of each of its persons."""
    os.environ |= _PATIENT
    with tempfile.TemporaryDirectory() as name, running(Path(name) / "data") as server:
        folder = Path(name)
        done = carry(server, folder, UPLOAD_BYTES, UPLOAD_PERSONS, partial(print, flush=True))
        plain = plain_write(folder / "plain", done.size)
    print(f"   {done.size >> 20} MiB in {done.records} records, {done.package['records']} of them in the package")
    print(
        f"   upload {done.size / done.seconds['upload'] / 1e6:.0f} MB/s; plain write with fsync {done.size / plain / 1e6:.0f} MB/s"
    )


def million() -> None:
    """A table of a million records through inventory and redaction, by two workers."""
    os.environ |= _PATIENT
    with tempfile.TemporaryDirectory() as name, running(Path(name) / "data") as server:
        carry_rows(server, Path(name), ROWS, partial(print, flush=True))


if __name__ == "__main__":
    main()

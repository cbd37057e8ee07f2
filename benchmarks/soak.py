"""Endurance: racing transitions, killed servers and workers, a large upload. About twenty minutes; prints what it measured.

python benchmarks/soak.py [races] [kills] [upload]      (all three without arguments)
"""

import os
import random
import secrets
import subprocess
import sys
import tempfile
import threading
import time
from pathlib import Path

from benchmarks.kills import play
from handover.demo.cast import gather, open_case
from handover.demo.client import Person
from handover.demo.server import Running, running
from handover.demo.stages import sign_ndas

ROOT = Path(__file__).resolve().parents[1]
KILLS = 50
#: So that the kills fall into every stage, over several demos.
KILLS_OF_A_DEMO = 10
UPLOAD_BYTES = 2 << 30
ROUNDS = 100
_PIECE = 8 << 20


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


def upload() -> None:
    """A large upload: the server's memory stays flat, the rate is printed beside that of a plain write with fsync."""
    size = UPLOAD_BYTES
    with tempfile.TemporaryDirectory() as folder, running(Path(folder) / "data") as server:
        seller, case_id = _case(server)
        peak = _Peak(server.server.process.pid)
        source = Path(folder) / "large.csv"
        line = b"C0000001,13800138000,a note that is the same on every line\r\n"
        with source.open("wb") as out:
            out.write(b"id,phone,note\r\n")
            block = line * ((4 << 20) // len(line))
            while out.tell() < size:
                out.write(block)
        size = source.stat().st_size
        started = time.monotonic()
        seller.upload(case_id, source)
        seconds = time.monotonic() - started
        plain = _plain_write(Path(folder) / "plain", size)
        print(
            f"   {size >> 20} MiB in {seconds:.1f} s, {size / seconds / 1e6:.0f} MB/s; plain write with fsync {size / plain / 1e6:.0f} MB/s"
        )
        print(f"   peak memory of the server {peak.stop() >> 20} MiB")


def _case(server: Running) -> tuple[Person, str]:
    """A case in inventory, and the seller's person who uploads."""
    cast = gather(server.address, server.admin)
    open_case(cast, "asset_transfer")
    cast.lead.move("cases", cast.case_id, "open")
    sign_ndas(cast)
    return cast.seller_admin, cast.case_id


def _plain_write(path: Path, size: int) -> float:
    block = os.urandom(_PIECE)
    started = time.monotonic()
    with path.open("wb") as out:
        for _ in range(size // _PIECE):
            out.write(block)
            out.flush()
            os.fsync(out.fileno())
    return time.monotonic() - started


class _Peak:
    """Watches the resident memory of a process."""

    def __init__(self, pid: int) -> None:
        self._status, self._peak, self._on = Path(f"/proc/{pid}/statm"), 0, True
        self._thread = threading.Thread(target=self._watch)
        self._thread.start()

    def stop(self) -> int:
        self._on = False
        self._thread.join()
        return self._peak

    def _watch(self) -> None:
        page = os.sysconf("SC_PAGE_SIZE")
        while self._on:
            self._peak = max(self._peak, int(self._status.read_text().split()[1]) * page)
            time.sleep(0.05)


if __name__ == "__main__":
    main()

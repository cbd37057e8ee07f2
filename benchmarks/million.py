"""A table of a million customer records through inventory and redaction of a case, by two workers; progress is watched as a person would.

Each step's time is printed, how often its progress was seen to grow, how many jobs each worker did, and the peak memory of
the web process, the workers and their children.
"""

import subprocess
import sys
import time
from collections import Counter
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

from benchmarks import redaction_rows
from benchmarks.large import Memory, Watcher, children, wait_patiently
from handover.demo import stages
from handover.demo.cast import Cast
from handover.demo.server import Running


class Watched(Watcher):
    """The jobs of a case while they run: the states of progress that were seen, and which process did what."""

    seconds = 0.2

    def __init__(self, cast: Cast, workers: dict[str, int]) -> None:
        super().__init__()
        self._cast, self._workers = cast, workers
        self.seen: dict[str, set[int]] = {}
        self.by_worker: Counter[str] = Counter()
        self._children: set[int] = set()

    def text(self) -> str:
        """For a person."""
        jobs = ", ".join(f"{kind}: {len(states)} states of progress" for kind, states in sorted(self.seen.items()))
        return f"{jobs}; children by worker: {dict(self.by_worker)}"

    def look(self) -> None:
        """Notes progress that was made, and children that were begun."""
        for job in self._cast.legal.get("/jobs", case_id=self._cast.case_id):
            if job["state"] == "leased" and job["done"]:
                self.seen.setdefault(job["kind"], set()).add(job["done"])
        for name, process in self._workers.items():
            for child in set(children(process)) - self._children:
                self._children.add(child)
                self.by_worker[name] += 1


def carry_rows(server: Running, folder: Path, rows: int, say: Callable[[str], None]) -> None:
    """Uploads, inspects, redacts for a bidder and scans what came out."""
    source = folder / "customers.csv"
    redaction_rows.write(source, rows)
    size = source.stat().st_size
    cast = wait_patiently(server)
    second = subprocess.Popen([sys.executable, "-m", "handover", "worker"], env=server.environment)
    try:
        (first,) = (process for process in children(server.server.process.pid))
        workers = {"first": first, "second": second.pid}
        with Memory(server.server.process.pid, second.pid) as memory, Watched(cast, workers) as watched:

            @contextmanager
            def step(name: str) -> Iterator[None]:
                started = time.monotonic()
                yield
                seconds = time.monotonic() - started
                say(f"   {name:10} {seconds:7.1f} s {size / seconds / 1e6:7.1f} MB/s  {memory.text()}")

            with step("upload"):
                upload = cast.seller_admin.upload(cast.case_id, source)
            with step("inventory"):
                row = stages.add_record_set(cast, source, upload)
                cast.custodian.wait(f"/record-sets/{row['id']}", "classified", refuse=("refused",))
            stages.approve_inventory(cast, [row])
            with step("redaction"):
                run = stages.start_redaction(cast, "winner", 1)
                done = cast.legal.wait(f"/redactions/{run}", "human_review", refuse=("failed",))
            with step("residual"):
                approved = stages.finish_redaction(cast, run)
        (item,) = done["items"]
        say(
            f"   {item['records_out']:,} records redacted; the second scan {'lets them pass' if approved else 'asks for a stricter plan'}"
        )
        say(f"   {watched.text()}")
    finally:
        second.terminate()
        second.wait()

"""Sealing and opening 256 MiB beside Debian's `age` with `tar` and with `zip`: each tool in turn, round by round.

Prints the median rate of each, how it compares with ours, and the most memory that one of its processes held. Ours does
more: `seal` hashes every file first and reads the written package back, `open` verifies every hash, both make files durable.
"""

import os
import random
import shutil
import statistics
import subprocess
import sys
import tempfile
import time
from pathlib import Path

import msgspec

SIZE = 256 << 20
SMALL_FILES, SMALL_SIZE = 2048, 64 << 10
ROUNDS = 5
#: No round begins after this many seconds: on a busy machine fewer rounds must do.
BUDGET = 80.0
OURS = "handover"
_WORDS = [
    "客户",
    "维修",
    "回访",
    "地址",
    "service",
    "order",
    "visit",
    "2025",
    "warranty",
    "13800138000",
    "note",
    "closed",
]


class Tool(msgspec.Struct, frozen=True):
    """One way to do the same thing: shell commands that run in the bench's folder, `$R` being the recipient."""

    name: str
    seal: str
    open: str


_PYTHON = f"{sys.executable} -m handover package"
TOOLS = (
    Tool(OURS, f"{_PYTHON} seal input --to $R --out sealed", f"{_PYTHON} open sealed -i key -o opened"),
    Tool(
        "tar|age", "tar -cf - input | age -r $R > sealed", "mkdir opened && age -d -i key sealed | tar -xf - -C opened"
    ),
    Tool(
        "zip|age",
        "zip -0qr - input | age -r $R > sealed",
        "age -d -i key sealed > plain.zip && unzip -q plain.zip -d opened",
    ),
)


class Run(msgspec.Struct, frozen=True):
    """One measured command."""

    seconds: float
    peak: int


def main() -> None:
    tools = [tool for tool in TOOLS if _present(tool)]
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        size = write_input(folder / "input")
        recipient = make_key(folder / "key")
        runs: dict[tuple[str, str], list[Run]] = {}
        started, rounds = time.monotonic(), 0
        while rounds < ROUNDS and (not rounds or time.monotonic() - started < BUDGET):
            rounds += 1
            for tool in tools:
                for verb, run in one_round(tool, folder, recipient):
                    runs.setdefault((verb, tool.name), []).append(run)
    print(f"{size >> 20} MiB in {SMALL_FILES + 1} files, medians of {rounds} rounds")
    for (verb, tool_name), found in sorted(runs.items(), key=lambda item: item[0][0] != "seal"):
        ours = _median(runs[verb, OURS])
        seconds, peak = _median(found), max(run.peak for run in found)
        print(
            f"{verb:5} {tool_name:9} {size / seconds / 1e6:7.0f} MB/s  {ours / seconds:5.2f} x {OURS}  peak {peak >> 20} MiB"
        )


def write_input(folder: Path) -> int:
    """Text that looks like records: half of it in many small files, half in one."""
    folder.mkdir()
    rng = random.Random(7)
    block = (" ".join(rng.choices(_WORDS, k=SMALL_SIZE // 6)).encode() * 2)[:SMALL_SIZE]
    for number in range(SMALL_FILES):
        (folder / f"note-{number:04}.txt").write_bytes(_different(block, number))
    with (folder / "large.csv").open("wb") as out:
        for number in range(SIZE // SMALL_SIZE - SMALL_FILES):
            out.write(_different(block, number))
    return sum(path.stat().st_size for path in folder.iterdir())


def _different(block: bytes, number: int) -> bytes:
    return f"{number:08}".encode() + block[8:]


def make_key(path: Path) -> str:
    """An identity made by age; returns its recipient."""
    subprocess.run(["age-keygen", "-o", str(path)], check=True, stderr=subprocess.DEVNULL)
    shown = subprocess.run(["age-keygen", "-y", str(path)], check=True, stdout=subprocess.PIPE, text=True)
    return shown.stdout.strip()


def one_round(tool: Tool, folder: Path, recipient: str) -> list[tuple[str, Run]]:
    found = [
        (verb, measure(command, folder, recipient)) for verb, command in (("seal", tool.seal), ("open", tool.open))
    ]
    for left in ("sealed", "plain.zip", "HOW-TO-OPEN.html"):
        (folder / left).unlink(missing_ok=True)
    shutil.rmtree(folder / "opened")
    return found


def measure(command: str, folder: Path, recipient: str) -> Run:
    """Runs a command; its peak is that of the largest process under it."""
    environment = {**os.environ, "R": recipient, "PYTHONPATH": str(Path(__file__).resolve().parents[1])}
    started = time.monotonic()
    process = subprocess.Popen(
        ["bash", "-o", "pipefail", "-c", command],
        cwd=folder,
        env=environment,
        stdout=subprocess.DEVNULL,
        stderr=subprocess.PIPE,
    )
    said = process.stderr.read() if process.stderr else b""
    _, status, usage = os.wait4(process.pid, 0)
    seconds = time.monotonic() - started
    code = process.returncode = os.waitstatus_to_exitcode(status)
    # 3 says that the signer is not pinned: these packages are not signed.
    if code not in (0, 3):
        raise SystemExit(f"{command}: exit {code}\n{said.decode()}")
    return Run(seconds, usage.ru_maxrss << 10)


def _present(tool: Tool) -> bool:
    wanted = {"tar|age": ("age", "tar"), "zip|age": ("age", "zip", "unzip")}.get(tool.name, ())
    missing = [name for name in wanted if shutil.which(name) is None]
    if missing:
        print(f"{tool.name}: TOOL NOT INSTALLED ({', '.join(missing)})")
    return not missing


def _median(runs: list[Run]) -> float:
    return statistics.median(run.seconds for run in runs)


if __name__ == "__main__":
    main()

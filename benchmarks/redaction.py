"""Redacting a large table beside what else could be done with it, each in turn, round by round.

    benchmarks/redaction.py [--rows N] [--write]

The limit is polars reading the same file and writing it again, which nothing that changes text can reach. Slow tools get fewer
rows, and their rate is what counts; where they are installed apart, `BENCH_PYTHON` names their interpreter. Other tools' time is
that of the work, ours that of the whole command. `--write` puts the table and the picture into docs/benchmarks.
"""

import argparse
import os
import platform
import re
import statistics
import subprocess
import sys
import tempfile
import threading
import time
from pathlib import Path

import msgspec
import redaction_rows

ROWS = 1_000_000
ROUNDS = 5
#: No round begins after this many seconds.
BUDGET = 200.0
ROOT = Path(__file__).resolve().parents[1]
#: Column policies of the full job; the note is scanned.
_ACTIONS = {
    "姓名": ("pseudonymise", "person_name"), "身份证号": ("drop", "resident_id"), "手机号": ("pseudonymise", "mobile"),
    "邮箱": ("pseudonymise", "email"), "银行卡号": ("generalise", "bank_card"), "地址": ("generalise", "address"),
    "出生日期": ("generalise", "birth_date"), "订单号": ("keep", ""),
}  # fmt: skip
_KINDS = {"uscc": "keep", "mobile": "pseudonymise", "email": "pseudonymise", "person_name": "pseudonymise"}
_SMALL = 20_000
_TINY = 400


class Run(msgspec.Struct):
    """One measured command."""

    seconds: float
    #: Of the whole command; `seconds` is that of the work where the command tells it.
    whole: float
    cpu: float
    #: Resident memory of the command and all below it, at its highest.
    peak: int


class Tool(msgspec.Struct):
    """One way through one file."""

    name: str
    command: list[str]
    source: Path
    rows: int
    #: No more than one round for what takes minutes.
    once: bool = False
    runs: list[Run] = msgspec.field(default_factory=list)

    def rate(self) -> float:
        """Rows a second."""
        return self.rows / statistics.median(run.seconds for run in self.runs)

    def whole(self) -> float:
        """Seconds of the whole command."""
        return statistics.median(run.whole for run in self.runs)

    def bytes_rate(self) -> float:
        return self.source.stat().st_size / statistics.median(run.seconds for run in self.runs)


def main() -> None:
    options = argparse.ArgumentParser()
    options.add_argument("--rows", type=int, default=ROWS)
    options.add_argument("--write", action="store_true")
    chosen = options.parse_args()
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        tools = prepare(folder, chosen.rows)
        started, round_number = time.monotonic(), 0
        while round_number < ROUNDS and (not round_number or time.monotonic() - started < BUDGET):
            for tool in tools:
                if not (tool.once and tool.runs):
                    tool.runs.append(measure(tool.command, folder))
            round_number += 1
        text = report(tools, round_number)
        print(text)
        if chosen.write:
            target = ROOT / "docs" / "benchmarks"
            target.mkdir(parents=True, exist_ok=True)
            (target / "redaction.md").write_text(text)
            draw(tools, target / "redaction.png")


def prepare(folder: Path, rows: int) -> list[Tool]:
    """The files, and what is to be run over them."""
    sizes = {"whole": rows, "tenth": rows // 10, "small": min(rows, _SMALL), "tiny": min(rows, _TINY)}
    files = {label: folder / f"{label}.csv" for label in sizes}
    for label, count in sizes.items():
        redaction_rows.write(files[label], count)
    policy = {"fields": {name: {"action": a, "kind": k} for name, (a, k) in _ACTIONS.items()}, "kinds": _KINDS}
    (folder / "policy.json").write_bytes(msgspec.json.encode(policy))
    whole, notes = files["whole"], files["whole"].with_suffix(".notes.csv")

    def ours(source: Path) -> list[str]:
        return [sys.executable, "-m", "handover", "redact", str(source), "out.csv", "--policy", "policy.json"]

    tools = [
        Tool("handover", ours(whole), whole, rows),
        Tool("polars read→write", _python("polars_copy", whole), whole, rows),
        Tool("handover, notes alone", ours(notes), notes, rows),
        Tool("wc -l", ["wc", "-l", str(whole)], whole, rows),
        Tool("handover, a tenth of the rows", ours(files["tenth"]), files["tenth"], rows // 10),
        Tool("handover, with second scan", [*ours(whole), "--check"], whole, rows),
        Tool("handover scan", [sys.executable, "-m", "handover", "scan", str(whole)], whole, rows),
        Tool("csv and re", _python("csv_and_re", files["small"]), files["small"], sizes["small"], once=True),
    ]
    for name, function in (("presidio, patterns only", "presidio"), ("scrubadub", "scrubadub")):
        reason = subprocess.run([*_python(function, Path()), "--try"], capture_output=True, text=True, check=False)
        if reason.returncode:
            print(f"{name}: NOT INSTALLED ({reason.stderr.strip().splitlines()[-1]})")
        else:
            tools.append(Tool(name, _python(function, files["tiny"]), files["tiny"], sizes["tiny"], once=True))
    return tools


def _python(function: str, source: Path) -> list[str]:
    return [
        os.environ.get("BENCH_PYTHON", sys.executable) if function in {"presidio", "scrubadub"} else sys.executable,
        str(ROOT / "benchmarks" / "redaction_others.py"),
        function,
        str(source),
    ]


def measure(command: list[str], folder: Path) -> Run:
    (folder / "out.csv").unlink(missing_ok=True)
    before, started = os.times(), time.monotonic()
    process = subprocess.Popen(
        command, cwd=folder, env=_environment(folder), stdout=subprocess.PIPE, stderr=subprocess.PIPE
    )
    peak = Peak(process.pid)
    told, said = process.communicate()
    seconds = whole = time.monotonic() - started
    after = os.times()
    if told.startswith(b"seconds "):
        seconds = float(told.split()[1])
    if process.returncode:
        raise SystemExit(f"{command}: exit {process.returncode}\n{said.decode()}")
    cpu = after.children_user + after.children_system - before.children_user - before.children_system
    return Run(seconds, whole, cpu, peak.stop())


def _environment(folder: Path) -> dict[str, str]:
    # Compiled once, as what is installed is.
    compiled = {"PYTHONDONTWRITEBYTECODE": "", "PYTHONPYCACHEPREFIX": str(folder / "compiled")}
    return {**os.environ, **compiled, "PYTHONPATH": str(ROOT)}


class Peak:
    """Watches the resident memory of a process and its children."""

    def __init__(self, pid: int) -> None:
        self._pid, self._most, self._ended = pid, 0, threading.Event()
        self._thread = threading.Thread(target=self._watch)
        self._thread.start()

    def _watch(self) -> None:
        while not self._ended.wait(0.05):
            self._most = max(self._most, sum(map(_resident, _tree(self._pid))))

    def stop(self) -> int:
        self._ended.set()
        self._thread.join()
        return self._most


def _tree(pid: int) -> list[int]:
    try:
        below = Path(f"/proc/{pid}/task/{pid}/children").read_text().split()
    except OSError:
        return []
    return [pid, *(one for child in below for one in _tree(int(child)))]


def _resident(pid: int) -> int:
    try:
        found = re.search(r"VmRSS:\s+(\d+)", Path(f"/proc/{pid}/status").read_text())
    except OSError:
        return 0
    return int(found[1]) << 10 if found else 0


def report(tools: list[Tool], rounds: int) -> str:
    """Markdown."""
    by_name = {tool.name: tool for tool in tools}
    ours, limit, notes, tenth = (
        by_name[name]
        for name in ("handover", "polars read→write", "handover, notes alone", "handover, a tenth of the rows")
    )
    lines = [
        "# Redacting a large table",
        "",
        (
            f"{ours.rows:,} records, {ours.source.stat().st_size / 1e6:.0f} MB: eight columns under policies and a note that is scanned. "
            f"Medians of {rounds} rounds, each tool in turn. {_machine()}."
        ),
        "Made by `benchmarks/redaction.py --write`; slow tools were given fewer records, and their rate is shown.",
        "",
        "| | records | records/s | MB/s | CPU s | peak MiB | of the limit |",
        "|---|--:|--:|--:|--:|--:|--:|",
    ]
    for tool in tools:
        cpu, peak = statistics.median(run.cpu for run in tool.runs), max(run.peak for run in tool.runs) >> 20
        lines.append(
            f"| {tool.name} | {tool.rows:,} | {tool.rate():,.0f} | {tool.bytes_rate() / 1e6:.1f} | {cpu:.1f} | {peak} "
            f"| {tool.bytes_rate() / limit.bytes_rate():.1%} |"
        )
    grown = (ours.rows / ours.rate()) / (tenth.rows / tenth.rate())
    lines += [
        "",
        (
            f"- The full job reaches {ours.bytes_rate() / limit.bytes_rate():.1%} of the limit, the notes alone {notes.bytes_rate() / limit.bytes_rate():.1%}. "
            f"Beside polars' whole command, its start included as ours is, the full job reaches {limit.whole() * ours.rate() / ours.rows:.1%}."
        ),
        f"- Ten times the records take {grown:.1f} times as long.",
    ]
    if slow := by_name.get("presidio, patterns only"):
        lines.append(f"- presidio, patterns only: {ours.rate() / slow.rate():,.0f} times slower.")
    return "\n".join(lines) + "\n"


def _machine() -> str:
    found = re.search(r"model name\s*: (.+)", Path("/proc/cpuinfo").read_text())
    return (
        f"{found[1] if found else platform.machine()}, {len(os.sched_getaffinity(0))} cores, "
        f"Linux {platform.release()}, Python {platform.python_version()}"
    )


def draw(tools: list[Tool], target: Path) -> None:
    """Bars of MB/s on a logarithmic scale."""
    import math

    from PIL import Image, ImageDraw, ImageFont

    width, row, left = 900, 34, 290
    picture = Image.new("RGB", (width, row * len(tools) + 24), "white")
    pen, font = ImageDraw.Draw(picture), ImageFont.load_default(15)
    rates = [tool.bytes_rate() / 1e6 for tool in tools]
    low, high = math.log10(min(rates) / 2), math.log10(max(rates))
    for number, (tool, rate) in enumerate(zip(tools, rates, strict=True)):
        top = 12 + number * row
        length = (width - left - 110) * (math.log10(rate) - low) / (high - low)
        pen.text((12, top + 5), tool.name.replace("→", " to "), "black", font)
        pen.rectangle(
            (left, top + 3, left + length, top + row - 8), "#2b6cb0" if tool.name.startswith("handover") else "#a0aec0"
        )
        pen.text((left + length + 8, top + 5), f"{rate:,.4g} MB/s", "black", font)
    picture.save(target, optimize=True)


if __name__ == "__main__":
    main()

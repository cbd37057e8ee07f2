"""age files and packages beside age, pyrage, 7-Zip, gpg and the machine's own limits: each tool in turn, round by round.

Every run is a whole process. Medians, spread, ratios to age and peak memory go to docs/benchmarks/packages.md, with a chart
beside it. Ours does more: `package seal` hashes every file and opens again all that it wrote; on disk all sides are synced.

python -m benchmarks.packages [--sizes 64,1024] [--many 100000] [--rounds 5] [--budget 420] [--out docs/benchmarks]
"""

import argparse
import os
import random
import shutil
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable
from pathlib import Path

import msgspec

from benchmarks.package_report import Row, Run, write_report

ROOT = Path(__file__).resolve().parents[1]
MEBI = 1 << 20
_PLACES = {"tmpfs": Path("/dev/shm"), "disk": Path("/var/tmp")}  # noqa: S108 - the bench compares these two
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
    """One way to make and to open the same thing: commands in the bench's folder, `$R` the recipient; and what they need."""

    name: str
    seal: str
    open: str = ""
    needs: tuple[str, ...] = ()


class Case(msgspec.Struct, frozen=True):
    """One comparison; `prepare` writes its input to a folder and returns the bytes of content."""

    name: str
    place: str
    prepare: Callable[[Path], int]
    tools: tuple[Tool, ...]


_PY = sys.executable
_AGE = "from pathlib import Path as P; from handover.crypto.age import decrypt_file, encrypt_file"
_RAGE = "import os, pyrage as p"
FILE_TOOLS = (
    Tool("age", "age -r $R -o sealed input", "age -d -i key -o opened sealed", ("age",)),
    Tool(
        "handover",
        f"{_PY} -c \"{_AGE}; encrypt_file(P('input'), P('sealed'), ['$R'])\"",
        f"{_PY} -c \"{_AGE}; decrypt_file(P('sealed'), P('opened'), [P('key').read_text()])\"",
    ),
    Tool(
        "pyrage",
        f"{_PY} -c \"{_RAGE}; p.encrypt_file('input', 'sealed', [p.x25519.Recipient.from_str('$R')])\"",
        f"{_PY} -c \"{_RAGE}; k = open('key').read().split()[-1]; "
        "p.decrypt_file('sealed', 'opened', [p.x25519.Identity.from_str(k)])\"",
    ),
    Tool("7z", "7z a -bd -tzip -mx0 -mem=AES256 -ppw sealed.zip input", "7z x -bd -ppw -oopened sealed.zip", ("7z",)),
    Tool(
        "gpg",
        "gpg --batch --homedir . --passphrase pw --compress-algo none -o sealed -c input",
        "gpg --batch --homedir . --passphrase pw -o opened -d sealed",
        ("gpg",),
    ),
    Tool("cat", "cat input > sealed", "cat sealed > opened"),
)
PACKAGE_TOOLS = (
    Tool(
        "age",
        "tar -cf - input | age -r $R > sealed",
        "mkdir opened && age -d -i key sealed | tar -xf - -C opened",
        ("age", "tar"),
    ),
    Tool(
        "handover",
        f"{_PY} -m handover package seal input --to $R --out sealed",
        f"{_PY} -m handover package open sealed -i key -o opened",
    ),
    Tool("handover, prepared", f"{_PY} -m benchmarks.package_prepared seal prepared sealed $R"),
    Tool("7z", "7z a -bd -tzip -mx1 -mem=AES256 -ppw sealed.zip input", "7z x -bd -ppw -oopened sealed.zip", ("7z",)),
)
MANY_TOOLS = tuple(tool for tool in PACKAGE_TOOLS if tool.name in {"age", "handover"})


def main() -> None:
    options = _options()
    sizes = [int(size) for size in options.sizes.split(",")]
    cases = [
        *(Case(f"one file, {size:,} MiB", "tmpfs", _single(size), FILE_TOOLS) for size in sizes),
        Case(f"one file, {sizes[-1]:,} MiB, synced", "disk", _single(sizes[-1]), FILE_TOOLS),
        Case("2,052 files, 1 GiB", "tmpfs", _mixed, PACKAGE_TOOLS),
        Case(f"{options.many:,} files of 4 KiB", "tmpfs", lambda folder: _many(folder, options.many), MANY_TOOLS),
    ]
    rows = []
    for case in cases:
        rows += _play(case, options.rounds, options.budget / len(cases))
    write_report(rows, options.out)


def _options() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--sizes", default="64,1024", help="MiB of single files; the last is done on disk too")
    parser.add_argument("--many", type=int, default=100_000, help="how many small files")
    parser.add_argument("--rounds", type=int, default=5)
    parser.add_argument(
        "--budget", type=float, default=420, help="seconds, shared by the comparisons; one round each at least"
    )
    parser.add_argument("--out", type=Path, default=ROOT / "docs" / "benchmarks")
    return parser.parse_args()


def _play(case: Case, rounds: int, budget: float) -> list[Row]:
    tools = [tool for tool in case.tools if all(shutil.which(name) for name in tool.needs)]
    runs: dict[tuple[str, str], list[Run]] = {}
    with tempfile.TemporaryDirectory(dir=_PLACES[case.place]) as name:
        folder = Path(name)
        recipient, size = _key(folder / "key"), case.prepare(folder)
        for tool in tools:
            if tool.seal.startswith(_PY):  # compiles what it imports, which is so when it is installed
                _both(tool, case, folder, recipient)
                _clear(folder)
        started, done = time.monotonic(), 0
        while done < rounds and (not done or time.monotonic() - started < budget * done / (done + 1)):
            done += 1
            for tool in tools:
                for verb, run in _both(tool, case, folder, recipient):
                    runs.setdefault((verb, tool.name), []).append(run)
                _clear(folder)
            print(f"{case.name}: round {done}, {time.monotonic() - started:.0f} s", file=sys.stderr, flush=True)
    return [Row(f"{case.name}, {case.place}", verb, tool, size, found) for (verb, tool), found in runs.items()]


def _both(tool: Tool, case: Case, folder: Path, recipient: str) -> list[tuple[str, Run]]:
    """Sealing, and opening where the tool can."""
    synced = " && sync $(ls -d sealed* opened* 2>/dev/null)" if case.place == "disk" else ""
    commands = (("seal", tool.seal), ("open", tool.open))
    return [(verb, measure(command + synced, folder, recipient)) for verb, command in commands if command]


def measure(command: str, folder: Path, recipient: str) -> Run:
    """Runs a command; its peak is that of the largest process under it."""
    # Compiled once, as what is installed is.
    compiled = {"PYTHONDONTWRITEBYTECODE": "", "PYTHONPYCACHEPREFIX": str(folder / "compiled")}
    environment = {**os.environ, **compiled, "R": recipient, "PYTHONPATH": str(ROOT)}
    started = time.monotonic()
    with (folder / "said").open("w+b") as said:
        process = subprocess.Popen(
            ["bash", "-o", "pipefail", "-c", command], cwd=folder, env=environment, stdout=said, stderr=said
        )
        _, status, usage = os.wait4(process.pid, 0)
        seconds = time.monotonic() - started
        code = process.returncode = os.waitstatus_to_exitcode(status)
        if code not in (0, 3):  # 3 says that the signer is not pinned: these packages are not signed
            raise SystemExit(f"{command}: exit {code}\n{(folder / 'said').read_text()}")
    return Run(seconds, usage.ru_utime + usage.ru_stime, usage.ru_maxrss << 10)


def _clear(folder: Path) -> None:
    for path in [*folder.glob("sealed*"), *folder.glob("opened*"), *folder.glob("HOW-TO-OPEN.html")]:
        shutil.rmtree(path) if path.is_dir() else path.unlink()


def _key(path: Path) -> str:
    subprocess.run(["age-keygen", "-o", str(path)], check=True, stderr=subprocess.DEVNULL)
    return subprocess.run(["age-keygen", "-y", str(path)], check=True, stdout=subprocess.PIPE, text=True).stdout.strip()


def _single(mebibytes: int) -> Callable[[Path], int]:
    def write(folder: Path) -> int:
        _write(folder / "input", mebibytes * MEBI, 0)
        return mebibytes * MEBI

    return write


def _mixed(folder: Path) -> int:
    """Text like records: 2,048 files of 64 KiB, four of 224 MiB; and what a service's ingest would have prepared of it."""
    (folder / "input").mkdir()
    for number in range(2048):
        _write(folder / "input" / f"note-{number:04}.txt", MEBI // 16, number)
    for number in range(4):
        _write(folder / "input" / f"table-{number}.csv", 224 * MEBI, number)
    subprocess.run(
        [sys.executable, "-m", "benchmarks.package_prepared", "prepare", folder / "input", folder / "prepared"],
        check=True,
        cwd=ROOT,
    )
    return 1024 * MEBI


def _many(folder: Path, count: int) -> int:
    for number in range(count):
        (folder / "input" / f"{number // 1000:04}").mkdir(parents=True, exist_ok=True)
        _write(folder / "input" / f"{number // 1000:04}" / f"{number:06}.txt", 4096, number)
    return count * 4096


_TEXT = " ".join(random.Random(7).choices(_WORDS, k=MEBI // 6)).encode()[:MEBI]


def _write(path: Path, size: int, number: int) -> None:
    with path.open("wb") as out:
        for offset in range(0, size, MEBI):
            out.write(f"{number:08}{offset:012}".encode() + _TEXT[: min(MEBI, size - offset) - 20])


if __name__ == "__main__":
    main()

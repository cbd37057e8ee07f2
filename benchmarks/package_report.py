"""What `benchmarks.packages` measured: a table in Markdown and a chart, with the machine and its limits named."""

import os
import platform
import statistics
import time
from pathlib import Path

import msgspec
from cryptography.hazmat.primitives.ciphers.aead import ChaCha20Poly1305
from PIL import Image, ImageDraw, ImageFont

_OURS = ("handover", "handover, prepared")


class Run(msgspec.Struct, frozen=True):
    """One measured command: seconds by the clock, seconds of all cores, bytes of its largest process."""

    seconds: float
    cpu: float
    peak: int


class Row(msgspec.Struct, frozen=True):
    """One tool in one comparison."""

    case: str
    verb: str
    tool: str
    size: int
    runs: list[Run]

    @property
    def seconds(self) -> float:
        """Median by the clock."""
        return statistics.median(run.seconds for run in self.runs)

    @property
    def rate(self) -> float:
        """GB of content in a second."""
        return self.size / self.seconds / 1e9


def write_report(rows: list[Row], folder: Path) -> None:
    """Writes packages.md and packages.png, and prints the table."""
    folder.mkdir(parents=True, exist_ok=True)
    text = "\n".join(["# Packages and age files beside other tools", "", *_machine(), "", *_table(rows), "", *_notes()])
    (folder / "packages.md").write_text(text + "\n")
    _chart(rows, folder / "packages.png")
    print(text)


def _table(rows: list[Row]) -> list[str]:
    """Times by the clock; the ratio is age's median over the tool's, more is faster."""
    lines = [
        "| comparison | tool | GB/s | × age | seconds: median (least–most of n) | CPU s | peak MiB |",
        "|---|---|---|---|---|---|---|",
    ]
    for row in rows:
        age = next(r for r in rows if (r.case, r.verb, r.tool) == (row.case, row.verb, "age"))
        seconds = [run.seconds for run in row.runs]
        spread = f"{row.seconds:.2f} ({min(seconds):.2f}–{max(seconds):.2f} of {len(seconds)})"
        cpu = statistics.median(run.cpu for run in row.runs)
        peak = max(run.peak for run in row.runs) >> 20
        name = f"**{row.tool}**" if row.tool in _OURS else row.tool
        lines.append(
            f"| {row.case}: {row.verb} | {name} | {row.rate:.2f} | {age.seconds / row.seconds:.2f} | {spread} | {cpu:.2f} | {peak} |"
        )
    return lines


def _machine() -> list[str]:
    model = next((line.partition(":")[2].strip() for line in _lines("/proc/cpuinfo") if "model name" in line), "?")
    memory = next((line.split()[1] for line in _lines("/proc/meminfo") if line.startswith("MemTotal")), "0")
    system = f"Linux {platform.release()}, Python {platform.python_version()}"
    limits = f"ChaCha20-Poly1305 in one core: {_aead_rate():.2f} GB/s of CPU time"
    load = f"load {os.getloadavg()[1]:.1f} when it ended"
    return [f"{model}, {os.cpu_count()} cores, {int(memory) >> 20} GiB; {system}; {load}. {limits}."]


def _notes() -> list[str]:
    return [
        "Every run is a whole process, in turn with the others. In comparisons of many files `age` is `tar | age`. `7z` is a zip with",
        "AES-256, stored for one file and deflated for many; `cat` is the limit that writing sets. *prepared* seals raw deflate copies.",
        "Peaks are those of the largest process; a second one of ours shares most of its memory with the first (ADR 8 has both together).",
        "",
        "![chart](packages.png)",
    ]


def _lines(path: str) -> list[str]:
    return Path(path).read_text().splitlines() if Path(path).exists() else []


def _aead_rate() -> float:
    aead, plain, sealed = ChaCha20Poly1305(bytes(32)), bytearray(1 << 16), bytearray((1 << 16) + 16)
    started = time.thread_time()
    for number in range(4096):
        aead.encrypt_into(number.to_bytes(12, "big"), plain, None, sealed)
    return 4096 * len(plain) / (time.thread_time() - started) / 1e9


def _chart(rows: list[Row], path: Path) -> None:
    """One bar a row, in GB/s."""
    line, left, width = 22, 460, 1100
    picture = Image.new("RGB", (width, line * (len(rows) + 1)), "white")
    draw, font = ImageDraw.Draw(picture), ImageFont.load_default(14)
    most = max(row.rate for row in rows)
    for number, row in enumerate(rows):
        top, end = number * line + line // 2, left + int((width - left - 70) * row.rate / most)
        draw.text((left - 10, top + line // 2), f"{row.case}: {row.verb}, {row.tool}", "black", font, anchor="rm")
        colour = "#1b6e5a" if row.tool in _OURS else "#9aa5ad"
        draw.rectangle((left, top + 3, end, top + line - 3), fill=colour)
        draw.text((end + 6, top + line // 2), f"{row.rate:.2f}", "black", font, anchor="lm")
    picture.save(path)

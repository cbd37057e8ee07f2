"""Kills `package seal` at random points: no half package is ever visible, and every start draws a new file key."""

import os
import random
import subprocess
import sys
import time
from pathlib import Path

import msgspec

from handover.archive.open import verify_package
from handover.crypto.age import generate_identity, parse_header, recipient_of
from handover.crypto.errors import HeaderError

ROOT = Path(__file__).resolve().parents[1]
_MEBI = 1 << 20


class Killed(msgspec.Struct):
    """How many builds were killed, how many of them after a byte was written, and how long a whole one takes."""

    kills: int
    begun: int
    seconds: float


def kill_builds(folder: Path, size: int, kills: int, rng: random.Random) -> Killed:
    """Kills as many builds over one input of `size` bytes, then lets one end.

    Raises:
        SystemExit: a half package was visible, a file key came twice, or the last package is not whole.
    """
    identity, out = generate_identity(), folder / "package.age"
    with (folder / "input").open("wb") as source:
        for _ in range(size // _MEBI):
            source.write(rng.randbytes(_MEBI))
    seconds = _build(folder, identity)
    headers, begun = {_header(out)}, 0
    out.unlink()
    for number in range(kills):
        _build(folder, identity, killed_after=rng.uniform(0, seconds))
        if out.exists():
            verify_package(out, [identity])  # it may have ended just before; then it is whole
            out.unlink()
        for part in folder.glob(".package.age.*.part"):
            header = _header(part)
            if header in headers:
                raise SystemExit(f"kill {number}: a file key was used again")
            headers |= {header} if header else set()
            begun += header is not None
            part.unlink()
    _build(folder, identity)
    if _header(out) in headers or verify_package(out, [identity]).verified != 1:
        raise SystemExit("the build after the kills is not whole, or not under a new key")
    return Killed(kills, begun, seconds)


def _build(folder: Path, identity: str, killed_after: float | None = None) -> float:
    command = [sys.executable, "-m", "handover", "package", "seal", "input", "--out", "package.age"]
    command += ["--to", recipient_of(identity)]
    started = time.monotonic()
    build = subprocess.Popen(
        command, cwd=folder, env={**os.environ, "PYTHONPATH": str(ROOT)}, stdout=subprocess.DEVNULL
    )
    try:
        code = build.wait(timeout=killed_after)
    except subprocess.TimeoutExpired:
        build.kill()
        build.wait()
        return time.monotonic() - started
    if code:
        raise SystemExit(f"package seal ended with {code}")
    return time.monotonic() - started


def _header(path: Path) -> bytes | None:
    """The header of a file, if it got that far."""
    with path.open("rb") as file:
        try:
            return parse_header(file).raw
        except HeaderError:
            return None

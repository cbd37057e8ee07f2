"""What a person sees and keeps when a package is made or opened at a terminal: progress on stderr, nothing after Ctrl-C."""

import os
import pty
import signal
import subprocess
import sys
import threading
import time
from pathlib import Path

import pytest

from handover.archive.standalone import seal_paths
from handover.crypto.age import generate_identity, recipient_of

ROOT = Path(__file__).parents[2]
IDENTITY = generate_identity()


@pytest.fixture
def place(tmp_path: Path) -> Path:
    (tmp_path / "id").write_text(IDENTITY)
    (tmp_path / "in").mkdir()
    for number in range(4):
        (tmp_path / "in" / f"{number}.csv").write_bytes(os.urandom(1 << 20) * 32)
    return tmp_path


def _seal(place: Path) -> list[str]:
    return ["seal", "in", "--to", recipient_of(IDENTITY), "--out", "p.age"]


def _start(place: Path, *command: str, stderr: int) -> "subprocess.Popen[bytes]":
    return subprocess.Popen(
        [sys.executable, "-m", "handover", "package", *command],
        cwd=place,
        env={**os.environ, "PYTHONPATH": str(ROOT), "TERM": "xterm", "COLUMNS": "120"},
        stdout=subprocess.PIPE,
        stderr=stderr,
        start_new_session=True,
        # A suite in the background of a shell ignores the signal, and so would what it starts.
        preexec_fn=lambda: signal.signal(signal.SIGINT, signal.SIG_DFL),
    )


def test_progress_shows_speed_and_estimate_on_a_terminal_alone(place: Path) -> None:
    terminal, other_end = pty.openpty()
    with _start(place, *_seal(place), stderr=other_end) as process:
        os.close(other_end)
        said = bytearray()
        reading = threading.Thread(target=_read_all, args=(terminal, said))
        reading.start()
        out = process.stdout.read() if process.stdout else b""
        assert process.wait(timeout=60) == 0
        reading.join()
    os.close(terminal)
    assert b"MB/s" in said
    assert b"MB/s" not in out
    quiet = subprocess.run(
        [sys.executable, "-m", "handover", "package", "inspect", "p.age"],
        cwd=place,
        check=True,
        capture_output=True,
        env={**os.environ, "PYTHONPATH": str(ROOT)},
    )
    assert quiet.stderr == b""


def _read_all(terminal: int, said: bytearray) -> None:
    try:
        while part := os.read(terminal, 4096):
            said += part
    except OSError:
        return  # how a terminal says that its other end is closed


@pytest.mark.parametrize("files", ["large", "many"])
@pytest.mark.parametrize("verb", ["seal", "open"])
def test_ctrl_c_leaves_nothing(place: Path, verb: str, files: str) -> None:
    if files == "many":  # which two processes share
        for large in (place / "in").iterdir():
            large.unlink()
        for number in range(12_000):
            (place / "in" / str(number)).write_bytes(b"x" * 2_000)
    command = _seal(place)
    if verb == "open":
        seal_paths([place / "in"], [recipient_of(IDENTITY)], place / "p.age")
        command = ["open", "p.age", "-i", "id", "-o", "out"]
    before = {path.name for path in place.iterdir()}
    with _start(place, *command, stderr=subprocess.PIPE) as process:
        ends = time.monotonic() + 30
        while not list(place.glob(".*.part")) and process.poll() is None and time.monotonic() < ends:
            time.sleep(0.002)
        os.killpg(process.pid, signal.SIGINT)  # as a terminal does
        assert process.wait(timeout=60) != 0
        assert process.stdout is not None
        process.stdout.read()  # ends when no process is left
    assert {path.name for path in place.iterdir()} == before

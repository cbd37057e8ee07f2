"""`handover serve` offers the first administrator's link again: on a terminal alone, and the older one dies."""

import json
import os
import re
import select
import subprocess
import sys
import time
from pathlib import Path

import httpx

_SECONDS = 60


def environment(folder: Path, address: str = "http://localhost:8000") -> dict[str, str]:
    own = {name: value for name, value in os.environ.items() if not name.startswith("HANDOVER_")}
    return {**own, "HANDOVER_DATA_DIR": str(folder / "data"), "HANDOVER_PUBLIC_URL": address}


def initialised(folder: Path) -> str:
    """Makes an installation; returns the path of the first administrator's link."""
    made = subprocess.run(
        [sys.executable, "-m", "handover", "init", "--admin", "admin@people.example", "--json"],
        env=environment(folder),
        check=True,
        stdout=subprocess.PIPE,
    )
    return str(json.loads(made.stdout)["link"]).removeprefix("http://localhost:8000")


def served(folder: Path, stderr: int) -> subprocess.Popen[bytes]:
    command = [sys.executable, "-m", "handover", "serve", "--host", "localhost", "--port", "0", "--no-worker"]
    return subprocess.Popen(command, env=environment(folder), stdout=subprocess.PIPE, stderr=stderr)


def ended(process: subprocess.Popen[bytes]) -> None:
    process.terminate()
    process.wait(timeout=30)
    assert process.stdout is not None
    process.stdout.close()


def read_until(descriptor: int, wanted: bytes) -> str:
    said, deadline = b"", time.monotonic() + _SECONDS
    while wanted not in said:
        ready, _, _ = select.select([descriptor], [], [], max(0.0, deadline - time.monotonic()))
        assert ready, said.decode()
        said += os.read(descriptor, 4096)
    return said.decode()


def test_on_a_terminal_a_new_link_is_printed_and_the_old_one_works_no_more(tmp_path: Path) -> None:
    old = initialised(tmp_path)
    ours, theirs = os.openpty()
    process = served(tmp_path, theirs)
    try:
        assert process.stdout is not None
        address = process.stdout.readline().decode().strip()
        said = read_until(ours, b"works no more")
        link = re.search(r"/p/[A-Za-z0-9_-]+", said)
        assert link
        assert re.search(r"code: \d{8}", said)
        assert httpx.get(address + old, trust_env=False).status_code == 410
        assert httpx.get(address + link.group(0), trust_env=False).status_code == 200
    finally:
        ended(process)
        os.close(ours)
        os.close(theirs)


def test_a_link_never_goes_into_a_log(tmp_path: Path) -> None:
    old, log = initialised(tmp_path), tmp_path / "log"
    with log.open("wb") as file:
        process = served(tmp_path, file.fileno())
        try:
            assert process.stdout is not None
            address = process.stdout.readline().decode().strip()
            assert httpx.get(address + old, trust_env=False).status_code == 200
        finally:
            ended(process)
    assert "/p/" not in log.read_text()

"""Staged blobs are placed in a bucket, whatever happened to those who were at it before."""

import contextlib
import itertools
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest

from handover.errors import VerificationError
from handover.storage import (
    new_blob_key,
    open_storage,
)
from handover.storage.s3 import S3Storage
from tests.bucket import Server
from tests.storage.faults import Fault, Way
from tests.storage.stores import MIB, address_over, at, get, noise, put

pytestmark = pytest.mark.services


def stage(storage: S3Storage, key: str, data: bytes) -> None:
    with storage.stage(key) as target:
        target.write(data)


PLACE = """import sys
from pathlib import Path
from handover.storage import open_storage
from handover.storage.s3 import placing
placing.PART_BYTES = 5 << 20
open_storage(sys.argv[1], Path(sys.argv[2])).place(sys.argv[3])"""


@contextlib.contextmanager
def killed_after_four_parts(way: Way, s3: Server, url: str, spool: Path, key: str) -> Iterator[None]:
    """A process that places the blob, killed when four of its parts are in the store."""
    passed, over_now = itertools.count(), threading.Event()

    def four(method: str, path: str, _headers: dict[str, str]) -> Fault | None:
        if method == "PUT" and next(passed) >= 4:
            over_now.wait()
            return Fault(status=500, code="Late")
        return None

    way.rule = four
    child = subprocess.Popen([sys.executable, "-c", PLACE, address_over(way, url), str(spool), key])
    while sum(s3.parts(upload) for upload in s3.uploads(url)) < 4:
        assert child.poll() is None
        time.sleep(0.05)
    child.kill()
    assert child.wait() == -signal.SIGKILL
    try:
        yield
    finally:
        over_now.set()


def test_a_placing_that_is_killed_goes_on_with_the_parts_that_arrived(
    way: Way, s3: Server, url: str, tmp_path: Path
) -> None:
    storage, key, data, spool = at(url, tmp_path), new_blob_key(), noise(64 * MIB + 5), tmp_path / "spool"
    stage(storage, key, data)
    with killed_after_four_parts(way, s3, url, spool, key):
        assert not storage.exists(key)
        assert storage.is_staged(key)
        way.rule = lambda *_: None
        way.seen.clear()
        subprocess.run([sys.executable, "-c", PLACE, address_over(way, url), str(spool), key], check=True)
    assert get(storage, key) == data
    assert len([path for method, path in way.seen if method == "PUT"]) == 13 - 4
    assert s3.uploads(url) == []
    assert list(open_storage(f"file://{spool}").keys()) == []


def test_parts_that_were_swept_meanwhile_are_sent_again(way: Way, s3: Server, url: str, tmp_path: Path) -> None:
    storage, key, data = at(url, tmp_path), new_blob_key(), noise(30 * MIB)
    stage(storage, key, data)
    with killed_after_four_parts(way, s3, url, tmp_path / "spool", key):
        storage.sweep()
        assert s3.uploads(url) == []
        storage.place(key)
    assert get(storage, key) == data


def test_deleting_a_blob_drops_its_staged_parts(way: Way, s3: Server, url: str, tmp_path: Path) -> None:
    storage, key = at(url, tmp_path), new_blob_key()
    stage(storage, key, noise(30 * MIB))
    with killed_after_four_parts(way, s3, url, tmp_path / "spool", key):
        storage.delete(key)
    assert s3.uploads(url) == []
    assert not storage.is_staged(key)


def test_what_comes_back_changed_is_not_taken_for_placed(s3: Server, url: str, tmp_path: Path) -> None:
    storage, key = at(url, tmp_path), new_blob_key()
    stage(storage, key, data := noise(MIB))
    wrong = data[:-1] + bytes([data[-1] ^ 1])
    put(storage, key, wrong)
    with pytest.raises(VerificationError):
        storage.place(key)
    assert not storage.exists(key)
    assert not storage.is_staged(key)


def test_two_who_place_the_same_blob_both_succeed(url: str, tmp_path: Path) -> None:
    """A worker that lost its lease may be at it still."""
    storage, key = at(url, tmp_path), new_blob_key()
    stage(storage, key, data := noise(40 * MIB))
    with ThreadPoolExecutor(2) as pool:
        for done in [pool.submit(at(url, tmp_path).place, key) for _ in range(2)]:
            done.result()
    assert get(storage, key) == data

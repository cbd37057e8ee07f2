"""What a store in a bucket owes beyond the contract: parts, conditions, broken ways, dead writers on other machines."""

import datetime as dt
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest

from handover.storage import (
    BlobExistsError,
    StorageUnavailableError,
    new_blob_key,
    open_storage,
)
from handover.storage.s3 import writing
from tests.bucket import Server
from tests.storage.faults import Fault, Way
from tests.storage.stores import MIB, at, get, noise, over, put

pytestmark = pytest.mark.services


@pytest.fixture
def small_parts(monkeypatch: pytest.MonkeyPatch) -> None:
    """Parts of the smallest size that S3 allows."""
    monkeypatch.setattr(writing, "PART_BYTES", 5 * MIB)
    monkeypatch.setattr(writing, "_ALONE_BYTES", 5 * MIB)


@pytest.mark.parametrize("size", [5 * MIB - 1, 5 * MIB, 5 * MIB + 1, 10 * MIB, 17 * MIB])
def test_a_blob_comes_back_whole_however_its_size_falls_into_parts(
    s3: Server, url: str, tmp_path: Path, small_parts: None, size: int
) -> None:
    storage, key, data = at(url, tmp_path), new_blob_key(), noise(size)
    with storage.create(key) as target:
        for place in range(0, size, 1_000_003):
            target.write(data[place : place + 1_000_003])
    assert storage.size(key) == size
    assert get(storage, key) == data
    assert s3.uploads(url) == []


def test_a_large_blob_is_written_once(s3: Server, url: str, tmp_path: Path, small_parts: None) -> None:
    storage, key = at(url, tmp_path), new_blob_key()
    put(storage, key, first := noise(6 * MIB))
    with pytest.raises(BlobExistsError):
        put(storage, key, noise(7 * MIB))
    assert get(storage, key) == first
    assert s3.uploads(url) == []


def test_a_large_blob_that_is_broken_off_leaves_no_part(
    s3: Server, url: str, tmp_path: Path, small_parts: None
) -> None:
    storage, key = at(url, tmp_path), new_blob_key()

    def broken_off() -> None:
        with storage.create(key) as target:
            target.write(noise(12 * MIB))
            raise ZeroDivisionError

    with pytest.raises(ZeroDivisionError):
        broken_off()
    assert s3.uploads(url) == []
    assert s3.names(url) == []


def test_writing_holds_a_few_parts_in_memory_whatever_the_blob(url: str, tmp_path: Path) -> None:
    code = """import resource, sys
from handover.storage import open_storage
storage = open_storage(sys.argv[1])
block = bytes(1 << 20)
def peak(): return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss >> 10
with storage.create("ab/" + "0" * 30) as target: target.write(block)
before = peak()
with storage.create("ab/" + "1" * 30) as target:
    for _ in range(256): target.write(block)
print(peak() - before)"""
    shown = subprocess.run([sys.executable, "-c", code, url], check=True, capture_output=True, text=True)
    assert int(shown.stdout) < 128


def killed_while_writing(url: str, key: str) -> None:
    code = """import os, signal, sys
from handover.storage import open_storage
with open_storage(sys.argv[1]).create(sys.argv[2]) as target:
    target.write(bytes(40 << 20))
    target._parts.finish = None
    for sent in target._parts._sent: sent.result()
    os.kill(os.getpid(), signal.SIGKILL)"""
    assert subprocess.run([sys.executable, "-c", code, url, key], check=False).returncode == -signal.SIGKILL


def test_parts_of_a_dead_writer_go_and_those_of_one_that_was_heard_of_stay(
    s3: Server, url: str, tmp_path: Path
) -> None:
    killed_while_writing(url, new_blob_key())
    assert at(url, tmp_path, dt.timedelta(minutes=5)).sweep() == 0
    assert len(s3.uploads(url)) == 1
    time.sleep(1.1)  # a store's times are whole seconds
    assert at(url, tmp_path, dt.timedelta(seconds=1)).sweep() == 1
    assert s3.uploads(url) == []


def test_clearing_removes_only_what_no_row_names_and_is_older_than_any_writer(url: str, tmp_path: Path) -> None:
    old, named, lost = new_blob_key(), new_blob_key(), new_blob_key()
    storage = at(url, tmp_path)
    put(storage, old, b"x")
    assert storage.clear(lambda written: written) == 0
    time.sleep(1.1)
    put(storage, named, b"x")
    put(storage, lost, b"x")
    before = time.monotonic()
    assert at(url, tmp_path, dt.timedelta(days=1)).clear(lambda written: written) == 0
    time.sleep(6)
    put(storage, late := new_blob_key(), b"x")
    # As much as the others are old for certain to a store that counts whole seconds; `late` has until then.
    age = dt.timedelta(seconds=time.monotonic() - before - 1.5)
    assert at(url, tmp_path, age).clear(lambda written: written - {named, old}) == 1
    assert set(storage.keys()) == {old, named, late}


def test_nothing_beside_the_prefix_is_seen_or_removed(s3: Server, url: str, tmp_path: Path) -> None:
    beside = open_storage(url.replace("?", "-2?"))
    with beside.create(key := new_blob_key()) as target:
        target.write(b"x")
    storage = at(url, tmp_path)
    assert list(storage.keys()) == []
    storage.clear(lambda written: written)
    assert storage.clear(lambda written: written) == 0
    storage.delete(key)
    assert beside.exists(key)


@pytest.mark.parametrize("lost", ["PUT", "POST"])
def test_a_lost_answer_does_not_make_a_writer_lose_against_itself(
    way: Way, url: str, tmp_path: Path, small_parts: None, lost: str
) -> None:
    storage, key = over(way, url, tmp_path), new_blob_key()
    data = noise(6 * MIB) if lost == "POST" else b"small"
    way.once(lost, "uploadId" if lost == "POST" else key, Fault(lose=True))
    put(storage, key, data)
    assert get(storage, key) == data
    with pytest.raises(BlobExistsError):
        put(storage, key, b"another")


@pytest.mark.parametrize("size", [5, 6 * MIB])
def test_a_store_without_conditions_is_looked_at_before_each_write(
    way: Way, url: str, tmp_path: Path, small_parts: None, size: int
) -> None:
    way.rule = lambda _m, _p, headers: Fault(status=501, code="NotImplemented") if "if-none-match" in headers else None
    storage, key = over(way, url, tmp_path), new_blob_key()
    put(storage, key, data := noise(size))
    with pytest.raises(BlobExistsError):
        put(storage, key, noise(size + 1))
    assert get(storage, key) == data


def test_an_answer_that_breaks_off_is_asked_for_again(way: Way, url: str, tmp_path: Path) -> None:
    storage, key = over(way, url, tmp_path), new_blob_key()
    put(storage, key, data := noise(3 * MIB))
    way.once("GET", key, Fault(cut=1000))
    assert get(storage, key) == data


def test_a_store_that_fails_for_a_moment_is_asked_again(way: Way, url: str, tmp_path: Path) -> None:
    storage, key = over(way, url, tmp_path), new_blob_key()
    way.once("PUT", key, Fault(status=503, code="SlowDown"))
    put(storage, key, b"x")
    assert get(storage, key) == b"x"


def test_bytes_that_change_on_the_way_are_refused(s3: Server, url: str, tmp_path: Path) -> None:
    storage, key = at(url, tmp_path), new_blob_key()

    def spoil(request: object, **_: object) -> None:
        request.body = b"spoilt"  # type: ignore[attr-defined]

    storage._bucket._client.meta.events.register("before-send.s3.PutObject", spoil)
    with pytest.raises(StorageUnavailableError) as refused:
        put(storage, key, b"intact")
    assert refused.value.details["reason"] == "BadDigest"
    assert not storage.exists(key)

"""The contract of every storage: written once, whole or not at all."""

import io
import os
import random
import signal
import subprocess
import sys
import threading
from collections.abc import Iterator
from pathlib import Path

import pytest

from handover.storage import (
    BlobExistsError,
    BlobMissingError,
    Storage,
    StorageFullError,
    new_blob_key,
    open_storage,
)


@pytest.fixture(params=["folder", pytest.param("bucket", marks=pytest.mark.services)])
def url(request: pytest.FixtureRequest, tmp_path: Path) -> str:
    """An empty store of each kind."""
    if request.param == "folder":
        return f"file://{tmp_path}/objects"
    return str(request.getfixturevalue("s3").url())


@pytest.fixture
def storage(url: str, tmp_path: Path) -> Storage:
    return open_storage(url, tmp_path / "spool")


@pytest.fixture
def local(tmp_path: Path) -> Storage:
    return open_storage(f"file://{tmp_path}/objects")


def put(storage: Storage, key: str, data: bytes) -> None:
    with storage.create(key) as target:
        target.write(data)


def test_bytes_come_back_as_they_were(storage: Storage) -> None:
    key = new_blob_key()
    with storage.create(key) as target:
        target.write(b"one ")
        target.write(bytearray(b"two "))
        target.write(memoryview(b"three"))
    assert storage.size(key) == 13
    assert list(storage.keys()) == [key]
    assert list(storage.sizes()) == [(key, 13)]
    with storage.open(key) as source:
        assert source.read() == b"one two three"
        source.seek(4)
        assert source.read(3) == b"two"


def test_a_blob_has_its_name_only_when_it_is_whole(storage: Storage) -> None:
    key = new_blob_key()
    with storage.create(key) as target:
        target.write(b"x" * 100_000)
        assert not storage.exists(key)
        assert list(storage.keys()) == []
    assert storage.exists(key)


def test_names_and_sizes_are_for_the_owner_alone(local: Storage, tmp_path: Path) -> None:
    put(local, new_blob_key(), b"x")
    root = tmp_path / "objects"
    assert {path.stat().st_mode & 0o077 for path in (root, *root.rglob("*"))} == {0}


def test_a_blob_is_written_once(storage: Storage) -> None:
    key = new_blob_key()
    put(storage, key, b"first")
    with pytest.raises(BlobExistsError):
        put(storage, key, b"second")
    with storage.open(key) as source:
        assert source.read() == b"first"
    assert storage.sweep() == 0


def test_of_racing_writers_exactly_one_wins(storage: Storage) -> None:
    key, lost = new_blob_key(), []
    barrier = threading.Barrier(8)

    def write(number: int) -> None:
        barrier.wait()
        try:
            put(storage, key, bytes([number]) * 1000)
        except BlobExistsError:
            lost.append(number)

    threads = [threading.Thread(target=write, args=(number,)) for number in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert len(lost) == 7
    with storage.open(key) as source:
        content = source.read()
    assert len(set(content)) == 1
    assert content[0] not in lost


def kill_a_writer(url: str, key: str) -> None:
    code = (
        "import os, signal, sys; from handover.storage import open_storage\n"
        "with open_storage(sys.argv[1]).create(sys.argv[2]) as target:\n"
        "    target.write(b'half'); os.kill(os.getpid(), signal.SIGKILL)\n"
    )
    child = subprocess.run([sys.executable, "-c", code, url, key], check=False, cwd=Path.cwd())
    assert child.returncode == -signal.SIGKILL


def test_an_interrupted_writer_leaves_nothing(storage: Storage) -> None:
    key = new_blob_key()

    def interrupted() -> None:
        with storage.create(key) as target:
            target.write(b"half")
            raise RuntimeError

    with pytest.raises(RuntimeError):
        interrupted()
    assert not storage.exists(key)
    assert storage.sweep() == 0


def test_a_killed_writer_leaves_nothing_under_the_key(storage: Storage, url: str) -> None:
    key = new_blob_key()
    kill_a_writer(url, key)
    assert not storage.exists(key)
    assert list(storage.keys()) == []
    put(storage, key, b"whole")


def test_what_a_killed_writer_left_in_the_folder_is_swept(local: Storage, tmp_path: Path) -> None:
    kill_a_writer(f"file://{tmp_path}/objects", new_blob_key())
    assert local.sweep() == 1
    assert local.sweep() == 0


def test_deleting_twice_is_no_error(storage: Storage) -> None:
    key = new_blob_key()
    put(storage, key, b"x")
    storage.delete(key)
    storage.delete(key)
    for attempt in (storage.open, storage.size):
        with pytest.raises(BlobMissingError):
            attempt(key)


@pytest.mark.parametrize(
    "key", ["", "ab", "ab/cd", "../../etc/passwd", "ab/" + "g" * 30, "AB/" + "a" * 30, "/etc/shadow"]
)
def test_a_key_of_another_form_reaches_no_file(storage: Storage, key: str) -> None:
    for attempt in (storage.open, storage.size, storage.exists, storage.delete, storage.create):
        with pytest.raises(BlobMissingError):
            attempt(key)


def test_keys_do_not_repeat(storage: Storage) -> None:
    assert len({new_blob_key() for _ in range(10_000)}) == 10_000


@pytest.fixture
def small(tmp_path: Path) -> Iterator[Path]:
    """A file system of one mebibyte."""
    folder = tmp_path / "small"
    folder.mkdir()
    mounted = subprocess.run(
        ["mount", "-t", "tmpfs", "-o", "size=1m", "tmpfs", str(folder)], check=False, capture_output=True, text=True
    )
    if mounted.returncode:
        pytest.skip(f"a small file system needs root and mount: {mounted.stderr.strip()}")
    yield folder
    subprocess.run(["umount", str(folder)], check=True)


def test_a_full_disk_is_said_leaves_nothing_and_is_recovered_from(small: Path) -> None:
    storage, key = open_storage(f"file://{small}/objects"), new_blob_key()
    put(storage, kept := new_blob_key(), b"k" * 200_000)
    with pytest.raises(StorageFullError):
        put(storage, key, bytes(2_000_000))
    assert not storage.exists(key)
    assert storage.sweep() == 0
    with storage.open(kept) as source:
        assert source.read() == b"k" * 200_000
    put(storage, key, bytes(500_000))


def test_a_partial_write_goes_on(local: Storage, monkeypatch: pytest.MonkeyPatch) -> None:
    real = os.write
    monkeypatch.setattr(os, "write", lambda handle, data: real(handle, data[:7]))
    put(local, key := new_blob_key(), b"more than seven bytes")
    with local.open(key) as source:
        assert isinstance(source, io.BufferedReader)
        assert source.read() == b"more than seven bytes"


def put_by_another_process(root: Path, *keys: str) -> None:
    code = """import sys
from handover.storage import open_storage
storage = open_storage(sys.argv[1])
for key in sys.argv[2:]:
    with storage.create(key) as target:
        target.write(b"x")"""
    subprocess.run([sys.executable, "-c", code, f"file://{root}", *keys], check=True)


def test_clearing_removes_what_no_row_names_of_that_which_was_written_since_the_last_clearing(tmp_path: Path) -> None:
    old, named, lost = new_blob_key(), new_blob_key(), new_blob_key()
    storage = open_storage(f"file://{tmp_path}")
    put_by_another_process(tmp_path, old)
    assert storage.clear(lambda written: written) == 0
    put_by_another_process(tmp_path, named, lost)
    (tmp_path / "incoming" / "half").write_bytes(b"x")
    assert storage.clear(lambda written: written - {named}) == 2
    assert set(storage.keys()) == {old, named}
    assert list((tmp_path / "incoming").iterdir()) == []


def test_nothing_is_cleared_while_another_process_that_wrote_is_alive(storage: Storage, url: str) -> None:
    another = open_storage(url)
    assert another.clear(lambda written: written) == 0
    key = new_blob_key()
    put(storage, key, b"its row is not committed yet")
    assert another.clear(lambda written: written) == 0
    assert another.exists(key)


def test_a_blob_without_bytes_is_a_blob(storage: Storage) -> None:
    put(storage, key := new_blob_key(), b"")
    assert storage.size(key) == 0
    assert storage.exists(key)
    with storage.open(key) as source:
        assert source.read() == b""


def test_what_is_staged_has_no_name_until_it_is_placed(storage: Storage, url: str) -> None:
    key = new_blob_key()
    assert not storage.is_staged(key)
    with storage.stage(key) as target:
        target.write(b"costly")
    with storage.open_staged(key) as source:
        assert source.read() == b"costly"
    assert list(storage.keys()) == ([key] if url.startswith("file:") else [])
    storage.place(key)
    with storage.open(key) as source:
        assert source.read() == b"costly"
    assert storage.is_staged(key)
    storage.place(key)
    storage.delete(key)
    assert not storage.exists(key)
    assert not storage.is_staged(key)


def test_what_was_staged_and_is_not_wanted_goes(storage: Storage) -> None:
    key = new_blob_key()
    with storage.stage(key) as target:
        target.write(b"x")
    storage.delete(key)
    assert not storage.is_staged(key)
    with pytest.raises(BlobMissingError):
        storage.place(key)


def test_a_store_that_suits_says_nothing(storage: Storage) -> None:
    storage.ping()
    assert storage.examine() == []


@pytest.mark.parametrize("order", ["forward", "backward", "anywhere"])
def test_any_part_of_a_blob_can_be_read(storage: Storage, order: str) -> None:
    data = random.Random(7).randbytes(9_000_001)
    put(storage, key := new_blob_key(), data)
    places = list(range(0, len(data), 700_001))
    if order == "backward":
        places.reverse()
    elif order == "anywhere":
        random.Random(3).shuffle(places)
    with storage.open(key) as source:
        for place in places:
            if order != "forward":
                source.seek(place)
            assert source.read(700_001) == data[place : place + 700_001]
        assert source.seek(0, io.SEEK_END) == len(data)
        assert source.read(1) == b""

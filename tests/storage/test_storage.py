"""The contract of every storage: written once, whole or not at all."""

import io
import os
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


@pytest.fixture
def storage(tmp_path: Path) -> Storage:
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


def test_names_and_sizes_are_for_the_owner_alone(storage: Storage, tmp_path: Path) -> None:
    put(storage, new_blob_key(), b"x")
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


def test_a_killed_writer_leaves_nothing_under_the_key_and_is_swept(storage: Storage, tmp_path: Path) -> None:
    key = new_blob_key()
    code = (
        "import os, signal, sys; from handover.storage import open_storage\n"
        "with open_storage(sys.argv[1]).create(sys.argv[2]) as target:\n"
        "    target.write(b'half'); os.kill(os.getpid(), signal.SIGKILL)\n"
    )
    child = subprocess.run([sys.executable, "-c", code, f"file://{tmp_path}/objects", key], check=False, cwd=Path.cwd())
    assert child.returncode == -signal.SIGKILL
    assert not storage.exists(key)
    assert list(storage.keys()) == []
    assert storage.sweep() == 1
    put(storage, key, b"whole")


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


def test_a_partial_write_goes_on(storage: Storage, monkeypatch: pytest.MonkeyPatch) -> None:
    real = os.write
    monkeypatch.setattr(os, "write", lambda handle, data: real(handle, data[:7]))
    put(storage, key := new_blob_key(), b"more than seven bytes")
    with storage.open(key) as source:
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


def test_nothing_is_cleared_while_another_process_that_wrote_is_alive(storage: Storage, tmp_path: Path) -> None:
    another = open_storage(f"file://{tmp_path}/objects")
    assert another.clear(lambda written: written) == 0
    key = new_blob_key()
    put(storage, key, b"its row is not committed yet")
    assert another.clear(lambda written: written) == 0
    assert another.exists(key)

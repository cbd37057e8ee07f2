"""Killed at every step, a destruction is either not begun or finished by whoever opens the ring next."""

import datetime as dt
import errno
import os
import signal
import subprocess
import sys
import threading
import time
import uuid
from collections.abc import Callable
from pathlib import Path

import msgspec
import pytest

from handover.settings import Settings
from handover.storage import StorageFullError
from handover.vault import CopyBinding, KeyDestroyedError, Keyring, Tombstone, Vault, VaultSealedError, ring

SECRETS = {"keep:1": b"1" * 32, "keep:2": b"2" * 32, "go:1": b"3" * 32, "go:2": b"4" * 32}
GOING = ("go:1", "go:2")
STEPS = ("fsync", "replace", "rename", "unlink", "write")


class Killed(BaseException):
    """Stands for the process being gone: no handler of ours runs."""


@pytest.fixture
def keyring(vault: Vault) -> Keyring:
    for key_id, secret in SECRETS.items():
        vault.keyring.add(key_id, "symmetric", secret)
    return vault.keyring


def reopened(settings: Settings) -> Keyring:
    keyring = Keyring(settings.keyring_dir, settings.master_key_file)
    keyring.recover()
    return keyring


def assert_whole(keyring: Keyring, settings: Settings) -> bool:
    """Everything as before (False) or everything done (True), and no second master key beside the first."""
    done = not keyring.has("go:1")
    for key_id, secret in SECRETS.items():
        if done and key_id in GOING:
            with pytest.raises(KeyDestroyedError):
                keyring.secret(key_id)
        else:
            assert keyring.secret(key_id) == secret
    assert not settings.master_key_file.with_name("master.key.next").exists()
    stones = (settings.keyring_dir / "tombstones.jsonl").read_text() if done else ""
    assert all(key_id in stones for key_id in GOING) == done
    return done


class Steps:
    """Counts calls that touch the disk and acts at one of them, before or after it happened."""

    def __init__(self, monkeypatch: pytest.MonkeyPatch, at: int, *, after: bool, act: Callable[[], None]) -> None:
        self.count = 0
        for name in STEPS:
            monkeypatch.setattr(os, name, self._wrapped(getattr(os, name), at, after, act))

    def _wrapped(self, real: Callable[..., object], at: int, after: bool, act: Callable[[], None]) -> object:
        def call(*arguments: object, **named: object) -> object:
            self.count += 1
            mine = self.count == at
            if mine and not after:
                act()
            result = real(*arguments, **named)
            if mine and after:
                act()
            return result

        return call


def _die() -> None:
    raise Killed


def _full() -> None:
    raise OSError(errno.ENOSPC, "No space left on device")


def _steps_of_a_destruction(keyring: Keyring) -> int:
    with pytest.MonkeyPatch.context() as patch:
        steps = Steps(patch, 0, after=False, act=_die)
        keyring.rotate()
    return steps.count


@pytest.mark.parametrize("after", [False, True])
def test_killed_at_every_step_it_is_undone_or_finished(vault: Vault, settings: Settings, after: bool) -> None:
    outcomes = []
    for number in range(1, _steps_of_a_destruction(vault.keyring) + 3):
        keyring = _fresh(settings)
        before = keyring.generation
        with pytest.MonkeyPatch.context() as patch:
            Steps(patch, number, after=after, act=_die)
            try:
                keyring.destroy(GOING)
            except Killed:
                outcomes.append("killed")
            else:
                outcomes.append("ended")
        again = reopened(settings)
        done = assert_whole(again, settings)
        assert again.generation == before + done
        result = again.destroy(GOING)
        assert assert_whole(again, settings)
        assert (result.generation_before, result.generation_after) == (before, before + 1)
        assert result.master_sha256_after == again.master_sha256
    assert outcomes.count("killed") >= 8
    assert outcomes[-1] == "ended"


def test_another_process_that_had_the_ring_open_finishes_it(keyring: Keyring, settings: Settings) -> None:
    other = Keyring(settings.keyring_dir, settings.master_key_file)
    other.check()
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(type(keyring._file.master), "promote", lambda _: _die())
        with pytest.raises(Killed):
            keyring.destroy(GOING)
    assert other.secret("keep:1") == SECRETS["keep:1"]
    with pytest.raises(KeyDestroyedError):
        other.secret("go:1")


def test_a_full_disk_at_any_step_loses_no_key(vault: Vault, settings: Settings) -> None:
    refused = 0
    for number in range(1, _steps_of_a_destruction(vault.keyring) + 1):
        keyring = _fresh(settings)
        with pytest.MonkeyPatch.context() as patch:
            Steps(patch, number, after=False, act=_full)
            try:
                keyring.destroy(GOING)
            except StorageFullError:
                refused += 1
        keyring.destroy(GOING)
        assert assert_whole(reopened(settings), settings)
    assert refused >= 8


_CHILD = """
import os, signal, sys
from pathlib import Path
from handover.vault import Keyring
keyring = Keyring(Path(sys.argv[1]), Path(sys.argv[2]))
keyring.check()
count = 0
def killing(real):
    def call(*arguments, **named):
        global count
        result = real(*arguments, **named)
        count += 1
        if count == int(sys.argv[3]):
            os.kill(os.getpid(), signal.SIGKILL)
        return result
    return call
os.fsync, os.replace, os.rename = killing(os.fsync), killing(os.replace), killing(os.rename)
keyring.destroy(["go:1", "go:2"])
"""


@pytest.mark.parametrize("step", [1, 3, 5, 6, 7])
def test_a_real_kill_is_survived(keyring: Keyring, settings: Settings, step: int) -> None:
    arguments = [str(settings.keyring_dir), str(settings.master_key_file), str(step)]
    child = subprocess.run([sys.executable, "-c", _CHILD, *arguments], check=False, cwd=Path.cwd())
    assert child.returncode == -signal.SIGKILL
    assert_whole(reopened(settings), settings)
    keyring.destroy(GOING)
    assert assert_whole(keyring, settings)


def test_the_old_master_key_opens_nothing_afterwards(keyring: Keyring, settings: Settings) -> None:
    old = settings.master_key_file.read_bytes()
    before = keyring.master_sha256
    done = keyring.destroy(GOING)
    assert (done.master_sha256_before, done.master_sha256_after) == (before, keyring.master_sha256)
    assert settings.master_key_file.read_bytes() != old
    settings.master_key_file.write_bytes(old)
    with pytest.raises(VaultSealedError):
        keyring.secret("keep:1")


def test_the_old_ring_does_not_open_with_the_new_master_key(keyring: Keyring, settings: Settings) -> None:
    old = (settings.keyring_dir / "ring.json").read_bytes()
    keyring.rotate()
    (settings.keyring_dir / "ring.json").write_bytes(old)
    with pytest.raises(VaultSealedError):
        keyring.secret("keep:1")


def test_a_restored_ring_with_its_old_master_key_does_not_revive_destroyed_keys(
    keyring: Keyring, settings: Settings
) -> None:
    ring_file, master = settings.keyring_dir / "ring.json", settings.master_key_file
    old_ring, old_master = ring_file.read_bytes(), master.read_bytes()
    keyring.destroy(GOING)
    ring_file.write_bytes(old_ring)
    master.write_bytes(old_master)
    restored = reopened(settings)
    assert restored.secret("keep:1") == SECRETS["keep:1"]
    with pytest.raises(KeyDestroyedError):
        restored.secret("go:1")
    restored.destroy(GOING)
    assert "go:1" not in {entry.key_id for entry in ring.decode(ring_file.read_bytes()).entries}


def test_tombstones_kept_elsewhere_are_replayed(keyring: Keyring, settings: Settings) -> None:
    ring_file, master = settings.keyring_dir / "ring.json", settings.master_key_file
    old_ring, old_master = ring_file.read_bytes(), master.read_bytes()
    keyring.destroy(GOING)
    stones = keyring.tombstones()
    ring_file.write_bytes(old_ring)
    master.write_bytes(old_master)
    (settings.keyring_dir / "tombstones.jsonl").unlink()
    restored = reopened(settings)
    assert restored.secret("go:1") == SECRETS["go:1"]
    restored.replay(stones)
    assert assert_whole(restored, settings)
    assert all(isinstance(stone, Tombstone) for stone in stones)


def test_rotation_loses_no_key_and_readers_meanwhile_never_fail(keyring: Keyring, settings: Settings) -> None:
    failures: list[Exception] = []
    stop = threading.Event()

    def read() -> None:
        mine = Keyring(settings.keyring_dir, settings.master_key_file)
        try:
            while not stop.is_set():
                assert mine.secret("keep:1") == SECRETS["keep:1"]
                mine.forget()
        except Exception as error:  # noqa: BLE001 - reported by the test's own thread
            failures.append(error)

    threads = [threading.Thread(target=read) for _ in range(3)]
    for thread in threads:
        thread.start()
    for _ in range(20):
        keyring.rotate()
    stop.set()
    for thread in threads:
        thread.join()
    assert failures == []
    assert keyring.generation == 21


def test_keys_added_by_two_processes_at_once_are_all_kept(keyring: Keyring, settings: Settings) -> None:
    code = (
        "import sys; from pathlib import Path; from handover.vault import Keyring\n"
        "keyring = Keyring(Path(sys.argv[1]), Path(sys.argv[2]))\n"
        "for i in range(25): keyring.add(f'{sys.argv[3]}:{i}', 'symmetric', bytes(32))\n"
    )
    arguments = [str(settings.keyring_dir), str(settings.master_key_file)]
    children = [subprocess.Popen([sys.executable, "-c", code, *arguments, name]) for name in ("a", "b")]
    for i in range(25):
        keyring.add(f"c:{i}", "symmetric", bytes(32))
    assert [child.wait(60) for child in children] == [0, 0]
    assert len(keyring.key_ids()) == len(SECRETS) + 75


def test_destroying_among_five_thousand_keys_takes_under_two_seconds(vault: Vault) -> None:
    many(vault.keyring, 5000)
    started = time.perf_counter()
    done = vault.keyring.destroy(["many:7", "many:4000"])
    assert time.perf_counter() - started < 2
    assert done.key_ids == ("many:7", "many:4000")
    assert len(vault.keyring.key_ids()) == 4998


def many(keyring: Keyring, count: int) -> None:
    """Adds keys in one write, as if each had been added before."""
    file = keyring._file
    state, key = keyring._current(), file.master.read()
    entries = (
        ring.Entry(
            key_id=f"many:{number}",
            kind="age",
            created_at=dt.datetime.now(dt.UTC),
            wrapped=b"",
            recipient="age1pq1" + "q" * 1952,
        )
        for number in range(count)
    )
    wrapped = tuple(ring.wrap(key, state.ring, entry, b"s" * 80) for entry in entries)
    file.replace(msgspec.structs.replace(state.ring, entries=wrapped), key)


def _fresh(settings: Settings) -> Keyring:
    """A new ring with the four keys, in the same place."""
    for path in (*settings.keyring_dir.iterdir(), settings.master_key_file):
        path.unlink(missing_ok=True)
    settings.master_key_file.with_name("master.key.next").unlink(missing_ok=True)
    keyring = Keyring.create(settings.keyring_dir, settings.master_key_file)
    for key_id, secret in SECRETS.items():
        keyring.add(key_id, "symmetric", secret)
    return keyring


def test_all_keys_of_a_case_are_found_also_those_that_no_row_names(vault: Vault) -> None:
    case, other = uuid.uuid4(), uuid.uuid4()
    for owner in (case, other):
        vault.create_secret(f"case:{owner}:metadata")
        vault.create_copy(f"copy:{owner}", CopyBinding(case=owner, copy=owner, role="upload", level="L4"))
    assert vault.keys_of_case(case) == {f"case:{case}:metadata", f"copy:{case}"}
    assert not vault.was_destroyed(f"copy:{case}")
    vault.destroy([f"copy:{case}"])
    assert vault.was_destroyed(f"copy:{case}")
    assert vault.keys_of_case(case) == {f"case:{case}:metadata"}

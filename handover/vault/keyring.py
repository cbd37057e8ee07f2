"""The key ring: a store of its own, never the database, wrapped by the master key (package-format.md, Data at rest).

Every change is one durable replacement of the ring under a lock that other processes respect; each use looks whether
the ring changed. A destruction leaves the destroyed keys out, wraps the rest by a new master key and destroys the old
one: before the ring's replacement everything is as it was, after it whoever opens the ring finishes the rest.
"""

import contextlib
import datetime as dt
import fcntl
import os
import threading
import uuid
from collections.abc import Collection, Iterator, Sequence
from pathlib import Path

import msgspec

from handover.settings import refuse_loose_permissions
from handover.vault import durable, master, ring, tombstones
from handover.vault.errors import (
    AlreadyInitialisedError,
    KeyDestroyedError,
    KeyMismatchError,
    KeyMissingError,
    NotInitialisedError,
    VaultSealedError,
)
from handover.vault.master import MasterKeyFile
from handover.vault.ring import CopyBinding, Entry, KeyKind, Ring, Tombstone
from handover.vault.short_lived import ShortLived

_RING = "ring.json"
#: The head line of the ring holds its MAC, so these bytes differ between any two states of it.
_HEAD_SIZE = 256


class Destruction(msgspec.Struct, frozen=True, kw_only=True):
    """What a destruction or rotation did; the digests are of master key files, which no one can turn back."""

    key_ids: tuple[str, ...]
    generation_before: int
    generation_after: int
    master_sha256_before: str
    master_sha256_after: str
    at: dt.datetime


class _State(msgspec.Struct, frozen=True):
    """The ring as read, and what it was read from."""

    mark: object
    ring: Ring
    live: dict[str, Entry]
    destroyed: dict[str, Tombstone]


class Keyring:
    """Keys by id. Every method raises VaultSealedError without the right master key, and writes nothing then."""

    def __init__(self, directory: Path, master_file: Path) -> None:
        self.directory = directory
        self._path = directory / _RING
        self._master = MasterKeyFile(master_file)
        self._lock = threading.Lock()
        self._state: _State | None = None
        self._secrets = ShortLived()

    @classmethod
    def create(cls, directory: Path, master_file: Path, installation: str | None = None) -> "Keyring":
        """A new, empty ring and its master key.

        Raises:
            AlreadyInitialisedError: one of the two exists; nothing was changed.
        """
        keyring = cls(directory, master_file)
        if keyring._path.exists():
            raise AlreadyInitialisedError(f"{directory} holds a key ring already; it is never overwritten")
        key = master.new_key()
        empty = Ring(
            version=ring.VERSION,
            installation=installation or str(uuid.uuid4()),
            generation=1,
            revision=1,
            master_sha256=master.digest(key),
        )
        keyring._master.create(key)
        with durable.mapped_errors("the key ring could not be written"):
            directory.mkdir(mode=0o700, parents=True, exist_ok=True)
            durable.replace_whole(keyring._path, ring.encode(empty, key))
        return keyring

    @property
    def installation(self) -> str:
        """The installation's id; part of every place that a value is sealed to."""
        return self._current().ring.installation

    @property
    def generation(self) -> int:
        """Counts the master keys there have been."""
        return self._current().ring.generation

    @property
    def master_sha256(self) -> str:
        """Of the master key in use."""
        return self._current().ring.master_sha256

    def check(self) -> None:
        """Raises VaultSealedError unless the master key is there and opens the ring."""
        self._current()

    def key_ids(self) -> list[str]:
        """Of all live keys."""
        return list(self._current().live)

    def tombstones(self) -> list[Tombstone]:
        """Of all destroyed keys, for backups, which must not bring them back."""
        return list(self._current().destroyed.values())

    def has(self, key_id: str) -> bool:
        """Whether a live key has this id."""
        return key_id in self._current().live

    def entry(self, key_id: str) -> Entry:
        """The public side of a live key.

        Raises:
            KeyDestroyedError, KeyMissingError
        """
        return _live(self._current(), key_id)

    def secret(self, key_id: str) -> bytes:
        """The secret of a live key, unwrapped for a short time."""
        state = self._current()
        kept = self._secrets.get(state.mark, key_id)
        if kept is None:
            kept = ring.unwrap(self._master_of(state.ring), state.ring, _live(state, key_id))
            self._secrets.keep(state.mark, key_id, kept)
        return kept

    def add(
        self,
        key_id: str,
        kind: KeyKind,
        secret: bytes,
        *,
        recipient: str | None = None,
        binding: CopyBinding | None = None,
    ) -> Entry:
        """Stores a key durably. One that exists with the same kind and binding is kept and returned: work that is
        repeated after a kill finds its key.

        Raises:
            KeyMismatchError: the id is taken by a key of another kind or copy.
            KeyDestroyedError: the id belonged to a key that was destroyed; ids are not used twice.
        """
        with self._exclusive() as state:
            if key_id in state.destroyed or key_id in state.live:
                return _same(_live(state, key_id), kind, binding)
            entry = Entry(
                key_id=key_id,
                kind=kind,
                created_at=dt.datetime.now(dt.UTC),
                wrapped=b"",
                recipient=recipient,
                binding=binding,
            )
            key = self._master_of(state.ring)
            entry = ring.wrap(key, state.ring, entry, secret)
            self._write(state.ring, key, entries=(*state.ring.entries, entry))
            return entry

    def destroy(self, key_ids: Collection[str], at: dt.datetime | None = None) -> Destruction:
        """Destroys keys for good: their entries and the master key that wrapped them. Repeating it changes nothing and
        answers with the destruction that happened.

        Raises:
            KeyMissingError: an id that never was; nothing was destroyed.
        """
        wanted = tuple(dict.fromkeys(key_ids))
        with self._exclusive() as state:
            present = {entry.key_id for entry in state.ring.entries}
            for key_id in wanted:
                if key_id not in present and key_id not in state.destroyed:
                    raise KeyMissingError(f"there is no key {key_id} to destroy, and none was destroyed before")
            if wanted and not present.intersection(wanted):
                return _recorded(wanted, state.destroyed)
            return self._rotate(state, wanted, at or dt.datetime.now(dt.UTC))

    def rotate(self) -> Destruction:
        """Wraps every key by a new master key and destroys the old one; no key is lost."""
        with self._exclusive() as state:
            return self._rotate(state, (), dt.datetime.now(dt.UTC))

    def replay(self, known: Sequence[Tombstone]) -> None:
        """Applies tombstones of another copy of this ring: a restore must not bring destroyed keys back."""
        with self._exclusive() as state:
            everything = {stone.key_id: stone for stone in known} | state.destroyed
            if len(everything) > len(state.ring.tombstones):
                merged = msgspec.structs.replace(state.ring, tombstones=tuple(everything.values()))
                gone = tuple(entry.key_id for entry in merged.entries if entry.key_id in everything)
                self._rotate(_State(None, merged, {}, everything), gone, dt.datetime.now(dt.UTC))

    def recover(self) -> None:
        """Finishes or undoes a rotation that was cut off; does nothing otherwise."""
        with self._locked(fcntl.LOCK_EX), contextlib.suppress(VaultSealedError):
            self._finish_rotation()
            known = self._load().destroyed
            if len(known) > len(tombstones.read(self.directory)):
                tombstones.write(self.directory, known.values())

    def forget(self) -> None:
        """Drops secrets kept in memory."""
        self._secrets.clear()

    def _rotate(self, state: _State, dropped: tuple[str, ...], at: dt.datetime) -> Destruction:
        old, new = self._master_of(state.ring), master.new_key()
        done = Destruction(
            key_ids=dropped,
            generation_before=state.ring.generation,
            generation_after=state.ring.generation + 1,
            master_sha256_before=state.ring.master_sha256,
            master_sha256_after=master.digest(new),
            at=at,
        )
        stones = {stone.key_id: stone for stone in _stones(done)} | state.destroyed
        following = msgspec.structs.replace(
            state.ring, generation=done.generation_after, master_sha256=done.master_sha256_after
        )
        survivors = tuple(
            ring.wrap(new, following, entry, ring.unwrap(old, state.ring, entry))
            for entry in state.ring.entries
            if entry.key_id not in stones
        )
        with durable.mapped_errors("the master key was not changed"):
            self._master.stage(new)
        self._write(following, new, entries=survivors, tombstones=tuple(stones.values()))
        self._secrets.clear()
        with durable.mapped_errors(
            "the keys are destroyed, but the old master key could not be removed; it goes when the vault is next opened"
        ):
            self._master.promote()
            tombstones.write(self.directory, stones.values())
        return done

    def _write(
        self, base: Ring, key: bytes, *, entries: tuple[Entry, ...], tombstones: tuple[Tombstone, ...] | None = None
    ) -> None:
        following = msgspec.structs.replace(
            base,
            revision=base.revision + 1,
            entries=entries,
            tombstones=base.tombstones if tombstones is None else tombstones,
        )
        with durable.mapped_errors("the key ring was not changed"):
            durable.replace_whole(self._path, ring.encode(following, key))

    def _current(self) -> _State:
        """The ring as it is now, checked against the master key."""
        with self._lock:
            if self._state is not None and self._state.mark == self._mark():
                return self._state
            try:
                with self._locked(fcntl.LOCK_SH):
                    self._state = self._load()
            except VaultSealedError:
                self._state = None
                self._secrets.clear()
                with self._locked(fcntl.LOCK_EX):
                    if not self._finish_rotation():
                        raise
                    self._state = self._load()
            return self._state

    @contextlib.contextmanager
    def _exclusive(self) -> Iterator[_State]:
        """The newest state, while no other process or thread may change it."""
        self._current()
        with self._locked(fcntl.LOCK_EX):
            self._finish_rotation()
            known = self._state
            yield known if known is not None and known.mark == self._mark() else self._load()

    def _load(self) -> _State:
        for path in (self.directory, self._path):
            refuse_loose_permissions(path)
        mark, data = self._mark(), self._path.read_bytes()
        found = ring.decode(data)
        ring.check(data, found, self._master.read())
        destroyed = {stone.key_id: stone for stone in (*tombstones.read(self.directory), *found.tombstones)}
        live = {entry.key_id: entry for entry in found.entries if entry.key_id not in destroyed}
        return _State(mark, found, live, destroyed)

    def _finish_rotation(self) -> bool:
        """Under the lock: promotes a staged master key that the ring names, discards one that it does not."""
        staged = self._master.staged_digest()
        if staged is None:
            return False
        needed = ring.decode(self._path.read_bytes()).master_sha256
        if staged == needed:
            self._master.promote()
            return True
        if master.digest(self._master.read()) == needed:
            self._master.discard_staged()
        return False

    def _master_of(self, of: Ring) -> bytes:
        key = self._master.read()
        if master.digest(key) != of.master_sha256:
            raise VaultSealedError("the master key was changed meanwhile; repeat")
        return key

    def _mark(self) -> object:
        try:
            with self._path.open("rb", buffering=0) as file:
                return file.read(_HEAD_SIZE), self._master.mark()
        except FileNotFoundError:
            return None

    @contextlib.contextmanager
    def _locked(self, how: int) -> Iterator[None]:
        """Locks the folder itself: no lock file, and the lock dies with its process."""
        if not self._path.exists():
            raise NotInitialisedError(f"there is no key ring in {self.directory}; run: handover init --admin EMAIL")
        handle = os.open(self.directory, os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC)
        try:
            fcntl.flock(handle, how)
            yield
        finally:
            os.close(handle)


def _live(state: _State, key_id: str) -> Entry:
    if key_id in state.destroyed:
        when = state.destroyed[key_id].at.strftime("%Y-%m-%d %H:%M UTC")
        raise KeyDestroyedError(f"key {key_id} was destroyed on {when}; what it sealed can't be read any more")
    if key_id not in state.live:
        raise KeyMissingError(f"there is no key {key_id} in the key ring")
    return state.live[key_id]


def _same(entry: Entry, kind: KeyKind, binding: CopyBinding | None) -> Entry:
    if (entry.kind, entry.binding) != (kind, binding):
        raise KeyMismatchError(f"key {entry.key_id} exists already, of another kind or for another copy")
    return entry


def _stones(done: Destruction) -> list[Tombstone]:
    return [
        Tombstone(
            key_id=key_id,
            at=done.at,
            generation=done.generation_after,
            master_sha256_before=done.master_sha256_before,
            master_sha256_after=done.master_sha256_after,
        )
        for key_id in done.key_ids
    ]


def _recorded(key_ids: tuple[str, ...], destroyed: dict[str, Tombstone]) -> Destruction:
    """The newest destruction among those that took these keys."""
    last = max((destroyed[key_id] for key_id in key_ids), key=lambda stone: stone.generation)
    return Destruction(
        key_ids=key_ids,
        generation_before=last.generation - 1,
        generation_after=last.generation,
        master_sha256_before=last.master_sha256_before,
        master_sha256_after=last.master_sha256_after,
        at=last.at,
    )

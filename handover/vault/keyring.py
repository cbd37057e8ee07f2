"""The key ring: a store of its own, never the database, wrapped by the master key (package-format.md, Data at rest).

Every change is one durable replacement of the ring under a lock that other processes respect; each use looks whether
the ring changed. A destruction leaves the destroyed keys out, wraps the rest by a new master key and destroys the old.
"""

import contextlib
import datetime as dt
import threading
import uuid
from collections.abc import Collection, Iterator, Sequence
from pathlib import Path

import msgspec

from handover.vault import durable, master, ring, tombstones
from handover.vault.errors import (
    AlreadyInitialisedError,
    KeyDestroyedError,
    KeyMismatchError,
    KeyMissingError,
    VaultSealedError,
)
from handover.vault.ring import CopyBinding, Entry, KeyKind, Ring, Tombstone
from handover.vault.ringfile import RingFile, State
from handover.vault.short_lived import ShortLived


class Destruction(msgspec.Struct, frozen=True, kw_only=True):
    """What a destruction or rotation did; the digests are of master key files, which no one can turn back."""

    key_ids: tuple[str, ...]
    generation_before: int
    generation_after: int
    master_sha256_before: str
    master_sha256_after: str
    at: dt.datetime


class Keyring:
    """Keys by id. Every method raises VaultSealedError without the right master key, and writes nothing then."""

    def __init__(self, directory: Path, master_file: Path) -> None:
        self._file = RingFile(directory, master_file)
        self._lock = threading.Lock()
        self._state: State | None = None
        self._secrets = ShortLived()

    @classmethod
    def create(cls, directory: Path, master_file: Path, installation: str | None = None) -> "Keyring":
        """A new, empty ring and its master key.

        Raises:
            AlreadyInitialisedError: one of the two exists; nothing was changed.
        """
        keyring = cls(directory, master_file)
        if keyring._file.path.exists():
            raise AlreadyInitialisedError(f"{directory} holds a key ring already; it is never overwritten")
        key = master.new_key()
        empty = Ring(
            version=ring.VERSION,
            installation=installation or str(uuid.uuid4()),
            generation=1,
            revision=0,
            master_sha256=master.digest(key),
        )
        keyring._file.master.create(key)
        with durable.mapped_errors("the key ring could not be written"):
            directory.mkdir(mode=0o700, parents=True, exist_ok=True)
        keyring._file.replace(empty, key)
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
            with self._file.shared():  # so that no rotation comes between reading the ring and the master key
                state = self._known_or_loaded()
                kept = ring.unwrap(self._file.master_of(state.ring), state.ring, _live(state, key_id))
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
            key = self._file.master_of(state.ring)
            entry = ring.wrap(key, state.ring, entry, secret)
            self._file.replace(msgspec.structs.replace(state.ring, entries=(*state.ring.entries, entry)), key)
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
            return self._rotate(state, wanted, state.destroyed, at or dt.datetime.now(dt.UTC))

    def rotate(self) -> Destruction:
        """Wraps every key by a new master key and destroys the old one; no key is lost."""
        with self._exclusive() as state:
            return self._rotate(state, (), state.destroyed, dt.datetime.now(dt.UTC))

    def replay(self, known: Sequence[Tombstone]) -> None:
        """Applies tombstones of another copy of this ring: a restore must not bring destroyed keys back."""
        with self._exclusive() as state:
            everything = {stone.key_id: stone for stone in known} | state.destroyed
            if len(everything) > len(state.ring.tombstones):
                self._rotate(state, (), everything, dt.datetime.now(dt.UTC))

    def recover(self) -> None:
        """Finishes or undoes a rotation that was cut off; does nothing otherwise."""
        with self._file.exclusive(), contextlib.suppress(VaultSealedError):
            self._file.finish()
            known, folder = self._file.load().destroyed, self._file.directory
            if len(known) > len(tombstones.read(folder)):
                tombstones.write(folder, known.values())

    def forget(self) -> None:
        """Drops secrets kept in memory."""
        self._secrets.clear()

    def _rewrap(self, before: Ring, stones: dict[str, Tombstone], done: Destruction, new: bytes) -> Destruction:
        old = self._file.master_of(before)
        following = msgspec.structs.replace(
            before,
            generation=done.generation_after,
            master_sha256=done.master_sha256_after,
            tombstones=tuple(stones.values()),
        )
        survivors = tuple(
            ring.wrap(new, following, entry, ring.unwrap(old, before, entry))
            for entry in before.entries
            if entry.key_id not in stones
        )
        self._secrets.clear()
        self._file.succeed(msgspec.structs.replace(following, entries=survivors), new)
        return done

    def _rotate(
        self, state: State, key_ids: tuple[str, ...], stones: dict[str, Tombstone], at: dt.datetime
    ) -> Destruction:
        """A new master key for all but `key_ids` and what `stones` name."""
        new = master.new_key()
        done = Destruction(
            key_ids=key_ids,
            generation_before=state.ring.generation,
            generation_after=state.ring.generation + 1,
            master_sha256_before=state.ring.master_sha256,
            master_sha256_after=master.digest(new),
            at=at,
        )
        return self._rewrap(state.ring, {stone.key_id: stone for stone in _stones(done)} | stones, done, new)

    def _current(self) -> State:
        """The ring as it is now, checked against the master key."""
        with self._lock:
            if self._state is not None and self._state.mark == self._file.mark():
                return self._state
            try:
                with self._file.shared():
                    self._state = self._file.load()
            except VaultSealedError:
                self._state = None
                self._secrets.clear()
                with self._file.exclusive():
                    if not self._file.finish():
                        raise
                    self._state = self._file.load()
            return self._state

    @contextlib.contextmanager
    def _exclusive(self) -> Iterator[State]:
        """The newest state, while no other process or thread may change it."""
        self._current()
        with self._file.exclusive():
            self._file.finish()
            yield self._known_or_loaded()

    def _known_or_loaded(self) -> State:
        known = self._state
        return known if known is not None and known.mark == self._file.mark() else self._file.load()


def _live(state: State, key_id: str) -> Entry:
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

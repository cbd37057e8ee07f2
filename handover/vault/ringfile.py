"""The ring on disk beside its master key: reading, locking, replacing, and the step from one master key to the next.

Before the ring's replacement everything is as it was; after it, whoever opens the ring next finishes the rest.
"""

import contextlib
import fcntl
import os
from collections.abc import Iterator
from pathlib import Path

import msgspec

from handover.settings import refuse_loose_permissions
from handover.vault import durable, master, ring, tombstones
from handover.vault.errors import NotInitialisedError, VaultSealedError
from handover.vault.master import MasterKeyFile
from handover.vault.ring import Entry, Ring, Tombstone

_RING = "ring.json"
#: The head line of the ring holds its MAC, so these bytes differ between any two states of it.
_HEAD_SIZE = 256


class State(msgspec.Struct, frozen=True):
    """The ring as read, and what it was read from. Entries under a tombstone are not live."""

    mark: object
    ring: Ring
    live: dict[str, Entry]
    destroyed: dict[str, Tombstone]


class RingFile:
    """The files; nothing here looks at a secret's meaning."""

    def __init__(self, directory: Path, master_file: Path) -> None:
        self.directory = directory
        self.path = directory / _RING
        self.master = MasterKeyFile(master_file)

    def mark(self) -> object:
        """Changes whenever the ring or the master key file does."""
        try:
            with self.path.open("rb", buffering=0) as file:
                return file.read(_HEAD_SIZE), self.master.mark()
        except OSError:
            return None

    @contextlib.contextmanager
    def shared(self) -> Iterator[None]:
        """While nobody may change the files."""
        with self._locked(fcntl.LOCK_SH):
            yield

    @contextlib.contextmanager
    def exclusive(self) -> Iterator[None]:
        """While nobody else may read or change the files."""
        with self._locked(fcntl.LOCK_EX):
            yield

    def load(self) -> State:
        """The ring, checked against the master key; under a lock.

        Raises:
            VaultSealedError: the master key is absent or another one.
            KeyringDamagedError: the ring was altered.
            SettingsError: others may read a file.
        """
        with durable.mapped_errors(f"the key ring {self.path} could not be read"):
            for path in (self.directory, self.path):
                refuse_loose_permissions(path)
            mark, data = self.mark(), self.path.read_bytes()
        found = ring.decode(data)
        ring.check(data, found, self.master.read())
        destroyed = {stone.key_id: stone for stone in (*tombstones.read(self.directory), *found.tombstones)}
        live = {entry.key_id: entry for entry in found.entries if entry.key_id not in destroyed}
        return State(mark, found, live, destroyed)

    def master_of(self, of: Ring) -> bytes:
        """The master key, if it is still the one of this ring."""
        key = self.master.read()
        if master.digest(key) != of.master_sha256:
            raise VaultSealedError("the master key was changed meanwhile; repeat")
        return key

    def replace(self, following: Ring, key: bytes) -> None:
        """The ring's next revision, wrapped by the same master key."""
        following = msgspec.structs.replace(following, revision=following.revision + 1)
        with durable.mapped_errors("the key ring was not changed"):
            durable.replace_whole(self.path, ring.encode(following, key))

    def succeed(self, following: Ring, new: bytes) -> None:
        """The ring's next revision under a new master key, and the end of the old one."""
        with durable.mapped_errors("the master key was not changed"):
            self.master.stage(new)
        self.replace(following, new)
        with durable.mapped_errors("the ring is wrapped anew, but the old master key remains until it is next opened"):
            self.master.promote()
            tombstones.write(self.directory, following.tombstones)

    def finish(self) -> bool:
        """Under the lock: promotes a staged master key that the ring names, discards one that it does not."""
        staged = self.master.staged_digest()
        if staged is None:
            return False
        needed = ring.decode(self.path.read_bytes()).master_sha256
        with durable.mapped_errors("a rotation that was cut off could not be finished"):
            if staged == needed:
                self.master.promote()
                return True
            if master.digest(self.master.read()) == needed:
                self.master.discard_staged()
        return False

    @contextlib.contextmanager
    def _locked(self, how: int) -> Iterator[None]:
        """Locks the folder itself: no lock file, and the lock dies with its process."""
        if not self.path.exists():
            raise NotInitialisedError(f"there is no key ring in {self.directory}; run: handover init --admin EMAIL")
        with durable.mapped_errors(f"the key ring {self.directory} could not be opened"):
            handle = os.open(self.directory, os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC)
        try:
            fcntl.flock(handle, how)
            yield
        finally:
            os.close(handle)

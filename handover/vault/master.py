"""The master key: 32 random bytes in a file of their own, outside the data directory, mode 0600.

It is replaced in a key destruction: the next key is written beside it first, and takes its name once the ring is
wrapped by it. Whoever opens the ring afterwards finishes or undoes a rotation that was cut off.
"""

import os
from hashlib import sha256
from pathlib import Path

from handover.settings import refuse_loose_permissions
from handover.vault import durable
from handover.vault.errors import AlreadyInitialisedError, VaultSealedError

SIZE = 32


def new_key() -> bytes:
    return os.urandom(SIZE)


def digest(key: bytes) -> str:
    """What may be published of a master key: the hex SHA-256 of its file."""
    return sha256(key).hexdigest()


class MasterKeyFile:
    """The file, and the one beside it that holds the next key during a rotation."""

    def __init__(self, path: Path) -> None:
        self.path = path
        self._next = path.with_name(path.name + ".next")

    def read(self) -> bytes:
        """The key.

        Raises:
            VaultSealedError: the file is absent, unreadable or no master key.
            SettingsError: others may read it.
        """
        try:
            refuse_loose_permissions(self.path)
            key = self.path.read_bytes()
        except OSError as error:
            raise VaultSealedError(
                f"the vault is sealed: the master key {self.path} can't be read ({error.strerror}); "
                "put it back, or set HANDOVER_MASTER_KEY_FILE",
            ) from error
        if len(key) != SIZE:
            raise VaultSealedError(f"the vault is sealed: {self.path} does not hold a master key of {SIZE} bytes")
        return key

    def mark(self) -> tuple[int, ...]:
        """Changes whenever the file does."""
        try:
            found = self.path.stat()
        except OSError:
            return ()
        return found.st_ino, found.st_size, found.st_mode, found.st_mtime_ns, found.st_ctime_ns

    def create(self, key: bytes) -> None:
        """Writes the first key of an installation."""
        with durable.mapped_errors(f"the master key {self.path} could not be written"):
            try:
                durable.write_new(self.path, key)
            except FileExistsError as error:
                raise AlreadyInitialisedError(
                    f"{self.path}: a master key exists already and is never overwritten"
                ) from error

    def stage(self, key: bytes) -> None:
        """Makes the next key durable beside the one in use."""
        durable.write_temporary(self._next, key)

    def promote(self) -> None:
        """Destroys the key in use and gives its name to the staged one; harmless to repeat."""
        if self._next.exists():
            durable.overwrite(self.path)
            durable.rename(self._next, self.path)

    def discard_staged(self) -> None:
        """Removes a staged key that nothing was wrapped by."""
        self._next.unlink(missing_ok=True)

    def staged_digest(self) -> str | None:
        """SHA-256 of the staged key, if there is one."""
        try:
            return digest(self._next.read_bytes())
        except OSError:
            return None

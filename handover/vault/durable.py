"""Files that are replaced whole and durably: temporary name, fsync, rename, fsync of the folder.

Temporary names are fixed, and written only under the key ring's lock: what a killed process left is overwritten.
"""

import contextlib
import errno
import os
from collections.abc import Iterator
from pathlib import Path

from handover.storage import StorageFullError
from handover.storage.local import fsync_directory
from handover.vault.errors import KeyringUnavailableError

_FULL = {errno.ENOSPC, errno.EDQUOT, errno.EFBIG}
_SECRET_MODE = 0o600


def write_new(path: Path, data: bytes) -> None:
    """A file that must not exist yet, readable by its owner alone, durable."""
    _write(path, data, os.O_CREAT | os.O_EXCL | os.O_NOFOLLOW)
    fsync_directory(path.parent)


def write_temporary(path: Path, data: bytes) -> None:
    """As `write_new`, over whatever a killed process left under this name."""
    path.unlink(missing_ok=True)
    write_new(path, data)


def replace_whole(path: Path, data: bytes) -> None:
    """Gives `path` new content: readers see the old or the new, never a mix, also after a power cut."""
    temporary = path.with_name(path.name + ".new")
    write_temporary(temporary, data)
    rename(temporary, path)


def rename(source: Path, target: Path) -> None:
    """Moves a durable file over another, durably."""
    source.replace(target)
    fsync_directory(target.parent)


def overwrite(path: Path) -> None:
    """Writes noise over a file's content in place, before its name goes to another file."""
    with contextlib.suppress(FileNotFoundError):
        _write(path, os.urandom(path.stat().st_size), 0)


@contextlib.contextmanager
def mapped_errors(what: str) -> Iterator[None]:
    """Turns an operating system's refusal into an error of this house."""
    try:
        yield
    except OSError as error:
        if error.errno in _FULL:
            raise StorageFullError(f"{what}: the disk is full; free some space and repeat") from error
        raise KeyringUnavailableError(
            f"{what}: {error.strerror or type(error).__name__}", path=error.filename
        ) from error


def _write(path: Path, data: bytes, flags: int) -> None:
    handle = os.open(path, os.O_WRONLY | os.O_CLOEXEC | flags, _SECRET_MODE)
    try:
        view = memoryview(data)
        while view:
            view = view[os.write(handle, view) :]
        os.fsync(handle)
    finally:
        os.close(handle)

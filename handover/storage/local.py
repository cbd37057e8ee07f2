"""Blobs in a folder of this machine: temporary name, fsync, link, fsync of the directory.

`link` refuses to overwrite, so a key is written once even by two racing processes.
"""

import contextlib
import errno
import fcntl
import os
import secrets
import threading
import weakref
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import BinaryIO, Self

from handover.storage.base import (
    BlobExistsError,
    BlobMissingError,
    BlobWriter,
    Progress,
    StorageFullError,
    StorageUnavailableError,
    require_blob_key,
)

_FULL = {errno.ENOSPC, errno.EDQUOT, errno.EFBIG}


class LocalStorage:
    """A `Storage` in a folder."""

    def __init__(self, root: Path) -> None:
        self.root = root
        self._incoming = root / "incoming"
        #: Its time is that of the last clearing.
        self._cleared = root / "cleared"
        self._lock, self._writing = threading.Lock(), False

    def create(self, key: str) -> BlobWriter:
        self._announce()
        return _LocalWriter(self._path(key), self._incoming / secrets.token_hex(16), key)

    def open(self, key: str) -> BinaryIO:
        try:
            return self._path(key).open("rb")
        except FileNotFoundError as error:
            raise BlobMissingError(f"blob {key} is not in the store") from error

    def size(self, key: str) -> int:
        try:
            return self._path(key).stat().st_size
        except FileNotFoundError as error:
            raise BlobMissingError(f"blob {key} is not in the store") from error

    def exists(self, key: str) -> bool:
        return self._path(key).exists()

    def delete(self, key: str) -> None:
        path = self._path(key)
        path.unlink(missing_ok=True)
        if path.parent.is_dir():
            fsync_directory(path.parent)

    def keys(self) -> Iterator[str]:
        return (key for key, _ in self.sizes())

    def sizes(self) -> Iterator[tuple[str, int]]:
        for key, found in self._entries():
            yield key, found.st_size

    def _entries(self) -> Iterator[tuple[str, os.stat_result]]:
        for folder in sorted(self.root.glob("[0-9a-f][0-9a-f]")):
            for path in sorted(folder.iterdir()):
                with contextlib.suppress(FileNotFoundError):  # deleted meanwhile
                    yield f"{folder.name}/{path.name}", path.stat()

    def sweep(self) -> int:
        found = list(self._incoming.glob("*")) if self._incoming.is_dir() else []
        for path in found:
            path.unlink(missing_ok=True)
        return len(found)

    def clear(self, unnamed: Callable[[set[str]], set[str]]) -> int:
        try:
            handle = self._locked(fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            return 0
        try:
            removed = self._remove(unnamed) if self._cleared.exists() else 0
            self._cleared.touch(mode=0o600)
            return removed + self.sweep()
        finally:
            os.close(handle)

    def stage(self, key: str) -> BlobWriter:
        return self.create(key)

    def is_staged(self, key: str) -> bool:
        return self.exists(key)

    def open_staged(self, key: str) -> BinaryIO:
        return self.open(key)

    def place(self, key: str, _progress: Progress | None = None) -> None:
        self.size(key)  # it is where it belongs already

    def ping(self) -> None:
        try:
            self.root.stat()
        except FileNotFoundError:
            return  # made with the first blob
        except OSError as error:
            raise StorageUnavailableError(f"{self.root}: {error.strerror}") from error

    def examine(self) -> list[str]:
        self.ping()
        return []

    def claim(self, _installation: str) -> None:
        """A folder is named by one installation's settings, and lies in its data directory unless told otherwise."""

    def _remove(self, unnamed: Callable[[set[str]], set[str]]) -> int:
        since = self._cleared.stat().st_mtime_ns
        written = {key for key, found in self._entries() if found.st_mtime_ns >= since}
        remains = unnamed(written) if written else set()
        for key in remains:
            self.delete(key)
        return len(remains)

    def _announce(self) -> None:
        """From its first blob on, who writes shares the lock of the folder, until the process ends or lets go of it."""
        with self._lock:
            if not self._writing:
                weakref.finalize(self, os.close, self._locked(fcntl.LOCK_SH))
                self._writing = True

    def _locked(self, how: int) -> int:
        """The folder, locked and open.

        Raises:
            BlockingIOError: somebody else has the lock, and `how` does not wait.
        """
        self.root.mkdir(mode=0o700, parents=True, exist_ok=True)
        handle = os.open(self.root, os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC)
        try:
            fcntl.flock(handle, how)
        except OSError:
            os.close(handle)
            raise
        return handle

    def _path(self, key: str) -> Path:
        return self.root / require_blob_key(key)


class _LocalWriter:
    def __init__(self, path: Path, temporary: Path, key: str) -> None:
        self._path, self._temporary, self._key = path, temporary, key

    def __enter__(self) -> Self:
        try:
            for folder in (self._temporary.parent.parent, self._temporary.parent, self._path.parent):
                folder.mkdir(mode=0o700, parents=True, exist_ok=True)
            self._file = os.open(self._temporary, os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_CLOEXEC, 0o600)
        except OSError as error:
            raise self._failed(error) from error
        return self

    def write(self, data: bytes | bytearray | memoryview) -> int:
        view = memoryview(data).cast("B")
        done = 0
        try:
            while done < len(view):
                done += os.write(self._file, view[done:])
        except OSError as error:
            raise self._failed(error) from error
        return done

    def __exit__(self, kind: object, *exc: object) -> None:
        try:
            if kind is None:
                os.fsync(self._file)
                os.link(self._temporary, self._path)
                fsync_directory(self._path.parent)
        except FileExistsError as error:
            raise BlobExistsError(f"blob {self._key} exists already") from error
        except OSError as error:
            raise self._failed(error) from error
        finally:
            os.close(self._file)
            self._temporary.unlink(missing_ok=True)

    def _failed(self, error: OSError) -> Exception:
        if error.errno in _FULL:
            return StorageFullError(
                "the store is full; free some space and repeat, nothing was lost that was acknowledged"
            )
        return error


def fsync_directory(folder: Path) -> None:
    """Makes names that were added to or removed from the folder durable."""
    handle = os.open(folder, os.O_RDONLY | os.O_DIRECTORY)
    try:
        os.fsync(handle)
    finally:
        os.close(handle)

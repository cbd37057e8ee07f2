"""Makes a tree of new files durable, at the cost of one wait instead of one for each file where the system can."""

import contextlib
import ctypes
import os
from collections.abc import Callable, Iterator
from pathlib import Path

from handover.crypto.age.files import sync_folder
from handover.crypto.age.offsets import BINARY
from handover.crypto.age.parallel import Syncing


@contextlib.contextmanager
def durably(folder: Path) -> Iterator[Callable[[int], None]]:
    """All that is written below `folder` in the block is on disk when it ends; tell the callable how much was written.

    Raises:
        OSError: the disk could not take it.
    """
    if _syncfs is None:
        yield _nothing
        _sync_each(folder)
        return
    descriptor = os.open(folder, os.O_RDONLY)  # from here on the system notes errors for it
    try:
        syncing = Syncing(lambda: _sync_file_system(descriptor))
        try:
            yield syncing.wrote
        finally:
            syncing.finish()
        _sync_file_system(descriptor)
    finally:
        os.close(descriptor)


def _nothing(_size: int) -> None:
    """Here files are made durable at the end."""


def _find_syncfs() -> "Callable[[int], int] | None":
    """`syncfs` of Linux, which `os` lacks."""
    try:
        return ctypes.CDLL(None, use_errno=True).syncfs
    except (AttributeError, OSError, TypeError):  # macOS has none, Windows no such library
        return None


_syncfs = _find_syncfs()


def _sync_file_system(descriptor: int) -> None:
    assert _syncfs is not None  # noqa: S101 - asked before
    if _syncfs(descriptor):
        error = ctypes.get_errno()
        raise OSError(error, os.strerror(error))


def _sync_each(folder: Path) -> None:
    for path, _, files in os.walk(folder):
        for name in files:
            descriptor = os.open(f"{path}/{name}", os.O_RDWR | BINARY)
            try:
                os.fsync(descriptor)
            finally:
                os.close(descriptor)
        sync_folder(Path(path))

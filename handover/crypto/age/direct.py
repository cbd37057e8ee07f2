"""Writes a large new file by offset around the page cache, where system and file system offer it (Linux, a disk of its own).

What goes through the cache is copied into pages that the kernel finds, accounts for and writes out later: for a large file
that is most of the work. Elsewhere, and where the disk refuses, the file is written as usual.
"""

import errno
import mmap
import os
from types import TracebackType
from typing import Self

from handover.crypto.age.offsets import write_at

#: Addresses, offsets and sizes are multiples of this; disks ask for 512 or 4,096.
BLOCK = 4096
#: Below this there is little to gain, and what was written is wanted in the cache.
_WORTH_IT = 32 << 20
#: Neither Windows nor macOS has it.
_O_DIRECT: int = getattr(os, "O_DIRECT", 0)


class NewFile:
    """The empty file `file` (a descriptor), which will have `size` bytes: it has them when the `with` block ends without an exception."""

    def __init__(self, file: int, size: int) -> None:
        self._file = file
        #: What is left of the last block, and its offset.
        self._rest: tuple[bytes, int] | None = None
        #: Whether the page cache is left out.
        self.direct = bool(_O_DIRECT) and size >= _WORTH_IT and _on_a_disk(file) and _reserve(file, size)
        if self.direct:
            _switch(file, _O_DIRECT)

    def write(self, data: memoryview, offset: int) -> None:
        """Writes a part, each byte once. If `direct`, it begins at a multiple of `BLOCK` in memory and in the file; only the last ends elsewhere."""
        end = len(data) - len(data) % BLOCK if self.direct else len(data)
        try:
            write_at(self._file, data[:end], offset)
        except OSError as error:
            if error.errno != errno.EINVAL or not self.direct:
                raise
            self._stop()  # this disk asks for more than other disks do
            write_at(self._file, data[:end], offset)
        if end < len(data):
            self._rest = bytes(data[end:]), offset + end

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, _error: BaseException | None, _trace: TracebackType | None
    ) -> None:
        self._stop()
        if kind is None and self._rest:
            rest, offset = self._rest
            write_at(self._file, memoryview(rest), offset)

    def _stop(self) -> None:
        if self.direct:
            _switch(self._file, 0)
            self.direct = False


def buffer(size: int) -> memoryview:
    """Memory that begins at a multiple of `BLOCK`."""
    return memoryview(mmap.mmap(-1, size))


def _on_a_disk(file: int) -> bool:
    """Whether the file system has a block device of its own; others (memory, networks, overlays) take the flag and do not gain."""
    return os.major(os.fstat(file).st_dev) != 0


def _reserve(file: int, size: int) -> bool:
    """Has the file system find all the room first: threads wait for one another where each write makes the file longer.

    Not by `os.posix_fallocate`, which fills the file with zeros where the file system can't.
    """
    import ctypes  # only large files need it

    try:
        fallocate = ctypes.CDLL(None).fallocate64
    except (AttributeError, OSError):
        return False
    return bool(fallocate(file, 0, ctypes.c_int64(0), ctypes.c_int64(size)) == 0)


def _switch(file: int, flag: int) -> None:
    import fcntl  # Windows has none

    fcntl.fcntl(file, fcntl.F_SETFL, (fcntl.fcntl(file, fcntl.F_GETFL) & ~_O_DIRECT) | flag)

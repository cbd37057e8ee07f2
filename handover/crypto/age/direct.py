"""Writes a large new file by offset around the page cache, where system and file system offer it (Linux, a disk of its own).

What goes through the cache is copied into pages that the kernel finds, accounts for and writes out later: for a large file
that is most of the work. Elsewhere, and where the disk refuses, the file is written as usual.
"""

import errno
import mmap
import os
import threading
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
        self._noting = threading.Lock()
        #: Ends of parts that share a block with others, by the block's offset: each with its own offset.
        self._edges: dict[int, list[tuple[int, bytes]]] = {}
        #: Whether the page cache is left out.
        self.direct = bool(_O_DIRECT) and size >= _WORTH_IT and _on_a_disk(file) and _reserve(file, size)
        if self.direct:
            _switch(file, _O_DIRECT)

    def write(self, data: memoryview, offset: int) -> None:
        """Writes a part, each byte once. If `direct`, it stands as far behind a multiple of `BLOCK` in memory as in the file."""
        if not self.direct:
            write_at(self._file, data, offset)
            return
        begin = min(-offset % BLOCK, len(data))
        end = max(begin, len(data) - (offset + len(data)) % BLOCK)
        self._write(data[begin:end], offset + begin)
        for part, place in ((data[:begin], offset), (data[end:], offset + end)):
            if part:
                self._note(bytes(part), place)

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, _error: BaseException | None, _trace: TracebackType | None
    ) -> None:
        self._stop()
        if kind is None:
            for edges in self._edges.values():
                for offset, part in edges:
                    write_at(self._file, memoryview(part), offset)

    def _note(self, part: bytes, offset: int) -> None:
        block = offset - offset % BLOCK
        with self._noting:
            edges = self._edges.setdefault(block, [])
            edges.append((offset, part))
            if sum(len(known) for _, known in edges) < BLOCK:
                return
            del self._edges[block]
        whole = buffer(BLOCK)
        whole[:] = b"".join(known for _, known in sorted(edges))
        self._write(whole, block)

    def _write(self, data: memoryview, offset: int) -> None:
        try:
            write_at(self._file, data, offset)
        except OSError as error:
            if error.errno != errno.EINVAL or not self.direct:
                raise
            self._stop()  # this disk asks for more than other disks do
            write_at(self._file, data, offset)

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

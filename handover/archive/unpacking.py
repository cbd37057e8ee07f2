"""Writes files of a package to a new folder; many small ones at once, from memory that a process beside this one shares.

What is asked for was verified before; that all of the folder gets its name at once, and durably, is the caller's part.
"""

import os
import struct
from array import array
from collections import deque
from collections.abc import Callable

from handover.archive.beside import Here
from handover.archive.listing import Run
from handover.archive.zipmany import HEADER_SIZE
from handover.crypto.age.offsets import BINARY, NOFOLLOW, write_all

_REQUEST = struct.Struct("<QI")
_SIZE = 8


class Writing:
    """Answers requests to write files that stand in `memory`, each behind its header in the archive."""

    def __init__(self, memory: memoryview) -> None:
        self._memory = memory
        self._made: set[str] = set()

    def __call__(self, request: bytes) -> bytes:
        """Writes them; the answer is empty."""
        end, count = _REQUEST.unpack_from(request)
        names_at = _REQUEST.size + count * _SIZE
        root, *paths = request[names_at:].decode().split("\0")
        for path, size in zip(paths, array("Q", request[_REQUEST.size : names_at]), strict=True):
            begin = end + HEADER_SIZE + len(path.encode())
            end = begin + size
            file = self._new(root, path)
            try:
                write_all(file, self._memory[begin:end])
            finally:
                os.close(file)
        return b""

    def write(self, root: str, path: str, fill: Callable[[int], int]) -> int:
        """Makes one new file below the folder `root` and has it filled; returns its size."""
        file = self._new(root, path)
        try:
            return fill(file)
        finally:
            os.close(file)

    def _new(self, root: str, path: str) -> int:
        parent = path.rpartition("/")[0]
        if parent not in self._made:
            os.makedirs(f"{root}/{parent}", exist_ok=True)  # noqa: PTH103 - no Path for each of 100,000 files
            self._made.add(parent)
        return os.open(f"{root}/{path}", os.O_WRONLY | os.O_CREAT | os.O_EXCL | NOFOLLOW | BINARY, 0o600)


class Unpacking:
    """Passes runs of small files to `worker`, whose work is a `Writing` over `memory`, in slots of `slot` bytes."""

    def __init__(self, root: str, worker: Here, memory: memoryview, slot: int) -> None:
        self._root, self._worker, self._memory, self._slot = root, worker, memory, slot
        self._sizes: deque[int] = deque()
        self._next = 0

    def put(self, data: bytes, run: Run) -> int:
        """Has the files of `run`, whose headers and content are `data`, written; returns how many bytes of content were since the last call."""
        done = self._take() if len(self._sizes) == self._worker.depth else 0
        at, self._next = self._next, (self._next + self._slot) % len(self._memory)
        self._memory[at : at + len(data)] = data
        names = b"\0".join([os.fsencode(self._root), *run.paths])
        self._worker.ask(_REQUEST.pack(at, len(run.paths)) + array("Q", run.sizes).tobytes() + names)
        self._sizes.append(sum(run.sizes))
        return done

    def finish(self) -> int:
        """Waits until all are written; returns as `put`."""
        return sum(self._take() for _ in range(len(self._sizes)))

    def _take(self) -> int:
        self._worker.answer()
        return self._sizes.popleft()

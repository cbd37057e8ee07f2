"""Opens a long range of an age file straight to another file, over threads; what needs the order of the bytes sees them in it.

Each thread reads, opens and writes a batch of its own by offset, then waits for its turn to show it.
"""

import contextlib
import threading
from collections.abc import Callable, Iterator
from typing import NamedTuple

from handover.crypto.age.offsets import read_at, write_at
from handover.crypto.age.parallel import in_threads
from handover.crypto.age.stream import BATCH_CHUNKS, CHUNK, SEALED_CHUNK, TAG, THREADS, Cipher
from handover.crypto.errors import DamagedChunkError

_BATCH = BATCH_CHUNKS * CHUNK


class Payload(NamedTuple):
    """Where the chunks of an age file are: the file (a descriptor), the offset of the first, how many, and what opens them."""

    file: int
    offset: int
    chunks: int
    cipher: Cipher


def open_range(payload: Payload, begin: int, size: int, target: int, show: Callable[[memoryview], object]) -> None:
    """Writes `size` bytes of plaintext from `begin` on to the empty file `target`, and shows each part of them in order.

    Raises:
        DamagedChunkError: a chunk does not verify; what is in `target` is then of no use.
    """
    end, first = begin + size, begin // CHUNK * CHUNK
    starts = iter(range(first, end, _BATCH))
    order = _Order(first)

    def turns() -> Callable[[], bool]:
        sealed, plain = memoryview(bytearray(SEALED_CHUNK)), memoryview(bytearray(_BATCH))

        def turn() -> bool:
            start = next(starts, None)
            if start is None:
                return False
            stop = min(start + _BATCH, end)
            with order.at(start) as my_turn:
                for at in range(start, stop, CHUNK):
                    _open(payload, at // CHUNK, sealed, plain[at - start :])
                part = plain[max(begin - start, 0) : stop - start]
                write_at(target, part, max(start, begin) - begin)
                if not my_turn():
                    return False
                show(part)
            return True

        return turn

    in_threads(turns, min(THREADS, -(-(end - first) // _BATCH)))


def _open(payload: Payload, number: int, sealed: memoryview, plain: memoryview) -> None:
    size = read_at(payload.file, sealed, payload.offset + number * SEALED_CHUNK)
    final = number == payload.chunks - 1
    if size < TAG or not payload.cipher.open_chunk_into(sealed[:size], plain[: size - TAG], number, final=final):
        raise DamagedChunkError(f"chunk {number} is damaged", number)


class _Order:
    """Batches, named by where they begin, get their turns in order; none does any more when one has failed."""

    def __init__(self, first: int) -> None:
        self._next: int | None = first
        self._changed = threading.Condition()

    @contextlib.contextmanager
    def at(self, start: int) -> Iterator[Callable[[], bool]]:
        """Work on one batch; what it gives waits for its turn, and says False if there will be none."""
        following = None
        try:
            yield lambda: self._wait(start)
            following = start + _BATCH
        finally:
            with self._changed:
                if self._next is not None:
                    self._next = following
                self._changed.notify_all()

    def _wait(self, start: int) -> bool:
        with self._changed:
            self._changed.wait_for(lambda: self._next in (start, None))
            return self._next is not None

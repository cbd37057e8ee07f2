"""Whole regular files to and from age by offset: each thread reads, seals or opens, and writes batches of its own.

What is read goes through one buffer of a chunk, which stays in the core's cache. Sizes are those at the time of opening.
"""

import os
import threading
from collections.abc import Callable, Iterator

from handover.crypto.age.direct import NewFile, buffer
from handover.crypto.age.offsets import read_at, write_at
from handover.crypto.age.stream import BATCH_CHUNKS, CHUNK, SEALED_CHUNK, TAG, THREADS, Cipher, chunk_count
from handover.crypto.errors import SourceChangedError

#: The disk begins to write whenever so much more is there, while the next is sealed; a file system of memory ignores it.
_SYNCED = 64 << 20
#: More threads than cores, where threads wait for the disk.
_WAITING = 2

#: Does one batch, given the number of its first chunk; False ends the work.
_Batch = Callable[[int], bool]


def seal_file(source: int, size: int, target: int, prefix: bytes, cipher: Cipher) -> None:
    """Seals the first `size` bytes of a file to the new file `target`, behind `prefix`.

    Raises:
        SourceChangedError: the file became shorter.
    """
    count = chunk_count(size)

    def batches(syncing: Syncing) -> _Batch:
        plain, room = _memory(CHUNK), _memory(min(count, BATCH_CHUNKS) * SEALED_CHUNK)

        def seal(first: int) -> bool:
            end = 0
            for number in range(first, min(first + BATCH_CHUNKS, count)):
                part = plain[: min(CHUNK, size - number * CHUNK)]
                if read_at(source, part, number * CHUNK) != len(part):
                    raise SourceChangedError("the file became shorter while it was read; repeat when nobody writes it")
                end += cipher.seal_into(part, room[end:], number, final=number == count - 1)
            write_at(target, room[:end], len(prefix) + first * SEALED_CHUNK)
            syncing.wrote(end)
            return True

        return seal

    write_at(target, memoryview(prefix), 0)
    _over_threads(batches, count, target, THREADS)


def open_file(source: int, offset: int, size: int, target: int, cipher: Cipher) -> bool:
    """Opens the `size` bytes of payload from `offset` on; False when anything does not verify, and `target` is then of no use."""
    count = max(1, -(-size // SEALED_CHUNK))
    last_size = size - (count - 1) * SEALED_CHUNK
    if last_size < TAG or (last_size == TAG and count > 1):
        return False

    def batches(syncing: Syncing) -> _Batch:
        sealed, plain = _memory(SEALED_CHUNK), (buffer if new.direct else _memory)(min(count, BATCH_CHUNKS) * CHUNK)

        def open_(first: int) -> bool:
            end = 0
            for number in range(first, min(first + BATCH_CHUNKS, count)):
                part = sealed[: min(SEALED_CHUNK, size - number * SEALED_CHUNK)]
                opened = plain[end : end + len(part) - TAG]
                if read_at(source, part, offset + number * SEALED_CHUNK) != len(part):
                    return False
                if not cipher.open_chunk_into(part, opened, number, final=number == count - 1):
                    return False
                if new.direct:
                    end += len(opened)
                else:  # chunk by chunk: for a larger aligned write ext4 takes pages that no core has in its cache
                    new.write(opened, number * CHUNK)
                syncing.wrote(len(opened))
            new.write(plain[:end], first * CHUNK)
            return True

        return open_

    with NewFile(target, size - count * TAG) as new:
        return _over_threads(batches, count, target, THREADS + _WAITING if new.direct else THREADS)


def _memory(size: int) -> memoryview:
    return memoryview(bytearray(size))


class Task(threading.Thread):
    """Work in a thread of its own; `join` raises what it raised."""

    def __init__(self, work: Callable[[], object]) -> None:
        super().__init__(name="age-file")
        self._work = work
        self._error: BaseException | None = None
        self.start()

    def run(self) -> None:
        """Works."""
        try:
            self._work()
        except BaseException as error:  # noqa: BLE001 - raised again by `join`
            self._error = error

    def wait(self) -> None:
        """Waits for the end."""
        super().join()

    def join(self, timeout: float | None = None) -> None:
        """Waits for the end, and raises what was raised."""
        super().join(timeout)
        if self._error is not None:
            raise self._error


class Syncing:
    """Has the disk begin with what was written while more is made."""

    def __init__(self, sync: Callable[[], None]) -> None:
        self._sync = sync
        self._noting = threading.Lock()
        self._unsynced = 0
        self._asked: Task | None = None

    def wrote(self, size: int) -> None:
        """Notes that so much more was written."""
        with self._noting:
            self._unsynced += size
            if self._unsynced >= _SYNCED and (self._asked is None or not self._asked.is_alive()):
                self.finish()
                self._unsynced = 0
                self._asked = Task(self._sync)

    def finish(self) -> None:
        """Waits for the disk; an error of it is told once, so it must not be lost here."""
        if self._asked is not None:
            self._asked.join()


def _over_threads(batches: Callable[[Syncing], _Batch], count: int, target: int, threads: int) -> bool:
    """Runs a loop over the batches in several threads."""
    firsts = iter(range(0, count, BATCH_CHUNKS))
    good = True

    def turns() -> Callable[[], bool]:
        batch = batches(syncing)

        def turn() -> bool:
            nonlocal good
            first = next(firsts, None)
            if first is None or not good:
                return False
            if not batch(first):
                good = False  # only ever set, never computed from itself: another thread may have failed meanwhile
            return good

        return turn

    syncing = Syncing(lambda: os.fsync(target))
    try:
        in_threads(turns, min(threads, -(-count // BATCH_CHUNKS)))
    finally:
        syncing.finish()
    return good


def in_turns(steps: Iterator[None], threads: int, after: Callable[[], object]) -> None:
    """So many threads go on with `steps` in turns, and do `after` beside them."""
    turn = threading.Lock()

    def once() -> bool:
        with turn:
            ended = next(steps, True)
        after()
        return not ended

    in_threads(lambda: once, threads)


def in_threads(turns: Callable[[], Callable[[], bool]], threads: int) -> None:
    """Each of so many threads, this one among them, asks for a callable, and calls it until it says False or another thread fails.

    All have ended when this does; one of their errors is raised.
    """
    failed = False

    def loop() -> None:
        nonlocal failed
        try:
            turn = turns()
            while not failed and turn():
                pass
        except BaseException:
            failed = True
            raise

    others = [Task(loop) for _ in range(threads - 1)]
    try:
        loop()
    finally:
        for other in others:
            other.wait()
    for other in others:
        other.join()

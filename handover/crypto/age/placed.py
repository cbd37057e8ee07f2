"""Writes an age file into an open file by offset: the plaintext may come in any order, each byte once.

What stands in front may so be written last, when what it says of the rest is known. Threads take turns in filling batches;
each seals what it filled, while it is in the core's cache, writes it, reads it back from the file, opens it and compares.
"""

import mmap
import os
import threading
from collections.abc import Iterator, Sequence
from types import TracebackType
from typing import NamedTuple, Self

from handover.crypto.age.offsets import read_at, write_at
from handover.crypto.age.parallel import Syncing, in_turns
from handover.crypto.age.passphrase import Passphrase
from handover.crypto.age.stream import CHUNK, SEALED_CHUNK, THREADS, chunk_count, ciphertext_size
from handover.crypto.age.writer import start
from handover.crypto.errors import CryptoError

#: Filled by one thread before another's turn: with what is made of it, it fits the cache of a core.
_BATCH_CHUNKS = 16
_BATCH = _BATCH_CHUNKS * CHUNK
#: Chunks sealed, written and read back together.
_TURN = 4
#: One in so many parts of what was read back, drawn by lot, is opened and its plaintext compared, and the first and the last
#: always are; of the others the ciphertext is compared. 1: all are opened.
OPENED_AGAIN = 1
#: Full batches that are kept for whoever has the next turn.
_MOST_FULL = 4
#: Batches that may be begun and not sealed; memory that was never used costs nothing.
_MOST_BEGUN = 64


class NotWrittenError(CryptoError):
    """What was read back from the file is not what was written."""

    code = "written_file_differs"


class Room(NamedTuple):
    """A place in the file that is filled in memory: its batch, where in the memory, and the memory itself."""

    batch: int
    at: int
    plain: memoryview


def new_memory() -> memoryview:
    """Where plaintext waits to be sealed; a process that is forked later shares it."""
    return memoryview(mmap.mmap(-1, _MOST_BEGUN * _BATCH))


class PlacedWriter:
    """An age file of `plain_size` bytes of plaintext in the empty file `target` (a descriptor open for reading too).

    It is whole and compared when the `with` block ends without an exception. Whoever fills `memory` from elsewhere tells it by
    `filled`, and never touches that place again.

    Raises:
        ValueError: a place was written twice, or never, or too many were begun.
        KeyFormatError: a recipient is malformed, or kinds are mixed.
        NotWrittenError: from any call, when the file holds something else than what was written.
    """

    def __init__(
        self,
        target: int,
        recipients: Sequence[str | Passphrase],
        plain_size: int,
        memory: memoryview | None = None,
    ) -> None:
        begun = start(recipients)
        self.header = begun.header
        self.size = ciphertext_size(plain_size, len(begun.header.raw))
        #: Where in the plaintext the next byte goes.
        self.position = 0
        self._cipher, self._target, self._payload = begun.cipher, target, len(begun.prefix)
        self._plain_size = plain_size
        self._count = max(1, -(-plain_size // _BATCH))
        self._last = chunk_count(plain_size) - 1
        self._begun: dict[int, _Batch] = {}
        #: A batch is sealed once: its nonces may never meet another plaintext.
        self._sealed = bytearray(self._count)
        #: Batches to be sealed; whoever fills should make room when there are some.
        self.full: list[_Batch] = []
        self._noting = threading.Lock()
        memory = memory or new_memory()
        self._free = [_Batch(memory, at) for at in range(len(memory) - _BATCH, -1, -_BATCH)]
        self._scratch: list[_Scratch] = []
        self._syncing = Syncing(lambda: os.fsync(target))
        write_at(target, memoryview(begun.prefix), 0)

    def run(self, filling: Iterator[None], threads: int = THREADS) -> None:
        """Threads go on with `filling` in turns, which should yield whenever there are `full` batches: these are sealed beside the turns."""
        in_turns(filling, min(threads, self._count), self._seal_full)

    @property
    def left(self) -> int:
        """How much of what comes at `position` stands in one batch."""
        index, offset = divmod(self.position, _BATCH)
        return self._batch_size(index) - offset

    def claim(self, size: int) -> Room:
        """The place of the next `size` bytes, at most `left`; say when they are there."""
        index, offset = divmod(self.position, _BATCH)
        batch = self._batch(index)
        self.position += size
        return Room(index, batch.at + offset, batch.plain[offset : offset + size])

    def filled(self, room: Room) -> None:
        """What belongs to `room` is there."""
        self._filled(room.batch, len(room.plain))

    def write(self, data: bytes | bytearray) -> None:
        """Puts `data` at `position`."""
        with memoryview(data) as source:
            done = 0
            while done < len(source):
                room = self.claim(min(self.left, len(source) - done))
                room.plain[:] = source[done : done + len(room.plain)]
                done += len(room.plain)
                self.filled(room)

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, _error: BaseException | None, _trace: TracebackType | None
    ) -> None:
        try:
            if kind is None:
                self._finish()
        finally:
            self._syncing.finish()

    def _finish(self) -> None:
        """Seals what is left, and sees that everything was."""
        if not self._plain_size:
            self._batch(0)
            self._filled(0, 0)
        self._seal_full()
        if not all(self._sealed):
            raise ValueError("an age file was closed before all of it was written")
        head = bytearray(len(self.header.raw))
        if read_at(self._target, memoryview(head), 0) != len(head) or head != self.header.raw:
            raise NotWrittenError("the header of the written file differs from what was written: the disk is faulty")

    def _batch(self, index: int) -> "_Batch":
        batch = self._begun.get(index)
        if batch is None:
            if index >= self._count or self._sealed[index]:
                raise ValueError("a place in an age file is written once")
            if not self._free:
                raise ValueError("more places of an age file are begun than there is memory for")
            batch = self._begun[index] = self._free.pop()
            batch.index, batch.missing = index, self._batch_size(index)
        return batch

    def _batch_size(self, index: int) -> int:
        return min(_BATCH, self._plain_size - index * _BATCH)

    def _filled(self, index: int, size: int) -> None:
        batch = self._begun[index]
        with self._noting:
            batch.missing -= size
            if batch.missing < 0:
                raise ValueError("a place in an age file is written once")
            if not batch.missing:
                self._sealed[index] = 1
                self.full.append(self._begun.pop(index))
        if len(self.full) > _MOST_FULL:
            self._seal_full()

    def _seal_full(self) -> None:
        while self.full:
            with self._noting:
                batch = self.full.pop(0) if self.full else None
            if batch is not None:
                self._seal(batch)

    def _seal(self, batch: "_Batch") -> None:
        scratch = self._scratch.pop() if self._scratch else _Scratch()
        plain, first = batch.plain[: self._batch_size(batch.index)], batch.index * _BATCH_CHUNKS
        for i in range(0, chunk_count(len(plain)), _TURN):
            self._seal_turn(plain[i * CHUNK : (i + _TURN) * CHUNK], first + i, scratch)
        self._scratch.append(scratch)
        self._free.append(batch)

    def _seal_turn(self, plain: memoryview, first: int, scratch: "_Scratch") -> None:
        count = chunk_count(len(plain))
        ends = first + count > self._last
        size = self._cipher.seal_into(plain, scratch.view, first, final=ends)
        offset = self._payload + first * SEALED_CHUNK
        write_at(self._target, scratch.view[:size], offset)
        written = scratch.written[:size]
        if read_at(self._target, written, offset) != size:
            raise NotWrittenError("the written file is shorter than what was written: the disk is faulty")
        if first == 0 or ends or _drawn():
            for i in range(count):
                sealed, part = written[i * SEALED_CHUNK : (i + 1) * SEALED_CHUNK], plain[i * CHUNK : (i + 1) * CHUNK]
                self._compare(sealed, part, first + i, scratch)
        elif scratch.sealed != written:
            raise NotWrittenError(f"chunks from {first} were read back otherwise than written: the disk is faulty")
        self._syncing.wrote(size)

    def _compare(self, sealed: memoryview, plain: memoryview, number: int, scratch: "_Scratch") -> None:
        target = memoryview(scratch.opened)[: len(plain)]
        verified = self._cipher.open_chunk_into(sealed, target, number, final=number == self._last)
        # Comparing with a bytearray is one memcmp; two views are compared byte by byte.
        if not verified or (scratch.opened if len(plain) == CHUNK else bytearray(target)) != plain:
            raise NotWrittenError(f"chunk {number} was read back with other content: memory or disk is faulty")


def _drawn() -> bool:
    return OPENED_AGAIN == 1 or int.from_bytes(os.urandom(4), "big") % OPENED_AGAIN == 0


class _Batch:
    """Plaintext on its way, in memory that is used again; `missing` bytes of it are still to come."""

    def __init__(self, memory: memoryview, at: int) -> None:
        self.at, self.plain = at, memory[at : at + _BATCH]
        self.index = self.missing = 0


class _Scratch:
    """What a thread needs beside a batch."""

    def __init__(self) -> None:
        self.sealed = bytearray(_TURN * SEALED_CHUNK)
        self.view = memoryview(self.sealed)
        self.written = memoryview(bytearray(_TURN * SEALED_CHUNK))
        self.opened = bytearray(CHUNK)

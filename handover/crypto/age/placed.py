"""Writes an age file into an open file by offset: the plaintext may come in any order, each byte once.

What stands in front may so be written last, when what it says of the rest is known. Threads seal each batch as soon as
it is complete, write it, read it back from the file, open it and compare it with what was given.
"""

import os
from collections import deque
from collections.abc import Sequence
from concurrent.futures import Future, wait
from types import TracebackType
from typing import Self

from handover.crypto.age.offsets import read_at, write_at
from handover.crypto.age.parallel import Syncing
from handover.crypto.age.passphrase import Passphrase
from handover.crypto.age.stream import (
    BATCH_CHUNKS,
    CHUNK,
    DEPTH,
    SEALED_CHUNK,
    chunk_count,
    ciphertext_size,
    workers,
)
from handover.crypto.age.writer import start
from handover.crypto.errors import CryptoError

_BATCH = BATCH_CHUNKS * CHUNK


class NotWrittenError(CryptoError):
    """What was read back from the file is not what was written."""

    code = "written_file_differs"


class PlacedWriter:
    """An age file of `plain_size` bytes of plaintext in the empty file `target` (a descriptor open for reading too).

    It is whole and compared when the `with` block ends without an exception.

    Raises:
        ValueError: a place was written twice, or never.
        KeyFormatError: a recipient is malformed, or kinds are mixed.
        NotWrittenError: from any call, when the file holds something else than what was written.
    """

    def __init__(self, target: int, recipients: Sequence[str | Passphrase], plain_size: int) -> None:
        begun = start(recipients)
        self.header = begun.header
        self.size = ciphertext_size(plain_size, len(begun.header.raw))
        #: Where in the plaintext the next byte goes.
        self.position = 0
        self._cipher, self._target, self._payload = begun.cipher, target, len(begun.prefix)
        self._plain_size = plain_size
        self._count = max(1, -(-plain_size // _BATCH))
        self._begun: dict[int, _Batch] = {}
        #: A batch is sealed once: its nonces may never meet another plaintext.
        self._sealed = bytearray(self._count)
        self._waiting: deque[Future[_Batch]] = deque()
        self._free: list[_Batch] = []
        self._scratch: list[_Scratch] = []
        self._syncing = Syncing(lambda: os.fsync(target))
        write_at(target, memoryview(begun.prefix), 0)

    def room(self) -> memoryview:
        """Where to put what comes at `position`, at least one byte; tell `advance` how much it was."""
        index, offset = divmod(self.position, _BATCH)
        return self._batch(index).plain[offset : self._batch_size(index)]

    def advance(self, size: int) -> None:
        """So much of `room` was filled."""
        index = self.position // _BATCH
        batch = self._begun[index]
        self.position += size
        batch.missing -= size
        if batch.missing < 0:
            raise ValueError("a place in an age file is written once")
        if not batch.missing:
            self._submit(index)

    def write(self, data: bytes | bytearray) -> None:
        """Puts `data` at `position`."""
        with memoryview(data) as left:
            done = 0
            while done < len(left):
                room = self.room()
                size = min(len(room), len(left) - done)
                room[:size] = left[done : done + size]
                self.advance(size)
                done += size

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, _error: BaseException | None, _trace: TracebackType | None
    ) -> None:
        try:
            if kind is None:
                self._finish()
        finally:
            # No thread may go on writing to a descriptor that its owner closes next.
            wait(self._waiting)
            self._syncing.finish()

    def _finish(self) -> None:
        """Waits until everything is written and compared."""
        if not self._plain_size:
            self._batch(0)
            self._submit(0)
        while self._waiting:
            self._waiting.popleft().result()
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
            batch = self._begun[index] = self._free.pop() if self._free else _Batch()
            batch.missing = self._batch_size(index)
        return batch

    def _batch_size(self, index: int) -> int:
        return min(_BATCH, self._plain_size - index * _BATCH)

    def _submit(self, index: int) -> None:
        batch = self._begun.pop(index)
        self._sealed[index] = 1
        self._waiting.append(workers().submit(self._seal, batch, index))
        while len(self._waiting) >= DEPTH:
            self._free.append(self._waiting.popleft().result())

    def _seal(self, batch: "_Batch", index: int) -> "_Batch":
        scratch = self._scratch.pop() if self._scratch else _Scratch()
        plain, first = batch.plain[: self._batch_size(index)], index * BATCH_CHUNKS
        size = self._cipher.seal_into(plain, scratch.sealed, first, final=index == self._count - 1)
        sealed, offset = scratch.sealed[:size], self._payload + first * SEALED_CHUNK
        write_at(self._target, sealed, offset)
        if read_at(self._target, sealed, offset) != size:
            raise NotWrittenError("the written file is shorter than what was written: the disk is faulty")
        self._compare(sealed, plain, first, scratch)
        self._scratch.append(scratch)
        self._syncing.wrote(size)
        return batch

    def _compare(self, sealed: memoryview, plain: memoryview, first: int, scratch: "_Scratch") -> None:
        count, last = chunk_count(len(plain)), chunk_count(self._plain_size) - 1
        for i in range(count):
            part, opened = plain[i * CHUNK : (i + 1) * CHUNK], scratch.opened
            target = scratch.view[: len(part)]
            verified = self._cipher.open_chunk_into(
                sealed[i * SEALED_CHUNK : (i + 1) * SEALED_CHUNK], target, first + i, final=first + i == last
            )
            # Comparing with a bytearray is one memcmp; two views are compared byte by byte.
            if not verified or (opened if len(part) == CHUNK else bytearray(target)) != part:
                raise NotWrittenError(f"chunk {first + i} was read back with other content: memory or disk is faulty")


class _Batch:
    """Plaintext on its way, in a buffer that is used again; `missing` bytes of it are still to come."""

    def __init__(self) -> None:
        self.plain = memoryview(bytearray(_BATCH))
        self.missing = 0


class _Scratch:
    """What a thread needs beside a batch."""

    def __init__(self) -> None:
        self.sealed = memoryview(bytearray(BATCH_CHUNKS * SEALED_CHUNK))
        self.opened = bytearray(CHUNK)
        self.view = memoryview(self.opened)

"""Reads an age file as a stream: nothing is released that did not verify, in order, without gaps."""

import io
from collections import deque
from collections.abc import Iterator, Sequence
from typing import TYPE_CHECKING

from handover.crypto.age import header as age_header
from handover.crypto.age.armor import ArmorReader
from handover.crypto.age.keys import identities_from, unwrap
from handover.crypto.age.passphrase import Passphrase
from handover.crypto.age.source import BufferedSource
from handover.crypto.age.stream import BATCH_CHUNKS, CHUNK, DEPTH, NONCE, SEALED_CHUNK, ByteSource, Cipher, workers
from handover.crypto.errors import (
    CutShortError,
    DamagedChunkError,
    HeaderError,
    LastChunkError,
    PayloadError,
    TrailingDataError,
)
from handover.errors import HandoverError

if TYPE_CHECKING:
    from concurrent.futures import Future

_SEALED_BATCH = BATCH_CHUNKS * SEALED_CHUNK


class Reader(io.RawIOBase):
    """The plaintext of an age file as a readable stream.

    Every byte read was verified, yet the file as a whole is whole only when the end was reached: act on
    nothing before. `armored` None recognises armor by its first bytes. With `file_key` no identity is needed.

    Raises:
        HeaderError, NoMatchError, HeaderMacError, ArmorError: when made.
        PayloadError: when reading, after everything before the fault was released.
    """

    def __init__(
        self,
        source: ByteSource,
        identities: Sequence[str | Passphrase] = (),
        *,
        file_key: bytes | None = None,
        armored: bool | None = None,
    ) -> None:
        buffered = BufferedSource(source)
        self.armored = buffered.looks_armored() if armored is None else armored
        if self.armored:
            buffered = BufferedSource(ArmorReader(buffered))
        self.header = age_header.parse(buffered)
        if file_key is None:
            file_key = unwrap(self.header, identities_from(identities))
        else:
            self.header.check_mac(file_key)
        nonce = buffered.read(NONCE)
        if len(nonce) != NONCE:
            raise HeaderError("the file ends before its payload")
        #: For those who read the payload by offset.
        self.cipher = Cipher(file_key, nonce)
        self._source = buffered
        self._chunk = 0
        self._ahead = b""
        self._read_all = False
        self._waiting: deque[_Batch] = deque()
        self._spare: list[_Batch] = []
        self._plain = memoryview(b"")
        self._finished = False
        self._error: HandoverError | OSError | None = None
        self._error_ahead: HandoverError | OSError | None = None

    def readable(self) -> bool:
        """Always."""
        return True

    def readinto(self, buffer: object, /) -> int:
        """Fills `buffer` as far as one batch allows; 0 at the verified end."""
        target = memoryview(buffer).cast("B")  # type: ignore[arg-type] # any writable buffer, as io defines it
        if not self._plain:
            self._plain = self._next()
        size = min(len(target), len(self._plain))
        target[:size] = self._plain[:size]
        self._plain = self._plain[size:]
        return size

    def batches(self) -> Iterator[memoryview]:
        """The plaintext from here on, without a copy: each piece holds until the next one is asked for."""
        rest, self._plain = self._plain, memoryview(b"")
        if rest:
            yield rest
        while plain := self._next():
            yield plain

    def _next(self) -> memoryview:
        """The next piece of verified plaintext; empty at the verified end."""
        while not self._finished:
            if self._error is not None:
                raise self._error
            self._read_ahead()
            if not self._waiting:
                self._error = self._error_ahead
            elif plain := self._opened(self._waiting.popleft()):
                return plain
        return memoryview(b"")

    def _read_ahead(self) -> None:
        """Has threads open what comes next; a source that fails does so after everything before it was given out."""
        while not self._read_all and len(self._waiting) < DEPTH:
            batch = self._spare.pop() if self._spare else _Batch()
            try:
                self._ahead = batch.fill(self._source, self._ahead)
                self._read_all = not self._ahead
            except (HandoverError, OSError) as error:
                self._error_ahead, self._read_all = error, True
                return
            chunks = -(-batch.size // SEALED_CHUNK)
            batch.first, batch.inner = self._chunk, chunks if self._ahead else max(0, chunks - 1)
            self._chunk += batch.inner
            if batch.inner:
                batch.opening = workers().submit(batch.open, self.cipher)
            self._waiting.append(batch)

    def _opened(self, batch: "_Batch") -> memoryview:
        good = batch.opening.result() if batch.opening is not None else 0
        rest, number = memoryview(batch.sealed)[good * SEALED_CHUNK : batch.size], batch.first + good
        more = b""
        if good < batch.inner:
            more = self._fault(rest[:SEALED_CHUNK], number)
        elif self._read_all and self._error_ahead is None and not self._waiting:
            more = self._last(rest, number)
        if batch.opening is None:
            return memoryview(more)
        batch.opening = None
        self._spare.append(batch)  # used again when the next piece is asked for
        plain, end = memoryview(batch.plain), good * CHUNK + len(more)
        plain[good * CHUNK : end] = more
        return plain[:end]

    def _last(self, sealed: memoryview, number: int) -> bytes:
        """Plaintext of the last chunk of the source; what is wrong with it becomes the next error."""
        plain = self.cipher.open(sealed, number, final=True)
        if plain is None:
            self._error, plain = self._why_not_final(sealed, number)
        elif not plain and number:
            self._error = DamagedChunkError(f"chunk {number} is empty, which only a whole empty file may be", number)
        else:
            self._finished = True
        return plain

    def _why_not_final(self, sealed: memoryview, number: int) -> tuple[PayloadError, bytes]:
        if len(sealed) == SEALED_CHUNK:
            plain = self.cipher.open(sealed, number, final=False)
            if plain is not None:
                return CutShortError(
                    f"the file is cut short after chunk {number}: more chunks belong to it", number
                ), plain
            return DamagedChunkError(f"chunk {number} is damaged (the last one)", number), b""
        if len(sealed) <= 16:
            return CutShortError(f"the file is cut short: it ends in the first bytes of chunk {number}", number), b""
        message = f"chunk {number}, the last one present, does not verify: the file is cut short or damaged there"
        return LastChunkError(message, number), b""

    def _fault(self, sealed: memoryview, number: int) -> bytes:
        plain = self.cipher.open(sealed, number, final=True)
        if plain is None:
            self._error = DamagedChunkError(f"chunk {number} is damaged", number)
            return b""
        self._error = TrailingDataError(f"something follows the final chunk {number}", number)
        return plain


class _Batch:
    """Chunks on their way, in buffers that are used again; `inner` of them, from number `first`, are not the last."""

    def __init__(self) -> None:
        self.sealed, self.plain = bytearray(_SEALED_BATCH + 1), bytearray()
        self.size = self.first = self.inner = 0
        self.opening: Future[int] | None = None

    def fill(self, source: BufferedSource, ahead: bytes) -> bytes:
        """Reads a batch that begins with `ahead`; returns the byte behind it, none at the end of the source."""
        with memoryview(self.sealed) as sealed:
            sealed[: len(ahead)] = ahead
            size = len(ahead) + source.read_into(sealed[len(ahead) :])
            self.size = min(size, _SEALED_BATCH)
            return bytes(sealed[_SEALED_BATCH:size])

    def open(self, cipher: Cipher) -> int:
        if not self.plain:
            self.plain = bytearray(BATCH_CHUNKS * CHUNK)
        with memoryview(self.sealed) as sealed, memoryview(self.plain) as plain:
            return cipher.open_into(sealed[: self.inner * SEALED_CHUNK], plain, self.first)

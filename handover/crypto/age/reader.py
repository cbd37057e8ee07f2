"""Reads an age file as a stream: nothing is released that did not verify, in order, without gaps."""

import io
from collections.abc import Sequence

from handover.crypto.age import header as age_header
from handover.crypto.age.armor import ArmorReader
from handover.crypto.age.keys import identities_from, unwrap
from handover.crypto.age.passphrase import Passphrase
from handover.crypto.age.source import BufferedSource
from handover.crypto.age.stream import BATCH_CHUNKS, NONCE, SEALED_CHUNK, ByteSource, Cipher
from handover.crypto.errors import (
    CutShortError,
    DamagedChunkError,
    HeaderError,
    LastChunkError,
    PayloadError,
    TrailingDataError,
)


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
        if armored or (armored is None and buffered.looks_armored()):
            buffered = BufferedSource(ArmorReader(buffered))
        self.header = age_header.parse(buffered)
        if file_key is None:
            file_key = unwrap(self.header, identities_from(identities))
        else:
            self.header.check_mac(file_key)
        nonce = buffered.read(NONCE)
        if len(nonce) != NONCE:
            raise HeaderError("the file ends before its payload")
        self._cipher = Cipher(file_key, nonce)
        self._source = buffered
        self._chunk = 0
        self._ahead = buffered.read(SEALED_CHUNK)
        self._plain = memoryview(b"")
        self._finished = False
        self._error: PayloadError | None = None

    def readable(self) -> bool:
        """Always."""
        return True

    def readinto(self, buffer: object, /) -> int:
        """Fills `buffer` as far as one batch allows; 0 at the verified end."""
        target = memoryview(buffer).cast("B")  # type: ignore[arg-type] # any writable buffer, as io defines it
        while not self._plain and not self._finished:
            if self._error is not None:
                raise self._error
            self._next_batch()
        size = min(len(target), len(self._plain))
        target[:size] = self._plain[:size]
        self._plain = self._plain[size:]
        return size

    def _next_batch(self) -> None:
        sealed = self._ahead + self._source.read((BATCH_CHUNKS - 1) * SEALED_CHUNK)
        self._ahead = self._source.read(SEALED_CHUNK) if len(sealed) == BATCH_CHUNKS * SEALED_CHUNK else b""
        inner = len(sealed) if self._ahead else max(0, -(-len(sealed) // SEALED_CHUNK) - 1) * SEALED_CHUNK
        view = memoryview(sealed)
        plain, bad = self._cipher.open_inner(view[:inner], self._chunk)
        if bad is not None:
            chunk = view[(bad - self._chunk) * SEALED_CHUNK :][:SEALED_CHUNK]
            plain += self._fault(chunk, bad)
        elif not self._ahead:
            plain += self._last(view[inner:], self._chunk + inner // SEALED_CHUNK)
        self._chunk += inner // SEALED_CHUNK
        self._plain = memoryview(plain)

    def _last(self, sealed: memoryview, number: int) -> bytes:
        """Plaintext of the last chunk of the source; what is wrong with it becomes the next error."""
        plain = self._cipher.open(sealed, number, final=True)
        if plain is None:
            self._error, plain = self._why_not_final(sealed, number)
        elif not plain and number:
            self._error = DamagedChunkError(f"chunk {number} is empty, which only a whole empty file may be", number)
        else:
            self._finished = True
        return plain

    def _why_not_final(self, sealed: memoryview, number: int) -> tuple[PayloadError, bytes]:
        if len(sealed) == SEALED_CHUNK:
            plain = self._cipher.open(sealed, number, final=False)
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
        plain = self._cipher.open(sealed, number, final=True)
        if plain is None:
            self._error = DamagedChunkError(f"chunk {number} is damaged", number)
            return b""
        self._error = TrailingDataError(f"something follows the final chunk {number}", number)
        return plain

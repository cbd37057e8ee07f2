"""Random access to the plaintext of an age file, for taking single files out of a package."""

import io
import os
from collections import OrderedDict
from collections.abc import Sequence
from typing import TYPE_CHECKING, BinaryIO

from handover.crypto.age import header as age_header
from handover.crypto.age.direct import buffer
from handover.crypto.age.keys import identities_from, unwrap
from handover.crypto.age.passphrase import Passphrase
from handover.crypto.age.ranges import Payload
from handover.crypto.age.source import BufferedSource
from handover.crypto.age.stream import BATCH_CHUNKS, CHUNK, DEPTH, NONCE, SEALED_CHUNK, TAG, Cipher, workers
from handover.crypto.errors import CutShortError, DamagedChunkError, HeaderError, LastChunkError

if TYPE_CHECKING:
    from concurrent.futures import Future

#: Decrypted chunks kept: enough for a directory and the entry being read.
_CACHED_CHUNKS = 8
#: After so many bytes read one behind the other, what follows is opened ahead.
_STREAK = 4 * CHUNK


class SeekableReader(io.RawIOBase):
    """The plaintext of a binary age file on a seekable source.

    The final chunk is verified first, so the size is certain; every chunk is verified when it is read. Chunks that are
    not read are not verified.

    Raises:
        HeaderError, NoMatchError, HeaderMacError, PayloadError: when made.
        DamagedChunkError: when reading.
    """

    def __init__(
        self, source: BinaryIO, identities: Sequence[str | Passphrase] = (), *, file_key: bytes | None = None
    ) -> None:
        source.seek(0)
        buffered = BufferedSource(source)
        self.header = age_header.parse(buffered)
        if file_key is None:
            file_key = unwrap(self.header, identities_from(identities))
        else:
            self.header.check_mac(file_key)
        self._payload = len(self.header.raw) + NONCE
        nonce = buffered.read(NONCE)
        if len(nonce) != NONCE:
            raise HeaderError("the file ends before its payload")
        self._cipher = Cipher(file_key, nonce)
        self._source = source
        self._cache: OrderedDict[int, bytes] = OrderedDict()
        self._position = self._streak = 0
        self._windows: dict[int, _Window] = {}
        self._spare: list[_Window] = []
        #: The window that is read from, how many of its chunks verified, and their plaintext.
        self._window, self._good, self._opened = -1, 0, memoryview(b"")
        sealed_size = source.seek(0, os.SEEK_END) - self._payload
        self._count = max(1, -(-sealed_size // SEALED_CHUNK))
        #: Bytes of plaintext.
        self.size = (self._count - 1) * CHUNK + len(self._final(sealed_size))

    def readable(self) -> bool:
        """Always."""
        return True

    def seekable(self) -> bool:
        """Always."""
        return True

    def tell(self) -> int:
        """Position in the plaintext."""
        return self._position

    def seek(self, offset: int, whence: int = os.SEEK_SET, /) -> int:
        """Moves in the plaintext; beyond its end reads give nothing."""
        position = offset + {os.SEEK_SET: 0, os.SEEK_CUR: self._position, os.SEEK_END: self.size}[whence]
        if position < 0:
            raise ValueError("seek before the beginning")
        if position != self._position:
            self._position, self._streak = position, 0
        return self._position

    def readinto(self, buffer: object, /) -> int:
        """Fills `buffer` from one run of chunks; 0 at the end."""
        target = memoryview(buffer).cast("B")  # type: ignore[arg-type] # any writable buffer, as io defines it
        part = self._piece(len(target))
        target[: len(part)] = part
        return len(part)

    def read_at(self, offset: int, size: int) -> bytes:
        """Exactly `size` bytes from `offset`, fewer only at the end."""
        self.seek(offset)
        first = bytes(self._piece(size))
        if len(first) == size:
            return first
        parts, left = [first], size - len(first)
        while part := bytes(self._piece(left)):
            parts.append(part)
            left -= len(part)
        return b"".join(parts)

    @property
    def payload(self) -> Payload:
        """For `open_range`; the source must be a file."""
        return Payload(self._source.fileno(), self._payload, self._count, self._cipher)

    def _piece(self, size: int) -> memoryview:
        """What comes next, at most `size` bytes and none only at the end; it holds until the next call."""
        if self._position >= self.size or not size:
            return memoryview(b"")
        number, start = divmod(self._position, CHUNK)
        if self._streak >= _STREAK and number < self._count - 1:
            plain, start = self._ahead(number), start + number % BATCH_CHUNKS * CHUNK
        else:
            plain = memoryview(self._run(number, (self._position + size - 1) // CHUNK))
        part = plain[start : start + size]
        self._position += len(part)
        self._streak += len(part)
        return part

    def _ahead(self, number: int) -> memoryview:
        """Plaintext of the window around chunk `number`, while threads open those behind it."""
        current, within = divmod(number, BATCH_CHUNKS)
        if current != self._window:
            self._move(current)
        if within >= self._good:
            raise DamagedChunkError(f"chunk {number} is damaged", number)
        return self._opened

    def _move(self, current: int) -> None:
        for index in [index for index in self._windows if not current <= index < current + DEPTH]:
            self._spare.append(self._windows.pop(index))
        for index in range(current, min(current + DEPTH, -(-(self._count - 1) // BATCH_CHUNKS))):
            if index not in self._windows:
                window = self._spare.pop() if self._spare else _Window()
                self._source.seek(self._payload + index * BATCH_CHUNKS * SEALED_CHUNK)
                window.begin(self._source, self._cipher, index, self._count - 1)
                self._windows[index] = window
        window = self._windows[current]
        self._good, self._window = window.opened(), current
        self._opened = window.plain[: self._good * CHUNK]

    def _run(self, number: int, last: int) -> bytes | bytearray:
        """Plaintext of chunk `number` and, where that is cheap, of those behind it, not further than `last`."""
        count = min(last, self._count - 2) - number + 1
        if count < 2 or number in self._cache:
            return self._chunk(number)
        sealed = self._sealed(number, min(count, BATCH_CHUNKS))
        plain = bytearray(len(sealed) // SEALED_CHUNK * CHUNK)
        good = self._open_inner(memoryview(sealed), memoryview(plain), number)
        if not good:
            raise DamagedChunkError(f"chunk {number} is damaged", number)
        if good * CHUNK < len(plain):
            del plain[good * CHUNK :]
        else:
            # The next run often begins in the middle of this one's last chunk.
            self._keep(number + good - 1, bytes(plain[-CHUNK:]))
        return plain

    def _open_inner(self, sealed: memoryview, plain: memoryview, number: int) -> int:
        """As `Cipher.open_into`, with half of the work in another thread."""
        half = len(sealed) // SEALED_CHUNK // 2
        other = workers().submit(
            self._cipher.open_into, sealed[half * SEALED_CHUNK :], plain[half * CHUNK :], number + half
        )
        try:
            good = self._cipher.open_into(sealed[: half * SEALED_CHUNK], plain, number)
        finally:
            behind = other.result()
        return good + behind if good == half else good

    def _chunk(self, number: int) -> bytes:
        if number in self._cache:
            self._cache.move_to_end(number)
            return self._cache[number]
        plain = self._cipher.open(memoryview(self._sealed(number)), number, final=number == self._count - 1)
        if plain is None:
            raise DamagedChunkError(f"chunk {number} is damaged", number)
        return self._keep(number, plain)

    def _final(self, sealed_size: int) -> bytes:
        number = self._count - 1
        sealed = memoryview(self._sealed(number))
        plain = self._cipher.open(sealed, number, final=True)
        if plain is None:
            if sealed_size < TAG or self._cipher.open(sealed, number, final=False) is not None:
                raise CutShortError(f"the file is cut short after chunk {number}", number)
            if len(sealed) == SEALED_CHUNK:
                raise DamagedChunkError(f"chunk {number} is damaged (the last one)", number)
            raise LastChunkError(
                f"chunk {number}, the last one present, does not verify: the file is cut short or damaged there", number
            )
        if not plain and number:
            raise DamagedChunkError(f"chunk {number} is empty, which only a whole empty file may be", number)
        return self._keep(number, plain)

    def _keep(self, number: int, plain: bytes) -> bytes:
        self._cache[number] = plain
        if len(self._cache) > _CACHED_CHUNKS:
            self._cache.popitem(last=False)
        return plain

    def _sealed(self, number: int, count: int = 1) -> bytes:
        self._source.seek(self._payload + number * SEALED_CHUNK)
        return BufferedSource(self._source).read(count * SEALED_CHUNK)


class _Window:
    """A run of chunks that a thread opens, in buffers that are used again."""

    def __init__(self) -> None:
        # Shared with a process that is forked meanwhile, which would otherwise keep what is in them now.
        self.sealed, self.plain = buffer(BATCH_CHUNKS * SEALED_CHUNK), buffer(BATCH_CHUNKS * CHUNK)
        self.opening: Future[int] | None = None

    def begin(self, source: BinaryIO, cipher: Cipher, index: int, inner: int) -> None:
        """Reads window `index` of a file with `inner` chunks before the final one, and has it opened."""
        self.opened()
        first = index * BATCH_CHUNKS
        sealed = self.sealed[: min(BATCH_CHUNKS, inner - first) * SEALED_CHUNK]
        size = BufferedSource(source).read_into(sealed)
        self.opening = workers().submit(cipher.open_into, sealed[:size], self.plain, first)

    def opened(self) -> int:
        """How many of its chunks verified, without a gap."""
        return 0 if self.opening is None else self.opening.result()

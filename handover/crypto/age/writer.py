"""Writes an age file as a stream, at constant memory."""

import os
from collections import deque
from collections.abc import Sequence
from hashlib import sha256
from types import TracebackType
from typing import TYPE_CHECKING, NamedTuple, Self

from handover.crypto.age import header as age_header
from handover.crypto.age.keys import FILE_KEY_SIZE, recipients_from, wrap
from handover.crypto.age.passphrase import Passphrase
from handover.crypto.age.stream import BATCH_CHUNKS, CHUNK, DEPTH, NONCE, TAG, ByteSink, Cipher, workers

if TYPE_CHECKING:
    from concurrent.futures import Future

_BATCH = BATCH_CHUNKS * CHUNK


class Start(NamedTuple):
    """A new age file: its file key, its header, the bytes before the first chunk, and what seals the chunks."""

    file_key: bytes
    header: age_header.Header
    prefix: bytes
    cipher: Cipher


def start(recipients: Sequence[str | Passphrase]) -> Start:
    """Draws the keys of a new file.

    Raises:
        KeyFormatError: a recipient is malformed, or kinds are mixed.
    """
    file_key, nonce = os.urandom(FILE_KEY_SIZE), os.urandom(NONCE)
    header = age_header.build(wrap(file_key, recipients_from(recipients)), file_key)
    return Start(file_key, header, header.raw + nonce, Cipher(file_key, nonce))


class Writer:
    """File-like: everything written is encrypted to `sink`; `close` ends the file and leaves the sink open.

    Used as a context manager it closes only when no exception passed: an unfinished age file stays recognisably cut.
    """

    def __init__(self, sink: ByteSink, recipients: Sequence[str | Passphrase], *, hashed: bool = False) -> None:
        """Writes the header; with `hashed` the SHA-256 over all ciphertext is made on the way."""
        begun = start(recipients)
        #: Only for the builder's test decryption of the finished file; never stored.
        self.file_key = begun.file_key
        self.header = begun.header
        self._cipher = begun.cipher
        self._sink = sink
        self._hash = sha256() if hashed else None
        self._hashing: tuple[Future[None], _Batch] | None = None
        self._batch = _Batch()
        self._free = [_Batch() for _ in range(DEPTH - 1)]
        self._waiting: deque[_Batch] = deque()
        self._chunk = 0
        self.closed = False
        #: Bytes of ciphertext written so far.
        self.size = 0
        if self._hash is not None:
            self._hash.update(begun.prefix)
        self._sink.write(begun.prefix)
        self.size += len(begun.prefix)

    @property
    def header_sha256(self) -> str:
        """Hex SHA-256 over the header including its MAC line."""
        return self.header.sha256

    @property
    def ciphertext_sha256(self) -> str:
        """Hex SHA-256 over the whole file, once it is closed.

        Raises:
            ValueError: the writer was made without `hashed`.
        """
        if self._hash is None:
            raise ValueError("this age file was not hashed while it was written")
        return self._hash.hexdigest()

    @property
    def header_size(self) -> int:
        """Bytes of the header."""
        return len(self.header.raw)

    def write(self, data: bytes | bytearray | memoryview, /) -> int:
        """Encrypts `data`; returns its length."""
        if self.closed:
            raise ValueError("write to a closed age file")
        with memoryview(data).cast("B") as view:
            done = 0
            while done < len(view):
                # A full batch is held back: whether its last chunk is the final one shows only when more comes.
                if self._batch.size == _BATCH:
                    self._seal(final=False)
                done += self._batch.take(view[done:])
            return done

    def close(self) -> None:
        """Writes the final chunk; a second call does nothing."""
        if not self.closed:
            self._seal(final=True)
            while self._waiting:
                self._write_first()
            self._wait_for_hash()
            self.closed = True

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, _error: BaseException | None, _trace: TracebackType | None
    ) -> None:
        if kind is None:
            self.close()

    def _seal(self, *, final: bool) -> None:
        batch = self._batch
        if final and not self._waiting:
            batch.seal(self._cipher, self._chunk, final=True)
        else:
            batch.sealing = workers().submit(batch.seal, self._cipher, self._chunk, final=final)
        self._chunk += BATCH_CHUNKS
        self._waiting.append(batch)
        while not self._free:
            self._write_first()
        self._batch = self._free.pop()

    def _write_first(self) -> None:
        batch = self._waiting.popleft()
        if batch.sealing is not None:
            batch.sealing.result()
        self._wait_for_hash()
        data = memoryview(batch.sealed)[: batch.sealed_size]
        if self._hash is None:
            self._free.append(batch)
        else:
            self._hashing = workers().submit(self._hash.update, data), batch
        self._sink.write(data)
        self.size += len(data)
        batch.size, batch.sealing = 0, None

    def _wait_for_hash(self) -> None:
        """Hashing is one batch behind; a batch that was hashed is filled again."""
        if self._hashing is not None:
            hashing, batch = self._hashing
            hashing.result()
            self._free.append(batch)
            self._hashing = None


class _Batch:
    """Chunks on their way, in buffers that are used again; small files never make them large."""

    def __init__(self) -> None:
        self.plain, self.sealed = bytearray(), bytearray()
        self.size = self.sealed_size = 0
        self.sealing: Future[None] | None = None

    def take(self, data: memoryview) -> int:
        """Takes what fits; returns how much."""
        part = data[: _BATCH - self.size]
        end = self.size + len(part)
        if end > len(self.plain):
            self.plain[self.size :] = part
        else:
            with memoryview(self.plain) as plain:
                plain[self.size : end] = part
        self.size = end
        return len(part)

    def seal(self, cipher: Cipher, first: int, *, final: bool) -> None:
        room = self.size + max(1, -(-self.size // CHUNK)) * TAG
        if len(self.sealed) < room:
            self.sealed = bytearray(room)
        with memoryview(self.plain) as plain, memoryview(self.sealed) as sealed, plain[: self.size] as part:
            self.sealed_size = cipher.seal_into(part, sealed, first, final=final)

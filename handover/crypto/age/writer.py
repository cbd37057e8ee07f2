"""Writes an age file as a stream, at constant memory."""

import os
from collections.abc import Sequence
from hashlib import sha256
from types import TracebackType
from typing import Self

from handover.crypto.age import header as age_header
from handover.crypto.age.keys import FILE_KEY_SIZE, recipients_from, wrap
from handover.crypto.age.passphrase import Passphrase
from handover.crypto.age.stream import BATCH_CHUNKS, CHUNK, NONCE, ByteSink, Cipher

_BATCH = BATCH_CHUNKS * CHUNK


class Writer:
    """File-like: everything written is encrypted to `sink`; `close` ends the file and leaves the sink open.

    Used as a context manager it closes only when no exception passed: an unfinished age file stays recognisably cut.
    """

    def __init__(self, sink: ByteSink, recipients: Sequence[str | Passphrase]) -> None:
        parsed = recipients_from(recipients)
        #: Only for the builder's test decryption of the finished file; never stored.
        self.file_key = os.urandom(FILE_KEY_SIZE)
        self.header = age_header.build(wrap(self.file_key, parsed), self.file_key)
        nonce = os.urandom(NONCE)
        self._cipher = Cipher(self.file_key, nonce)
        self._sink = sink
        self._hash = sha256()
        self._plain = bytearray()
        self._chunk = 0
        self.closed = False
        #: Bytes of ciphertext written so far.
        self.size = 0
        self._emit(self.header.raw)
        self._emit(nonce)

    @property
    def header_sha256(self) -> str:
        """Hex SHA-256 over the header including its MAC line."""
        return self.header.sha256

    @property
    def header_size(self) -> int:
        """Bytes of the header."""
        return len(self.header.raw)

    @property
    def ciphertext_sha256(self) -> str:
        """Hex SHA-256 over everything written so far."""
        return self._hash.hexdigest()

    def write(self, data: bytes | bytearray | memoryview, /) -> int:
        """Encrypts `data`; returns its length."""
        if self.closed:
            raise ValueError("write to a closed age file")
        self._plain += data
        # The last chunk is held back: whether it is the final one shows only when more comes, or at the end.
        while len(self._plain) > _BATCH:
            self._seal(_BATCH, final=False)
        return len(data)

    def close(self) -> None:
        """Writes the final chunk; a second call does nothing."""
        if not self.closed:
            self._seal(len(self._plain), final=True)
            self.closed = True

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, _error: BaseException | None, _trace: TracebackType | None
    ) -> None:
        if kind is None:
            self.close()

    def _seal(self, size: int, *, final: bool) -> None:
        with memoryview(self._plain) as whole, whole[:size] as part:
            sealed = self._cipher.seal(part, self._chunk, final=final)
        del self._plain[:size]
        self._chunk += size // CHUNK
        self._emit(sealed)

    def _emit(self, data: bytes | bytearray) -> None:
        self._hash.update(data)
        self._sink.write(bytes(data) if isinstance(data, bytearray) else data)
        self.size += len(data)

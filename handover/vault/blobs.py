"""Encrypted blobs: one age file per blob, recorded by the SHA-256 of its header.

Anyone can encrypt to a public recipient, so what a row recorded decides: a blob with another header or size is
refused before any of it is decrypted. Memory is constant however large the blob is.
"""

import io
from typing import BinaryIO, Self, cast

import msgspec

from handover.crypto import age
from handover.crypto.age.seekable import SeekableReader
from handover.errors import HandoverError
from handover.storage import Storage, new_blob_key
from handover.vault.errors import ForeignBlobError

#: Read-ahead of a reader: one chunk of the age format.
_BUFFER = 64 * 1024


class SealedBlob(msgspec.Struct, frozen=True, kw_only=True):
    """Where a blob lies and what it must be; stored in its row."""

    key: str
    header_sha256: str
    size: int
    plain_size: int


class BlobSink:
    """Takes plaintext, stores ciphertext; `blob` is there once the block ended without an exception."""

    def __init__(self, storage: Storage, recipient: str) -> None:
        self._storage, self._recipient = storage, recipient
        self._key = new_blob_key()
        self._plain_size = 0
        self._blob: SealedBlob | None = None

    @property
    def blob(self) -> SealedBlob:
        """What was stored."""
        if self._blob is None:
            raise ValueError("the blob is not stored yet: its block has not ended, or ended by an exception")
        return self._blob

    def __enter__(self) -> Self:
        self._target = self._storage.create(self._key)
        self._target.__enter__()
        try:
            self._age = age.Writer(self._target, [self._recipient])
        except BaseException as error:
            self._target.__exit__(type(error), error, error.__traceback__)
            raise
        return self

    def write(self, data: bytes | bytearray | memoryview) -> int:
        """Encrypts and stores; returns the length of `data`."""
        self._plain_size += memoryview(data).nbytes
        return self._age.write(data)

    def __exit__(self, kind: object, *exc: object) -> None:
        if kind is None:
            try:
                self._age.close()
            except BaseException as error:
                self._target.__exit__(type(error), error, error.__traceback__)
                raise
        self._target.__exit__(kind, *exc)
        if kind is None:
            self._blob = SealedBlob(
                key=self._key,
                header_sha256=self._age.header_sha256,
                size=self._age.size,
                plain_size=self._plain_size,
            )


class _OwningReader(SeekableReader):
    """Closes its source with itself."""

    def __init__(self, source: BinaryIO, identity: str) -> None:
        super().__init__(source, [identity])
        self._owned = source

    def close(self) -> None:
        self._owned.close()
        super().close()


def open_blob(storage: Storage, blob: SealedBlob, identity: str) -> BinaryIO:
    """The plaintext of a recorded blob, seekable; every chunk is verified before it is given out.

    Raises:
        BlobMissingError: it is not in the store.
        ForeignBlobError: what lies there is not what was recorded.
        CryptoError: the key does not open it, or it is damaged.
    """
    source = storage.open(blob.key)
    try:
        _refuse_foreign(source, blob)
        reader = _OwningReader(source, identity)
    except BaseException:
        source.close()
        raise
    if reader.size != blob.plain_size:
        reader.close()
        raise ForeignBlobError(f"blob {blob.key} holds {reader.size} bytes, {blob.plain_size} were recorded")
    return cast("BinaryIO", io.BufferedReader(reader, _BUFFER))


def _refuse_foreign(source: BinaryIO, blob: SealedBlob) -> None:
    size = source.seek(0, io.SEEK_END)
    source.seek(0)
    if size != blob.size:
        raise ForeignBlobError(f"blob {blob.key} has {size} bytes, {blob.size} were recorded")
    try:
        found = age.parse_header(source).sha256
    except HandoverError as error:
        raise ForeignBlobError(f"blob {blob.key} is not an encrypted blob of this vault") from error
    if found != blob.header_sha256:
        raise ForeignBlobError(f"blob {blob.key} is not the one that was recorded: its header differs")

"""The bytes of copies: sealed in the vault, text kept deflated so that a package can take it over raw."""

import hashlib
from collections.abc import Iterable, Iterator
from typing import Self

import msgspec
from isal import isal_zlib

from handover.formats.media_types import MEDIA_TYPES
from handover.vault import SealedBlob, Vault

#: Read and hand on in pieces of this size.
CHUNK = 1 << 20
#: Formats whose bytes shrink; XLSX and the like are deflated already.
_TEXT_LIKE = frozenset({"csv", "tsv", "jsonl", "json", "txt", "html", "eml", "sqlite", "samples"})
_DEFLATE_LEVEL = 1


class Content(msgspec.Struct, frozen=True, kw_only=True):
    """What is known of a copy's bytes, determined once; `deflated_size` is set when the blob holds raw deflate."""

    sha256: str
    crc32: int
    size: int
    deflated_size: int | None
    media_type: str
    format: str


class Stored(msgspec.Struct, frozen=True):
    """A blob that was written, with its content's facts."""

    blob: SealedBlob
    content: Content


class Sink:
    """Takes a copy's bytes once: hash, CRC and deflate on the way into the vault."""

    def __init__(self, vault: Vault, key_id: str, fmt: str) -> None:
        self._writer = vault.writer(key_id)
        self._hash, self._crc, self._size, self._deflated = hashlib.sha256(), 0, 0, 0
        self._deflate = isal_zlib.compressobj(_DEFLATE_LEVEL, isal_zlib.DEFLATED, -15) if fmt in _TEXT_LIKE else None
        self._format = fmt

    def __enter__(self) -> Self:
        self._blob = self._writer.__enter__()
        return self

    def write(self, data: bytes) -> None:
        self._hash.update(data)
        self._crc = isal_zlib.crc32(data, self._crc)
        self._size += len(data)
        self._put(self._deflate.compress(data) if self._deflate else data)

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, trace: object) -> None:
        if kind is None and self._deflate:
            self._put(self._deflate.flush())
        self._writer.__exit__(kind, error, trace)

    def stored(self) -> Stored:
        """The result, after the block."""
        content = Content(
            sha256=self._hash.hexdigest(),
            crc32=self._crc,
            size=self._size,
            deflated_size=self._deflated if self._deflate else None,
            media_type=MEDIA_TYPES.get(self._format, "application/octet-stream"),
            format=self._format,
        )
        return Stored(self._blob.blob, content)

    def _put(self, data: bytes) -> None:
        self._deflated += len(data)
        self._blob.write(data)


def store(vault: Vault, key_id: str, fmt: str, chunks: Iterable[bytes]) -> Stored:
    """Writes chunks as one sealed blob."""
    with Sink(vault, key_id, fmt) as sink:
        for chunk in chunks:
            sink.write(chunk)
    return sink.stored()


def raw_chunks(vault: Vault, key_id: str, blob: SealedBlob) -> Iterator[bytes]:
    """The blob as it is kept: raw deflate when its content says so."""
    with vault.reader(key_id, blob) as source:
        while chunk := source.read(CHUNK):
            yield chunk


def plain_chunks(vault: Vault, key_id: str, blob: SealedBlob, content: Content) -> Iterator[bytes]:
    """The original bytes."""
    if content.deflated_size is None:
        yield from raw_chunks(vault, key_id, blob)
        return
    inflate = isal_zlib.decompressobj(-15)
    for chunk in raw_chunks(vault, key_id, blob):
        # Bounded output per call: what we deflated ourselves inflates predictably, but memory stays constant anyway.
        data = inflate.decompress(chunk, 4 * CHUNK)
        while data:
            yield data
            data = inflate.decompress(inflate.unconsumed_tail, 4 * CHUNK)
    if tail := inflate.flush():
        yield tail

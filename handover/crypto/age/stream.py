"""The payload of an age file: STREAM over ChaCha20-Poly1305 in chunks of 64 KiB (age specification, Payload).

Batches of chunks are split over two threads where that helps; `cryptography` releases the interpreter lock inside.
"""

import os
from collections.abc import Iterable
from concurrent.futures import ThreadPoolExecutor
from functools import cache
from typing import Protocol

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import ChaCha20Poly1305

from handover.crypto.age.header import hkdf

CHUNK = 64 * 1024
TAG = 16
SEALED_CHUNK = CHUNK + TAG
NONCE = 16
#: Chunks handled at once: 1 MiB keeps two threads busy and memory constant.
BATCH_CHUNKS = 16
#: Under this many chunks handing work to a thread costs more than it gains.
_PARALLEL_FROM = 4


class ByteSource(Protocol):
    """Anything with `read(n)`; fewer bytes than asked for do not mean the end, none do."""

    def read(self, size: int, /) -> bytes | None:
        """At most `size` bytes."""


class ByteSink(Protocol):
    """Anything with `write(data)`; a buffered file or an in-memory one."""

    def write(self, data: bytes, /) -> object:
        """Takes all of `data`."""


class Cipher:
    """Seals and opens chunks by number under one payload key."""

    def __init__(self, file_key: bytes, nonce: bytes) -> None:
        self._aead = ChaCha20Poly1305(hkdf(file_key, nonce, b"payload"))

    def seal(self, plain: memoryview, first: int, *, final: bool) -> bytearray:
        """Ciphertext of whole chunks from number `first`; the last may be short only if `final`."""
        count = max(1, -(-len(plain) // CHUNK))
        sealed = bytearray(len(plain) + count * TAG)
        view = memoryview(sealed)

        def run(chunks: Iterable[int]) -> None:
            for i in chunks:
                part = plain[i * CHUNK : (i + 1) * CHUNK]
                target = view[i * SEALED_CHUNK : i * SEALED_CHUNK + len(part) + TAG]
                self._aead.encrypt_into(_nonce(first + i, final=final and i == count - 1), part, None, target)

        _spread(run, count)
        return sealed

    def open(self, sealed: memoryview, number: int, *, final: bool) -> bytes | None:
        """Plaintext of one chunk, or None when it does not verify."""
        if len(sealed) < TAG:
            return None
        try:
            return self._aead.decrypt(_nonce(number, final=final), sealed, None)
        except InvalidTag:
            return None

    def open_inner(self, sealed: memoryview, first: int) -> tuple[bytearray, int | None]:
        """Plaintext of whole chunks that are not the final one, and the number of the first that does not verify."""
        count = len(sealed) // SEALED_CHUNK
        plain = bytearray(count * CHUNK)
        view = memoryview(plain)
        bad: list[int] = []

        def run(chunks: Iterable[int]) -> None:
            for i in chunks:
                part = sealed[i * SEALED_CHUNK : (i + 1) * SEALED_CHUNK]
                try:
                    self._aead.decrypt_into(
                        _nonce(first + i, final=False), part, None, view[i * CHUNK : (i + 1) * CHUNK]
                    )
                except InvalidTag:
                    bad.append(i)
                    return

        _spread(run, count)
        view.release()
        if not bad:
            return plain, None
        worst = min(bad)
        del plain[worst * CHUNK :]
        return plain, first + worst


def ciphertext_size(plain_size: int, header_size: int) -> int:
    """Size of an age file with this much plaintext and a header of this size."""
    chunks = max(1, -(-plain_size // CHUNK))
    return header_size + NONCE + plain_size + chunks * TAG


def _nonce(number: int, *, final: bool) -> bytes:
    return number.to_bytes(11, "big") + (b"\x01" if final else b"\x00")


class _Run(Protocol):
    def __call__(self, chunks: Iterable[int]) -> None: ...


def _spread(run: _Run, count: int) -> None:
    if count < _PARALLEL_FROM:
        run(range(count))
        return
    middle = count // 2
    other = _pool().submit(run, range(middle, count))
    try:
        run(range(middle))
    finally:
        other.result()


@cache
def _pool() -> ThreadPoolExecutor:
    return ThreadPoolExecutor(max_workers=max(1, min(4, os.cpu_count() or 1)), thread_name_prefix="age-stream")

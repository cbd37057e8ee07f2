"""The payload of an age file: STREAM over ChaCha20-Poly1305 in chunks of 64 KiB (age specification, Payload).

Batches of chunks go to threads, several at once and taken back in order, while the caller's thread reads and writes;
`cryptography` and `hashlib` release the interpreter lock inside.
"""

import os
from functools import cache
from typing import TYPE_CHECKING, Protocol

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import ChaCha20Poly1305

from handover.crypto.age.header import hkdf

if TYPE_CHECKING:
    from concurrent.futures import ThreadPoolExecutor

CHUNK = 64 * 1024
TAG = 16
SEALED_CHUNK = CHUNK + TAG
NONCE = 16
#: Chunks handled at once: 1 MiB. Twice as much is a tenth faster and holds twice the memory.
BATCH_CHUNKS = 16
THREADS = min(8, os.cpu_count() or 1)
#: Batches under way in one stream: one for each thread, one that waits for a thread, and one that is filled or emptied.
DEPTH = THREADS + 2
#: How the threads of streams are named.
WORKERS = "age-stream"


class ByteSource(Protocol):
    """Anything with `read(n)`; fewer bytes than asked for do not mean the end, none do."""

    def read(self, size: int, /) -> bytes | None:
        """At most `size` bytes."""


class ByteSink(Protocol):
    """Anything with `write(data)`; a buffered file or an in-memory one."""

    def write(self, data: bytes | memoryview, /) -> object:
        """Takes all of `data`; what it was made of is used again afterwards."""


class Cipher:
    """Seals and opens chunks by number under one payload key."""

    def __init__(self, file_key: bytes, nonce: bytes) -> None:
        self._aead = ChaCha20Poly1305(hkdf(file_key, nonce, b"payload"))

    def seal_into(self, plain: memoryview, sealed: memoryview, first: int, *, final: bool) -> int:
        """Seals whole chunks from number `first`; the last may be short only if `final`. Returns the size written."""
        count = chunk_count(len(plain))
        for i in range(count):
            part = plain[i * CHUNK : (i + 1) * CHUNK]
            target = sealed[i * SEALED_CHUNK : i * SEALED_CHUNK + len(part) + TAG]
            self._aead.encrypt_into(_nonce(first + i, final=final and i == count - 1), part, None, target)
        return len(plain) + count * TAG

    def open(self, sealed: memoryview, number: int, *, final: bool) -> bytes | None:
        """Plaintext of one chunk, or None when it does not verify."""
        if len(sealed) < TAG:
            return None
        try:
            return self._aead.decrypt(_nonce(number, final=final), sealed, None)
        except InvalidTag:
            return None

    def open_chunk_into(self, sealed: memoryview, plain: memoryview, number: int, *, final: bool) -> bool:
        """Opens one chunk; whether it verified."""
        try:
            self._aead.decrypt_into(_nonce(number, final=final), sealed, None, plain)
        except InvalidTag:
            return False
        return True

    def open_into(self, sealed: memoryview, plain: memoryview, first: int) -> int:
        """Opens whole chunks that are not the final one; returns how many verified before the first that did not."""
        for i in range(len(sealed) // SEALED_CHUNK):
            part = sealed[i * SEALED_CHUNK : (i + 1) * SEALED_CHUNK]
            if not self.open_chunk_into(part, plain[i * CHUNK : (i + 1) * CHUNK], first + i, final=False):
                return i
        return len(sealed) // SEALED_CHUNK


def chunk_count(plain_size: int) -> int:
    """Chunks of so much plaintext; an empty file has one."""
    return max(1, -(-plain_size // CHUNK))


def ciphertext_size(plain_size: int, header_size: int) -> int:
    """Size of an age file with this much plaintext and a header of this size."""
    return header_size + NONCE + plain_size + chunk_count(plain_size) * TAG


def _nonce(number: int, *, final: bool) -> bytes:
    return number.to_bytes(11, "big") + (b"\x01" if final else b"\x00")


@cache
def workers() -> "ThreadPoolExecutor":
    """The threads over which all streams of this process spread their batches."""
    from concurrent.futures import ThreadPoolExecutor  # a third of the time that this package takes to load

    return ThreadPoolExecutor(max_workers=THREADS, thread_name_prefix=WORKERS)


def end_workers() -> None:
    """Ends these threads when what they have is done; whoever needs some later gets new ones. For who knows that nobody else does now."""
    if workers.cache_info().currsize:
        workers().shutdown()
        workers.cache_clear()


if hasattr(os, "register_at_fork"):  # Windows knows no fork; a fork takes the object along, but not its threads
    os.register_at_fork(after_in_child=workers.cache_clear)

"""The contract that every storage keeps: write-once blobs that appear under their name only when whole and durable."""

import secrets
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import BinaryIO, Protocol, Self
from urllib.parse import urlsplit

from handover.errors import HandoverError, Kind


class BlobMissingError(HandoverError):
    """No blob has this key."""

    code = "blob_missing"
    kind = Kind.NOT_FOUND


class BlobExistsError(HandoverError):
    """A blob with this key exists; blobs are never overwritten."""

    code = "blob_exists"
    kind = Kind.CONFLICT


class StorageFullError(HandoverError):
    """No space is left; nothing appeared under the key."""

    code = "storage_full"
    kind = Kind.STORAGE_FULL


class BlobWriter(Protocol):
    """A blob being written; leaving the `with` block by an exception removes it."""

    def write(self, data: bytes | bytearray | memoryview) -> int: ...
    def __enter__(self) -> Self: ...
    def __exit__(self, kind: object, *exc: object) -> None: ...


class Storage(Protocol):
    """What the vault needs of a store."""

    def create(self, key: str) -> BlobWriter:
        """Starts a blob; it exists when the `with` block ends without an exception."""

    def open(self, key: str) -> BinaryIO:
        """The blob as a seekable file. Raises BlobMissingError."""

    def size(self, key: str) -> int: ...
    def exists(self, key: str) -> bool: ...
    def delete(self, key: str) -> None:
        """Removes the blob; one that is absent already is no error."""

    def keys(self) -> Iterator[str]: ...
    def sweep(self) -> int:
        """Removes what writers that died left behind; returns how many."""

    def clear(self, unnamed: Callable[[set[str]], set[str]]) -> int:
        """After a crash: sweeps, and removes those blobs written since the last clearing that `unnamed` picks.

        Does nothing while another process that wrote here is alive, since it may be about to name what it wrote.
        """


def new_blob_key() -> str:
    """A random key, spread over 256 folders."""
    name = secrets.token_hex(16)
    return f"{name[:2]}/{name[2:]}"


def open_storage(url: str) -> Storage:
    """The store at a `file:///` address."""
    from handover.storage.local import LocalStorage

    return LocalStorage(Path(urlsplit(url).path))

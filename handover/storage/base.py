"""The contract that every storage keeps: write-once blobs that appear under their name only when whole and durable."""

import re
import secrets
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import BinaryIO, Protocol, Self
from urllib.parse import urlsplit

from handover.errors import HandoverError, Kind
from handover.settings import SettingsError

#: Reports how many bytes are done, of how many.
Progress = Callable[[int, int], None]
_KEY = re.compile(r"[0-9a-f]{2}/[0-9a-f]{30}")


class BlobMissingError(HandoverError):
    """No blob has this key."""

    code = "blob_missing"
    kind = Kind.NOT_FOUND


class BlobExistsError(HandoverError):
    """A blob with this key exists; blobs are never overwritten."""

    code = "blob_exists"
    kind = Kind.CONFLICT


class BlobTooLargeError(HandoverError):
    """The store takes no blob of this size."""

    code = "blob_too_large"
    kind = Kind.TOO_LARGE


class StorageFullError(HandoverError):
    """No space is left; nothing appeared under the key."""

    code = "storage_full"
    kind = Kind.STORAGE_FULL


class StorageUnavailableError(HandoverError):
    """The store does not answer, or refuses this service; whoever waits goes on once that is mended."""

    code = "storage_unavailable"
    kind = Kind.UNAVAILABLE


class VersionsKeptError(HandoverError):
    """The store keeps what is deleted, so nothing in it could be called destroyed."""

    code = "storage_keeps_versions"
    kind = Kind.UNAVAILABLE


class ForeignStorageError(HandoverError):
    """Another installation keeps its blobs in this place, and each would remove what it does not know."""

    code = "storage_foreign"
    kind = Kind.CONFLICT


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
        """Removes the blob and what is staged for it; one that is absent already is no error."""

    def keys(self) -> Iterator[str]: ...
    def sizes(self) -> Iterator[tuple[str, int]]:
        """Key and size of every blob, found together."""

    def sweep(self) -> int:
        """Removes what writers that died left behind; returns how many."""

    def clear(self, unnamed: Callable[[set[str]], set[str]]) -> int:
        """After a crash: sweeps, and removes those blobs written since the last clearing that `unnamed` picks.

        Leaves what a process that is alive may be about to name.
        """

    def stage(self, key: str) -> BlobWriter:
        """As `create`, for what is costly to make again: it is whole afterwards, and gets its name by `place`."""

    def is_staged(self, key: str) -> bool:
        """Whether `place` can be called: what was staged is still here, or is placed already."""

    def open_staged(self, key: str) -> BinaryIO:
        """What was staged, to be looked at before it is placed. Raises BlobMissingError."""

    def place(self, key: str, progress: Progress | None = None) -> None:
        """Makes a staged blob exist, compared with what was staged; goes on where a killed call stopped."""

    def ping(self) -> None:
        """Answers within seconds. Raises StorageUnavailableError when the store does not."""

    def examine(self) -> list[str]:
        """Looks whether the store suits, and changes nothing; returns what could not be found out.

        Raises:
            VersionsKeptError, StorageUnavailableError
        """

    def claim(self, installation: str) -> None:
        """Notes whose store this is, before anything is written or cleared away.

        Raises:
            ForeignStorageError: it is another installation's.
        """


def new_blob_key() -> str:
    """A random key, spread over 256 folders."""
    name = secrets.token_hex(16)
    return f"{name[:2]}/{name[2:]}"


def is_blob_key(key: str) -> bool:
    """Whether `new_blob_key` could have made it."""
    return _KEY.fullmatch(key) is not None


def require_blob_key(key: str) -> str:
    """The key itself, so that no other text becomes a path or the name of an object."""
    if not is_blob_key(key):
        raise BlobMissingError(f"{key!r} is not the key of a blob")
    return key


def open_storage(url: str, spool: Path | None = None) -> Storage:
    """The store at a `file:///` or `s3://` address; `spool` is a folder here, in which blobs for a far one are staged."""
    if url.startswith("s3://"):
        try:
            from handover.storage.s3 import S3Storage
        except ModuleNotFoundError as error:
            raise SettingsError(
                "HANDOVER_STORAGE_URL: s3:// takes a library that is not installed; run: pip install 'handover[s3]'",
                setting="HANDOVER_STORAGE_URL",
            ) from error
        return S3Storage.at(url, spool)
    from handover.storage.local import LocalStorage

    return LocalStorage(Path(urlsplit(url).path))

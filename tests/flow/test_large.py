"""A record set much larger than any buffer, from upload to the opened package, at constant memory. `make soak` does 2 GiB."""

from pathlib import Path

import pytest

from benchmarks.large import carry
from handover.demo.server import running

#: Held whole anywhere, this much would break the limit.
SIZE = 64 << 20
LIMIT = 250 << 20


@pytest.mark.thorough
@pytest.mark.timeout(480)
def test_a_large_record_set_is_packed_and_opened_while_web_and_worker_stay_small(tmp_path: Path) -> None:
    said: list[str] = []
    with running(tmp_path / "data") as server:
        done = carry(server, tmp_path, SIZE, 2000, said.append)
    assert done.package["purpose"] == "closing"
    (opened,) = (tmp_path / "opened" / "files").iterdir()
    assert opened.stat().st_size == done.package["content_size"]
    assert 0.9 * done.records < int(str(done.package["records"])) < done.records
    assert all(peak < LIMIT for name, peak in done.peaks.items() if name != "child"), said
    assert {"web", "worker", "child"} == set(done.peaks)

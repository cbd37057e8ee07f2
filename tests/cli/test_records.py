"""`handover records` against a real server, also over a line that breaks."""

import contextlib
import json
import os
import socket
import socketserver
import subprocess
import sys
import threading
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

from handover.demo import stages
from handover.demo.cast import Cast, gather, open_case
from handover.demo.server import running

ROOT = Path(__file__).resolve().parents[2]
CUT_AFTER = 1 << 20


@dataclass
class Site:
    """A case that takes records."""

    cast: Cast
    folder: Path

    def file(self, name: str, size: int = 2000) -> Path:
        path = self.folder / name
        rows = "".join(f"C{n:06},{'x' * 80}\n" for n in range(size // 89 + 1))
        path.write_text(f"customer_id,note\n{rows}")
        return path

    def run(self, *arguments: object, who: str = "seller_admin", url: str = "") -> subprocess.CompletedProcess[str]:
        token = self.cast.people[who].authorization.removeprefix("Bearer ")
        return subprocess.run(
            [sys.executable, "-m", "handover", "records", "--url", url or self.cast.address, *map(str, arguments)],
            env={"PYTHONPATH": str(ROOT), "PATH": os.environ["PATH"], "HANDOVER_TOKEN": token},
            capture_output=True,
            text=True,
            check=False,
            timeout=60,
        )

    def add(self, *arguments: object, **more: str) -> subprocess.CompletedProcess[str]:
        said = ("--kind", "customer_profile", "--source", "collected by the seller", "--json")
        return self.run("add", self.cast.case_id, *arguments, *said, **more)

    def uploads(self, done: subprocess.CompletedProcess[str]) -> str:
        return done.stderr.split("--resume ", 1)[1].split()[0]


@pytest.fixture(scope="module")
def site(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Site]:
    folder = tmp_path_factory.mktemp("records")
    with running(folder / "data") as server:
        cast = gather(server.address, server.admin)
        open_case(cast, "asset_transfer")
        cast.lead.move("cases", cast.case_id, "open")
        stages.sign_ndas(cast)
        yield Site(cast, folder)


class BrokenLine(socketserver.ThreadingTCPServer):
    """Leads to a server, over a line that breaks once, in the middle of what the client sends."""

    daemon_threads = False

    def __init__(self, target: tuple[str, int]) -> None:
        super().__init__(("127.0.0.1", 0), _Carrier)
        self.target, self.broken = target, threading.Event()


class _Carrier(socketserver.BaseRequestHandler):
    server: BrokenLine

    def handle(self) -> None:
        with socket.create_connection(self.server.target) as far:
            back = threading.Thread(target=_carry, args=(far, self.request, None, self.server.broken))
            back.start()
            _carry(self.request, far, CUT_AFTER, self.server.broken)
            back.join()


def _carry(source: socket.socket, target: socket.socket, limit: int | None, broken: threading.Event) -> None:
    carried = 0
    with contextlib.suppress(OSError):
        while data := source.recv(65536):
            target.sendall(data)
            carried += len(data)
            if limit is not None and carried > limit and not broken.is_set():
                broken.set()
                break
    for end in (source, target):
        with contextlib.suppress(OSError):
            end.shutdown(socket.SHUT_RDWR)


@pytest.fixture
def broken_line(site: Site) -> Iterator[str]:
    host, _, port = site.cast.address.removeprefix("http://").partition(":")
    with BrokenLine((host, int(port))) as line:
        thread = threading.Thread(target=line.serve_forever, args=(0.05,))
        thread.start()
        yield f"http://127.0.0.1:{line.server_address[1]}"
        line.shutdown()
        thread.join()
    assert line.broken.is_set(), "the line did not break, so nothing was proven"


def test_files_are_uploaded_registered_and_listed(site: Site) -> None:
    done = site.add(site.file("客户 一.csv"), site.file("two.csv"))
    assert done.returncode == 0, done.stderr
    made = json.loads(done.stdout)
    assert [row["title"] for row in made] == ["客户 一", "two"]
    assert [row["size"] for row in made] == [(site.folder / name).stat().st_size for name in ("客户 一.csv", "two.csv")]
    for row in made:
        site.cast.custodian.wait(f"/record-sets/{row['id']}", "classified", refuse=("refused",))
    listed: list[dict[str, Any]] = json.loads(site.run("list", site.cast.case_id, "--json").stdout)
    assert {row["id"] for row in made} <= {row["id"] for row in listed}
    told = site.run("list", site.cast.case_id).stdout
    assert made[0]["number"] in told
    assert "客户 一" in told


def test_an_upload_goes_on_after_the_line_broke(site: Site, broken_line: str) -> None:
    path = site.file("large.csv", 3 << 20)
    done = site.add(path, url=broken_line)
    assert done.returncode == 0, done.stderr
    (row,) = json.loads(done.stdout)
    shown = site.cast.custodian.wait(f"/record-sets/{row['id']}", "classified", refuse=("refused",))
    assert shown["records"] == path.read_text().count("\n") - 1


def test_a_stopped_upload_is_taken_up_again_with_resume(site: Site) -> None:
    path = site.file("stopped.csv")
    refused = site.run(
        "add", site.cast.case_id, path, "--kind", "no_such_kind", "--source", "x", "--title", "named", "--json"
    )
    assert refused.returncode == 2
    assert refused.stdout == "[]\n"
    upload = site.uploads(refused)
    again = site.add(path, "--resume", upload, "--title", "named")
    assert again.returncode == 0, again.stderr
    assert json.loads(again.stdout)[0]["title"] == "named"
    path.write_text("another size")
    assert "bytes" in site.add(path, "--resume", upload).stderr


def test_one_file_of_two_that_is_refused_makes_the_work_partial(site: Site) -> None:
    (site.folder / "empty.csv").write_bytes(b"")
    done = site.add(site.file("whole.csv"), site.folder / "empty.csv")
    assert done.returncode == 3, done.stderr
    assert [row["title"] for row in json.loads(done.stdout)] == ["whole"]
    assert "empty.csv" in done.stderr


def test_a_foreign_case_an_absent_server_and_a_wrong_use_have_their_exit_codes(site: Site) -> None:
    path = site.file("x.csv")
    foreign = site.run("list", "00000000-0000-7000-8000-000000000000")
    assert foreign.returncode == 4
    assert site.run("list", site.cast.case_id, url="http://127.0.0.1:9").returncode == 1
    assert site.add(site.folder / "absent.csv").returncode == 2
    assert site.add(path, path, "--title", "both").returncode == 2
    assert site.add(path, who="buyer").returncode in {1, 4}
    assert "Traceback" not in foreign.stderr

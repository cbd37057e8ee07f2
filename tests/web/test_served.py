"""Over a real connection: streams end, slow work leaves room for others, and a malformed request harms nobody."""

import socket
import threading
import time
import uuid
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import httpx
import msgspec
import pytest

from handover.accounts.passwords import Passwords
from handover.context import SYSTEM, Installation
from handover.jobs import put
from handover.jobs.models import Job
from tests.actors import Actors, Someone

CASE = {"title": "t", "structure": "asset_transfer"}


@pytest.fixture
def lead(actors: Actors) -> Someone:
    return actors("lead", "consultant")


@pytest.fixture
def job(lead: Someone, installation: Installation) -> str:
    case_id = lead.post("cases", CASE).json()["id"]
    with installation.unit_of_work(SYSTEM) as ctx:
        return str(put(ctx, "attestations.issue", case_id=uuid.UUID(case_id)))


def finish(installation: Installation, job: str) -> None:
    with installation.unit_of_work(SYSTEM) as ctx:
        ctx.session.get_one(Job, uuid.UUID(job)).state = "done"


def test_progress_is_told_until_the_job_ends(served: str, lead: Someone, job: str, installation: Installation) -> None:
    threading.Timer(0.8, finish, (installation, job)).start()
    headers = {"Authorization": f"Bearer {lead.token}"}
    with httpx.stream("GET", f"{served}/api/v1/jobs/{job}/events", headers=headers, timeout=20) as answer:
        assert answer.headers["content-type"].startswith("text/event-stream")
        assert answer.headers["x-content-type-options"] == "nosniff"
        lines = (line.removeprefix("data:") for line in answer.iter_lines() if line.startswith("data:"))
        told = [msgspec.json.decode(line)["state"] for line in lines]
    assert told[0] != "done"
    assert told[-1] == "done"


def test_events_of_a_job_are_for_those_who_see_its_case(served: str, actors: Actors, job: str) -> None:
    headers = {"Authorization": f"Bearer {actors('other', 'consultant').token}"}
    answer = httpx.get(f"{served}/api/v1/jobs/{job}/events", headers=headers)
    assert answer.status_code == 404


def test_an_open_stream_does_not_hold_up_the_end_of_the_server(served: str, lead: Someone, job: str) -> None:
    headers = {"Authorization": f"Bearer {lead.token}"}
    client = httpx.Client(timeout=20)
    opened = client.send(
        client.build_request("GET", f"{served}/api/v1/jobs/{job}/events", headers=headers), stream=True
    )
    assert opened.status_code == 200
    threading.Timer(4, client.close).start()  # the fixture ends the server first, and fails when it cannot


def test_a_flood_of_logins_leaves_everything_else_quick(
    served: str, lead: Someone, installation: Installation, monkeypatch: pytest.MonkeyPatch
) -> None:
    entered, release = threading.Semaphore(0), threading.Event()

    def slow(*_: Any) -> bool:
        entered.release()
        release.wait(10)
        return False

    monkeypatch.setattr(installation.get(Passwords), "matches", slow)
    with ThreadPoolExecutor(60) as pool:
        body = {"password": "guess guess guess"}
        guesses = [
            pool.submit(httpx.post, f"{served}/api/v1/sessions", json={**body, "email": f"{n}@b.example"}, timeout=60)
            for n in range(60)
        ]
        assert all(entered.acquire(timeout=10) for _ in range(4)), "the lane is full"
        started = time.perf_counter()
        headers = {"Authorization": f"Bearer {lead.token}"}
        assert httpx.get(f"{served}/readyz").status_code == 200
        assert httpx.get(f"{served}/api/v1/cases", headers=headers).status_code == 200
        quick = time.perf_counter() - started
        release.set()
        assert {guess.result().status_code for guess in guesses} == {401}
    assert quick < 2


@pytest.mark.parametrize(
    "request_bytes",
    [
        b"GET /healthz HTTP/1.1\r\nHost: a\r\nContent-Length: 3\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\nGET /metrics HTTP/1.1\r\nHost: a\r\n\r\n",
        b"GET /healthz HTTP/1.1\r\nHost: a\r\nX: " + b"a" * 100_000 + b"\r\n\r\n",
        b"GET /healthz HTTP/1.1\r\nHost: a\r\nContent-Length: x\r\n\r\n",
        b"\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03",
    ],
    ids=["two lengths", "long header", "no length", "TLS"],
)
def test_a_malformed_request_gets_at_most_one_refusal(served: str, request_bytes: bytes) -> None:
    host, port = served.removeprefix("http://").split(":")
    with socket.create_connection((host, int(port)), timeout=5) as connection:
        connection.settimeout(3)
        connection.sendall(request_bytes)
        connection.shutdown(socket.SHUT_WR)
        got = b""
        try:
            while chunk := connection.recv(65536):
                got += chunk
        except ConnectionResetError:
            pass
    assert got.count(b"HTTP/1.1 ") <= 1
    assert b"HTTP/1.1 5" not in got
    assert httpx.get(f"{served}/healthz").status_code == 200

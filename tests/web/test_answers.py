"""Whatever is asked, the answer carries the security headers, a request id, and problem details when it is an error."""

import logging
from typing import Any

import pytest
from litestar.testing import RequestFactory, TestClient

from handover.context import Installation
from handover.errors import Kind
from handover.settings import Settings
from handover.vault import Vault
from handover.web.edge import language_of
from handover.web.errors import STATUS
from tests.actors import Actors

MISSING = "/api/v1/cases/019ab000-0000-7000-8000-000000000000"
ASKED = [
    ("GET", "/healthz", 200),
    ("HEAD", "/healthz", 200),
    ("GET", "/readyz", 200),
    ("GET", "/metrics", 200),
    ("GET", "/schema/openapi.json", 200),
    ("HEAD", "/schema/openapi.json", 200),
    ("OPTIONS", "/api/v1/cases", 204),
    ("GET", "/api/v1/cases", 401),
    ("GET", MISSING, 401),
    ("GET", "/no/such/route", 404),
    ("HEAD", "/no/such/route", 404),
    ("GET", "/schema/swagger", 404),
    ("GET", "/api/v1/cases/not-an-id", 404),
    ("PUT", "/api/v1/cases", 405),
    ("TRACE", "/healthz", 405),
    ("POST", "/api/v1/sessions", 400),
]


@pytest.mark.parametrize(("method", "path", "status"), ASKED)
def test_every_answer_carries_the_headers(anonymous: TestClient[Any], method: str, path: str, status: int) -> None:
    answer = anonymous.request(method, path, headers={"Content-Type": "application/json"})
    assert answer.status_code == status
    policy = answer.headers["content-security-policy"]
    assert "default-src 'none'" in policy
    assert "frame-ancestors 'none'" in policy
    assert "unsafe" not in policy
    assert answer.headers["x-content-type-options"] == "nosniff"
    assert answer.headers["cache-control"] == "no-store"
    assert answer.headers["referrer-policy"] == "no-referrer"
    assert answer.headers["cross-origin-opener-policy"] == "same-origin"
    assert answer.headers["cross-origin-resource-policy"] == "same-origin"
    assert "geolocation=()" in answer.headers["permissions-policy"]
    assert int(answer.headers["strict-transport-security"].split("max-age=")[1].split(";")[0]) >= 365 * 24 * 3600
    assert len(answer.headers["x-request-id"]) >= 16
    assert not {"server", "x-powered-by"} & set(answer.headers)
    assert (
        not answer.headers.get("content-type", "").startswith("text/") or "charset=" in answer.headers["content-type"]
    )
    if status >= 400 and method != "HEAD":
        problem = answer.json()
        assert answer.headers["content-type"] == "application/problem+json"
        assert problem["status"] == status
        assert problem["instance"] == answer.headers["x-request-id"]
        assert problem["code"]
        assert problem["title"]
        assert problem["detail"]


def test_head_sends_no_body(anonymous: TestClient[Any]) -> None:
    assert anonymous.head("/schema/openapi.json").content == b""


def test_every_kind_of_error_has_a_status() -> None:
    assert set(STATUS) == set(Kind)


def test_a_callers_request_id_is_kept_beside_ours_and_never_forged(anonymous: TestClient[Any]) -> None:
    kept = anonymous.get("/healthz", headers={"X-Request-ID": "trace-17"}).headers["x-request-id"]
    assert kept.endswith(".trace-17")
    for forged in ("a b", "x" * 300, '"},{"level":"info'):
        assert forged not in anonymous.get("/healthz", headers={"X-Request-ID": forged}).headers["x-request-id"]


def test_a_missing_and_a_foreign_case_answer_alike(actors: Actors) -> None:
    lead, other = actors("lead", "consultant"), actors("other", "consultant")
    made = lead.post("cases", {"title": "t", "structure": "asset_transfer"}).json()
    foreign, missing = other.get(f"cases/{made['id']}"), other.get(MISSING)
    assert foreign.status_code == missing.status_code == 404
    assert {**foreign.json(), "instance": ""} == {**missing.json(), "instance": ""}


def test_a_defect_says_nothing_but_its_request_id_and_logs_no_text(
    client: TestClient[Any], actors: Actors, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    lead = actors("lead", "consultant")

    def fail(*_: Any, **__: Any) -> None:
        raise KeyError("黄嘉宁 13800138000")

    monkeypatch.setattr(Vault, "seal_text", fail)
    with caplog.at_level(logging.DEBUG, logger="handover"):
        answer = lead.post("cases", {"title": "秘密 title", "structure": "asset_transfer"})
    assert (answer.status_code, answer.json()["code"]) == (500, "internal_error")
    assert "KeyError" not in answer.text
    (record,) = [r for r in caplog.records if r.name == "handover.web"]
    assert record.request_id == answer.json()["instance"]  # type: ignore[attr-defined]
    assert "unhandled KeyError at test_answers.py" in record.getMessage()
    assert record.exc_info is None
    for secret in ("黄嘉宁", "13800138000", "秘密", lead.token):
        assert secret not in caplog.text


def test_readiness_names_what_is_not_ready_while_liveness_stays(
    client: TestClient[Any], installation: Installation
) -> None:
    assert client.get("/readyz").json()["parts"] == dict.fromkeys(("database", "vault", "storage", "workflows"), "ok")
    key = installation.get(Settings).master_key_file
    key.rename(key.with_suffix(".away"))
    answer = client.get("/readyz")
    assert answer.status_code == 503
    assert answer.json()["parts"]["vault"] != "ok"
    assert client.get("/healthz").status_code == 200


def test_metrics_count_by_declared_route_and_hold_no_id(client: TestClient[Any], actors: Actors) -> None:
    actors("lead", "consultant").get(MISSING)
    text = client.get("/metrics").text
    assert 'handover_requests_total{method="GET",route="/api/v1/cases/{case_id}",status="404"}' in text
    assert "019ab000" not in text
    assert "handover_request_seconds_bucket" in text


@pytest.mark.parametrize(
    ("header", "language"),
    [({}, "zh"), ({"Accept-Language": "en-GB,en;q=0.9"}, "en"), ({"Accept-Language": "zh-CN,en;q=0.8"}, "zh"),
     ({"Accept-Language": "fr,en;q=0.5,zh;q=0.1"}, "en")],
)  # fmt: skip
def test_the_language_is_the_first_that_we_speak(header: dict[str, str], language: str) -> None:
    assert language_of(RequestFactory().get("/", headers=header)) == language
    assert language_of(RequestFactory().get("/", headers=header, query_params={"lang": "en"})) == "en"

"""JSON bodies have one meaning or are refused, and nothing that is sent makes the service fail."""

from typing import Any

import pytest
from litestar.testing import TestClient

JSON = {"Content-Type": "application/json"}
LOGIN = "/api/v1/sessions"


@pytest.mark.parametrize(
    "body",
    [
        b"[" * 100_000,
        b'{"email":' * 50_000,
        b'{"email":' + b"[" * 40 + b"]" * 40 + b"}",
        b'{"email":' + b"9" * 20_000 + b"}",
        b'{"email":"a@b.cc","email":"d@b.cc","password":"x"}',
        b'{"email":"\\ud800@b.cc","password":"x"}',
        b'{"email":"a@b.cc","password":"\\u0000"}',
        b'{"email":"a@b.cc\x00","password":"x"}',
        b'{"email":"\xff\xfe","password":"x"}',
        b'{"email":NaN,"password":"x"}',
        b'{"email":"a@b.cc","password":"x","role":"platform_admin"}',
        b"null",
        b"",
    ],
    ids=lambda body: repr(body[:24]),
)
def test_a_malformed_body_is_a_clear_400(anonymous: TestClient[Any], body: bytes) -> None:
    answer = anonymous.post(LOGIN, content=body, headers=JSON)
    assert answer.status_code == 400
    assert answer.headers["content-type"] == "application/problem+json"
    assert answer.json()["instance"] == answer.headers["x-request-id"]


@pytest.mark.parametrize("media_type", ["text/plain", "application/x-www-form-urlencoded", "multipart/form-data", ""])
def test_a_foreign_page_cannot_post_json_under_a_simple_media_type(anonymous: TestClient[Any], media_type: str) -> None:
    answer = anonymous.post(LOGIN, content=b'{"email":"a@b.cc","password":"x"}', headers={"Content-Type": media_type})
    assert (answer.status_code, answer.json()["code"]) == (415, "unsupported_media_type")


def test_a_body_beyond_the_limit_is_413(anonymous: TestClient[Any]) -> None:
    answer = anonymous.post(LOGIN, content=b'{"email":"' + b"a" * (2 << 20) + b'"}', headers=JSON)
    assert answer.status_code == 413


def test_text_in_other_scripts_survives_unchanged(actors: Any) -> None:
    title = "\u202e甲\\u0000 O'Brien; DROP TABLE cases; ﷽ 𠮷 é"
    lead = actors("lead", "consultant")
    made = lead.post("cases", {"title": title, "structure": "asset_transfer"})
    assert made.status_code == 201, made.text
    assert lead.get(f"cases/{made.json()['id']}").json()["title"] == title

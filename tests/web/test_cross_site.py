"""A cookie travels by itself, so an unsafe request by cookie proves that a page of ours sent it."""

from typing import Any

import pytest
from litestar.testing import TestClient

from tests.actors import Actors, Someone

CASE = {"title": "t", "structure": "asset_transfer"}
COOKIE = "__Host-handover"


def create(client: TestClient[Any], someone: Someone, **headers: str | bytes) -> int:
    sent: dict[str, Any] = {"Cookie": f"{COOKIE}={someone.token}", **headers}
    return client.post("/api/v1/cases", json=CASE, headers=sent).status_code


@pytest.fixture
def lead(actors: Actors) -> Someone:
    return actors("lead", "consultant")


def test_the_cookie_with_its_token_is_enough(client: TestClient[Any], lead: Someone) -> None:
    own = {"X-CSRF-Token": lead.csrf_token, "Origin": "https://handover.example"}
    assert create(client, lead, **own) == 201


def test_without_the_token_or_with_another_sessions_nothing_happens(
    client: TestClient[Any], lead: Someone, actors: Actors
) -> None:
    other = actors("other", "consultant")
    assert create(client, lead) == 403
    for token in ("", other.csrf_token, lead.csrf_token[:-1], "ä".encode() * 16):
        assert create(client, lead, **{"X-CSRF-Token": token}) == 403, token
    assert lead.get("cases").json()["items"] == []


@pytest.mark.parametrize("origin", ["https://evil.example", "null", "https://handover.example.evil.example"])
def test_a_foreign_origin_is_refused_even_with_the_token(client: TestClient[Any], lead: Someone, origin: str) -> None:
    assert create(client, lead, **{"X-CSRF-Token": lead.csrf_token, "Origin": origin}) == 403


@pytest.mark.parametrize("other", ["Basic dXNlcjpwYXNz", "Bearer", "Bearer ", "Digest x"])
def test_another_authorization_header_does_not_stand_in_for_the_token(
    client: TestClient[Any], lead: Someone, other: str
) -> None:
    assert create(client, lead, Authorization=other) == 403


def test_the_csrf_token_dies_with_the_sessions_token(client: TestClient[Any], lead: Someone) -> None:
    old = lead.csrf_token
    made = lead.post("sessions/current/second-factor", {"totp": lead.totp()}).json()
    lead.token, lead.csrf_token = made["token"], made["csrf_token"]
    assert create(client, lead, **{"X-CSRF-Token": old}) == 403
    assert create(client, lead, **{"X-CSRF-Token": lead.csrf_token}) == 201


def test_a_method_in_a_header_changes_nothing(client: TestClient[Any], lead: Someone) -> None:
    for name in ("X-HTTP-Method-Override", "X-Method-Override", "X-HTTP-Method"):
        cookie = {"Cookie": f"{COOKIE}={lead.token}", name: "POST"}
        assert client.get("/api/v1/cases", headers=cookie).json() == {"items": [], "next": None}

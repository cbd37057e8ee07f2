"""Sessions live on the server: bounded, rotated, ended where they are kept; tokens of programs can do less."""

from typing import Any

import pytest
import sqlalchemy as sa
from litestar.testing import TestClient

from handover.accounts.errors import SecondFactorRequiredError
from handover.accounts.service import require_recent_second_factor
from handover.context import Installation
from handover.db import Database
from handover.db.engine import DatabaseFullError
from tests.actors import PASSWORD, Actors, Clock, Someone

STEP_UP = "sessions/current/second-factor"
TUS = {"Tus-Resumable": "1.0.0", "Upload-Offset": "0", "Content-Type": "application/offset+octet-stream"}


def alive(someone: Someone, token: str) -> bool:
    answer = someone.get("people/me", headers={"Authorization": f"Bearer {token}"})
    return answer.status_code == 200


def test_a_session_ends_when_idle(actors: Actors, clock: Clock) -> None:
    anna = actors("anna")
    clock.advance(minutes=31)
    assert not alive(anna, anna.token)
    assert not alive(anna, anna.token)


def test_reading_alone_keeps_a_session_until_its_hours_are_over(actors: Actors, clock: Clock) -> None:
    anna = actors("anna")
    for _ in range(24):
        clock.advance(minutes=29)
        assert alive(anna, anna.token)
    clock.advance(minutes=25)
    assert not alive(anna, anna.token), "twelve hours are over"


def test_reads_note_the_use_of_a_session_at_most_once_a_minute(
    actors: Actors, clock: Clock, installation: Installation
) -> None:
    anna = actors("anna")
    clock.stop()
    written: list[object] = []

    @sa.event.listens_for(installation.get(Database).engine, "before_cursor_execute")
    def note(_c: object, _cursor: object, statement: str, *_more: object) -> None:
        if statement.startswith(("UPDATE", "BEGIN IMMEDIATE")):
            written.append(statement)

    for seconds, expected in ((0, 0), (59, 0), (2, 1), (0, 1), (61, 2)):
        clock.advance(seconds=seconds)
        assert alive(anna, anna.token)
        assert sum(str(s).startswith("UPDATE sessions") for s in written) == expected
    assert len(written) <= 4, "no other read began a transaction that writes"


def test_a_read_is_answered_though_its_note_cannot_be_written(
    actors: Actors, clock: Clock, installation: Installation
) -> None:
    anna = actors("anna")
    clock.advance(minutes=2)

    @sa.event.listens_for(installation.get(Database).engine, "before_cursor_execute")
    def fail(_c: object, _cursor: object, statement: str, *_more: object) -> None:
        if statement.startswith("UPDATE"):
            raise DatabaseFullError("full")

    assert alive(anna, anna.token)


def test_a_session_ends_after_its_hours_however_busy(actors: Actors, clock: Clock) -> None:
    anna = actors("anna", "consultant")
    for _ in range(28):
        clock.advance(minutes=25)
        assert anna.post("cases", {"title": "t", "structure": "asset_transfer"}).status_code == 201
    clock.advance(minutes=25)
    assert not alive(anna, anna.token)


def test_logging_out_ends_the_session_on_the_server(actors: Actors) -> None:
    anna = actors("anna")
    answer = anna.call("DELETE", "sessions/current")
    assert answer.status_code == 204
    assert "__Host-handover=" in answer.headers["set-cookie"]
    assert "Max-Age=0" in answer.headers["set-cookie"]
    assert not alive(anna, anna.token)


def test_step_up_changes_the_token_and_renews_the_second_factor(actors: Actors, clock: Clock) -> None:
    anna = actors("anna")
    clock.advance(minutes=16)
    with anna.acting() as ctx, pytest.raises(SecondFactorRequiredError):
        require_recent_second_factor(ctx)
    old = anna.token
    made = anna.post(STEP_UP, {"totp": anna.totp()})
    assert made.status_code == 200
    anna.token = made.json()["token"]
    assert not alive(anna, old)
    with anna.acting() as ctx:
        require_recent_second_factor(ctx)


def test_a_stolen_session_cannot_guess_the_second_factor(actors: Actors) -> None:
    anna = actors("anna")
    statuses = [anna.post(STEP_UP, {"totp": "000000"}).status_code for _ in range(6)]
    assert statuses == [401] * 5 + [429]
    assert anna.post(STEP_UP, {"totp": anna.totp()}).status_code == 429


def test_a_session_identifier_of_the_client_is_never_adopted(client: TestClient[Any], actors: Actors) -> None:
    anna = actors.enrol("anna")
    chosen = "a" * 43
    body = {"email": anna.email, "password": PASSWORD, "totp": anna.totp()}
    answer = client.post("/api/v1/sessions", json=body, headers={"Cookie": f"__Host-handover={chosen}"})
    assert answer.status_code == 201
    assert answer.json()["token"] != chosen
    assert not alive(anna, chosen)


def test_changing_the_password_ends_other_sessions_only(actors: Actors) -> None:
    anna = actors("anna")
    other = anna.token
    anna.log_in()
    new = "another long passphrase 新"
    wrong = anna.post("people/me/password", {"old": "not the old one", "new": new})
    assert wrong.status_code == 401
    assert anna.post("people/me/password", {"old": PASSWORD, "new": new}).status_code == 204
    assert alive(anna, anna.token)
    assert not alive(anna, other)


def test_people_see_and_end_their_own_sessions_only(actors: Actors) -> None:
    anna, bert = actors("anna"), actors("bert")
    first = anna.token
    anna.log_in()
    listed = anna.get("sessions").json()
    assert [row["current"] for row in listed] == [True, False]
    assert bert.call("DELETE", f"sessions/{listed[1]['id']}").status_code == 404
    assert anna.call("DELETE", f"sessions/{listed[1]['id']}").status_code == 204
    assert not alive(anna, first)
    assert len(anna.get("sessions").json()) == 1


def test_suspension_ends_sessions_and_tokens_at_once(actors: Actors) -> None:
    admin, anna = actors("admin", "platform_admin"), actors("anna")
    token = anna.post("tokens", {"name": "script", "scopes": ["read"]}).json()["token"]
    assert alive(anna, token)
    assert anna.post(f"people/{anna.id}/suspend").status_code == 403
    assert admin.post(f"people/{admin.id}/suspend").status_code == 403
    assert admin.post("people/019ab000-0000-7000-8000-000000000000/suspend").status_code == 404
    assert admin.post(f"people/{anna.id}/suspend").status_code == 200
    assert not alive(anna, anna.token)
    assert not alive(anna, token)


def test_a_token_is_scoped_expires_and_never_holds_a_second_factor(
    actors: Actors, installation: Installation, clock: Clock
) -> None:
    lead = actors("lead", "consultant")
    made = lead.post("tokens", {"name": "nightly", "scopes": ["read"], "days": 1}).json()
    reader = {"Authorization": f"Bearer {made['token']}"}
    assert lead.get("cases", headers=reader).status_code == 200
    refused = lead.post("cases", {"title": "t", "structure": "asset_transfer"}, headers=reader)
    assert refused.status_code == 403
    assert lead.post("tokens", {"name": "more", "scopes": ["write"]}, headers=reader).status_code == 403
    missing = "uploads/019ab000-0000-7000-8000-000000000000"
    upload = lead.call("PATCH", missing, headers={**reader, **TUS}, content=b"x")
    assert upload.status_code == 403, "reading does not include adding to an upload"
    shown = lead.get("tokens").json()
    assert [row["name"] for row in shown] == ["nightly"]
    assert "token" not in shown[0]
    clock.advance(hours=25)
    assert not alive(lead, made["token"])


def test_a_token_cannot_make_tokens(actors: Actors) -> None:
    lead = actors("lead", "consultant")
    made = lead.post("tokens", {"name": "nightly", "scopes": ["read", "write"]}).json()
    writer = {"Authorization": f"Bearer {made['token']}"}
    answer = lead.post("tokens", {"name": "more", "scopes": ["write"]}, headers=writer)
    assert (answer.status_code, answer.json()["code"]) == (403, "second_factor_required")

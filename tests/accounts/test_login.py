"""A login needs password and second factor together, tells nobody what was wrong, and cannot be guessed."""

from concurrent.futures import ThreadPoolExecutor
from typing import Any

import pyotp
import pytest
from litestar.testing import TestClient
from sqlalchemy import select

from handover.accounts.models import LoginSession, LoginThrottle
from handover.audit.models import AuditEntry
from handover.context import SYSTEM, Installation
from tests.actors import PASSWORD, Actors, Clock, Someone
from tests.conftest import any_database

LOGIN = "/api/v1/sessions"


def log_in(client: TestClient[Any], someone: Someone, **changed: Any) -> Any:
    if "totp" not in changed:
        changed["totp"] = someone.totp()
    body = {"email": someone.email, "password": PASSWORD, **changed}
    return client.post(LOGIN, json={name: value for name, value in body.items() if value is not None})


def events(installation: Installation) -> list[str]:
    with installation.unit_of_work(SYSTEM, write=False) as ctx:
        entries = ctx.session.scalars(select(AuditEntry.entry).order_by(AuditEntry.index))
        return [entry.split('"event":"')[1].split('"')[0] for entry in entries]


@any_database
def test_a_login_gives_a_token_once_and_a_host_cookie(
    client: TestClient[Any], actors: Actors, installation: Installation
) -> None:
    someone = actors.enrol("anna", "consultant")
    answer = log_in(client, someone)
    assert answer.status_code == 201
    made = answer.json()
    assert made["person"] | {"id": someone.id, "name": "anna", "roles": ["consultant"]} == made["person"]
    cookie = answer.headers["set-cookie"]
    assert cookie.startswith(f"__Host-handover={made['token']};")
    for attribute in ("Secure", "HttpOnly", "SameSite=lax", "Path=/"):
        assert attribute in cookie
    with installation.unit_of_work(SYSTEM, write=False) as ctx:
        (row,) = ctx.session.scalars(select(LoginSession))
        assert made["token"] not in (row.token_sha256, str(row.id))
    assert events(installation)[-1] == "account.logged_in"


@pytest.mark.parametrize(
    "wrong", [{"password": "not the password"}, {"totp": "000000"}, {"totp": None}, {"email": "nobody@people.example"}]
)
def test_whatever_is_wrong_the_answer_is_the_same(
    client: TestClient[Any], actors: Actors, installation: Installation, wrong: dict[str, Any]
) -> None:
    someone = actors.enrol("anna")
    known = log_in(client, someone, password="wrong wrong wrong")
    other = log_in(client, someone, **wrong)
    assert known.status_code == other.status_code == 401
    hidden = {"x-request-id"}
    assert {k: v for k, v in known.headers.items() if k not in hidden} == {
        k: v for k, v in other.headers.items() if k not in hidden
    }
    assert {**known.json(), "instance": ""} == {**other.json(), "instance": ""}
    assert events(installation)[-2:] == ["account.login_refused"] * 2


def test_guesses_are_counted_per_account_and_judged_no_more(
    client: TestClient[Any], actors: Actors, clock: Clock
) -> None:
    anna, bert = actors.enrol("anna"), actors.enrol("bert")
    for number in range(5):
        header = {"X-Forwarded-For": f"203.0.113.{number}"}
        body = {"email": anna.email, "password": "wrong wrong wrong"}
        assert client.post(LOGIN, json=body, headers=header).status_code == 401
    refused = log_in(client, anna)
    assert (refused.status_code, refused.json()["code"]) == (429, "too_many_attempts")
    assert 0 < int(refused.headers["retry-after"]) <= 15 * 60
    assert log_in(client, bert).status_code == 201
    clock.advance(minutes=15)
    assert log_in(client, anna).status_code == 201


def test_accounts_that_do_not_exist_are_throttled_alike_and_leave_nothing_for_ever(
    client: TestClient[Any], installation: Installation, clock: Clock
) -> None:
    def guess(name: str) -> int:
        return client.post(LOGIN, json={"email": f"{name}@people.example", "password": "guess"}).status_code

    assert [guess("nobody") for _ in range(7)] == [401] * 5 + [429] * 2
    clock.advance(minutes=16)
    assert guess("someone-else") == 401
    with installation.unit_of_work(SYSTEM, write=False) as ctx:
        assert len(ctx.session.scalars(select(LoginThrottle)).all()) == 1


def test_a_totp_code_counts_once_and_for_one_step_around_now(
    client: TestClient[Any], actors: Actors, clock: Clock
) -> None:
    someone = actors.enrol("anna")
    clock.stop()
    code = someone.totp()
    assert log_in(client, someone, totp=code).status_code == 201
    assert log_in(client, someone, totp=code).status_code == 401
    assert someone.totp_secret is not None
    totp, now = pyotp.TOTP(someone.totp_secret), clock().timestamp()
    assert log_in(client, someone, totp=totp.at(now + 150)).status_code == 401
    assert log_in(client, someone, totp=totp.at(int(clock().timestamp()) + 30)).status_code == 201
    assert log_in(client, someone, totp=totp.at(int(clock().timestamp()) - 90)).status_code == 401


@any_database
def test_of_two_uses_of_one_code_at_once_one_counts(client: TestClient[Any], actors: Actors, clock: Clock) -> None:
    someone = actors.enrol("anna")
    clock.stop()
    code = someone.totp()
    with ThreadPoolExecutor(4) as pool:
        statuses = [f.result().status_code for f in [pool.submit(log_in, client, someone, totp=code) for _ in range(4)]]
    assert statuses.count(201) == 1, statuses
    assert set(statuses) <= {201, 401, 409}


def test_a_telephone_code_is_single_use_short_lived_and_from_somebody_else(
    client: TestClient[Any], actors: Actors, clock: Clock
) -> None:
    lead, anna = actors("lead", "consultant"), actors.enrol("anna")
    assert lead.post(f"people/{lead.id}/telephone-codes").status_code == 403
    assert actors("bert").post(f"people/{anna.id}/telephone-codes").status_code == 403
    code = lead.post(f"people/{anna.id}/telephone-codes").json()["code"]
    assert log_in(client, anna, totp=None, telephone_code=code).status_code == 201
    assert log_in(client, anna, totp=None, telephone_code=code).status_code == 401
    late = lead.post(f"people/{anna.id}/telephone-codes").json()["code"]
    clock.advance(minutes=11)
    assert log_in(client, anna, totp=None, telephone_code=late).status_code == 401


def test_wrong_tries_at_a_telephone_code_stay_counted(
    client: TestClient[Any], actors: Actors, installation: Installation
) -> None:
    lead, anna = actors("lead", "consultant"), actors("anna")
    code = lead.post(f"people/{anna.id}/telephone-codes").json()["code"]
    wrong = f"{(int(code) + 1) % 10**8:08d}"
    for _ in range(3):
        assert log_in(client, anna, totp=None, telephone_code=wrong).status_code == 401
    for _ in range(2):
        assert anna.post("sessions/current/second-factor", {"telephone_code": wrong}).status_code == 401
    assert anna.post("sessions/current/second-factor", {"telephone_code": code}).status_code == 401

"""A passkey is a whole login and a second factor: for this site, this person, this purpose, once, and with its user verified."""

import hashlib
import html
import re
from typing import Any

import httpx
import pytest
from litestar.testing import TestClient
from sqlalchemy import select

from handover.accounts.errors import PasskeyError
from handover.accounts.models import SpentChallenge
from handover.accounts.service import verify_assertion
from handover.context import SYSTEM, Installation
from tests.accounts.authenticator import Authenticator, text
from tests.accounts.browsing import FORM, Browser, accept, invited
from tests.actors import ADDRESS, Actors, Clock


@pytest.fixture
def key() -> Authenticator:
    return Authenticator(ADDRESS)


@pytest.fixture
def anna(client: TestClient[Any], actors: Actors) -> Browser:
    return Browser(client, actors("anna"))


def options_on(page: httpx.Response) -> str:
    found = re.search(r'data-options="([^"]*)"', page.text)
    assert found, page.text
    return html.unescape(found.group(1))


def register(anna: Browser, key: Authenticator, name: str = "laptop") -> httpx.Response:
    options = options_on(anna.get("/account/passkeys"))
    return anna.post("/account/passkeys", name=name, credential=key.create(options))


def login_options(client: TestClient[Any]) -> str:
    client.cookies.clear()
    return options_on(client.get("/login", headers={"Accept": "text/html"}))


def log_in(client: TestClient[Any], answer: str, path: str = "/account") -> httpx.Response:
    client.cookies.clear()
    return client.post(
        "/login/passkey", data={"credential": answer, "next": path}, headers=FORM, follow_redirects=False
    )


def test_a_registered_passkey_logs_in_by_itself(client: TestClient[Any], anna: Browser, key: Authenticator) -> None:
    assert register(anna, key, "<b>laptop").status_code == 303
    assert "&lt;b&gt;laptop" in anna.get("/account/passkeys").text
    answer = log_in(client, key.get(login_options(client)))
    assert (answer.status_code, answer.headers["location"]) == (303, "/account")
    assert client.get("/account", headers={"Accept": "text/html"}).status_code == 200


def test_an_answer_counts_once_and_for_ten_minutes(
    client: TestClient[Any], anna: Browser, key: Authenticator, clock: Clock, installation: Installation
) -> None:
    register(anna, key)
    answer = key.get(login_options(client))
    assert log_in(client, answer).status_code == 303
    assert log_in(client, answer).status_code == 401
    options = login_options(client)
    clock.advance(minutes=11)
    assert log_in(client, key.get(options)).status_code == 401
    assert log_in(client, key.get(login_options(client))).status_code == 303
    with installation.unit_of_work(SYSTEM, write=False) as ctx:
        assert len(ctx.session.scalars(select(SpentChallenge)).all()) == 1, "expired ones are forgotten"


def test_an_answer_for_elsewhere_is_refused(client: TestClient[Any], anna: Browser, key: Authenticator) -> None:
    register(anna, key)
    assert log_in(client, key.get(login_options(client), origin="https://handover.example.evil")).status_code == 401
    assert log_in(client, key.get(login_options(client), rpId="evil.example")).status_code == 401
    assert log_in(client, key.get(login_options(client), challenge=text(b"x" * 56))).status_code == 401
    for_registering = options_on(anna.get("/account/passkeys"))
    other_purpose = key.get(login_options(client), challenge=re.findall(r'"challenge": "([^"]+)"', for_registering)[0])
    assert log_in(client, other_purpose).status_code == 401
    for nonsense in ("{}", "[]", "{", '{"id": 1}'):
        assert log_in(client, nonsense).status_code in {401, 422}
    assert log_in(client, key.get(login_options(client))).status_code == 303


def test_a_passkey_without_its_user_verified_is_none(
    client: TestClient[Any], anna: Browser, key: Authenticator
) -> None:
    careless = Authenticator(ADDRESS, verifies=False)
    assert register(anna, careless).status_code == 401
    register(anna, key)
    key.verifies = False
    assert log_in(client, key.get(login_options(client))).status_code == 401


def test_a_copied_passkey_is_seen_by_its_counter(client: TestClient[Any], anna: Browser, key: Authenticator) -> None:
    register(anna, key)
    for _ in range(3):
        assert log_in(client, key.get(login_options(client))).status_code == 303
    key.count = 1
    assert log_in(client, key.get(login_options(client))).status_code == 401


def test_a_removed_passkey_and_one_of_somebody_suspended_open_nothing(
    client: TestClient[Any], anna: Browser, actors: Actors, key: Authenticator
) -> None:
    register(anna, key)
    other = Authenticator(ADDRESS)
    register(anna, other, "telephone")
    paths = re.findall(r"/account/passkeys/[0-9a-f-]+/remove", anna.get("/account/passkeys").text)
    assert anna.post(paths[0]).status_code == 303
    assert log_in(client, key.get(login_options(client))).status_code == 401
    assert log_in(client, other.get(login_options(client))).status_code == 303
    client.cookies.clear()
    assert actors("admin", "platform_admin").post(f"people/{anna.someone.id}/suspend").status_code == 200
    assert log_in(client, other.get(login_options(client))).status_code == 401


def test_a_passkey_proves_the_second_factor_again_in_its_own_session_only(
    client: TestClient[Any], actors: Actors, anna: Browser, key: Authenticator, clock: Clock
) -> None:
    register(anna, key)
    bert, theirs = Browser(client, actors("bert")), Authenticator(ADDRESS)
    register(bert, theirs)
    clock.advance(minutes=16)
    asked = anna.post("/account/tokens", name="x", scopes="read", days="7")
    assert asked.status_code == 403
    fields = {"name": "x", "scopes": "read", "days": "7"}
    foreign = bert.post("/account/tokens", **fields)
    wrong = anna.post("/account/tokens", **fields, second_factor_code=key.get(options_on(foreign)))
    assert "hvt_" not in wrong.text
    swapped = anna.post("/account/tokens", **fields, second_factor_code=theirs.get(options_on(asked)))
    assert "hvt_" not in swapped.text
    right = anna.post("/account/tokens", **fields, second_factor_code=key.get(options_on(swapped)))
    assert "hvt_" in right.text


def test_the_only_factor_that_somebody_holds_is_not_removed(
    client: TestClient[Any], installation: Installation
) -> None:
    made, key = invited(installation), Authenticator(ADDRESS)
    first = accept(client, made.link, made.code, "passkey").headers["location"]
    options = options_on(client.get(first))
    answer = client.post(
        first.replace("/first", "/passkey"),
        data={"name": "laptop", "credential": key.create(options)},
        headers=FORM,
        follow_redirects=False,
    )
    assert (answer.status_code, answer.headers["location"]) == (303, "/")
    page = client.get("/account/passkeys", headers={"Accept": "text/html"})
    csrf = re.search(r'name="csrf_token" value="([^"]+)"', page.text)
    path = re.search(r"/account/passkeys/[0-9a-f-]+/remove", page.text)
    assert csrf
    assert path
    refused = client.post(path.group(0), data={"csrf_token": csrf.group(1)}, headers=FORM, follow_redirects=False)
    assert refused.status_code == 409
    assert log_in(client, key.get(login_options(client))).status_code == 303


def test_one_credential_is_registered_once(client: TestClient[Any], actors: Actors, anna: Browser) -> None:
    key = Authenticator(ADDRESS)
    assert register(anna, key).status_code == 303
    assert register(Browser(client, actors("bert")), key).status_code == 409


def test_an_assertion_over_a_statement_verifies_for_that_statement_alone(anna: Browser, key: Authenticator) -> None:
    register(anna, key)
    statement = hashlib.sha256(b"I approve the release").digest()
    signed = key.get('{"rpId": "handover.example"}', challenge=text(statement))
    with anna.someone.acting() as ctx:
        assert str(verify_assertion(ctx, signed, statement).person_id) == anna.someone.id
        with pytest.raises(PasskeyError):
            verify_assertion(ctx, signed, hashlib.sha256(b"I approve everything").digest())

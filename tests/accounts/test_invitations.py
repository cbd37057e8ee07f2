"""An account begins with a single-use link and a code that came another way."""

from concurrent.futures import ThreadPoolExecutor
from typing import Any

import pytest
from litestar.testing import TestClient
from sqlalchemy import select

from handover.accounts.models import Invitation, Person
from handover.context import SYSTEM, Installation
from tests.actors import PASSWORD, Actors, Clock
from tests.conftest import any_database

ANNA = {"email": "anna@people.example", "name": "安娜"}


def path_of(invited: dict[str, Any]) -> str:
    return f"/api/v1/invitations/open/{invited['link'].rsplit('/', 1)[1]}"


def acceptance(invited: dict[str, Any], **changed: Any) -> dict[str, Any]:
    return {"code": invited["code"], "password": PASSWORD, "second_factor": "totp", **changed}


@pytest.fixture
def invited(actors: Actors) -> dict[str, Any]:
    made: dict[str, Any] = actors("lead", "consultant").post("invitations", ANNA).json()
    return made


def test_looking_at_a_link_consumes_nothing_and_accepting_does(
    client: TestClient[Any], invited: dict[str, Any]
) -> None:
    for _ in range(20):
        assert client.get(path_of(invited)).status_code == 200
    assert client.head(path_of(invited)).status_code == 200
    enrolled = client.post(path_of(invited), json=acceptance(invited))
    assert enrolled.status_code == 200
    assert enrolled.json()["totp_secret"]
    assert client.get(path_of(invited)).status_code == 410
    assert client.post(path_of(invited), json=acceptance(invited)).status_code == 410


def test_an_acceptance_whose_answer_was_lost_is_answered_again_under_its_key_and_for_the_same_request_only(
    client: TestClient[Any], invited: dict[str, Any]
) -> None:
    key = {"Idempotency-Key": "5a1c"}
    first, again = (client.post(path_of(invited), json=acceptance(invited), headers=key) for _ in range(2))
    assert (first.status_code, again.status_code, again.content) == (200, 200, first.content)
    other = acceptance(invited, password=f"{PASSWORD} other")
    assert client.post(path_of(invited), json=other, headers=key).status_code == 422
    assert client.post(path_of(invited), json=acceptance(invited)).status_code == 410
    assert client.post(path_of(invited), json=acceptance(invited), headers={"Idempotency-Key": "6"}).status_code == 410


def test_link_and_code_are_kept_as_digests_and_the_person_sealed(
    invited: dict[str, Any], installation: Installation
) -> None:
    token = invited["link"].rsplit("/", 1)[1]
    assert len(token) >= 43, "256 bits"
    with installation.unit_of_work(SYSTEM, write=False) as ctx:
        row = ctx.session.scalars(select(Invitation).order_by(Invitation.id.desc())).first()
        person = ctx.session.scalars(select(Person).order_by(Person.id.desc())).first()
        assert row is not None
        assert person is not None
        kept = repr([getattr(r, c.name) for r in (row, person) for c in r.__table__.columns])
    for secret in (token, invited["code"], ANNA["email"], ANNA["name"]):
        assert secret not in kept


def test_the_link_points_at_the_public_address_whatever_host_was_asked(actors: Actors) -> None:
    headers = {"Host": "evil.example", "X-Forwarded-Host": "evil.example"}
    made = actors("lead", "consultant").post("invitations", ANNA, headers=headers)
    assert made.json()["link"].startswith("https://handover.example/p/")


def test_five_wrong_codes_end_the_link(client: TestClient[Any], invited: dict[str, Any]) -> None:
    wrong = f"{(int(invited['code']) + 1) % 10**8:08d}"
    for _ in range(5):
        assert client.post(path_of(invited), json=acceptance(invited, code=wrong)).status_code == 410
    assert client.post(path_of(invited), json=acceptance(invited)).status_code == 410


def test_a_weak_password_uses_up_no_try(client: TestClient[Any], invited: dict[str, Any]) -> None:
    for _ in range(8):
        assert client.post(path_of(invited), json=acceptance(invited, password="short")).status_code == 400
    assert client.post(path_of(invited), json=acceptance(invited)).status_code == 200


def test_a_link_ends_after_its_hour(client: TestClient[Any], invited: dict[str, Any], clock: Clock) -> None:
    clock.advance(minutes=61)
    assert client.get(path_of(invited)).status_code == 410
    assert client.post(path_of(invited), json=acceptance(invited)).status_code == 410


@any_database
def test_of_sixteen_who_accept_at_once_one_gets_the_account(client: TestClient[Any], invited: dict[str, Any]) -> None:
    def accept(number: int) -> Any:
        return client.post(path_of(invited), json=acceptance(invited, password=f"{PASSWORD} {number}"))

    with ThreadPoolExecutor(16) as pool:
        statuses = [answer.status_code for answer in pool.map(accept, range(16))]
    assert statuses.count(200) == 1, statuses
    assert set(statuses) <= {200, 409, 410}


def test_a_new_invitation_ends_the_old_link(client: TestClient[Any], actors: Actors, invited: dict[str, Any]) -> None:
    again = actors("lead").post("invitations", ANNA).json()
    assert again["person_id"] == invited["person_id"]
    assert client.get(path_of(invited)).status_code == 410
    assert client.get(path_of(again)).status_code == 200


def test_a_lost_secret_is_mended_until_the_first_login(client: TestClient[Any], actors: Actors) -> None:
    lead = actors("lead", "consultant")
    anna = actors.enrol("anna")
    again = lead.post("invitations", {"email": anna.email, "name": "anna"})
    assert again.status_code == 201
    secret = client.post(path_of(again.json()), json=acceptance(again.json())).json()["totp_secret"]
    assert secret != anna.totp_secret
    anna.totp_secret = secret
    anna.log_in()
    assert lead.post("invitations", {"email": anna.email, "name": "anna"}).status_code == 409


def test_nobody_takes_over_a_pending_account_whose_roles_they_could_not_give(actors: Actors) -> None:
    admin, lead = actors("admin", "platform_admin"), actors("lead", "consultant")
    boss = {"email": "boss@people.example", "name": "boss"}
    assert admin.post("invitations", {**boss, "organisation_roles": ["platform_admin"]}).status_code == 201
    assert lead.post("invitations", boss).status_code == 403
    assert admin.post("invitations", boss).status_code == 201


def test_who_may_invite_and_give_roles(actors: Actors) -> None:
    assert actors("anybody").post("invitations", ANNA).status_code == 403
    asked = {**ANNA, "organisation_roles": ["consultant"]}
    assert actors("lead", "consultant").post("invitations", asked).status_code == 403
    unknown = {**ANNA, "organisation_roles": ["emperor"]}
    assert actors("admin", "platform_admin").post("invitations", unknown).status_code == 400


@pytest.mark.parametrize(
    "address",
    ["no-at.example", "a@b", "a@b@c.example", "a b@c.example", "a@c.example\r\nBcc: x@y.example", "ａ@c.example",
     "a\u200b@c.example", "\u212a@c.example", "@c.example", "a@" + "b" * 260 + ".example"],
)  # fmt: skip
def test_an_address_that_is_none_or_looks_like_another_is_refused(actors: Actors, address: str) -> None:
    answer = actors("lead", "consultant").post("invitations", {"email": address, "name": "x"})
    assert answer.status_code == 400, answer.text


def test_addresses_that_differ_open_different_accounts(actors: Actors) -> None:
    lead = actors("lead", "consultant")
    addresses = ["strasse@c.example", "straße@c.example", "STRASSE@c.example"]
    made = [lead.post("invitations", {"email": address, "name": "x"}).json()["person_id"] for address in addresses]
    assert made[0] == made[2] != made[1]

"""An invitation can give the place in the case with the account, and gives no link to an account in use."""

import uuid
from typing import Any

import pytest
from sqlalchemy import func, select

from handover.accounts.models import Invitation, Person
from handover.cases.models import Member
from handover.context import SYSTEM, Installation
from tests.actors import Actors, Someone

CLARA = {"email": "clara@seller.example", "name": "Clara"}
CODES = ("91350100M000100Y43", "91110000600037341L")


@pytest.fixture
def lead(actors: Actors) -> Someone:
    return actors("lead", "consultant")


@pytest.fixture
def case_id(lead: Someone) -> str:
    made: str = lead.post("cases", {"title": "t", "structure": "asset_transfer"}).json()["id"]
    return made


@pytest.fixture
def bidders(lead: Someone, case_id: str) -> list[str]:
    bodies = [{"case_id": case_id, "side": "buyer", "name": code, "uscc": code} for code in CODES]
    return [lead.post("parties", body).json()["id"] for body in bodies]


@pytest.fixture
def buyer_admin(actors: Actors, lead: Someone, case_id: str, bidders: list[str]) -> Someone:
    someone = actors("buyer")
    body = {"person_id": someone.id, "role": "buyer_admin", "party_id": bidders[0]}
    assert lead.post(f"cases/{case_id}/members", body).status_code == 201
    return someone


def roles_in(lead: Someone, case_id: str, person_id: str) -> list[str]:
    rows: list[dict[str, Any]] = lead.get(f"cases/{case_id}/members").json()
    return [row["role"] for row in rows if row["person_id"] == person_id]


def test_a_new_person_gets_account_and_place_together(lead: Someone, case_id: str) -> None:
    made = lead.post("invitations", {**CLARA, "case_id": case_id, "role": "legal"}).json()
    assert made["link"]
    assert made["code"]
    assert not made["had_account"]
    assert made["member"]["role"] == "legal"
    assert roles_in(lead, case_id, made["person_id"]) == ["legal"]


def test_a_role_that_is_refused_leaves_no_account_behind(
    lead: Someone, case_id: str, installation: Installation
) -> None:
    for role in ("emperor", "buyer_admin"):
        assert lead.post("invitations", {**CLARA, "case_id": case_id, "role": role}).status_code == 400
    with installation.unit_of_work(SYSTEM, write=False) as ctx:
        people = ctx.session.scalar(select(func.count()).select_from(Person))
        assert people == 2, "the installation's administrator and the consultant"
        assert ctx.session.scalar(select(func.count()).select_from(Member)) == 1


def test_who_has_an_account_gets_the_place_and_no_link(
    actors: Actors, lead: Someone, case_id: str, installation: Installation
) -> None:
    known = actors("known")
    with installation.unit_of_work(SYSTEM, write=False) as ctx:
        before = ctx.session.scalar(select(func.count()).select_from(Invitation))
    body = {"email": known.email, "name": "another name", "case_id": case_id, "role": "legal"}
    made = lead.post("invitations", body).json()
    assert made["had_account"]
    assert [made[name] for name in ("id", "link", "code", "expires_at")] == [None] * 4
    assert roles_in(lead, case_id, known.id) == ["legal"]
    assert known.get("people/me").json()["name"] == "known"
    with installation.unit_of_work(SYSTEM, write=False) as ctx:
        assert ctx.session.scalar(select(func.count()).select_from(Invitation)) == before
    assert lead.post("invitations", body).status_code == 409


def test_a_lost_link_is_renewed_with_the_same_request(lead: Someone, case_id: str) -> None:
    body = {**CLARA, "case_id": case_id, "role": "legal"}
    first, second = (lead.post("invitations", body).json() for _ in range(2))
    assert second["link"] != first["link"]
    assert roles_in(lead, case_id, second["person_id"]) == ["legal"]


def test_strangers_are_refused_alike_whether_an_account_exists_or_not(actors: Actors, case_id: str) -> None:
    stranger, known = actors("stranger"), actors("known")
    for case in (case_id, str(uuid.uuid4())):
        answers = [
            stranger.post("invitations", {"email": email, "name": "x", "case_id": case, "role": "legal"})
            for email in (known.email, "nobody@people.example")
        ]
        assert [answer.status_code for answer in answers] == [404, 404]
        assert answers[0].json()["detail"] == answers[1].json()["detail"]


def test_a_bidders_administrator_invites_for_their_own_party_alone(
    buyer_admin: Someone, lead: Someone, case_id: str, bidders: list[str], actors: Actors
) -> None:
    body = {**CLARA, "case_id": case_id, "role": "recipient"}
    assert buyer_admin.post("invitations", {**body, "party_id": bidders[0]}).status_code == 201
    for email in (CLARA["email"], actors("known").email):
        refused = buyer_admin.post("invitations", {**body, "email": email, "party_id": bidders[1]})
        assert refused.status_code == 403
    assert buyer_admin.post("invitations", {**body, "role": "seller_admin", "party_id": bidders[0]}).status_code == 403
    assert buyer_admin.post("invitations", CLARA).status_code == 403


def test_a_bidders_administrator_gets_no_link_to_an_account_that_others_invited(
    buyer_admin: Someone, lead: Someone, case_id: str, bidders: list[str]
) -> None:
    pending = lead.post("invitations", CLARA).json()
    body = {**CLARA, "case_id": case_id, "role": "recipient", "party_id": bidders[0]}
    made = buyer_admin.post("invitations", body).json()
    assert made["person_id"] == pending["person_id"]
    assert made["link"] is None
    assert lead.get(f"invitations/open/{pending['link'].rsplit('/', 1)[1]}").status_code == 200
    own = {**body, "email": "dora@buyer.example"}
    first, second = (buyer_admin.post("invitations", own).json() for _ in range(2))
    assert None not in (first["link"], second["link"])


def test_a_bidder_learns_nothing_of_whom_others_employ(
    buyer_admin: Someone, lead: Someone, actors: Actors, case_id: str, bidders: list[str]
) -> None:
    rival, lawyer, administrator = actors("rival"), actors("lawyer"), actors("boss", "platform_admin")
    places = {rival.id: ("buyer_admin", bidders[1]), lawyer.id: ("legal", None)}
    for person, (role, party) in places.items():
        body = {"person_id": person, "role": role, "party_id": party}
        assert lead.post(f"cases/{case_id}/members", body).status_code == 201
    asked = {"name": "x", "case_id": case_id, "role": "recipient", "party_id": bidders[0]}
    answers = [buyer_admin.post("invitations", {**asked, "email": p.email}) for p in (rival, lawyer, administrator)]
    assert {answer.status_code for answer in answers} == {409}
    assert len({answer.json()["detail"] for answer in answers}) == 1
    assert roles_in(lead, case_id, rival.id) == ["buyer_admin"]


def test_case_and_role_come_together_and_without_roles_in_the_installation(lead: Someone, case_id: str) -> None:
    for more in (
        {"case_id": case_id},
        {"role": "legal"},
        {"party_id": str(uuid.uuid4())},
        {"case_id": case_id, "role": "legal", "organisation_roles": ["consultant"]},
    ):
        assert lead.post("invitations", {**CLARA, **more}).status_code == 400

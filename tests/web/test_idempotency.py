"""One key is one effect and one answer."""

from concurrent.futures import ThreadPoolExecutor
from typing import Any

from sqlalchemy import select

from handover.cases.models import Case
from handover.context import SYSTEM, Installation
from handover.web import idempotency
from handover.web.models import IdempotentAnswer
from tests.actors import Actors, Clock
from tests.conftest import any_database

CASE = {"title": "机密 title", "structure": "asset_transfer"}
KEY = {"Idempotency-Key": "0d3f9c1e"}


def cases(installation: Installation) -> int:
    with installation.unit_of_work(SYSTEM, write=False) as ctx:
        return len(ctx.session.scalars(select(Case.id)).all())


def test_the_same_request_gets_the_same_answer_and_no_second_effect(actors: Actors, installation: Installation) -> None:
    lead = actors("lead", "consultant")
    first, again = (lead.post("cases", CASE, headers=KEY) for _ in range(2))
    assert first.status_code == again.status_code == 201
    assert first.content == again.content
    for name in ("location", "etag", "content-type"):
        assert first.headers[name] == again.headers[name]
    assert cases(installation) == 1


def test_the_same_key_for_another_body_or_address_is_refused(actors: Actors, installation: Installation) -> None:
    lead = actors("lead", "consultant")
    assert lead.post("cases", CASE, headers=KEY).status_code == 201
    for answer in (
        lead.post("cases", {**CASE, "title": "other"}, headers=KEY),
        lead.post("invitations", {"email": "a@b.example", "name": "a"}, headers=KEY),
    ):
        assert (answer.status_code, answer.json()["code"]) == (422, "idempotency_key_reused")
    assert cases(installation) == 1


def test_keys_of_different_people_are_different(actors: Actors, installation: Installation) -> None:
    answers = [actors(name, "consultant").post("cases", CASE, headers=KEY) for name in ("lead", "other")]
    assert [answer.status_code for answer in answers] == [201, 201]
    assert answers[0].json()["id"] != answers[1].json()["id"]
    assert cases(installation) == 2


def test_a_failed_request_leaves_the_key_free(actors: Actors) -> None:
    lead = actors("lead", "consultant")
    assert lead.post("cases", {**CASE, "structure": "none"}, headers=KEY).status_code == 400
    assert lead.post("cases", CASE, headers=KEY).status_code == 201


def test_the_answer_is_kept_sealed_for_a_day(actors: Actors, installation: Installation, clock: Clock) -> None:
    lead = actors("lead", "consultant")
    first = lead.post("cases", CASE, headers=KEY).json()
    with installation.unit_of_work(SYSTEM) as ctx:
        (row,) = ctx.session.scalars(select(IdempotentAnswer))
        assert CASE["title"].encode() not in row.answer_sealed
        assert idempotency.expire(ctx) == 0
    clock.advance(hours=24, seconds=1)
    second = lead.log_in().post("cases", CASE, headers=KEY).json()
    assert first["id"] != second["id"]
    clock.advance(hours=24, seconds=1)
    with installation.unit_of_work(SYSTEM) as ctx:
        assert idempotency.expire(ctx) == 1


@any_database
def test_sixteen_at_once_have_one_effect(actors: Actors, installation: Installation) -> None:
    lead = actors("lead", "consultant")

    def create(_: int) -> Any:
        return lead.post("cases", CASE, headers=KEY)

    with ThreadPoolExecutor(16) as pool:
        answers = list(pool.map(create, range(16)))
    assert cases(installation) == 1
    assert {answer.status_code for answer in answers} <= {201, 409}
    assert len({answer.json()["id"] for answer in answers if answer.status_code == 201}) == 1


def test_a_transition_that_is_repeated_under_its_key_gets_its_answer_and_no_conflict(actors: Actors) -> None:
    lead = actors("lead", "consultant")
    place = f"cases/{lead.post('cases', CASE).json()['id']}/transitions/cancel"
    why = {"reason": "a question is open"}
    first, again = (lead.post(place, why, headers=KEY) for _ in range(2))
    assert (first.status_code, len(first.json()["approvals"])) == (202, 1)
    assert (again.status_code, again.content) == (202, first.content)
    assert lead.post(place, why).status_code == 409


def test_a_change_that_is_repeated_under_its_key_gets_its_answer_though_the_version_moved(actors: Actors) -> None:
    lead = actors("lead", "consultant")
    made = lead.post("cases", CASE)
    place, version = f"cases/{made.json()['id']}", {"If-Match": made.headers["etag"]}
    first, again = (lead.call("PATCH", place, {"title": "other"}, headers={**KEY, **version}) for _ in range(2))
    assert (first.status_code, again.status_code) == (200, 200)
    assert (again.content, again.headers["etag"]) == (first.content, first.headers["etag"])
    assert lead.call("PATCH", place, {"title": "third"}, headers=version).status_code == 412


def test_a_key_of_another_form_is_refused(actors: Actors) -> None:
    lead = actors("lead", "consultant")
    for key in ("", "x" * 129, "a\tb", "é"):
        answer = lead.post("cases", CASE, headers={"Idempotency-Key": key.encode("latin-1")})  # type: ignore[dict-item]
        assert answer.status_code == 400, key

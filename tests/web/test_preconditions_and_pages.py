"""A change names the version that it was made from; lists are read in pages."""

import pytest

from tests.actors import Actors, Someone

CASE = {"title": "t", "structure": "asset_transfer"}


@pytest.fixture
def lead(actors: Actors) -> Someone:
    return actors("lead", "consultant")


def test_a_change_needs_the_version_it_was_made_from(lead: Someone) -> None:
    made = lead.post("cases", CASE)
    path, tag = f"cases/{made.json()['id']}", made.headers["etag"]
    assert lead.get(path).headers["etag"] == tag
    without = lead.call("PATCH", path, {"title": "new"})
    assert (without.status_code, without.json()["code"]) == (428, "precondition_required")
    changed = lead.call("PATCH", path, {"title": "new"}, headers={"If-Match": tag})
    assert changed.status_code == 200
    assert changed.headers["etag"] != tag
    late = lead.call("PATCH", path, {"title": "newer"}, headers={"If-Match": tag})
    assert (late.status_code, late.json()["code"]) == (412, "precondition_failed")
    assert lead.get(path).json()["title"] == "new"


def test_pages_give_every_row_once(lead: Someone) -> None:
    made = {lead.post("cases", {**CASE, "title": str(n)}).json()["id"] for n in range(5)}
    seen, cursor = [], ""
    while cursor is not None:
        answer = lead.get(f"cases?limit=2{cursor and '&cursor=' + cursor}").json()
        assert len(answer["items"]) <= 2
        seen += [row["id"] for row in answer["items"]]
        cursor = answer["next"]
    assert sorted(seen) == sorted(made)


@pytest.mark.parametrize("query", ["limit=0", "limit=201", "limit=x", "cursor=zzz", "cursor=%00", "cursor=" + "a" * 99])
def test_a_page_that_cannot_be_is_400(lead: Someone, query: str) -> None:
    assert lead.get(f"cases?{query}").status_code == 400

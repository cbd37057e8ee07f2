"""The pages of parties and people: who sees them, what a form keeps, what it changes, and that text stays text."""

import html
import re

import pytest

from tests.actors import Actors
from tests.casework import HOSTILE, Scene, scene


@pytest.fixture
def made(actors: Actors) -> Scene:
    return scene(actors)


@pytest.mark.parametrize("page", ["", "/add", "/invite", "/member", "/safeguards", "/override", "/hold"])
def test_the_parties_of_a_case_are_shown_to_those_who_work_on_it_only(made: Scene, page: str) -> None:
    assert made.page("lead", f"/cases/REF/parties{page}").status_code == 200
    for who in ("seller", "buyer"):
        assert made.page(who, f"/cases/REF/parties{page}").status_code == 404
    stranger = made.actors("stranger").get(f"/cases/{made.reference}/parties{page}")
    assert stranger.status_code == 404


def test_a_wrong_credit_code_keeps_what_was_typed_and_says_which_field(made: Scene) -> None:
    fields = {"side": "buyer", "kind": "company", "name": "Third", "uscc": "91350100M000100Y4", "place": "CN-31"}
    for code in ("91350100M000100Y4", "91350100M000100Y44", "<b>"):
        answer = made.send("lead", "/cases/REF/parties/add", {**fields, "uscc": code})
        assert answer.status_code == 422
        assert 'id="e-uscc"' in answer.text
        assert 'value="Third"' in answer.text
    assert len(made.lead.get(f"parties?case_id={made.case_id}").json()) == 4


def test_a_party_is_added_and_corrected_with_hostile_text_that_stays_text(made: Scene) -> None:
    fields = {"side": "buyer", "kind": "person", "name": HOSTILE, "contact": HOSTILE, "place": "CN-44"}
    assert made.send("lead", "/cases/REF/parties/add", fields).status_code == 303
    shown = made.page("lead", "/cases/REF/parties").text
    assert html.unescape(shown).count(HOSTILE) >= 2
    assert "<script>alert" not in shown
    party = next(p for p in made.lead.get(f"parties?case_id={made.case_id}").json() if p["name"] == HOSTILE)
    changed = {"name": "Fourth", "contact": "", "place": "CN-31"}
    assert made.send("lead", f"/cases/REF/parties/{party['id']}", changed).status_code == 303
    assert "party.added" in made.events()
    assert "party.changed" in made.events()


def test_of_two_bidders_one_wins_and_the_page_says_so(made: Scene) -> None:
    path = "/cases/REF/parties/{}/standing"
    assert made.send("lead", path.format(made.parties["winner"]), {"standing": "won"}).status_code == 303
    assert made.send("lead", path.format(made.parties["loser"]), {"standing": "won"}).status_code == 409
    assert made.send("legal", path.format(made.parties["loser"]), {"standing": "lost"}).status_code == 403


def test_an_invitation_shows_link_and_code_once_and_the_chat_text_never_holds_the_code(made: Scene) -> None:
    fields = {
        "email": "new@seller.example",
        "name": "O'Brien",
        "place": f"seller_admin:{made.parties['seller']}",
        "language": "en",
    }
    answer = made.send("lead", "/cases/REF/parties/invite", fields)
    assert answer.status_code == 200
    (code,) = set(re.findall(r"<code>([0-9]{8})</code>", answer.text))
    texts = re.findall(r'class="paste-text">(.*?)</p>', answer.text)
    assert len(texts) == 2
    for text in texts:
        assert "/p/" in text
        assert "O&#39;Brien" in text
        assert code not in text
    assert code not in made.page("lead", "/cases/REF/parties").text


def test_inviting_somebody_with_an_account_gives_the_role_and_no_link(made: Scene) -> None:
    made.actors("carl")
    fields = {"email": "carl@people.example", "name": "carl", "place": "dpo:", "language": "zh"}
    answer = made.send("lead", "/cases/REF/parties/invite", fields)
    assert answer.status_code == 303
    assert "carl" in made.page("lead", "/cases/REF/parties").text


def test_a_refused_invitation_keeps_the_form_and_makes_nobody(made: Scene) -> None:
    fields = {"email": "x@y.example", "name": "X", "place": "seller_admin:nonsense", "language": "zh"}
    answer = made.send("lead", "/cases/REF/parties/invite", fields)
    assert answer.status_code == 422
    assert 'value="x@y.example"' in answer.text
    assert made.send("legal", "/cases/REF/parties/invite", {**fields, "place": "dpo:"}).status_code == 403


def test_a_role_is_given_and_ended(made: Scene) -> None:
    carl = made.actors("carl")
    given = made.send("lead", "/cases/REF/parties/member", {"person_id": carl.id, "place": "witness:"})
    assert given.status_code == 303
    held = made.lead.get(f"cases/{made.case_id}/members").json()
    member = next(m for m in held if m["person_id"] == carl.id)
    assert made.send("lead", "/cases/REF/parties/end", {"member_id": member["id"]}).status_code == 303
    assert "member.ended" in made.events()


def test_the_reader_declares_conflicts_for_themselves(made: Scene) -> None:
    assert made.send("legal", "/cases/REF/parties/conflict", {"clean": "no", "note": HOSTILE}).status_code == 303
    own, others = (made.page(who, "/cases/REF/parties").text for who in ("legal", "lead"))
    assert own.count("badge bad") == 2, "in the reader's own declaration and in those of all"
    assert others.count("badge bad") == 1
    assert HOSTILE in html.unescape(others), "the team reads what a member wants it to know"


def test_an_exception_waits_for_a_second_person(made: Scene) -> None:
    fields = {"gate": "inventory_ok", "machine": "case", "reason": HOSTILE}
    assert made.send("legal", "/cases/REF/parties/override", fields).status_code == 303
    shown = made.page("lead", "/cases/REF/parties/safeguards").text
    assert HOSTILE in html.unescape(shown)
    (action,) = re.findall(r'action="(/cases/[^"]+/parties/override/[^"]+)"', shown)
    assert "parties/override/" not in made.page("legal", "/cases/REF/parties/safeguards").text
    assert made.send("legal", action, {}).status_code == 403
    assert made.send("lead", action, {}).status_code == 303
    assert "override.confirmed" in made.events()


def test_a_gate_that_protects_people_is_not_set_aside(made: Scene) -> None:
    fields = {"gate": "basis_ok", "machine": "case", "reason": "r"}
    assert made.send("legal", "/cases/REF/parties/override", fields).status_code == 403


def test_a_hold_is_proposed_with_its_review_and_activated_by_legal(made: Scene) -> None:
    path = "/cases/REF/parties/hold"
    wrong = made.send("lead", path, {"scope": "case", "reason": "lawsuit", "review_on": "soon"})
    assert wrong.status_code == 422
    assert "lawsuit" in wrong.text
    assert made.send("lead", path, {"scope": "case", "reason": "lawsuit", "review_on": "2030-01-01"}).status_code == 303
    shown = made.page("legal", "/cases/REF/parties/safeguards").text
    (action,) = re.findall(r'action="(/move/legal_hold/[^"]+/activate)"', shown)
    assert "/activate" not in made.page("lead", "/cases/REF/parties/safeguards").text
    assert made.send("legal", action, {"next": "/"}).status_code == 303
    assert made.lead.get(f"legal-holds?case_id={made.case_id}").json()[0]["state"] == "active"

"""Pages of the desk over the real application: who sees what, what is next and whom it waits for."""

import re

import pytest

from handover.desk.todo import LATE_AFTER
from tests.actors import Actors
from tests.desk.office import HOSTILE, Office, text_of

TEAM_PAGES = ("/cases/REF", "/cases/REF/log", "/cases/REF/workflow", "/cases/REF/documents")


@pytest.fixture
def office(actors: Actors) -> Office:
    return Office(actors)


@pytest.mark.parametrize("path", TEAM_PAGES)
def test_the_team_and_auditors_see_the_pages_of_a_case_and_parties_and_strangers_get_404(
    office: Office, path: str
) -> None:
    for who in ("lead", "legal", "witness", "auditor"):
        assert office.page(who, path).status_code == 200, who
    for who in ("seller", "buyer", "rival", "recipient"):
        assert office.page(who, path).status_code == 404, who
    other = Office(office.actors)
    office.actors("stranger", "consultant")
    assert other.page("stranger", f"/cases/{office.reference}").status_code == 404


def test_parties_have_no_to_do_list_and_no_board(office: Office) -> None:
    for path in ("/todo", "/cases"):
        assert office.page("lead", path).status_code == 200
        assert office.page("buyer", path).status_code == 404


def test_the_next_step_names_what_is_missing_and_who_must_act_and_has_one_primary_action(office: Office) -> None:
    shown = office.page("lead", "/cases/REF")
    assert "have not declared conflicts of interest" in text_of(shown)
    assert shown.text.count('class="primary"') + shown.text.count('class="button primary"') == 1
    office.declare_and_open()
    waiting = text_of(office.page("lead", "/cases/REF"))
    assert "no NDA in force" in waiting
    assert "legal" in waiting


def test_the_button_of_the_next_step_moves_the_case_and_the_activity_tells_it(office: Office) -> None:
    for who in ("lead", "legal", "dpo"):
        office.person(who).post(f"cases/{office.case['id']}/conflict-declarations", {"clean": True})
    action = re.search(r'action="(/move/case/[^"]+/open)"', office.page("lead", "/cases/REF").text)
    assert action is not None
    assert office.send("lead", action[1], {"next": f"/cases/{office.reference}"}).status_code == 303
    told = text_of(office.page("lead", "/cases/REF"))
    assert "Case opened Draft → NDA signing lead · lead consultant" in told
    assert "/move/case/" not in office.page("auditor", "/cases/REF").text


def test_other_steps_are_folded_and_only_of_the_readers_roles(office: Office) -> None:
    office.declare_and_open()
    assert "Put on hold" in text_of(office.page("lead", "/cases/REF"))
    security = text_of(office.page("dpo", "/cases/REF"))
    assert "Freeze" in security
    assert "Put on hold" not in security


def test_the_to_do_list_separates_my_turn_from_others_and_reminds_them_without_company_names(office: Office) -> None:
    office.declare_and_open()
    office.send_nda("recipient", "lead")
    shown = office.page("lead", "/todo")
    read = text_of(shown)
    assert read.index("Your turn") < read.index("Sign · confidentiality agreement") < read.index("Waiting for others")
    texts = re.findall(r'data-copy="([^"]+)"', shown.text)
    assert any(f"/my/{office.reference}" in t and "recipient" in t for t in texts)
    assert {"您好" in t for t in texts} == {True, False}
    assert not any("Ltd" in t or "Project Pine" in t for t in texts)
    assert (
        "Sign · confidentiality agreement"
        not in text_of(office.page("witness", "/todo"))[:0]
        + text_of(office.page("executor", "/todo")).partition("Waiting for others")[0]
    )


def test_who_waits_longer_than_people_are_left_alone_is_called_late(office: Office) -> None:
    office.declare_and_open()
    assert " late " not in text_of(office.page("witness", "/todo"))
    office.actors.clock.advance(seconds=LATE_AFTER.total_seconds() + 60)
    office.person("witness").log_in()
    assert " late " in text_of(office.page("witness", "/todo"))


def test_the_board_filters_by_stage_owner_and_number_and_says_so_when_nothing_fits(office: Office) -> None:
    other = Office(office.actors, "Second")
    other.declare_and_open()
    assert office.reference in office.page("lead", "/cases?stage=draft").text
    assert other.reference not in office.page("lead", "/cases?stage=draft").text
    assert (
        other.reference in office.page("lead", f"/cases?q={other.reference[-4:].lower()}&owner={office.lead.id}").text
    )
    for nothing in ("stage=closed", "overdue=1", "owner=nobody", "q=zzz", "stage=%27"):
        assert "No case fits" in office.page("lead", f"/cases?{nothing}").text
    assert office.page("auditor", "/cases").text.count("HO-20") >= 2


def test_a_hold_whose_review_is_over_makes_the_case_overdue_and_stands_among_the_dates(office: Office) -> None:
    office.declare_and_open()
    body = {"case_id": office.case["id"], "scope": "case", "reason": "a lawsuit", "review_on": "2020-01-01"}
    hold = office.person("legal").post("legal-holds", body).json()["id"]
    assert office.person("legal").post(f"legal-holds/{hold}/transitions/activate").status_code == 200
    assert office.reference in office.page("lead", "/cases?overdue=1").text
    dates = text_of(office.page("lead", "/todo"))
    assert "2020-01-01" in dates
    assert "overdue Review a legal hold" in dates


def test_a_new_case_keeps_what_was_typed_and_opens_as_a_draft(office: Office) -> None:
    fields = {"title": "Oak", "structure": "merger", "key_policy": "post_quantum", "jurisdictions": "China"}
    wrong = office.send("lead", "/cases/new", fields)
    assert wrong.status_code == 422
    assert 'value="Oak"' in wrong.text
    assert 'id="e-jurisdictions"' in wrong.text
    made = office.send("lead", "/cases/new", {**fields, "jurisdictions": "cn, sg"})
    assert made.status_code == 303
    shown = text_of(office.page("lead", made.headers["location"]))
    assert "Oak" in shown
    assert "CN SG" in shown
    assert office.page("legal", "/cases/new").status_code == 403
    assert office.send("legal", "/cases/new", {**fields, "jurisdictions": "CN"}).status_code == 403


def test_hostile_titles_stay_text_and_bidders_do_not_see_titles(actors: Actors) -> None:
    office = Office(actors, HOSTILE)
    for who, path in (
        ("lead", "/todo"),
        ("lead", "/cases"),
        ("lead", "/cases/REF"),
        ("seller", "/my"),
        ("seller", "/my/REF"),
    ):
        shown = office.page(who, path).text
        assert "<script>alert" not in shown
        assert "&lt;script&gt;alert(1)&lt;/script&gt;{{7*7}}" in shown, path
    for path in ("/my", "/my/REF"):
        assert "alert(1)" not in office.page("buyer", path).text


def test_both_languages_are_whole_on_every_page(office: Office) -> None:
    office.declare_and_open()
    for path in ("/todo", "/cases", "/cases/new", *TEAM_PAGES, "/my/REF"):
        answer = office.page("seller" if path.startswith("/my") else "lead", path, "zh")
        shown = re.sub(r"Hello [^<]+?(?=复制)|(buyer|custodian|dpo) [a-z ]+ (witness|signatory)", "", text_of(answer))
        assert re.findall(r"\b[A-Za-z]{2,}(?: [a-z]{2,}){3,}\b", shown) == [], path

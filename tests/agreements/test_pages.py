"""The pages of agreements: drafting, paper, and signing on one page that works without JavaScript."""

import html
import re
import uuid

import pytest

from handover.accounts.models import Person
from handover.context import SYSTEM
from handover.vault import Vault
from tests.actors import Actors
from tests.casework import HOSTILE, PIXEL, Scene, drafted, scene, sign, value_of

NDA = {"purpose": "p", "levels": "L1", "years": "3"}


@pytest.fixture
def made(actors: Actors) -> Scene:
    return scene(actors)


def signature(made: Scene, who: str, **changed: str) -> dict[str, str]:
    """The fields of the form as the page gives them, with the name typed and the box ticked."""
    shown = made.page(who, "/my/REF/nda").text
    found = {name: value_of(shown, name) for name in ("agreement", "text_sha256")}
    return {**found, "typed_name": who, "intent": "true", **changed}


def test_agreements_are_shown_to_those_who_work_on_the_case(made: Scene) -> None:
    row = drafted(made, [("seller", None)])
    for path in ("/cases/REF/nda", f"/cases/REF/nda/{row}", "/cases/REF/nda/new/nda"):
        assert made.page("lead", path).status_code == 200
        for who in ("seller", "buyer"):
            assert made.page(who, path).status_code == 404
    assert made.page("lead", "/cases/REF/nda/new/treaty").status_code == 404


def test_a_draft_is_made_from_its_form_and_shown_in_both_languages_as_text(made: Scene) -> None:
    fields = {
        **NDA,
        "purpose": HOSTILE,
        "party_id": made.parties["seller"],
        "counterparty_id": made.parties["agency"],
        "signers": ["", made.seller.id, f"{made.ceo.id}:{made.parties['seller']}"],
    }
    answer = made.send("lead", "/cases/REF/nda/new/nda", fields)
    assert answer.status_code == 303
    shown = made.page("lead", answer.headers["location"]).text
    assert HOSTILE in html.unescape(shown)
    assert "<script>alert" not in shown
    assert 'lang="zh-CN"' in shown
    assert 'lang="en"' in shown
    assert shown.count('<li value="11">') == 2
    changed = made.send("lead", answer.headers["location"] + "/edit", {"purpose": "another purpose"})
    assert changed.status_code == 303
    assert "another purpose" in made.page("lead", answer.headers["location"]).text


def test_a_draft_without_signers_is_refused_and_keeps_what_was_typed(made: Scene) -> None:
    fields = {**NDA, "purpose": "kept purpose", "party_id": made.parties["seller"], "signers": ["", ""]}
    answer = made.send("lead", "/cases/REF/nda/new/nda", fields)
    assert answer.status_code == 422
    assert "kept purpose" in answer.text
    too_long = made.send("lead", "/cases/REF/nda/new/nda", {**fields, "purpose": "x" * 2001})
    assert too_long.status_code == 422
    assert 'id="e-purpose"' in too_long.text


def test_the_signer_reads_and_signs_exactly_the_text_that_was_shown(made: Scene) -> None:
    row = drafted(made, [("seller", None)])
    answer = made.send("seller", "/my/REF/sign", signature(made, "seller"))
    assert answer.headers["location"] == f"/my/{made.reference}/signed?agreement={row}"
    assert made.lead.get(f"agreements/{row}").json()["state"] == "in_force"
    assert made.page("seller", answer.headers["location"]).status_code == 200
    assert "agreement.signed" in made.events()


def test_a_text_that_changed_since_is_refused_and_the_wish_is_asked_again(made: Scene) -> None:
    row = drafted(made, [("seller", None)])
    before = signature(made, "seller")
    made.move("lead", "agreements", row, "amend", "typo")
    made.send("lead", f"/cases/REF/nda/{row}/edit", {"purpose": "something else"})
    made.move("lead", "agreements", row, "submit")
    made.move("legal", "agreements", row, "send")
    answer = made.send("seller", "/my/REF/sign", before)
    assert answer.status_code == 409
    assert "something else" in answer.text
    assert value_of(answer.text, "text_sha256") != before["text_sha256"]
    assert 'name="intent" value="true" required>' in answer.text
    assert made.lead.get(f"agreements/{row}").json()["state"] == "sent"


@pytest.mark.parametrize(("changed", "field"), [({"typed_name": "somebody"}, "typed_name"), ({"intent": ""}, "intent")])
def test_a_wrong_name_or_a_missing_wish_is_said_beside_its_field(
    made: Scene, changed: dict[str, str], field: str
) -> None:
    drafted(made, [("seller", None)])
    answer = made.send("seller", "/my/REF/sign", signature(made, "seller", **changed))
    assert answer.status_code == 422
    assert f'id="e-{field}"' in answer.text
    assert value_of(answer.text, "text_sha256")


def test_an_old_second_factor_is_asked_on_the_page_and_after_it(made: Scene) -> None:
    row = drafted(made, [("seller", None)])
    assert "second_factor_code" not in made.page("seller", "/my/REF/nda").text
    made.actors.clock.advance(minutes=20)
    shown = made.page("seller", "/my/REF/nda").text
    assert "second_factor_code" in shown
    fields = signature(made, "seller")
    asked = made.send("seller", "/my/REF/sign", fields)
    assert asked.status_code == 403
    assert fields["text_sha256"] in asked.text
    assert made.lead.get(f"agreements/{row}").json()["state"] == "sent"


def test_who_signs_for_a_company_shows_a_mandate_first(made: Scene) -> None:
    row = drafted(made, [("ceo", "seller")])
    shown = made.page("ceo", "/my/REF/nda").text
    assert 'name="typed_name"' not in shown
    wrong = made.send("ceo", "/my/REF/mandate", {"agreement": row}, files={"mandate": ("m.png", b"text", "image/png")})
    assert wrong.status_code == 422
    kept = made.send("ceo", "/my/REF/mandate", {"agreement": row}, files={"mandate": ("m.png", PIXEL, "image/png")})
    assert kept.status_code == 303
    fields = signature(made, "ceo", mandate_id=value_of(made.page("ceo", "/my/REF/nda").text, "mandate_id"))
    assert made.send("ceo", "/my/REF/sign", fields).status_code == 303
    assert made.lead.get(f"agreements/{row}").json()["signers"][0]["mandate_given"]


def test_a_scan_larger_than_the_limit_is_refused_before_it_is_kept(made: Scene) -> None:
    row = drafted(made, [("ceo", "seller")])
    large = {"mandate": ("m.png", PIXEL + bytes(11 << 20), "image/png")}
    assert made.send("ceo", "/my/REF/mandate", {"agreement": row}, files=large).status_code == 413


@pytest.mark.parametrize(("name", "typed"), [("张䶮", "张䶮"), ("O'Brien", "O’Brien"), ("O’Brien", "O'Brien")])
def test_rare_characters_and_the_apostrophes_of_telephones_can_sign(
    made: Scene, actors: Actors, name: str, typed: str
) -> None:
    made.people["rare"] = actors("rare")
    with actors.installation.unit_of_work(SYSTEM) as ctx:
        person = ctx.session.get_one(Person, uuid.UUID(made.rare.id))
        person.name_sealed = ctx.get(Vault).seal_text("accounts", name, field="people.name", row=person.id)
    body = {"person_id": made.rare.id, "role": "witness"}
    assert made.lead.post(f"cases/{made.case_id}/members", body).status_code == 201
    row = drafted(made, [("rare", None)])
    assert made.send("rare", "/my/REF/sign", signature(made, "rare", typed_name=typed)).status_code == 303
    assert made.lead.get(f"agreements/{row}").json()["state"] == "in_force"


def test_a_signer_declines_with_a_reason_and_the_page_says_what_that_means(made: Scene) -> None:
    row = drafted(made, [("buyer", None), ("ceo", None)], other="winner")
    shown = made.page("buyer", "/my/REF/nda").text
    assert f"/move/agreement/{row}/decline" in shown
    assert made.send("buyer", f"/move/agreement/{row}/decline", {"next": "/"}).status_code == 422
    assert made.send("buyer", f"/move/agreement/{row}/decline", {"reason": "no", "next": "/"}).status_code == 303
    after = made.page("buyer", f"/my/REF/nda?agreement={row}").text
    assert 'name="typed_name"' not in after
    assert "notice warn" in after


def test_a_bidder_sees_no_agreement_of_another(made: Scene) -> None:
    row = drafted(made, [("buyer", "winner"), ("ceo", None)], other="winner")
    shown = made.page("other", f"/my/REF/nda?agreement={row}")
    assert shown.status_code == 200
    assert "winner company" not in shown.text
    fields = {"agreement": row, "text_sha256": "0" * 64, "typed_name": "other", "intent": "true"}
    assert made.send("other", "/my/REF/sign", fields).status_code == 404


def test_opening_the_page_signs_nothing(made: Scene) -> None:
    row = drafted(made, [("seller", None)])
    for path in ("/my/REF/nda", "/my/REF/sign", "/my/REF/signed", f"/my/REF/nda?agreement={row}"):
        assert made.page("seller", path).status_code == 200
    assert made.lead.get(f"agreements/{row}").json()["signers"][0]["state"] == "pending"


def test_a_stamped_page_is_uploaded_looked_at_and_confirmed(made: Scene) -> None:
    row = drafted(made, [("ceo", "seller")])
    signer = made.lead.get(f"agreements/{row}").json()["signers"][0]["id"]
    path = f"/cases/REF/nda/{row}/paper/{signer}"
    assert made.send("lead", path, {"x": "1"}, files={"scan": ("s.png", PIXEL, "image/png")}).status_code == 303
    scan = made.page("legal", path)
    assert scan.content == PIXEL
    assert scan.headers["content-disposition"].startswith("attachment")
    assert made.page("buyer", path).status_code == 404
    assert made.send("lead", f"/cases/REF/nda/{row}/confirm/{signer}", {}).status_code == 403
    assert made.send("legal", f"/cases/REF/nda/{row}/confirm/{signer}", {}).status_code == 303
    shown = made.lead.get(f"agreements/{row}").json()
    assert (shown["state"], shown["signers"][0]["level"]) == ("in_force", "wet_ink_scanned")
    assert "agreement.scan_read" in made.events()


def test_the_list_shows_who_signed_with_which_level(made: Scene) -> None:
    row = drafted(made, [("seller", None), ("lead", None)])
    sign(made, "seller", row)
    shown = made.page("lead", "/cases/REF/nda").text
    assert len(re.findall(r"agreed as reliable|约定的可靠电子签名", shown)) == 1
    assert f"/my/{made.reference}/nda" in shown

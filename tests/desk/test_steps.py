"""A party's steps: their own, in order, done one after the other, and no trace of another bidder."""

import pytest

from tests.actors import Actors
from tests.desk.office import Office, text_of


@pytest.fixture
def office(actors: Actors) -> Office:
    made = Office(actors)
    made.declare_and_open()
    return made


def test_every_party_sees_its_own_steps_and_its_consultant(office: Office) -> None:
    seller, recipient = text_of(office.page("seller", "/my/REF")), text_of(office.page("recipient", "/my/REF"))
    assert "Upload the customer records" in seller
    assert "Prove who you are and register your key" not in seller
    assert "Prove who you are and register your key" in recipient
    assert "Upload the customer records" not in recipient
    assert "Your transfer consultant: lead" in seller
    assert "Approve the release of the package" in text_of(office.page("signatory", "/my/REF"))


def test_signing_is_my_turn_until_i_signed(office: Office) -> None:
    before = text_of(office.page("recipient", "/my/REF"))
    assert "Read and sign the confidentiality agreement waiting Waiting for: lead" in before
    agreement = office.send_nda("recipient", "buyer")
    asked = office.page("recipient", "/my/REF")
    assert "Read and sign the confidentiality agreement your turn" in text_of(asked)
    assert asked.text.count("button primary") == 1
    assert f'href="/my/{office.reference}/nda"' in asked.text
    person = office.person("recipient")
    shown = person.get(f"agreements/{agreement}").json()
    body = {"text_sha256": shown["text_sha256"], "typed_name": "recipient", "intent": True}
    assert person.post(f"agreements/{agreement}/signatures", body).status_code in {200, 201}
    assert "Read and sign the confidentiality agreement done" in text_of(office.page("recipient", "/my/REF"))
    assert "Read and sign the confidentiality agreement your turn" in text_of(office.page("buyer", "/my/REF"))
    assert "Your turn" not in text_of(office.page("rival", "/my"))


def test_a_bidder_sees_no_trace_of_another(office: Office) -> None:
    office.send_nda("recipient", "buyer")
    office.lead.post(f"parties/{office.parties['rival']}/standing", {"standing": "lost"})
    shown = office.page("rival", "/my/REF").text + office.page("rival", "/my").text
    for trace in ("buyer", "recipient", office.parties["buyer"], str(office.person("buyer").id)):
        assert trace not in shown.replace("button", ""), trace


def test_strangers_and_other_cases_get_404(office: Office) -> None:
    other = Office(office.actors)
    office.actors("stranger")
    assert office.page("stranger", "/my/REF").status_code == 404
    assert office.page("stranger", "/my").status_code == 200
    assert "You take part in no case yet" in text_of(office.page("stranger", "/my"))
    assert other.page("seller", "/my/HO-2026-9999").status_code == 404

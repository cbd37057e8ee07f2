"""Pages of recipients: papers, two people's verification, and the safety number that is typed and never shown."""

import hmac
import json
import re
import uuid

import pytest

from handover.crypto.age import decrypt_bytes, generate_identity, recipient_of
from handover.crypto.safety_number import safety_number
from handover.recipients.models import Recipient, RecipientKey
from handover.recipients.queries import recipients_of
from tests.actors import Actors
from tests.forms import HOSTILE, Staged, text_of

_PIXEL = b"\x89PNG\r\n\x1a\n" + bytes(40)


@pytest.fixture
def staged(actors: Actors) -> Staged:
    return Staged(actors)


def nominate(staged: Staged) -> str:
    page = staged.see(staged.lead, f"/cases/{staged.reference}/recipients")
    member = re.findall(r'<option value="([0-9a-f-]{36})"', page.text)[0]
    answer = staged.send(staged.lead, f"/cases/{staged.reference}/recipients", member=member, place="CN-31")
    assert answer.status_code == 303
    with staged.lead.acting(write=False) as ctx:
        return str(recipients_of(ctx, staged.id)[0].id)


def hand_in(staged: Staged, document: str = "resident identity card") -> None:
    fields = {"document": document, "employer": "buyer", "checked_against": "video call"}
    files = {"mandate": ("mandate.png", _PIXEL, "image/png")}
    answer = staged.send(staged.recipient, f"/my/{staged.reference}/identity", files, **fields)
    assert answer.status_code == 303, text_of(answer)


def verified(staged: Staged) -> str:
    """A recipient whose identity two people verified."""
    recipient = nominate(staged)
    hand_in(staged)
    for person in (staged.lead, staged.legal):
        path = f"/move/recipient/{recipient}/verify_identity"
        answer = staged.send(person, path, next=f"/cases/{staged.reference}/recipients")
        assert answer.status_code == 303, text_of(answer)
    assert staged.row(Recipient, recipient).state == "identity_verified"
    return recipient


def proven(staged: Staged) -> tuple[str, tuple[str, ...]]:
    """A recipient whose key waits for its number, and the number as the recipient computes it."""
    recipient, identity = verified(staged), generate_identity()
    asked = staged.recipient.post(f"recipients/{recipient}/keys", {"recipient": recipient_of(identity)}).json()
    opened = json.loads(decrypt_bytes(asked["challenge"].encode(), [identity]))
    answer = hmac.digest(bytes.fromhex(opened["secret"]), opened["context"].encode(), "sha256").hex()
    staged.recipient.post(f"recipients/{recipient}/keys/{asked['key_id']}/proof", {"answer": answer})
    person = str(staged.row(Recipient, recipient).person_id)
    return recipient, safety_number(recipient_of(identity), staged.reference, person).groups


def boxes(groups: tuple[str, ...]) -> dict[str, str]:
    return {f"g{n}": group for n, group in enumerate(groups, 1)}


def key_state(staged: Staged, recipient: str) -> str:
    with staged.lead.acting(write=False) as ctx:
        return str(ctx.session.query(RecipientKey).filter_by(recipient_id=uuid.UUID(recipient)).one().state)


def test_papers_are_handed_in_once_and_seen_by_those_who_verify_them(staged: Staged) -> None:
    recipient = nominate(staged)
    hand_in(staged, f"card {HOSTILE}")
    page = f"/cases/{staged.reference}/recipients"
    assert f"card {HOSTILE}" in text_of(staged.see(staged.lead, page))
    assert "<script>alert" not in staged.see(staged.lead, page).text
    assert "card" not in text_of(staged.see(staged.auditor, page))
    mandate = f"{page}/{recipient}/mandate"
    answer = staged.see(staged.legal, mandate)
    assert answer.content == _PIXEL
    assert answer.headers["content-disposition"].startswith("attachment")
    assert staged.see(staged.auditor, mandate).status_code == 404
    assert staged.row(Recipient, recipient).state == "identity_pending"


def test_a_form_with_errors_keeps_what_was_typed(staged: Staged) -> None:
    nominate(staged)
    fields = {"document": "passport", "employer": "", "checked_against": "in person"}
    files = {"mandate": ("m.txt", b"no scan", "text/plain")}
    answer = staged.send(staged.recipient, f"/my/{staged.reference}/identity", files, **fields)
    assert answer.status_code == 422
    assert 'value="passport"' in answer.text
    assert 'href="#f-employer"' in answer.text
    answer = staged.send(staged.recipient, f"/my/{staged.reference}/identity", files, **{**fields, "employer": "x"})
    assert answer.status_code == 422
    assert 'href="#f-mandate"' in answer.text


def test_the_same_person_does_not_verify_papers_twice(staged: Staged) -> None:
    recipient = nominate(staged)
    hand_in(staged)
    path = f"/move/recipient/{recipient}/verify_identity"
    assert staged.send(staged.lead, path, next="/").status_code == 303
    assert staged.send(staged.lead, path, next="/").status_code == 409
    assert staged.row(Recipient, recipient).state == "identity_pending"


def test_two_sides_type_the_number_and_no_page_shows_it(staged: Staged) -> None:
    recipient, number = proven(staged)
    inside = f"/cases/{staged.reference}/recipients/{recipient}/compare"
    outside = f"/my/{staged.reference}/compare/{recipient}"
    for person, path in ((staged.lead, inside), (staged.buyer, outside)):
        page = staged.see(person, path)
        assert "require-trusted-types-for" in page.headers["content-security-policy"]
        assert not [group for group in number if group in page.text]
    assert staged.send(staged.lead, inside, channel="telephone_known", **boxes(number)).status_code == 303
    assert staged.row(Recipient, recipient).state == "fingerprint_pending"
    # Without scripts the whole number goes into the first box.
    whole = {"g1": " ".join(number), "channel": "in_person", "channel_details": "at the notary's"}
    assert staged.send(staged.buyer, outside, **whole).status_code == 303
    assert staged.row(Recipient, recipient).state == "active"
    page = text_of(staged.see(staged.lead, f"/cases/{staged.reference}/recipients"))
    assert "In person: at the notary's" in page
    assert not [group for group in number if re.search(rf"\b{group}\b", page)]


def test_an_unfinished_number_is_asked_again_and_keeps_its_groups(staged: Staged) -> None:
    recipient, number = proven(staged)
    path = f"/cases/{staged.reference}/recipients/{recipient}/compare"
    answer = staged.send(staged.lead, path, channel="video_call", **boxes(number[:5]))
    assert answer.status_code == 422
    assert f'value="{number[4]}"' in answer.text
    assert 'href="#f-groups"' in answer.text
    assert staged.row(Recipient, recipient).state == "fingerprint_pending"


@pytest.mark.parametrize("typed", [True, False], ids=["a wrong digit", "the button"])
def test_a_mismatch_rejects_the_key_and_both_sides_see_it(staged: Staged, typed: bool) -> None:
    recipient, number = proven(staged)
    inside = f"/cases/{staged.reference}/recipients/{recipient}/compare"
    if typed:
        wrong = (f"{(int(number[0]) + 1) % 100000:05d}", *number[1:])
        answer = staged.send(staged.lead, inside, channel="telephone_known", **boxes(wrong))
    else:
        path = f"/cases/{staged.reference}/recipients/{recipient}/mismatch"
        answer = staged.send(staged.lead, path, other_channel="telephone_known")
    assert answer.status_code == 303
    assert key_state(staged, recipient) == "rejected"
    assert staged.row(Recipient, recipient).state == "identity_verified"
    assert staged.logged("recipient.safety_number_mismatch") == 1
    for person, path in ((staged.lead, inside), (staged.buyer, f"/my/{staged.reference}/compare/{recipient}")):
        assert "The safety number did not match." in text_of(staged.see(person, path))


def test_neither_the_recipient_nor_the_same_side_compares(staged: Staged) -> None:
    recipient, number = proven(staged)
    inside = f"/cases/{staged.reference}/recipients/{recipient}/compare"
    outside = f"/my/{staged.reference}/compare/{recipient}"
    assert "<form" not in staged.see(staged.recipient, outside).text.partition("<main")[2].partition("</main>")[0]
    assert staged.send(staged.recipient, outside, channel="in_person", **boxes(number)).status_code == 403
    assert staged.send(staged.recipient, f"{outside}/mismatch", other_channel="in_person").status_code == 403
    staged.send(staged.lead, inside, channel="in_person", **boxes(number))
    assert staged.send(staged.legal, inside, channel="in_person", **boxes(number)).status_code == 403
    assert staged.row(Recipient, recipient).state == "fingerprint_pending"


def test_a_comparison_takes_a_fresh_second_factor(staged: Staged) -> None:
    recipient, number = proven(staged)
    staged.actors.clock.advance(minutes=20)
    path = f"/cases/{staged.reference}/recipients/{recipient}/compare"
    answer = staged.send(staged.lead, path, channel="in_person", **boxes(number))
    assert answer.status_code == 403
    assert 'name="second_factor_code"' in answer.text
    again = {**boxes(number), "channel": "in_person", "second_factor_code": staged.lead.totp()}
    assert staged.send(staged.lead, path, **again).status_code == 303
    assert staged.logged("recipient.safety_number_matched") == 1


def test_a_bidder_sees_no_other_bidders_recipient(staged: Staged) -> None:
    recipient, _number = proven(staged)
    missing = staged.see(staged.rival, f"/my/{staged.reference}/compare/{uuid.uuid4()}")
    foreign = staged.see(staged.rival, f"/my/{staged.reference}/compare/{recipient}")
    assert (missing.status_code, foreign.status_code) == (404, 404)
    assert staged.see(staged.rival, f"/cases/{staged.reference}/recipients").status_code == 404
    assert staged.see(staged.buyer, f"/cases/{staged.reference}/recipients").status_code == 404


def test_a_lost_key_is_replaced_with_a_reason(staged: Staged) -> None:
    recipient, _number = proven(staged)
    path = f"/move/recipient/{recipient}/replace_key"
    back = f"/cases/{staged.reference}/recipients"
    assert staged.send(staged.lead, path, next=back).status_code == 422
    assert staged.send(staged.lead, path, next=back, reason="the laptop was stolen").status_code == 303
    assert key_state(staged, recipient) == "replaced"

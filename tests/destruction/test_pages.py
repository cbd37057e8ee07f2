"""Pages of destruction: where a copy still is, an order over it, two approvals with the case number typed, and a witness."""

import datetime as dt
import re
import uuid
from typing import Any

import pytest

from handover.db import new_id
from handover.destruction.models import DestructionItem, DestructionOrder
from handover.inventory.models import Copy
from handover.workflow.models import Approval
from tests.actors import Actors
from tests.forms import HOSTILE, Staged, hidden, text_of


@pytest.fixture
def staged(actors: Actors) -> Staged:
    made = Staged(actors)
    made.stage("destruction")
    made.put(*(copy(made, kind) for kind in ("source", "redacted", "package")))
    return made


def copy(staged: Staged, kind: str, **values: Any) -> Copy:
    return Copy(id=new_id(), case_id=staged.id, kind=kind, blob={"key": f"k-{kind}", "size": 10}, **values)


def ordered(staged: Staged) -> str:
    """An order over everything, with executor and witness named."""
    page = f"/cases/{staged.reference}/destruction"
    answer = staged.send(staged.lead, page)
    assert answer.status_code == 303, text_of(answer)
    path = answer.headers["location"]
    people = {"executor_id": staged.executor.id, "witness_id": staged.witness.id}
    assert staged.send(staged.lead, f"{path}/people", **people).status_code == 303
    return str(path)


def eligible(staged: Staged) -> str:
    """An order that waits for its approvals, which somebody else than the approvers asked for."""
    path = ordered(staged)
    assert staged.send(staged.lead, f"{path}/check").status_code == 303
    assert state(staged, path) == "pending_approval"
    return path


def state(staged: Staged, path: str) -> str:
    return str(staged.row(DestructionOrder, path.rsplit("/", 1)[1]).state)


def approve_inside(staged: Staged, path: str, **fields: str) -> int:
    shown = {"items_sha256": hidden(staged.see(staged.legal, path), "items_sha256"), "reference": staged.reference}
    return staged.send(staged.legal, f"{path}/approve", **{**shown, **fields}).status_code


def approve_as_seller(staged: Staged, path: str, **fields: str) -> int:
    mine = f"/my/{staged.reference}/destroy"
    shown = {"items_sha256": hidden(staged.see(staged.seller, mine), "items_sha256"), "reference": staged.reference}
    return staged.send(staged.seller, f"{mine}/{path.rsplit('/', 1)[1]}", **{**shown, **fields}).status_code


def test_the_register_says_where_a_copy_still_is(staged: Staged) -> None:
    holder = uuid.UUID(staged.parties["buyer"])
    gone = copy(staged, "working", state="destroyed", key_id="copy:gone", ended_at=dt.datetime.now(dt.UTC))
    staged.put(gone, copy(staged, "recipient_copy", state="declared", holder_party_id=holder))
    for person in (staged.lead, staged.auditor, staged.witness):
        page = staged.see(person, f"/cases/{staged.reference}/destruction")
        said = text_of(page)
        assert "key destroyed" in said
        assert f"buyer {HOSTILE}" in said
        assert "<script>alert" not in page.text
    assert "哪里还有副本" in text_of(staged.see(staged.lead, f"/cases/{staged.reference}/destruction", language="zh"))


def test_a_long_register_is_shown_in_parts(staged: Staged) -> None:
    staged.put(*(copy(staged, "working") for _ in range(60)))
    page = f"/cases/{staged.reference}/destruction"
    assert staged.see(staged.lead, page).text.count('name="copy_ids"') == 50
    assert staged.see(staged.lead, f"{page}?part=2").text.count('name="copy_ids"') == 13


def test_chosen_copies_alone_are_on_the_order(staged: Staged) -> None:
    page = f"/cases/{staged.reference}/destruction"
    chosen = re.findall(r'name="copy_ids" value="([^"]+)"', staged.see(staged.lead, page).text)[:2]
    answer = staged.send(staged.lead, page, copy_ids=chosen)
    order = uuid.UUID(answer.headers["location"].rsplit("/", 1)[1])
    with staged.lead.acting(write=False) as ctx:
        items = ctx.session.query(DestructionItem).filter_by(order_id=order).all()
    assert {str(i.copy_id) for i in items} == set(chosen)
    assert staged.send(staged.auditor, page).status_code == 403


def test_a_hold_blocks_the_order_and_is_shown_to_whoever_decides(staged: Staged) -> None:
    path = eligible(staged)
    body = {"case_id": str(staged.id), "scope": "case", "reason": f"a lawsuit {HOSTILE}", "review_on": "2027-01-01"}
    hold = staged.legal.post("legal-holds", body).json()["id"]
    assert staged.send(staged.legal, f"/move/legal_hold/{hold}/activate", next="/").status_code == 303
    said = text_of(staged.see(staged.seller, f"/my/{staged.reference}/destroy"))
    assert "1 legal hold is active" in said
    assert f"a lawsuit {HOSTILE}" in said
    assert "nothing may be destroyed" in said
    digest = re.findall(r"\b[0-9a-f]{64}\b", said)[0]
    answer = staged.send(staged.legal, f"{path}/approve", items_sha256=digest, reference=staged.reference)
    assert answer.status_code == 409
    assert "G16" in answer.text


def test_two_persons_approve_the_list_that_was_shown_with_the_case_number(staged: Staged) -> None:
    path = eligible(staged)
    assert approve_as_seller(staged, path, reference="HO-1999-0001") == 422
    assert approve_as_seller(staged, path, items_sha256="0" * 64) == 409
    with staged.lead.acting(write=False) as ctx:
        assert ctx.session.query(Approval).count() == 0
    assert approve_as_seller(staged, path) == 303
    assert "You approved it" in text_of(staged.see(staged.seller, f"/my/{staged.reference}/destroy"))
    assert approve_inside(staged, path) == 303
    assert state(staged, path) == "approved"
    assert staged.logged("destruction.approved") == 1


def test_an_approval_takes_a_fresh_second_factor(staged: Staged) -> None:
    path = eligible(staged)
    mine = f"/my/{staged.reference}/destroy"
    digest = hidden(staged.see(staged.seller, mine), "items_sha256")
    staged.actors.clock.advance(minutes=20)
    order = path.rsplit("/", 1)[1]
    fields = {"items_sha256": digest, "reference": staged.reference}
    answer = staged.send(staged.seller, f"{mine}/{order}", **fields)
    assert answer.status_code == 403
    assert hidden(answer, "reference") == staged.reference
    code = staged.seller.totp()
    assert staged.send(staged.seller, f"{mine}/{order}", **fields, second_factor_code=code).status_code == 303


def test_only_the_named_executor_executes_after_the_waiting_time_and_types_the_number(staged: Staged) -> None:
    path = eligible(staged)
    approve_as_seller(staged, path)
    approve_inside(staged, path)
    order = path.rsplit("/", 1)[1]
    assert staged.send(staged.lead, f"/move/destruction/{order}/schedule", next=path).status_code == 303
    assert staged.send(staged.executor, f"{path}/execute", reference=staged.reference).status_code == 409
    staged.actors.clock.advance(hours=25)
    for person in (staged.executor, staged.lead, staged.witness):
        person.log_in()
    assert "nobody can bring them back" in text_of(staged.see(staged.executor, path))
    assert "/execute" not in staged.see(staged.lead, path).text
    assert staged.send(staged.lead, f"{path}/execute", reference=staged.reference).status_code == 403
    assert staged.send(staged.witness, f"{path}/execute", reference=staged.reference).status_code == 403
    answer = staged.send(staged.executor, f"{path}/execute", reference="HO-0")
    assert answer.status_code == 422
    assert 'href="#f-reference"' in answer.text
    assert staged.send(staged.executor, f"{path}/execute", reference=staged.reference).status_code == 303
    assert state(staged, path) == "executing"
    assert 'data-job="' in staged.see(staged.lead, path).text


def test_legal_keeps_a_copy_that_the_law_requires(staged: Staged) -> None:
    path = ordered(staged)
    kept = hidden(staged.see(staged.legal, path), "copy_id")
    assert 'name="copy_id"' not in staged.see(staged.lead, path).text
    assert staged.send(staged.lead, f"{path}/retain", copy_id=kept).status_code == 403
    assert staged.send(staged.legal, f"{path}/retain", copy_id=kept).status_code == 303
    assert "1 copy stays" in text_of(staged.see(staged.legal, path))
    assert staged.row(Copy, kept).state == "retained"


def test_the_seller_can_reject_and_nothing_is_destroyed(staged: Staged) -> None:
    path = eligible(staged)
    keep = f"/my/{staged.reference}/keep/{path.rsplit('/', 1)[1]}"
    assert staged.send(staged.seller, keep, reason="").status_code == 422
    assert staged.send(staged.seller, keep, reason="we still need them").status_code == 303
    assert state(staged, path) == "rejected"


def test_buyers_see_no_order_and_no_register(staged: Staged) -> None:
    path = eligible(staged)
    order = path.rsplit("/", 1)[1]
    mine = f"/my/{staged.reference}/destroy"
    for person in (staged.buyer, staged.rival, staged.recipient):
        for page in (path, f"/cases/{staged.reference}/destruction", mine):
            assert staged.see(person, page).status_code == 404
        fields = {"items_sha256": "0" * 64, "reference": staged.reference}
        assert staged.send(person, f"{mine}/{order}", **fields).status_code == 404


def test_pages_that_destroy_allow_no_scripts_but_their_own(staged: Staged) -> None:
    path = eligible(staged)
    for person, page in ((staged.legal, path), (staged.seller, f"/my/{staged.reference}/destroy")):
        policy = staged.see(person, page).headers["content-security-policy"]
        assert "require-trusted-types-for 'script'" in policy
        assert "unsafe" not in policy

"""Pages of packages: what is inside, and a release by two persons on the very manifest that was shown to them."""

import re
import uuid

import pytest

from handover.db import new_id
from handover.packages.models import Package
from handover.recipients.models import Recipient
from handover.workflow.models import Approval
from tests.actors import Actors
from tests.forms import Staged, hidden, text_of

MANIFEST = "ab" * 32


@pytest.fixture
def staged(actors: Actors) -> Staged:
    return Staged(actors)


def recipient(staged: Staged, party: str = "buyer") -> uuid.UUID:
    row = Recipient(
        id=new_id(),
        case_id=staged.id,
        party_id=uuid.UUID(staged.parties[party]),
        person_id=uuid.UUID(staged.actors("recipient").id),
        state="active",
        place="CN-31",
        created_by=uuid.UUID(staged.lead.id),
    )
    staged.put(row)
    return row.id


def package(staged: Staged, state: str = "release_requested", **values: object) -> Package:
    """A package as the build leaves it."""
    facts: dict[str, object] = {
        "id": new_id(),
        "case_id": staged.id,
        "number": f"{staged.reference}-P01",
        "purpose": "return",
        "state": state,
        "recipient_id": recipient(staged),
        "party_id": uuid.UUID(staged.parties["buyer"]),
        "created_by": uuid.UUID(staged.lead.id),
        "manifest_sha256": MANIFEST,
        "size": 26_500,
        "file_count": 2,
        "content_size": 16_700,
        "records": 112,
        "persons": 56,
        "exclusions": {"refused": 6, "no_answer": 2},
        "record_set_ids": [],
    }
    row = Package(**{**facts, **values})
    staged.put(row)
    return row


def test_a_package_is_drafted_for_a_recipient(staged: Staged) -> None:
    chosen = str(recipient(staged))
    path = f"/cases/{staged.reference}/packages"
    staged.change(Recipient, chosen, party_id=uuid.UUID(staged.parties["seller"]))
    assert "No package yet" in text_of(staged.see(staged.lead, path))
    answer = staged.send(staged.lead, path, purpose="return", recipient_id=chosen, redaction_id="")
    assert answer.status_code == 303
    assert answer.headers["location"] == f"/cases/{staged.reference}/package/{staged.reference}-P01"
    assert staged.logged("package.drafted") == 1
    assert "Draft" in text_of(staged.see(staged.auditor, answer.headers["location"]))


def test_a_draft_that_does_not_fit_keeps_what_was_chosen(staged: Staged) -> None:
    chosen = str(recipient(staged))
    path = f"/cases/{staged.reference}/packages"
    answer = staged.send(staged.lead, path, purpose="due_diligence", recipient_id=chosen, redaction_id="")
    assert answer.status_code == 422
    assert 'href="#f-redaction_id"' in answer.text
    assert '<option value="due_diligence" selected>' in answer.text
    assert staged.send(staged.auditor, path, purpose="return", recipient_id=chosen).status_code == 403


def test_two_persons_of_two_sides_approve_the_manifest_that_is_shown(staged: Staged) -> None:
    row = package(staged)
    mine, inside = f"/my/{staged.reference}/approve", f"/cases/{staged.reference}/package/{row.number}"
    page = staged.see(staged.seller, mine)
    said = text_of(page)
    assert "2 files with 112 records about 56 customers" in said
    assert MANIFEST in said
    assert re.search(r"6 — refused", said)
    assert "require-trusted-types-for" in page.headers["content-security-policy"]
    answer = staged.send(staged.seller, f"{mine}/{row.number}", manifest_sha256=hidden(page, "manifest_sha256"))
    assert answer.status_code == 303
    assert "You approved it" in text_of(staged.see(staged.seller, mine))
    again = staged.send(staged.seller, f"{mine}/{row.number}", manifest_sha256=MANIFEST)
    assert again.status_code == 409
    shown = hidden(staged.see(staged.legal, inside), "manifest_sha256")
    assert staged.send(staged.legal, f"{inside}/approve", manifest_sha256=shown).status_code == 303
    assert staged.row(Package, row.id).state == "approved"
    assert staged.logged("package.release_approved") == 1


def test_an_approval_of_a_manifest_that_was_built_again_does_not_count(staged: Staged) -> None:
    row = package(staged)
    page = staged.see(staged.seller, f"/my/{staged.reference}/approve")
    staged.change(Package, row.id, manifest_sha256="cd" * 32)
    path = f"/my/{staged.reference}/approve/{row.number}"
    answer = staged.send(staged.seller, path, manifest_sha256=hidden(page, "manifest_sha256"))
    assert answer.status_code == 409
    assert "built again" in text_of(answer)
    with staged.seller.acting(write=False) as ctx:
        assert ctx.session.query(Approval).count() == 0


def test_an_approval_takes_a_fresh_second_factor(staged: Staged) -> None:
    row = package(staged)
    staged.actors.clock.advance(minutes=20)
    path = f"/my/{staged.reference}/approve/{row.number}"
    answer = staged.send(staged.seller, path, manifest_sha256=MANIFEST)
    assert answer.status_code == 403
    assert hidden(answer, "manifest_sha256") == MANIFEST
    code = staged.seller.totp()
    assert staged.send(staged.seller, path, manifest_sha256=MANIFEST, second_factor_code=code).status_code == 303


def test_a_refusal_sends_it_back_and_voids_the_approvals(staged: Staged) -> None:
    row = package(staged)
    inside = f"/cases/{staged.reference}/package/{row.number}"
    staged.send(staged.legal, f"{inside}/approve", manifest_sha256=MANIFEST)
    path = f"/my/{staged.reference}/refuse/{row.number}"
    assert staged.send(staged.seller, path, reason="").status_code == 422
    assert staged.send(staged.seller, path, reason="the wrong buyer").status_code == 303
    assert staged.row(Package, row.id).state == "attested"
    assert staged.logged("package.release_refused") == 1
    assert staged.send(staged.lead, f"/move/package/{row.id}/request_release", next=inside).status_code == 303
    assert "approved" not in text_of(staged.see(staged.legal, inside)).partition("Next step")[2]


def test_who_may_not_release_is_not_asked_and_cannot(staged: Staged) -> None:
    row = package(staged)
    path = f"/my/{staged.reference}/approve"
    assert "Nothing waits for your approval" in text_of(staged.see(staged.buyer, path))
    assert staged.send(staged.buyer, f"{path}/{row.number}", manifest_sha256=MANIFEST).status_code == 403
    assert staged.send(staged.rival, f"{path}/{row.number}", manifest_sha256=MANIFEST).status_code == 404
    for person in (staged.buyer, staged.rival):
        assert staged.see(person, f"/cases/{staged.reference}/packages").status_code == 404
        assert staged.see(person, f"/cases/{staged.reference}/package/{row.number}").status_code == 404
    assert staged.row(Package, row.id).state == "release_requested"


def test_a_stale_package_says_why_and_shows_no_release(staged: Staged) -> None:
    row = package(staged, "stale", stale_reason="recipient_key_changed")
    page = staged.see(staged.lead, f"/cases/{staged.reference}/package/{row.number}")
    assert "the recipient's key changed" in text_of(page)
    assert f"/move/package/{row.id}/release" not in page.text
    assert "接收人的公钥有变化" in text_of(staged.see(staged.lead, page.url.path, language="zh"))


def test_a_foreign_number_and_a_missing_one_answer_alike(staged: Staged, actors: Actors) -> None:
    package(staged)
    stranger = actors("stranger", "consultant")
    path = f"/cases/{staged.reference}/package"
    known = staged.see(stranger, f"{path}/{staged.reference}-P01")
    missing = staged.see(stranger, f"{path}/{staged.reference}-P09")
    assert (known.status_code, missing.status_code) == (404, 404)
    assert text_of(known) == text_of(missing)

"""Pages of the handover: the receipt as it was verified, its acceptance by both sides, and custody before a witness."""

import datetime as dt
import re
import uuid

import pytest
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from handover.archive.receipt import NAMESPACE, Counts, Defect
from handover.archive.receipt import Receipt as Statement
from handover.cases.models import Party
from handover.crypto import canonical, sshsig
from handover.db import new_id
from handover.delivery.models import CustodyItem, Delivery
from handover.packages.models import Package
from handover.recipients.models import Recipient
from tests.actors import Actors
from tests.forms import HOSTILE, Staged, text_of

MANIFEST = "ab" * 32
KEY = Ed25519PrivateKey.from_private_bytes(bytes(range(32)))
COUNTS = Counts(files=214, size=9_000_000, records=61_000, persons=20_000)


@pytest.fixture
def staged(actors: Actors) -> Staged:
    return Staged(actors)


@pytest.fixture
def delivery(staged: Staged) -> Delivery:
    """A released package that the recipient may download."""
    party, now = uuid.UUID(staged.parties["buyer"]), dt.datetime.now(dt.UTC)
    recipient = Recipient(
        id=new_id(),
        case_id=staged.id,
        party_id=party,
        person_id=uuid.UUID(staged.recipient.id),
        state="active",
        place="CN-31",
        created_by=uuid.UUID(staged.lead.id),
    )
    package = Package(
        id=new_id(),
        case_id=staged.id,
        number=f"{staged.reference}-P01",
        purpose="due_diligence",
        state="released",
        recipient_id=recipient.id,
        party_id=party,
        created_by=uuid.UUID(staged.lead.id),
        manifest_sha256=MANIFEST,
        receipt_key=sshsig.public_line(KEY.public_key().public_bytes_raw()),
        size=1000,
        file_count=COUNTS.files,
        content_size=COUNTS.size,
        records=COUNTS.records,
        persons=COUNTS.persons,
        exclusions={},
        record_set_ids=[],
    )
    row = Delivery(
        id=new_id(),
        case_id=staged.id,
        state="link_issued",
        kind="download",
        package_id=package.id,
        recipient_id=recipient.id,
        party_id=party,
        expires_at=now + dt.timedelta(hours=72),
        byte_budget=3999,
        bytes_reserved=1000,
    )
    staged.put(recipient, package, row)
    return row


def receipt(manifest: str = MANIFEST, counts: Counts = COUNTS, defects: tuple[Defect, ...] = ()) -> str:
    """What `handover package receipt` writes."""
    said = Statement(
        package="P", manifest_sha256=manifest, counts=counts, verified_at="2026-01-31T08:00:00Z", defects=list(defects)
    )
    statement = canonical.encode(said)
    return (statement + b"\n" + sshsig.sign(KEY, NAMESPACE, statement)).decode()


def give(staged: Staged, delivery: Delivery, text: str, *, pasted: bool = False) -> int:
    path = f"/my/{staged.reference}/receipt/{delivery.id}"
    # A browser sends the lines of a text area with CR LF.
    fields = {"receipt": text.replace("\n", "\r\n")} if pasted else {"receipt": ""}
    files = {"receipt_file": ("", b"") if pasted else ("receipt.txt", text.encode())}
    return staged.send(staged.recipient, path, files, **fields).status_code


@pytest.mark.parametrize("pasted", [True, False], ids=["pasted", "as a file"])
def test_a_receipt_of_the_command_line_is_taken_and_said_in_one_sentence(
    staged: Staged, delivery: Delivery, pasted: bool
) -> None:
    assert give(staged, delivery, receipt(), pasted=pasted) == 303
    for person in (staged.recipient, staged.buyer, staged.seller):
        said = text_of(staged.see(person, f"/my/{staged.reference}/receipt"))
        assert "214 files, 20,000 customers, exactly as agreed." in said
    page = staged.see(staged.lead, f"/cases/{staged.reference}/handover", language="zh")
    assert "214 个文件、20,000 名客户，与约定完全一致" in text_of(page)
    assert staged.logged("receipt.verified") == 1


def test_a_receipt_of_another_manifest_is_refused_and_says_so(staged: Staged, delivery: Delivery) -> None:
    path = f"/my/{staged.reference}/receipt/{delivery.id}"
    answer = staged.send(staged.recipient, path, {"receipt_file": ("r.txt", receipt("cd" * 32).encode())}, receipt="")
    assert answer.status_code >= 400
    assert "another manifest" in text_of(answer)
    assert staged.send(staged.recipient, path, {"receipt_file": ("", b"")}, receipt="").status_code == 422
    assert staged.row(Delivery, delivery.id).state == "link_issued"


def test_what_is_not_as_agreed_is_not_called_so(staged: Staged, delivery: Delivery) -> None:
    fewer = Counts(files=213, size=COUNTS.size, records=COUNTS.records, persons=COUNTS.persons)
    give(staged, delivery, receipt(counts=fewer, defects=(Defect(path="a.csv", defect="empty"),)))
    said = text_of(staged.see(staged.lead, f"/cases/{staged.reference}/handover"))
    assert "exactly as agreed." not in said
    assert "The recipient lists 1 defect." in said
    assert "a.csv" not in said


def test_both_signatories_accept_what_the_receipt_says(staged: Staged, delivery: Delivery) -> None:
    give(staged, delivery, receipt())
    page, path = f"/my/{staged.reference}/receipt", f"/move/delivery/{delivery.id}/accept"
    assert path not in staged.see(staged.recipient, page).text
    assert staged.send(staged.buyer, path, next=page).status_code == 303
    assert "You accepted." in text_of(staged.see(staged.buyer, page))
    assert staged.send(staged.buyer, path, next=page).status_code == 409
    assert staged.send(staged.seller, path, next=page).status_code == 303
    assert staged.row(Delivery, delivery.id).state == "accepted"
    assert "Both sides accepted." in text_of(staged.see(staged.seller, page))


def test_a_dispute_stops_the_acceptance_until_the_lead_settles_it(staged: Staged, delivery: Delivery) -> None:
    give(staged, delivery, receipt())
    page = f"/my/{staged.reference}/receipt"
    path = f"/move/delivery/{delivery.id}"
    assert staged.send(staged.buyer, f"{path}/dispute", next=page, reason="a file is empty").status_code == 303
    assert f"{path}/accept" not in staged.see(staged.buyer, page).text
    assert f"{path}/resolve" in staged.see(staged.lead, f"/cases/{staged.reference}/handover").text
    assert staged.send(staged.lead, f"{path}/resolve", next=page, reason="sent again").status_code == 303
    assert staged.row(Delivery, delivery.id).state == "opened"


def test_downloads_are_counted_in_whole_copies(staged: Staged, delivery: Delivery) -> None:
    assert "2 of 3" in text_of(staged.see(staged.auditor, f"/cases/{staged.reference}/handover"))


def test_a_bidder_sees_nothing_of_another_bidders_delivery(staged: Staged, delivery: Delivery) -> None:
    give(staged, delivery, receipt())
    said = text_of(staged.see(staged.rival, f"/my/{staged.reference}/receipt"))
    assert "Nothing is handed over yet" in said
    assert f"{staged.reference}-P01" not in said
    path = f"/my/{staged.reference}/receipt/{delivery.id}"
    assert staged.send(staged.rival, path, {"receipt_file": ("r", receipt().encode())}, receipt="").status_code == 404
    assert staged.see(staged.rival, f"/cases/{staged.reference}/handover").status_code == 404


class TestCustody:
    """An equity deal: three people confirm each row."""

    @pytest.fixture
    def equity(self, actors: Actors) -> Staged:
        staged = Staged(actors, "equity_transfer")
        staged.change(Party, staged.parties["buyer"], standing="won")
        return staged

    def item(self, staged: Staged, what: str = "CRM") -> str:
        list_page = f"/cases/{staged.reference}/handover"
        staged.send(staged.lead, f"{list_page}/custody")
        answer = staged.send(staged.lead, f"{list_page}/items", **self.fields(staged, what))
        assert answer.status_code == 303, text_of(answer)
        page = staged.see(staged.seller, f"/my/{staged.reference}/custody")
        return re.findall(r'/custody/([0-9a-f-]{36})"', page.text)[0]

    def fields(self, staged: Staged, what: str) -> dict[str, str]:
        people = {"handed_by": staged.seller.id, "received_by": staged.buyer.id, "witness": staged.witness.id}
        return {"kind": "account", "what": what, "at": "2026-01-31T14:30", **people}

    def test_each_of_the_three_confirms_and_then_both_sides_accept(self, equity: Staged) -> None:
        item = self.item(equity, HOSTILE)
        mine, inside = f"/my/{equity.reference}/custody", f"/cases/{equity.reference}/handover"
        row = equity.row(CustodyItem, item)
        assert row.at.astimezone(dt.UTC).isoformat() == "2026-01-31T06:30:00+00:00"
        assert HOSTILE in text_of(equity.see(equity.buyer, mine))
        assert "<script>alert" not in equity.see(equity.buyer, mine).text
        assert equity.send(equity.executor, f"{mine}/{item}").status_code == 403
        for person in (equity.seller, equity.buyer, equity.witness):
            assert f"/move/delivery/{row.delivery_id}/record_custody" not in equity.see(equity.lead, inside).text
            assert equity.send(person, f"{mine}/{item}").status_code == 303
        path = f"/move/delivery/{row.delivery_id}"
        assert equity.send(equity.lead, f"{path}/record_custody", next=inside).status_code == 303
        for person in (equity.buyer, equity.seller):
            assert f"{path}/accept_custody" in equity.see(person, mine).text
            assert equity.send(person, f"{path}/accept_custody", next=mine).status_code == 303
        assert equity.row(Delivery, row.delivery_id).state == "accepted"

    def test_two_people_are_not_three_and_the_form_keeps_what_was_typed(self, equity: Staged) -> None:
        self.item(equity)
        path = f"/cases/{equity.reference}/handover/items"
        fields = {**self.fields(equity, "the company seal"), "witness": equity.buyer.id}
        answer = equity.send(equity.lead, path, **fields)
        assert answer.status_code == 422
        assert 'value="the company seal"' in answer.text
        assert 'href="#f-witness"' in answer.text
        wrong = equity.send(equity.lead, path, **{**self.fields(equity, "seal"), "at": "soon"})
        assert 'href="#f-at"' in wrong.text

    def test_a_losing_bidder_sees_no_custody_row(self, equity: Staged) -> None:
        self.item(equity, "secret account")
        said = text_of(equity.see(equity.rival, f"/my/{equity.reference}/custody"))
        assert "secret account" not in said
        assert "There is no custody handover yet" in said

"""Documents on pages: who may have which, checked on demand, bundled for strangers, and a public check that tells nothing else."""

import datetime as dt
import io
import uuid
import zipfile
from hashlib import sha256

import pytest

from handover.attestations import service
from handover.attestations.facts import Facts
from handover.attestations.models import IssuedDocument
from handover.audit import AuditLog
from handover.audit.verify import verify_export
from handover.context import SYSTEM
from handover.crypto.note import parse_vkeys
from handover.documents.document import Document
from handover.documents.issue import issue
from handover.documents.verify import verify_pdf
from handover.i18n import Text
from handover.vault.signers import Signers
from tests.actors import Actors
from tests.desk.office import Office, text_of


@pytest.fixture
def office(actors: Actors) -> Office:
    return Office(actors)


def _issue(
    office: Office, *, party: str | None = None, entity: uuid.UUID | None = None, number: int = 1
) -> IssuedDocument:
    """A document of the case, sealed as always."""
    installation, settings = office.actors.installation, office.actors.settings
    case_id, entity = uuid.UUID(office.case["id"]), entity or uuid.uuid4()
    with installation.unit_of_work(SYSTEM) as ctx:
        document = Document(
            kind="inventory_report",
            number=f"INV-{office.reference}-{entity.hex[-6:].upper()}-{number}",
            issue=number,
            title=Text("清点报告", "Inventory report"),
            case=office.reference,
            structure="asset_transfer",
            state="inventory",
            issuer="agency Ltd",
            issuer_uscc=None,
            issued_at=dt.datetime.now(dt.UTC).replace(microsecond=0),
            facts={"records": 3},
            covered=[],
            gates=[],
            legal=[],
            signatories=[],
            not_proven=[],
            verification_url=f"{settings.public_url}/verify/X",
            checkpoint=ctx.get(AuditLog).checkpoint(ctx),
            demo=settings.demo,
        )
    issued = issue(document, installation.get(Signers).pdf, tsa_url=None)
    with installation.unit_of_work(SYSTEM) as ctx:
        party_id = uuid.UUID(office.parties[party]) if party else None
        row = service.store(ctx, document, Facts({}, party_id=party_id), issued, entity, case_id)
        ctx.session.expunge(row)
    return row


def test_every_party_sees_its_own_documents_and_bidders_nothing_of_others(office: Office) -> None:
    of_buyer, of_team = _issue(office, party="buyer"), _issue(office)
    for who, path, seen, unseen in (
        ("legal", "/cases/REF/documents", (of_buyer, of_team), ()),
        ("seller", "/my/REF/documents", (of_buyer, of_team), ()),
        ("buyer", "/my/REF/documents", (of_buyer,), (of_team,)),
        ("rival", "/my/REF/documents", (), (of_buyer, of_team)),
    ):
        shown = office.page(who, path).text
        assert all(row.number in shown for row in seen), who
        assert not any(row.number in shown for row in unseen), who
    assert "No document yet" in text_of(office.page("rival", "/my/REF/documents"))
    assert office.page("buyer", "/cases/REF/documents/bundle.zip").status_code == 404


def test_a_kept_document_is_verified_on_demand(office: Office) -> None:
    row = _issue(office)
    shown = text_of(office.page("legal", f"/cases/REF/documents?check={row.id}"))
    assert "Checked now: seal, content and facts hold" in shown
    other = Office(office.actors)
    assert "Checked now" not in text_of(other.page("legal", f"/cases/REF/documents?check={row.id}"))


def test_the_bundle_holds_everything_to_check_it_without_the_service(office: Office) -> None:
    row = _issue(office)
    answer = office.page("legal", "/cases/REF/documents/bundle.zip")
    assert answer.headers["content-type"] == "application/zip"
    with zipfile.ZipFile(io.BytesIO(answer.content)) as bundle:
        assert bundle.testzip() is None
        pdf = bundle.read(f"documents/{row.number}.pdf")
        assert sha256(pdf).hexdigest() == row.sha256
        assert sha256(bundle.read(f"documents/{row.number}.json")).hexdigest() == row.twin_sha256
        assert verify_pdf(pdf, ca_pem=bundle.read("trust/ca.pem")).number == row.number
        lines = bundle.read("audit/export.jsonl").splitlines(keepends=True)
        keys = parse_vkeys(bundle.read("trust/log.vkey").decode())
        verified = verify_export(lines, checkpoints=[bundle.read("audit/checkpoint.txt").decode()], keys=keys)
        assert verified.case == office.case["id"]
        assert verified.kept == (verified.size,)
        index = bundle.read("index.html").decode()
        assert {"trust/allowed_signers", "trust/mldsa65.pem"} <= set(bundle.namelist())
    assert f"handover verify documents/{row.number}.pdf --trust trust" in index
    assert "Project Pine" not in index


def test_anybody_learns_whether_number_and_fingerprint_belong_together_and_nothing_else(office: Office) -> None:
    entity = uuid.uuid4()
    old, new = _issue(office, entity=entity), _issue(office, entity=entity, number=2)
    client = office.actors.client
    client.cookies.clear()

    def asked(path: str) -> str:
        answer = client.get(path, headers={"Accept": "text/html", "Accept-Language": "en"})
        assert answer.status_code == 200
        for trace in ("Ltd", "Project Pine", "lead"):
            assert trace not in answer.text
        return text_of(answer)

    assert "issued exactly this file" in asked(f"/verify/{new.number}?sha256={new.sha256}")
    assert "only its fingerprint tells" in asked(f"/verify?number={new.number.lower()}")
    assert "Superseded" in asked(f"/verify?number={old.number}&sha256={old.sha256.upper()}")
    assert "do not belong together" in asked(f"/verify/{new.number}?sha256={old.sha256}")
    assert "issued no document" in asked("/verify/INV-NOTHING")
    assert "A fingerprint has 64" in asked(f"/verify/{new.number}?sha256=abc")
    assert "Valid" not in asked("/verify")

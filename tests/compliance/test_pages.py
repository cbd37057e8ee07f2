"""Pages of compliance: who sees them, forms that keep what was typed, numbers alone, and a bidder's own declaration."""

import html

import httpx
import pytest

from handover.audit.models import AuditEntry
from handover.compliance.models import SubjectEntry
from tests.actors import Actors
from tests.casework import HOSTILE, Scene, in_inventory, record_set, scene, work

BASE = "/cases/REF/consent"
NOTICES = "客户编号,送达结果,时间\nC-1,送达,2026-05-01T10:00:00+08:00\nC-2,nowhere,2026-05-01T10:00:00+08:00\n,送达,2026-05-01\n"


@pytest.fixture
def made(actors: Actors) -> Scene:
    return scene(actors, HOSTILE)


@pytest.mark.parametrize("path", ["", "/notice", "/import", "/withdrawal"])
def test_the_team_sees_the_pages_and_parties_get_404(made: Scene, path: str) -> None:
    for who in ("lead", "legal", "dpo"):
        assert made.page(who, BASE + path).status_code == 200, who
    for who in ("seller", "ceo", "buyer", "other"):
        assert made.page(who, BASE + path).status_code == 404, who


def test_legal_sets_a_basis_and_a_basis_outside_the_structure_takes_an_opinion(made: Scene) -> None:
    in_inventory(made)
    place = f"{BASE}/basis/{record_set(made)}"
    fields = {"basis": "art22_notice", "pipl13": "2", "purpose": HOSTILE, "purpose_unchanged": "true", "opinion": ""}
    refused = made.send("legal", place, fields)
    assert refused.status_code == 422
    assert 'href="#f-opinion"' in refused.text
    assert "&lt;script&gt;alert(1)" in refused.text
    assert made.send("lead", place, {**fields, "basis": "art23_separate_consent"}).status_code == 403
    kept = made.send("legal", place, {**fields, "basis": "art23_separate_consent", "retention_until": "2030-01-31"})
    assert kept.status_code == 303
    assert "compliance.basis_set" in made.events()
    shown = made.page("lead", place)
    assert "&lt;script&gt;alert(1)" in shown.text
    assert "2030-01-31" in made.page("lead", BASE).text


def test_a_date_that_is_none_is_said_beside_its_field(made: Scene) -> None:
    in_inventory(made)
    place = f"{BASE}/basis/{record_set(made)}"
    fields = {"basis": "art23_separate_consent", "pipl13": "2", "purpose": "warranty", "retention_until": "soon"}
    answer = made.send("legal", place, fields)
    assert answer.status_code == 422
    assert 'id="e-retention_until"' in answer.text
    assert "warranty" in answer.text


def test_a_notice_is_approved_and_completed_when_its_period_is_over(made: Scene) -> None:
    fields = {
        "recipient_party_id": made.parties["winner"],
        "basis": "art23_separate_consent",
        "zh": "告知",
        "en": HOSTILE,
    }
    assert made.send("lead", f"{BASE}/notice", fields).status_code == 403
    assert made.send("legal", f"{BASE}/notice", {**fields, "period_days": "1"}).status_code == 303
    running = made.page("dpo", BASE)
    assert "/complete" not in running.text
    assert HOSTILE not in running.text
    made.actors.clock.advance(days=1, minutes=1)
    for who in ("dpo", "lead"):
        made.people[who].log_in()
    (action,) = {
        part.split('"')[0] for part in made.page("dpo", BASE).text.split('action="')[1:] if "/complete" in part
    }
    assert made.send("dpo", action, {}).status_code == 303
    assert {"notice.started", "notice.completed"} <= set(made.events())


def test_an_import_lists_rejected_rows_by_number_and_never_shows_a_value(made: Scene) -> None:
    answer = _import(made, "dpo", NOTICES.encode())
    assert answer.status_code == 200
    assert "已采纳 1 行" in answer.text
    assert "已拒绝 2 行" in answer.text
    assert "nowhere" not in answer.text
    assert "C-1" not in answer.text
    ledger = made.page("lead", BASE)
    assert "C-1" not in ledger.text
    assert "compliance.subjects_imported" in made.events()


def test_a_file_without_the_header_is_refused_and_nothing_is_taken(made: Scene) -> None:
    answer = _import(made, "dpo", b"a,b\n1,2\n")
    assert answer.status_code == 422
    assert 'id="e-file"' in answer.text
    assert "compliance.subjects_imported" not in made.events()
    assert _import(made, "buyer", NOTICES.encode()).status_code == 404


def test_a_withdrawal_keeps_a_digest_alone(made: Scene) -> None:
    assert made.send("lead", f"{BASE}/withdrawal", {"subject_ref": "C-778899"}).status_code == 303
    with made.actors.installation.unit_of_work(made.lead.actor, write=False) as ctx:
        (entry,) = ctx.session.query(SubjectEntry).all()
        assert entry.consent == "withdrawn"
        assert not [e for e in ctx.session.query(AuditEntry) if "C-778899" in e.entry]
    assert "C-778899" not in made.page("lead", BASE).text


def test_a_bidder_who_lost_declares_and_no_other_bidder_sees_it(made: Scene) -> None:
    assert "目前无须您处理" in made.page("other", "/my/REF/declare").text
    answer = made.lead.post(f"parties/{made.parties['loser']}/standing", {"standing": "lost"})
    assert answer.status_code == 200, answer.text
    work(made)
    fields = {"kind": "destroyed", "copies": "many", "details": HOSTILE}
    again = made.send("other", "/my/REF/declare", fields)
    assert again.status_code == 422
    assert "&lt;script&gt;alert(1)" in again.text
    assert made.send("buyer", "/my/REF/declare", {**fields, "copies": "2"}).status_code == 404
    assert made.send("other", "/my/REF/declare", {**fields, "copies": "2"}).status_code == 303
    assert "您的声明已记录" in made.page("other", "/my/REF/declare").text
    assert "目前无须您处理" in made.page("buyer", "/my/REF/declare").text
    assert made.page("lead", "/my/REF/declare").status_code == 404
    assert "declaration.declared" in made.events()
    shown = made.page("legal", BASE).text
    assert "loser company" in shown
    assert HOSTILE in html.unescape(shown)
    assert HOSTILE not in shown


def _import(made: Scene, who: str, data: bytes) -> httpx.Response:
    return made.people[who].call(
        "POST",
        f"{BASE}/import".replace("REF", made.reference),
        data={"kind": "notices"},
        files={"file": ("n.csv", data, "text/csv")},
        headers={"Accept": "text/html"},
        follow_redirects=False,
    )

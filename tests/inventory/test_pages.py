"""The pages of records: the bulk bar, decisions per field, uploads with and without JavaScript, and the seller's approval."""

import base64
import html
import uuid
from typing import Any

import pytest

from handover.attestations.kinds import inventory_report
from handover.cases.models import Case
from handover.context import SYSTEM
from handover.inventory import pages_upload
from handover.inventory.classification import classification_of
from handover.inventory.models import Upload
from handover.inventory.queries import copy_plain, source_copy
from handover.vault import Vault
from tests.actors import Actors
from tests.casework import CSV, HOSTILE, Scene, in_inventory, record_set, scene, upload, work


@pytest.fixture
def made(actors: Actors) -> Scene:
    found = scene(actors)
    in_inventory(found)
    return found


def decisions(made: Scene, row: str) -> list[tuple[str | None, str]]:
    return [(f["need"], f["level"]) for f in made.lead.get(f"record-sets/{row}").json()["fields"]]


def all_required(fields: int = 3) -> dict[str, str]:
    return {f"need-{n}": "required" for n in range(fields)}


def test_records_are_shown_to_the_team_and_to_no_bidder(made: Scene) -> None:
    record_set(made)
    for path in ("/cases/REF/records", "/cases/REF/records/RS-01", "/cases/REF/records/RS-01/facts"):
        assert made.page("custodian", path).status_code == 200
        assert made.page("buyer", path).status_code == 404
    for path in ("/my/REF/upload", "/my/REF/confirm"):
        assert made.page("seller", path).status_code == 200
        assert made.page("buyer", path).status_code == 404
    assert made.page("lead", "/cases/REF/records/RS-99").status_code == 404


def test_a_record_set_shows_what_was_found_in_each_field_and_its_copies(made: Scene) -> None:
    row = record_set(made, title=HOSTILE)
    shown = made.page("custodian", f"/cases/REF/records/{row}").text
    assert HOSTILE in html.unescape(shown)
    assert "<script>alert" not in shown
    assert 'name="need-2"' in shown
    assert "手机" in shown


def test_decisions_are_taken_for_what_was_changed_and_nothing_else(made: Scene) -> None:
    row = record_set(made)
    before = decisions(made, row)
    path = "/cases/REF/records/RS-01/fields"
    assert made.send("custodian", path, {"need-1": "required", "level-1": "", "reason-1": ""}).status_code == 303
    assert decisions(made, row) == [before[0], ("required", before[1][1]), before[2]]
    nothing = made.send("custodian", path, {"need-1": "required"})
    assert nothing.status_code == 422
    lowered = made.send("custodian", path, {"level-1": "L1", "reason-1": "kept reason"})
    assert lowered.status_code == 403
    assert "kept reason" in lowered.text
    assert made.send("legal", path, {"level-1": "L1", "reason-1": "public numbers"}).status_code == 303
    assert "record_set.fields_decided" in made.events()


def test_the_bulk_bar_changes_all_chosen_sets_and_keeps_what_is_blank(made: Scene) -> None:
    rows = [record_set(made), record_set(made, "more.csv", "more")]
    fields = {"chosen": rows, "period": "2025", "system": "", "need": "required"}
    assert made.send("custodian", "/cases/REF/records", fields).status_code == 303
    for row in rows:
        view = made.lead.get(f"record-sets/{row}").json()
        assert (view["period"], view["system"], view["source_statement"]) == ("2025", "-", "collected by us")
        assert {need for need, _ in decisions(made, row)} == {"required"}
    assert made.send("custodian", "/cases/REF/records", {"chosen": rows, "trigger": "review"}).status_code == 303
    assert {made.lead.get(f"record-sets/{row}").json()["state"] for row in rows} == {"reviewed"}


def test_a_bulk_change_that_one_set_refuses_changes_none(made: Scene) -> None:
    ready, waiting = record_set(made), record_set(made, "more.csv", "more")
    made.send("custodian", "/cases/REF/records/RS-01/fields", all_required())
    answer = made.send("custodian", "/cases/REF/records", {"chosen": [ready, waiting], "trigger": "review"})
    assert answer.status_code == 409
    assert "INV-01" in answer.text
    assert "<p>RS-02: " in answer.text
    assert {made.lead.get(f"record-sets/{row}").json()["state"] for row in (ready, waiting)} == {"classified"}
    for fields in ({"period": "2025"}, {"chosen": ready}, {"chosen": ready, "trigger": "destroy"}):
        assert made.send("custodian", "/cases/REF/records", fields).status_code == 422


def test_an_upload_is_described_and_inspected(made: Scene) -> None:
    upload_id = upload(made, "seller", "客户.csv", CSV.encode())
    assert f"/upload/{upload_id}" in made.page("seller", "/my/REF/upload").text
    path = f"/my/REF/upload/{upload_id}"
    fields = {
        "kind": "customer_profile",
        "title": "clients",
        "owner_party_id": made.parties["seller"],
        "period": "2025",
    }
    wrong = made.send("seller", path, {**fields, "system": "CRM"})
    assert wrong.status_code == 422
    assert 'id="e-source_statement"' in wrong.text
    right = made.send("seller", path, {**fields, "system": "CRM", "source_statement": "ours"})
    assert right.status_code == 303
    assert "data-job" in made.page("custodian", "/cases/REF/records").text
    work(made)
    assert made.lead.get(f"record-sets?case_id={made.case_id}").json()[0]["state"] == "classified"
    assert made.page("custodian", path).status_code == 404


def plain(made: Scene, who: str, name: str, data: bytes, **more: Any) -> Any:
    return made.send(who, "/my/REF/upload", {"csrf_token": "x"}, files={"file": (name, data, "text/csv")}, **more)


def test_without_javascript_a_file_arrives_bit_for_bit(made: Scene) -> None:
    data = (CSV + "王五,13700137000,普通\n" * 500).encode()
    answer = plain(made, "seller", "客户.csv", data)
    assert answer.status_code == 303
    upload_id = answer.headers["location"].rsplit("/", 1)[1]
    with made.actors.installation.unit_of_work(SYSTEM, write=False) as ctx:
        row = ctx.session.get_one(Upload, uuid.UUID(upload_id))
        assert (row.state, row.size) == ("complete", len(data))
    body = {"upload_id": upload_id, "kind": "other", "title": "t", "source_statement": "s"}
    made_set = made.seller.post("record-sets", {**body, "owner_party_id": made.parties["seller"]}).json()["id"]
    work(made)
    with made.actors.installation.unit_of_work(SYSTEM, write=False) as ctx:
        kept = list(copy_plain(ctx, source_copy(ctx, uuid.UUID(made_set))))
    assert b"".join(kept) == data


def test_a_plain_upload_that_is_too_large_or_empty_leaves_nothing(made: Scene, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(pages_upload, "PLAIN_MAX", 2000)
    assert plain(made, "seller", "a.csv", b"x" * 2001).status_code == 413
    assert plain(made, "seller", "a.csv", b"").status_code == 422
    with made.actors.installation.unit_of_work(SYSTEM, write=False) as ctx:
        assert {row.state for row in ctx.session.query(Upload)} == {"removed"}


def test_a_plain_upload_of_a_foreign_page_or_a_bidder_is_refused_before_its_first_byte(made: Scene) -> None:
    client = made.actors.client
    client.cookies.set("__Host-handover", made.seller.token, domain="handover.example")
    path = f"/my/{made.reference}/upload"
    sent = {"files": {"file": ("a.csv", b"x", "text/csv")}, "follow_redirects": False}
    assert client.post(path, data={"csrf_token": "forged"}, **sent).status_code == 403
    right = {"csrf_token": made.seller.csrf_token}
    assert client.post(path, data=right, headers={"Origin": "https://evil.example"}, **sent).status_code == 403
    assert client.post(path, data=right, **sent).status_code == 303
    client.cookies.clear()
    assert plain(made, "buyer", "a.csv", b"x").status_code == 404
    with made.actors.installation.unit_of_work(SYSTEM, write=False) as ctx:
        assert len(list(ctx.session.query(Upload))) == 1


def test_an_upload_is_removed_from_its_page_and_then_unknown_to_its_client(made: Scene) -> None:
    upload_id = upload(made, "seller", "a.csv", b"x")
    assert made.send("seller", f"/my/REF/upload/{upload_id}/remove", {}).status_code == 303
    assert made.seller.call("HEAD", f"uploads/{upload_id}").status_code == 404


def test_the_seller_confirms_the_inventory_with_legal(made: Scene) -> None:
    record_set(made)
    shown = made.page("seller", "/my/REF/confirm").text
    assert 'aria-disabled="true"' in shown
    assert "G04" in shown
    made.send("custodian", "/cases/REF/records/RS-01/fields", all_required())
    row = made.lead.get(f"record-sets?case_id={made.case_id}").json()[0]["id"]
    made.move("custodian", "record-sets", row, "review")
    basis = {"basis": "art23_separate_consent", "pipl13": 2, "purpose": "p", "purpose_unchanged": True}
    basis = {**basis, "retention_until": "2030-01-01"}
    answer = made.legal.call("PUT", f"record-sets/{row}/basis", basis, headers={"If-Match": "*"})
    assert answer.status_code == 200, answer.text
    made.move("legal", "record-sets", row, "approve")
    action = f"/move/case/{made.case_id}/freeze_inventory"
    assert action in made.page("seller", "/my/REF/confirm").text
    assert action not in made.page("ceo", "/my/REF/confirm").text
    back = f"/my/{made.reference}/confirm"
    assert made.send("seller", action, {"next": back}).status_code == 303
    assert action not in made.page("seller", "/my/REF/confirm").text
    assert made.send("legal", action, {"next": "/"}).status_code == 303
    assert made.lead.get(f"cases/{made.case_id}").json()["state"] == "redaction"


def test_what_is_refused_on_its_way_leaves_no_segment(made: Scene) -> None:
    storage = made.actors.installation.get(Vault).storage
    before = set(storage.keys())
    meta = f"case_id {base64.b64encode(made.case_id.encode()).decode()},filename YS5jc3Y="
    tus = {"Tus-Resumable": "1.0.0", "Upload-Length": "10", "Upload-Metadata": meta}
    place = made.seller.call("POST", "uploads", headers=tus).headers["location"]
    headers = {"Tus-Resumable": "1.0.0", "Content-Type": "application/offset+octet-stream"}
    for offset, data, status in (("0", b"x" * 11, 413), ("5", b"x", 409), ("0", b"x" * 4, 204), ("0", b"x" * 4, 409)):
        answer = made.seller.call("PATCH", place, content=data, headers={**headers, "Upload-Offset": offset})
        assert answer.status_code == status
    assert len(set(storage.keys()) - before) == 1
    assert made.seller.call("HEAD", place).headers["upload-offset"] == "4"


def test_facts_are_corrected_until_approval(made: Scene) -> None:
    row = record_set(made)
    path = "/cases/REF/records/RS-01/facts"
    assert 'value="clients"' in made.page("custodian", path).text
    fields = {"title": "new title", "source_statement": "s", "period": "p", "system": "x", "subject_field": "姓名"}
    assert made.send("custodian", path, fields).status_code == 303
    view = made.lead.get(f"record-sets/{row}").json()
    assert (view["title"], view["subject_field"]) == ("new title", "姓名")
    assert made.send("custodian", path, {**fields, "title": ""}).status_code == 422


def test_fields_without_purpose_are_listed_on_the_page_and_in_the_report(made: Scene) -> None:
    """Excluded by a person, or a password that nobody claimed; what is required is not over-collected."""
    record_set(made, data="姓名,密码,备注\n张三,Geheim!23,好\n李四,Hidden#45,中\n")
    made.send("custodian", "/cases/REF/records/RS-01/fields", {"need-0": "required"})
    made.send("custodian", "/cases/REF/records/RS-01/fields", {"need-2": "excluded", "reason-2": "nobody reads it"})
    with made.actors.installation.unit_of_work(SYSTEM) as ctx:
        case = ctx.session.get_one(Case, uuid.UUID(made.case_id))
        classified = classification_of(ctx, case.id)
        facts = inventory_report.gather(ctx, case).facts
    assert {field.field: field.need for field in classified.without_purpose} == {"密码": None, "备注": "excluded"}
    assert classified.fields[0].field == "密码"
    assert [(row["field"], row["reason"]) for row in facts["over_collection"]] == [
        (field.field, field.reason or "") for field in classified.without_purpose
    ]
    assert {row["field"] for row in facts["classification"]} == {"姓名", "密码", "备注"}
    assert facts["processing"][0]["controller"] == "seller company"
    shown = html.unescape(made.page("legal", "/cases/REF/records/classification").text)
    part = shown[shown.index('id="over"') : shown.index('id="all"')]
    assert "密码" in part
    assert "nobody reads it" in part
    assert "姓名" not in part
    assert made.page("buyer", "/cases/REF/records/classification").status_code == 404

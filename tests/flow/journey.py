"""A whole transfer in which people try every step too early: each refusal is kept, then what was missing is done."""

import sqlite3
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from handover.archive.receipt import make_receipt
from handover.crypto.age import generate_identity
from handover.demo import records, stages
from handover.demo.cast import Cast, gather, open_case
from handover.demo.client import RefusedError
from handover.demo.server import Running


class Journey:
    """Who did what, and the problem details of every step that was blocked."""

    def __init__(self, server: Running, folder: Path) -> None:
        self.server, self.folder = server, folder
        self.cast: Cast = gather(server.address, server.admin)
        self.blocked: dict[str, list[dict[str, Any]]] = {}
        self.people = records.customers(120, 7)
        self.subjects = [person.number for person in self.people]
        self.runs: dict[str, str] = {}
        self.winner = self.identity = self.closing = ""
        self.exclusions: dict[str, int] = {}

    def refused(self, step: str, act: Callable[[], object]) -> None:
        """Does what must be blocked by gates; keeps the gates of the answer."""
        with pytest.raises(RefusedError) as caught:
            act()
        assert (caught.value.status, caught.value.code) == (409, "blocked"), caught.value
        self.blocked[step] = caught.value.problem["gates"]

    def move(self, who: str, collection: str, row: str, trigger: str) -> Callable[[], object]:
        return lambda: self.cast.people[who].move(collection, row, trigger)

    def case(self, who: str, trigger: str) -> Callable[[], object]:
        return self.move(who, "cases", self.cast.case_id, trigger)


def travel(journey: Journey) -> None:
    """From a draft to a closed case."""
    _open(journey)
    _inventory(journey)
    _redact(journey)
    _package(journey)
    _hand_over(journey)
    _destroy(journey)


def _open(j: Journey) -> None:
    j.cast.case = j.cast.lead.post("/cases", {"title": "too early", "structure": "asset_transfer"})
    j.refused("open", j.case("lead", "open"))
    open_case(j.cast, "asset_transfer")
    j.cast.lead.move("cases", j.cast.case_id, "open")
    j.refused("start_inventory", j.case("lead", "start_inventory"))
    stages.sign_ndas(j.cast)


def _inventory(j: Journey) -> None:
    j.refused("freeze_inventory", j.case("legal", "freeze_inventory"))
    files = records.write_all(j.people, j.folder / "input", 7)
    body = {
        "upload_id": j.cast.seller_admin.upload(j.cast.case_id, files[2]),
        "kind": "other",
        "title": "twice",
        "owner_party_id": j.cast.parties["seller"]["id"],
        "source_statement": "collected by the seller",
    }
    spare = j.cast.seller_admin.post("/record-sets", body)["id"]
    j.cast.custodian.wait(f"/record-sets/{spare}", "classified")
    j.refused("review", j.move("custodian", "record-sets", spare, "review"))
    row = j.cast.custodian.get(f"/record-sets/{spare}")
    decisions = [{"id": field["id"], "need": "required"} for field in row["fields"]]
    j.cast.custodian.change("PATCH", f"/record-sets/{spare}/fields", {"fields": decisions})
    j.cast.custodian.move("record-sets", spare, "review")
    j.refused("approve_record_set", j.move("legal", "record-sets", spare, "approve"))
    for who in ("legal", "seller_admin"):
        j.cast.people[who].move("record-sets", spare, "exclude", "the same file twice")
    stages.take_inventory(j.cast, files)


def _redact(j: Journey) -> None:
    j.refused("accept_redaction", j.case("legal", "accept_redaction"))
    run = j.cast.lead.post("/redactions", {"case_id": j.cast.case_id, "party_id": j.cast.parties["winner"]["id"]})
    j.cast.lead.move("redactions", run["id"], "queue")
    j.cast.legal.wait(f"/redactions/{run['id']}", "human_review")
    j.refused("accept_review", j.move("legal", "redactions", run["id"], "accept_review"))
    j.cast.legal.move("redactions", run["id"], "reject", "another plan")
    j.runs = stages.redact(j.cast, ["winner", "loser"])
    j.cast.legal.move("cases", j.cast.case_id, "accept_redaction")


def _package(j: Journey) -> None:
    cast = j.cast
    j.refused("packages_ready", j.case("lead", "packages_ready"))
    identity = generate_identity()
    body = {"case_id": cast.case_id, "party_id": cast.parties["loser"]["id"], "person_id": cast.loser_recipient.id}
    abroad = cast.lead.post("/recipients", {**body, "place": "US"})["id"]
    j.refused("submit_identity", j.move("loser_recipient", "recipients", abroad, "submit_identity"))
    draft = {
        "case_id": cast.case_id,
        "purpose": "due_diligence",
        "recipient_id": abroad,
        "redaction_id": j.runs["loser"],
    }
    package = cast.lead.post("/packages", draft)
    j.refused("build", j.move("lead", "packages", package["id"], "build"))
    cast.legal.move("recipients", abroad, "revoke", "the wrong place")
    j.winner, _ = stages.verify_recipient(cast, "recipient", "winner", identity, mistype=False)
    j.identity = identity
    cast.lead.move("cases", cast.case_id, "hold", "waiting for the bank")
    closing = {"case_id": cast.case_id, "purpose": "closing", "recipient_id": j.winner}
    j.closing = cast.lead.post("/packages", closing)["id"]
    j.refused("build_while_on_hold", j.move("lead", "packages", j.closing, "build"))
    cast.lead.move("cases", cast.case_id, "resume")


def _hand_over(j: Journey) -> None:
    cast, closing = j.cast, j.closing
    j.refused("build_without_undertaking", j.move("lead", "packages", closing, "build"))
    cast.lead.post(f"/parties/{cast.parties['winner']['id']}/standing", {"standing": "won"})
    stages.agree(cast, "undertaking", "winner", None, [("buyer", "winner")])
    cast.lead.move("packages", closing, "build")
    cast.lead.wait(f"/packages/{closing}", "attested", refuse=("failed",))
    cast.lead.move("cases", cast.case_id, "packages_ready")
    j.refused("start_handover", j.case("lead", "start_handover"))
    # Refusals in the file make the package stale; it is built again, and goes stale once more by one withdrawal.
    stages.tell_and_ask(cast, j.subjects)
    cast.lead.wait(f"/packages/{closing}", "stale")
    second = stages.build_package(cast, "closing", j.winner, None)
    cast.seller_admin.post("/consents/withdrawals", {"case_id": cast.case_id, "subject_ref": j.subjects[0]})
    cast.lead.wait(f"/packages/{second['id']}", "stale")
    package = stages.build_package(cast, "closing", j.winner, None)
    j.exclusions = package["exclusions"]
    stages.agree(
        cast,
        "closing_confirmation",
        "seller",
        "winner",
        [("seller_signatory", "seller"), ("buyer", "winner")],
        agreement="A",
        closing_date="B",
    )
    stages.approve_release(cast, package)
    _tamper(j, lambda: j.refused("start_handover_with_altered_log", j.case("lead", "start_handover")))
    cast.lead.move("cases", cast.case_id, "start_handover")
    j.refused("accept_handover", j.case("lead", "accept_handover"))
    delivery = stages.delivery_of(cast.recipient, cast.case_id, package["id"])
    target = j.folder / "closing.age"
    cast.recipient.download(f"/deliveries/{delivery['id']}/content", target)
    receipt = make_receipt(target, [j.identity]).decode()
    cast.recipient.post("/receipts", {"delivery_id": delivery["id"], "receipt": receipt})
    for who in ("buyer", "seller_signatory"):
        cast.people[who].move("deliveries", delivery["id"], "accept")
    cast.lead.move("cases", cast.case_id, "accept_handover")


def _tamper(j: Journey, act: Callable[[], object]) -> None:
    """Changes one stored log entry behind the service's back, and puts it right again."""
    database = sqlite3.connect(j.server.data_dir / "handover.db", timeout=20)
    (before,) = database.execute('SELECT entry FROM audit_entries WHERE "index" = 5').fetchone()
    altered = before.replace('"role":"', '"role":"x')
    if altered == before:
        altered = before.replace('"random":"', '"random":"0')
    for text in (altered, before):
        database.execute('UPDATE audit_entries SET entry = ? WHERE "index" = 5', (text,))
        database.commit()
        if text is altered:
            act()
    database.close()


def _destroy(j: Journey) -> None:
    cast = j.cast
    j.refused("close", j.case("lead", "close"))
    for _ in range(100):
        orders = cast.lead.get("/destruction-orders", case_id=cast.case_id)
        if orders:
            break
        time.sleep(0.1)
    hold = {"case_id": cast.case_id, "scope": "case", "reason": "a lawsuit", "review_on": "2027-01-01"}
    held = cast.legal.post("/legal-holds", hold)["id"]
    cast.legal.move("legal-holds", held, "activate")
    order = orders[0]["id"]
    assert cast.lead.post(f"/destruction-orders/{order}/check")["state"] == "blocked"
    options = cast.lead.get(f"/destruction-orders/{order}/transitions")
    assert any(option["trigger"] == "check" for option in options)
    for who in ("legal", "lead"):
        cast.people[who].move("legal-holds", held, "release", "settled")
    assert cast.lead.post(f"/destruction-orders/{order}/check")["state"] == "pending_approval"
    j.refused("approve_destruction", j.move("legal", "destruction-orders", order, "approve"))
    cast.lead.change(
        "PATCH", f"/destruction-orders/{order}", {"executor_id": cast.executor.id, "witness_id": cast.witness.id}
    )
    _keep_longer(
        j, lambda: j.refused("approve_while_retained", j.move("legal", "destruction-orders", order, "approve"))
    )
    for who in ("seller_signatory", "legal"):
        cast.people[who].move("destruction-orders", order, "approve")
    cast.lead.move("destruction-orders", order, "schedule")
    cast.executor.move("destruction-orders", order, "execute")
    cast.executor.wait(f"/destruction-orders/{order}", "executed")
    cast.witness.move("destruction-orders", order, "verify")
    cast.lead.wait(f"/destruction-orders/{order}", "closed", "closed_with_residual")


def _keep_longer(j: Journey, act: Callable[[], object]) -> None:
    row = next(r for r in j.cast.legal.get("/record-sets", case_id=j.cast.case_id) if r["state"] == "transferred")
    body = {"basis": "art23_separate_consent", "pipl13": 2, "purpose": "x", "purpose_unchanged": True}
    for until in ("2090-01-01", "2020-01-01"):
        j.cast.legal.change("PUT", f"/record-sets/{row['id']}/basis", {**body, "retention_until": until})
        if until == "2090-01-01":
            act()

"""The stages of a transfer as people live them: every act is one person's call to the HTTP API."""

import csv
import datetime as dt
import hmac
import io
import json
import tempfile
import time
from pathlib import Path
from typing import Any

from handover.archive.receipt import make_receipt
from handover.crypto.age import decrypt_bytes, recipient_of
from handover.crypto.safety_number import safety_number
from handover.crypto.trust import Trust
from handover.demo.cast import Cast
from handover.demo.client import Person, RefusedError
from handover.demo.records import consent_of

#: A pixel: what the demo uploads where a company's mandate is asked for.
_PIXEL = bytes.fromhex(
    "89504e470d0a1a0a0000000d49484452000000010000000108060000001f15c4890000000d49444154789c6360000002000001e221bc330000000049454e44ae426082"
)
_KINDS = {
    "客户资料": "customer_profile",
    "transactions": "transaction_history",
    "feedback": "service_feedback",
    "投诉": "complaint",
}
_NOTICE = {
    "zh": "我们拟将华星家电的客户服务业务转让给浦东智家服务有限公司。为继续提供保修和售后，需要提供您的客户资料、交易和服务记录。未经您单独同意，我们不会提供您的信息。",
    "en": "We plan to transfer the customer service business. To keep up warranty and service the buyer needs your customer profile, transactions and service records. Without your separate consent nothing about you is provided.",
}


def agree(
    cast: Cast,
    kind: str,
    party: str,
    other: str | None,
    signers: list[tuple[str, str | None]],
    only: tuple[str, ...] | None = None,
    **fields: str,
) -> str:
    """Drafts, reviews, sends and has everybody (or `only` these) sign; `signers` are (person, company they sign for)."""
    named = [
        {
            "person_id": cast.people[who].id,
            "party_id": cast.parties[company]["id"] if company else None,
            "capacity": "company" if company else "person",
        }
        for who, company in signers
    ]
    body = {
        "case_id": cast.case_id,
        "kind": kind,
        "party_id": cast.parties[party]["id"],
        "counterparty_id": cast.parties[other]["id"] if other else None,
        "fields": {"purpose": "评估和完成本次业务转让", **fields},
        "signers": named,
    }
    row = cast.lead.post("/agreements", body)
    cast.lead.move("agreements", row["id"], "submit")
    cast.legal.move("agreements", row["id"], "send")
    for who, company in signers:
        if only is None or who in only:
            sign(cast, cast.people[who], row["id"], company=company)
    return str(row["id"])


def sign(cast: Cast, person: Person, agreement_id: str, *, company: str | None) -> None:
    """One person reads the text and signs exactly it."""
    shown = person.get(f"/agreements/{agreement_id}")
    mandate = None
    if company:
        mandate = person.send(f"/cases/{cast.case_id}/scans/mandate", _PIXEL, "image/png")["id"]
    body = {"text_sha256": shown["text_sha256"], "typed_name": person.name, "intent": True, "mandate_id": mandate}
    person.post(f"/agreements/{agreement_id}/signatures", body)


def sign_ndas(cast: Cast, only: tuple[str, ...] | None = None) -> None:
    """NDAs of the team, the seller and every bidder; the entrustment of the agency. With `only`, others do not sign yet."""
    inside: list[tuple[str, str | None]] = [
        (who, None) for who in ("lead", "legal", "dpo", "custodian", "seller_admin", "executor", "witness")
    ]
    agree(cast, "nda", "seller", "agency", [*inside, ("seller_signatory", "seller")], only)
    people: list[tuple[str, str | None]]
    bidders = [("winner", "buyer", "recipient")]
    if "loser" in cast.parties:
        bidders.append(("loser", "loser", "loser_recipient"))
    for party, signatory, recipient in bidders:
        people = [(signatory, party), (recipient, None), ("seller_signatory", "seller")]
        agree(cast, "nda", party, "seller", people, only)
    if only is not None:
        return
    agree(
        cast,
        "entrustment",
        "seller",
        "agency",
        [("seller_signatory", "seller"), ("lead", "agency")],
        duration="至交接完成",
        manner="存储、检查、脱敏、加密打包、销毁",
        categories="客户资料、交易、反馈、投诉",
        measures="全程加密、双人复核、最小权限",
    )
    cast.lead.move("cases", cast.case_id, "start_inventory")


def take_inventory(cast: Cast, files: list[Path]) -> list[dict[str, Any]]:
    """The seller uploads, the custodian decides field by field, legal sets the basis; both freeze the list."""
    sets = [add_record_set(cast, path, cast.seller_admin.upload(cast.case_id, path)) for path in files]
    for row in sets:
        cast.custodian.wait(f"/record-sets/{row['id']}", "classified", refuse=("refused",))
    approve_inventory(cast, sets)
    return [cast.custodian.get(f"/record-sets/{row['id']}") for row in sets]


def add_record_set(cast: Cast, path: Path, upload_id: str) -> Any:
    """The seller says what an uploaded file is; its inspection begins."""
    body = {
        "upload_id": upload_id,
        "kind": next((kind for word, kind in _KINDS.items() if word in path.name), "other"),
        "title": path.stem,
        "owner_party_id": cast.parties["seller"]["id"],
        "source_statement": "由转让方在提供服务过程中直接收集",
        "period": "2024-01 – 2025-12",
        "system": "CRM / 工单系统",
    }
    return cast.seller_admin.post("/record-sets", body)


def approve_inventory(cast: Cast, sets: list[dict[str, Any]]) -> None:
    """Field by field, then the basis, then the whole list."""
    for row in sets:
        decide(cast, row["id"])
    today = dt.datetime.now(dt.UTC).date().isoformat()
    equity = cast.case["structure"] == "equity_transfer"
    for row in sets:
        body = {
            "basis": "no_transfer_same_controller" if equity else "art23_separate_consent",
            "pipl13": 2,
            "purpose": "售后服务与保修",
            "purpose_unchanged": True,
            "retention_until": today,
        }
        cast.legal.change("PUT", f"/record-sets/{row['id']}/basis", body)
        cast.custodian.move("record-sets", row["id"], "review")
        cast.legal.move("record-sets", row["id"], "approve")
    cast.legal.move("cases", cast.case_id, "freeze_inventory")
    cast.seller_admin.move("cases", cast.case_id, "freeze_inventory")


def decide(cast: Cast, record_set_id: str) -> None:
    """The custodian decides what of a record set is needed."""
    row = cast.custodian.get(f"/record-sets/{record_set_id}")
    if row["subject_field"] is None and row["format"] == "txt":
        cast.custodian.change("PATCH", f"/record-sets/{record_set_id}", {"subject_field": "text"})
    decisions = []
    for field in row["fields"]:
        drop = "bank_card" in field["kinds"] and field["name"] != "text" and "comment" not in field["name"]
        decision = {"id": field["id"], "need": "excluded" if drop else "required"}
        if drop:
            decision["reason"] = "售后服务不需要银行卡号"
        decisions.append(decision)
    cast.custodian.change("PATCH", f"/record-sets/{record_set_id}/fields", {"fields": decisions})


def redact(cast: Cast, bidders: list[str]) -> dict[str, str]:
    """A run for each bidder, side by side; a stricter plan where a gate asks for it. Returns run ids by bidder."""
    runs = {bidder: start_redaction(cast, bidder, 0) for bidder in bidders}
    for bidder in bidders:
        for strictness in (1, 2, None):
            if finish_redaction(cast, runs[bidder]):
                break
            if strictness is None:
                raise RuntimeError("no plan was strict enough")
            runs[bidder] = start_redaction(cast, bidder, strictness)
    return runs


def start_redaction(cast: Cast, bidder: str, strictness: int) -> str:
    """Makes a plan for a bidder and queues the run; returns its id."""
    run = cast.lead.post("/redactions", {"case_id": cast.case_id, "party_id": cast.parties[bidder]["id"]})
    plan = {key: _stricter(policy, strictness) for key, policy in run["plan"].items()}
    cast.lead.change("PUT", f"/redactions/{run['id']}/plan", {"plan": plan})
    cast.lead.move("redactions", run["id"], "queue")
    return str(run["id"])


def finish_redaction(cast: Cast, run_id: str) -> bool:
    """Legal samples, accepts and approves; False when the second scan asks for a stricter plan."""
    done = cast.legal.wait(f"/redactions/{run_id}", "human_review", refuse=("failed",))
    for item in done["items"]:
        if item["records_out"]:
            sampled = min(item["records_out"], 1000)
            body = {"record_set_id": item["record_set_id"], "sampled": sampled, "errors": 0}
            cast.legal.post(f"/redactions/{run_id}/review", body)
    cast.legal.move("redactions", run_id, "accept_review")
    _wait_for_residual(cast, run_id)
    try:
        cast.legal.move("redactions", run_id, "approve")
    except RefusedError as error:
        if error.code != "blocked":
            raise
        cast.legal.move("redactions", run_id, "reject", "残留或分组过小，改用更严格方案")
        return False
    return True


def _wait_for_residual(cast: Cast, redaction_id: str) -> None:
    for _ in range(2400):
        row = cast.legal.get(f"/redactions/{redaction_id}")
        if all(item["residual"] is not None for item in row["items"]):
            return
        time.sleep(0.1)
    raise RuntimeError("the residual check did not end")


def _stricter(policy: dict[str, Any], strictness: int) -> dict[str, Any]:
    """A birthday says too much from the start; then nothing is generalised, then every hit goes."""
    fields = {
        name: {**rule, "action": "drop"}
        if rule["kind"] == "birth_date" or (strictness and rule["action"] == "generalise") or strictness > 1
        else rule
        for name, rule in policy["fields"].items()
    }
    kinds = policy["kinds"] if not strictness else dict.fromkeys(policy["kinds"], "drop")
    return {**policy, "fields": fields, "kinds": kinds}


def verify_recipient(
    cast: Cast, who: str, party: str, identity: str, *, mistype: bool, spare: str | None = None
) -> tuple[str, str | None]:
    """Identity, key, proof of possession, and the comparison by two people of two sides.

    With `mistype` the first comparison has a wrong digit: the key is refused, and `spare` is the new key.
    Returns the recipient's id and the refusal that was seen.
    """
    person = cast.people[who]
    body = {"case_id": cast.case_id, "party_id": cast.parties[party]["id"], "person_id": person.id, "place": "CN-31"}
    row = cast.lead.post("/recipients", body)
    mandate = person.send(f"/cases/{cast.case_id}/scans/mandate", _PIXEL, "image/png")["id"]
    papers = {
        "document": "居民身份证",
        "employer": "已核对在职证明",
        "checked_against": "视频核验",
        "mandate_id": mandate,
    }
    person.post(f"/recipients/{row['id']}/identity", papers)
    person.move("recipients", row["id"], "submit_identity")
    cast.lead.move("recipients", row["id"], "verify_identity")
    cast.legal.move("recipients", row["id"], "verify_identity")
    refusal = None
    for identity_text, wrong in ((identity, mistype), (spare or identity, False)):
        _prove_key(person, row["id"], identity_text)
        number = safety_number(recipient_of(identity_text), cast.case["reference"], person.id).groups
        typed = [f"{(int(number[0]) + 1) % 100000:05d}", *number[1:]] if wrong else list(number)
        try:
            cast.lead.post(
                f"/recipients/{row['id']}/verifications",
                {"groups": " ".join(typed), "channel": "电话回拨（工商登记号码）"},
            )
        except RefusedError as error:
            refusal = error.code
            continue
        other = cast.buyer if party in {"winner", "target"} else cast.loser
        cast_side = cast.seller_signatory if party == "target" else other
        cast_side.post(f"/recipients/{row['id']}/verifications", {"groups": " ".join(number), "channel": "当面"})
        break
    cast.lead.wait(f"/recipients/{row['id']}", "active")
    return str(row["id"]), refusal


def _prove_key(person: Person, recipient_id: str, identity: str) -> None:
    asked = person.post(f"/recipients/{recipient_id}/keys", {"recipient": recipient_of(identity)})
    opened = json.loads(decrypt_bytes(asked["challenge"].encode(), [identity]))
    answer = hmac.digest(bytes.fromhex(opened["secret"]), opened["context"].encode(), "sha256").hex()
    person.post(f"/recipients/{recipient_id}/keys/{asked['key_id']}/proof", {"answer": answer})


def build_package(cast: Cast, purpose: str, recipient_id: str, redaction_id: str | None) -> dict[str, Any]:
    body = {"case_id": cast.case_id, "purpose": purpose, "recipient_id": recipient_id, "redaction_id": redaction_id}
    row = cast.lead.post("/packages", body)
    cast.lead.move("packages", row["id"], "build")
    done: dict[str, Any] = cast.lead.wait(f"/packages/{row['id']}", "attested", refuse=("failed", "stale"))
    return done


def approve_release(cast: Cast, package: dict[str, Any]) -> str:
    """Two persons approve the final manifest; the first one trying twice is refused. Returns that refusal."""
    cast.lead.move("packages", package["id"], "request_release")
    cast.seller_signatory.move("packages", package["id"], "approve")
    refusal = ""
    try:
        cast.seller_signatory.move("packages", package["id"], "approve")
    except RefusedError as error:
        refusal = error.code
    cast.legal.move("packages", package["id"], "approve")
    return refusal


def delivery_of(person: Person, case_id: str, package_id: str) -> dict[str, Any]:
    """The delivery of a package, once the worker opened it."""
    for _ in range(600):
        for row in person.get("/deliveries", case_id=case_id):
            if row["package_id"] == package_id and row["state"] != "created":
                found: dict[str, Any] = row
                return found
        time.sleep(0.1)
    raise RuntimeError("the delivery did not open")


def tell_and_ask(cast: Cast, subjects: list[str]) -> dict[str, int]:
    """The notice to all customers, and what they answered: most agree, some refuse, some stay silent."""
    body = {
        "case_id": cast.case_id,
        "basis": "art23_separate_consent",
        "recipient_party_id": cast.parties["winner"]["id"],
        **_NOTICE,
    }
    notice = cast.legal.post("/notices", body)
    now = dt.datetime.now(dt.UTC).isoformat(timespec="seconds")
    told, answered = io.StringIO(newline=""), io.StringIO(newline="")
    tell, answer = csv.writer(told), csv.writer(answered)
    tell.writerow(["客户编号", "结果", "渠道", "时间"])
    answer.writerow(["subject_ref", "decision", "channel", "at", "text_sha256", "recipient", "sensitive", "guardian"])
    counts = {"granted": 0, "refused": 0, "no_response": 0}
    for position, subject in enumerate(subjects, 1):
        tell.writerow([subject, "送达" if position % 50 else "公告", "短信", now])
        decision = consent_of(position)
        counts[decision] += 1
        if decision != "no_response":
            answer.writerow(
                [subject, decision, "sms", now, notice["text_sha256"], cast.parties["winner"]["id"], "yes", "no"]
            )
    for kind, text in (("notices", told), ("consents", answered)):
        data = text.getvalue().encode()
        done = cast.seller_admin.send("/consents/imports", data, "text/csv", case_id=cast.case_id, kind=kind)
        if done["rejected"]:
            raise RuntimeError(f"{done['rejected']} rows of {kind} were rejected: {done['rejected_rows'][:3]}")
    cast.dpo.post(f"/notices/{notice['id']}/complete")
    return counts


def receive(cast: Cast, package_id: str, identity: str, trust: Trust) -> None:
    """The buyer downloads, opens and receipts a package; both sides accept, and the handover ends."""
    delivery = delivery_of(cast.recipient, cast.case_id, package_id)
    with tempfile.TemporaryDirectory() as folder:
        target = Path(folder) / "package.age"
        cast.recipient.download(f"/deliveries/{delivery['id']}/content", target)
        receipt = make_receipt(target, [identity], trust=trust).decode()
    cast.recipient.post("/receipts", {"delivery_id": delivery["id"], "receipt": receipt})
    cast.buyer.move("deliveries", delivery["id"], "accept")
    cast.seller_signatory.move("deliveries", delivery["id"], "accept")
    cast.lead.move("cases", cast.case_id, "accept_handover")


def prepare_destruction(cast: Cast) -> dict[str, Any]:
    """The order that the handover drafted, with its people named, ready to be approved."""
    for _ in range(600):
        orders = cast.lead.get("/destruction-orders", case_id=cast.case_id)
        if orders:
            break
        time.sleep(0.1)
    order = orders[0]
    people = {"executor_id": cast.executor.id, "witness_id": cast.witness.id}
    cast.lead.change("PATCH", f"/destruction-orders/{order['id']}", people)
    checked = cast.lead.post(f"/destruction-orders/{order['id']}/check")
    if checked["state"] != "pending_approval":
        raise RuntimeError(f"the destruction order is {checked['state']}")
    found: dict[str, Any] = order
    return found


def destroy(cast: Cast) -> dict[str, Any]:
    """Named people, two approvals, execution, witness, certificate."""
    order = prepare_destruction(cast)
    cast.seller_signatory.move("destruction-orders", order["id"], "approve")
    cast.legal.move("destruction-orders", order["id"], "approve")
    cast.lead.move("destruction-orders", order["id"], "schedule")
    cast.executor.move("destruction-orders", order["id"], "execute")
    cast.executor.wait(f"/destruction-orders/{order['id']}", "executed", refuse=("partially_executed",))
    cast.witness.move("destruction-orders", order["id"], "verify")
    closed = ("closed", "closed_with_residual")
    done: dict[str, Any] = cast.lead.wait(f"/destruction-orders/{order['id']}", *closed)
    return done

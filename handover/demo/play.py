"""The whole transfer, act by act: an asset deal with two bidders, or an equity deal that moves no data."""

import datetime as dt
import shutil
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from handover.archive.errors import ArchiveError
from handover.archive.open import open_package
from handover.archive.receipt import make_receipt
from handover.crypto.age import generate_identity
from handover.crypto.errors import CryptoError
from handover.crypto.trust import load_trust
from handover.demo import stages
from handover.demo.cast import Cast, gather, open_case
from handover.demo.server import Running


@dataclass(slots=True)
class Stage:
    """One finished stage; seconds are of the wall clock."""

    name: str
    state: str
    seconds: float


@dataclass(slots=True)
class Check:
    """One thing that was verified, and by which tool."""

    name: str
    tool: str
    result: str


@dataclass(slots=True)
class Story:
    """What the play leaves behind for the checks and the output."""

    out: Path
    files: list[Path]
    subjects: list[str]
    structure: str
    say: Callable[[str], None]
    stages: list[Stage] = field(default_factory=list)
    checks: list[Check] = field(default_factory=list)
    identity: str = ""
    loser_identity: str = ""
    excluded: dict[str, int] = field(default_factory=dict)
    opened: Path | None = None
    early_checkpoint: str = ""
    cast: Cast | None = None

    @contextmanager
    def stage(self, name: str) -> Iterator[None]:
        """Times a stage and notes the case's state when it ends."""
        self.say(name)
        started = time.monotonic()
        yield
        state = self.cast.lead.get(f"/cases/{self.cast.case_id}")["state"] if self.cast and self.cast.case else "-"
        self.stages.append(Stage(name, state, round(time.monotonic() - started, 2)))

    def check(self, name: str, tool: str, ok: bool) -> None:
        self.checks.append(Check(name, tool, "PASS" if ok else "FAIL"))


def play(story: Story, server: Running) -> None:
    """Plays the transfer of the story's structure to its closed state."""
    with story.stage("人员登记 People enrol"):
        story.cast = gather(server.address, server.admin)
    cast = story.cast
    with story.stage("签署保密协议 NDA signing"):
        open_case(cast, story.structure)
        cast.lead.move("cases", cast.case_id, "open")
        stages.sign_ndas(cast)
    with story.stage("清点 Inventory"):
        stages.take_inventory(cast, story.files)
    story.early_checkpoint = cast.legal.get("/audit/checkpoint")["checkpoint"]
    with story.stage("脱敏 Redaction"):
        runs = stages.redact(cast, [bidder for bidder in ("winner", "loser") if bidder in cast.parties])
        cast.legal.move("cases", cast.case_id, "accept_redaction")
    if story.structure == "equity_transfer":
        _custody(story, cast)
    else:
        _packages(story, server, cast, runs)
    with story.stage("销毁 Destruction"):
        stages.destroy(cast)
    with story.stage("结项 Closing"):
        cast.lead.move("cases", cast.case_id, "close")
        cast.legal.move("cases", cast.case_id, "close")
        wait_for_documents(cast)


def _packages(story: Story, server: Running, cast: Cast, runs: dict[str, str]) -> None:
    trust = load_trust(server.data_dir / "trust")
    first, story.identity, story.loser_identity = (generate_identity() for _ in range(3))
    with story.stage("接收方核验 Recipient verification"):
        winner, refusal = stages.verify_recipient(
            cast, "recipient", "winner", first, mistype=True, spare=story.identity
        )
        story.check("a mistyped safety number is refused", "handover API", refusal == "safety_number_mismatch")
        loser, _ = stages.verify_recipient(cast, "loser_recipient", "loser", story.loser_identity, mistype=False)
    folder = story.out / "package"
    folder.mkdir(parents=True, exist_ok=True)
    with story.stage("尽调数据包 Due-diligence packages"):
        for party, recipient, identity, who, name in (
            ("winner", winner, story.identity, "recipient", "due_diligence"),
            ("loser", loser, story.loser_identity, "loser_recipient", "losing_bidder"),
        ):
            package = stages.build_package(cast, "due_diligence", recipient, runs[party])
            refused = stages.approve_release(cast, package)
            if party == "winner":
                story.check(
                    "a second approval by the same person is refused", "handover API", refused == "approval_refused"
                )
            cast.lead.move("packages", package["id"], "release")
            delivery = stages.delivery_of(cast.people[who], cast.case_id, package["id"])
            target = folder / f"{name}.age"
            cast.people[who].download(f"/deliveries/{delivery['id']}/content", target)
            receipt = make_receipt(target, [identity], trust=trust).decode()
            cast.people[who].post("/receipts", {"delivery_id": delivery["id"], "receipt": receipt})
    with story.stage("定标与告知同意 Decision, notice and consent"):
        cast.lead.post(f"/parties/{cast.parties['winner']['id']}/standing", {"standing": "won"})
        cast.lead.post(f"/parties/{cast.parties['loser']['id']}/standing", {"standing": "lost"})
        stages.tell_and_ask(cast, story.subjects)
        close_the_deal(cast)
        loser_declares(cast)
    with story.stage("交割数据包 Closing package"):
        package = stages.build_package(cast, "closing", winner, None)
        story.excluded = package["exclusions"]
        cast.lead.move("cases", cast.case_id, "packages_ready")
        stages.approve_release(cast, package)
    with story.stage("交接 Handover"):
        cast.lead.move("cases", cast.case_id, "start_handover")
        delivery = stages.delivery_of(cast.recipient, cast.case_id, package["id"])
        target = folder / "closing.age"
        cast.recipient.download(
            f"/deliveries/{delivery['id']}/content", target, cut_after=min(1 << 20, package["size"] // 2)
        )
        _tampered(story, target, trust)
        story.opened = story.out / "buyer" / "opened"
        open_package(target, [story.identity], story.opened, trust=trust)
        receipt = make_receipt(target, [story.identity], trust=trust).decode()
        cast.recipient.post("/receipts", {"delivery_id": delivery["id"], "receipt": receipt})
        cast.buyer.move("deliveries", delivery["id"], "accept")
        cast.seller_signatory.move("deliveries", delivery["id"], "accept")
        cast.lead.move("cases", cast.case_id, "accept_handover")


def close_the_deal(cast: Cast) -> None:
    """The buyer undertakes to keep to the terms; both sides confirm the closing."""
    stages.agree(cast, "undertaking", "winner", None, [("buyer", "winner")])
    stages.agree(
        cast,
        "closing_confirmation",
        "seller",
        "winner",
        [("seller_signatory", "seller"), ("buyer", "winner")],
        agreement="业务转让协议 DEMO-001",
        closing_date=dt.datetime.now(dt.UTC).date().isoformat(),
    )


def loser_declares(cast: Cast) -> None:
    """The losing bidder says what became of what they had, once they are asked."""
    for _ in range(600):
        asked = cast.loser.get("/declarations", case_id=cast.case_id)
        if asked:
            break
        time.sleep(0.1)
    body = {"kind": "destroyed", "copies": 1, "details": "已删除下载的尽调数据包及解密副本，无备份"}
    cast.loser.post(f"/declarations/{asked[0]['id']}/declare", body)


def _tampered(story: Story, target: Path, trust: Any) -> None:
    """One byte of a downloaded copy is changed: opening it must fail and leave nothing."""
    copy, nowhere = story.out / "tampered.age", story.out / "tampered"
    shutil.copyfile(target, copy)
    with copy.open("r+b") as file:
        file.seek(target.stat().st_size // 2)
        byte = file.read(1)
        file.seek(-1, 1)
        file.write(bytes([byte[0] ^ 1]))
    try:
        open_package(copy, [story.identity], nowhere, trust=trust)
        found = False
    except (ArchiveError, CryptoError):
        found = True
    story.check(
        "a tampered download is detected and leaves nothing", "handover package open", found and not nowhere.exists()
    )
    copy.unlink()


def _custody(story: Story, cast: Cast) -> None:
    """An equity deal: accounts and keys change hands before a witness, no record moves."""
    with story.stage("权限移交 Custody handover"):
        cast.lead.move("cases", cast.case_id, "packages_ready")
        cast.lead.post(f"/parties/{cast.parties['winner']['id']}/standing", {"standing": "won"})
        close_the_deal(cast)
        cast.lead.move("cases", cast.case_id, "start_handover")
        delivery = cast.lead.post("/deliveries", {"case_id": cast.case_id, "kind": "custody"})
        now = dt.datetime.now(dt.UTC).isoformat(timespec="seconds")
        for kind, what in (
            ("account", "CRM 管理员账号（已更换密码）"),
            ("key", "加密归档的密钥已轮换"),
            ("archive", "2024–2025 工单归档目录"),
            ("phone_number", "400 客服电话绑定"),
        ):
            body = {
                "kind": kind,
                "what": what,
                "handed_by": cast.seller_admin.id,
                "received_by": cast.buyer.id,
                "witness": cast.witness.id,
                "at": now,
            }
            item = cast.lead.post(f"/deliveries/{delivery['id']}/custody-items", body)
            for person in (cast.seller_admin, cast.buyer, cast.witness):
                person.post(f"/deliveries/{delivery['id']}/custody-items/{item['id']}/confirm")
        cast.lead.move("deliveries", delivery["id"], "record_custody")
        cast.buyer.move("deliveries", delivery["id"], "accept_custody")
        cast.seller_signatory.move("deliveries", delivery["id"], "accept_custody")
        cast.lead.move("cases", cast.case_id, "accept_handover")


def wait_for_documents(cast: Cast) -> None:
    """Returns when no background work of the case is left.

    Raises:
        RuntimeError: a job failed for good, or it took two minutes.
    """
    for _ in range(1200):
        jobs = cast.legal.get("/jobs", case_id=cast.case_id)
        if not any(job["state"] in {"queued", "leased"} for job in jobs):
            dead = [job for job in jobs if job["state"] == "dead"]
            if dead:
                raise RuntimeError(f"job {dead[0]['kind']} failed: {dead[0]['error_code']}")
            return
        time.sleep(0.1)
    raise RuntimeError("background work of the case did not end")

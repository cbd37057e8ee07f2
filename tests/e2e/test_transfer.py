"""One whole transfer, played by seven people in real browsers, three of them reading Chinese and four English.

From the NDA to the destruction certificate; the key is made and the package is decrypted in the recipient's browser, and
what comes out equals what went in.
"""

import csv
import datetime as dt
import re
import zipfile
from pathlib import Path
from typing import Any

import pytest
from playwright.sync_api import Browser

from handover.demo.cast import USCC
from tests.e2e.humans import Human
from tests.e2e.watching import Site

PASSPHRASE = "seven words nobody guesses 测试"
NAMES = {
    "lead": ("陈思远", "zh"),
    "legal": ("Grace Li", "en"),
    "custodian": ("周桂兰", "zh"),
    "seller": ("张䶮", "zh"),
    "buyer": ("Olivia O'Brien", "en"),
    "recipient": ("Noah Chen", "en"),
    "witness": ("Liam Wong", "en"),
}
COMPANIES = {"agency": "加信转让顾问有限公司", "seller": "上海华星家电服务有限公司", "buyer": "浦东智家服务有限公司"}
CUSTOMERS = [f"C{number:05d}" for number in range(1, 61)]
#: Who did not agree; nothing of them may arrive.
REFUSED = set(CUSTOMERS[::20])


class Play:
    """The stage: people by name, and the case that they work on."""

    def __init__(self, browser: Browser, site: Site, folder: Path) -> None:
        self.browser, self.site, self.folder = browser, site, folder
        self.people: dict[str, Human] = {}
        self.reference = ""
        self.source = folder / "服务记录.csv"
        self.mandate = folder / "mandate.png"

    def __getattr__(self, name: str) -> Human:
        return self.people[name]

    @property
    def case(self) -> str:
        return f"/cases/{self.reference}"

    @property
    def my(self) -> str:
        return f"/my/{self.reference}"

    def enter(self, who: str, link: str, code: str) -> None:
        name, language = NAMES[who]
        phone = {"viewport": {"width": 390, "height": 844}} if who in {"seller", "buyer"} else {}
        self.people[who] = Human(self.browser, self.site, name, language, **phone)
        self.people[who].enrol(link, code)

    def invited(self, by: Human) -> tuple[str, str]:
        """Link and code as the page shows them, once."""
        link = re.search(r"https?://\S+/p/[A-Za-z0-9_-]+", by.page.inner_text("main"))
        code = next(t for t in by.page.locator("code").all_inner_texts() if t.replace(" ", "").isdigit())
        assert link
        return link.group(), code.replace(" ", "")


@pytest.mark.timeout(540)
def test_seven_people_carry_a_transfer_through(browser: Browser, empty_site: Site, tmp_path: Path, pixel: Path) -> None:
    play = Play(browser, empty_site, tmp_path)
    play.mandate = pixel
    _records(play.source)
    _enter(play)
    _open_case(play)
    _sign_ndas(play)
    _inventory(play)
    _redaction(play)
    _recipient(play)
    _closing(play)
    package = _package(play)
    _hand_over(play, package)
    _destroy(play)
    wrongs = [wrong for person in play.people.values() for wrong in person.wrongs]
    for person in play.people.values():
        person.close()
    assert wrongs == [], "\n".join(wrongs)


def _records(path: Path) -> None:
    with path.open("w", newline="", encoding="utf-8") as file:
        rows = csv.writer(file)
        rows.writerow(["客户编号", "服务", "备注"])
        rows.writerows([number, "空调维修", f"第{at}次上门，客户满意"] for at, number in enumerate(CUSTOMERS, 1))


def _enter(play: Play) -> None:
    admin = Human(play.browser, play.site, "平台管理员", "zh")
    admin.enrol(play.site.invitation["link"], play.site.invitation["code"])
    name, language = NAMES["lead"]
    admin.visit("/admin/people/invite")
    admin.page.check("#role-consultant")
    admin.fill(admin.form("/invite"), name=name, email="lead@agency.example", language=language)
    play.enter("lead", *play.invited(admin))
    admin.close()


def _open_case(play: Play) -> None:
    lead = play.lead
    lead.send("/cases/new", "/cases/new", title="华星家电客户服务业务转让", structure="asset_transfer")
    play.reference = lead.page.url.rpartition("/")[2].partition("?")[0]
    for side, name in COMPANIES.items():
        code = {"seller": USCC["seller"], "buyer": USCC["winner"], "agency": ""}[side]
        lead.send(f"{play.case}/parties/add", "", side=side, name=name, uscc=code)
    roles = [
        ("legal", "legal", None),
        ("custodian", "custodian", None),
        ("seller", "seller_admin", "seller"),
        ("buyer", "buyer_admin", "buyer"),
        ("recipient", "recipient", "buyer"),
        ("witness", "witness", None),
    ]
    for who, role, party in roles:
        name, language = NAMES[who]
        lead.visit(f"{play.case}/parties/invite")
        place = _place(lead, role, party)
        lead.fill(lead.form(""), name=name, email=f"{who}@people.example", place=place, language=language)
        play.enter(who, *play.invited(lead))
    more = [
        ("legal", "dpo", None),
        ("legal", "security_officer", None),
        ("custodian", "destruction_executor", None),
        ("seller", "seller_signatory", "seller"),
        ("buyer", "buyer_signatory", "buyer"),
    ]
    for who, role, party in more:
        lead.visit(f"{play.case}/parties/member")
        person = _option(lead, "person_id", NAMES[who][0])
        lead.fill(lead.form(""), person_id=person, place=_place(lead, role, party))
    for who in ("lead", "legal"):
        play.people[who].send(f"{play.case}/parties", "/conflict", clean="yes")
    lead.move(play.case, "open")


def _place(lead: Human, role: str, party: str | None) -> str:
    """The choice of a role, for a company where the role is held for one."""
    options = lead.page.locator("select[name=place] option").evaluate_all(
        "all => all.map(o => [o.value, o.textContent])"
    )
    fitting = [v for v, text in options if v.partition(":")[0] == role and (party is None or COMPANIES[party] in text)]
    assert fitting, (role, party, options)
    return str(fitting[0])


def _option(person: Human, field: str, text: str) -> str:
    options = person.page.locator(f"select[name={field}] option").evaluate_all(
        "all => all.map(o => [o.value, o.textContent])"
    )
    return str(next(value for value, shown in options if text in shown))


def _agree(
    play: Play, kind: str, first: str, second: str | None, signers: list[tuple[str, str | None]], **fields: Any
) -> None:
    """Drafts, reviews and sends one agreement; everybody reads and signs it."""
    lead, legal = play.lead, play.legal
    lead.visit(f"{play.case}/nda/new/{kind}")
    for who, company in signers:
        row = lead.page.locator(".field", has_text=NAMES[who][0]).locator("select[name=signers]")
        if company is None:
            row.select_option(index=1)
        else:
            value = next(o for o in row.locator("option").all() if COMPANIES[company] in o.inner_text())
            row.select_option(value.get_attribute("value"))
    fields["party_id"] = _option(lead, "party_id", COMPANIES[first])
    fields["counterparty_id"] = _option(lead, "counterparty_id", COMPANIES[second]) if second else ""
    lead.fill(lead.form(""), **fields)
    place = lead.page.url.removeprefix(play.site.address).partition("?")[0]
    agreement = place.rpartition("/")[2]
    lead.move(place, "submit")
    legal.move(place, "send")
    for who, company in signers:
        _sign(play, play.people[who], agreement, as_company=company is not None)


def _sign(play: Play, person: Human, agreement: str, *, as_company: bool) -> None:
    person.visit(f"{play.my}/nda?agreement={agreement}")
    if as_company and person.page.locator("main form[action$='/mandate']").count():
        person.fill(person.form("/mandate"), mandate=play.mandate)
        person.visit(f"{play.my}/nda?agreement={agreement}")
    person.fill(person.form("/sign"), typed_name=person.name, intent=True)


def _sign_ndas(play: Play) -> None:
    team: list[tuple[str, str | None]] = [(who, None) for who in ("lead", "legal", "custodian", "witness")]
    purpose = {"purpose": "评估和完成本次业务转让"}
    _agree(play, "nda", "seller", "agency", [*team, ("seller", "seller")], **purpose)
    _agree(play, "nda", "buyer", "seller", [("buyer", "buyer"), ("recipient", None), ("seller", "seller")], **purpose)
    entrusted = {
        "duration": "至交接完成",
        "manner": "存储、检查、脱敏、打包、销毁",
        "categories": "服务记录",
        "measures": "全程加密",
    }
    _agree(play, "entrustment", "seller", "agency", [("seller", "seller"), ("lead", "agency")], **purpose, **entrusted)
    play.lead.move(play.case, "start_inventory")


def _inventory(play: Play) -> None:
    seller, custodian, legal = play.seller, play.custodian, play.legal
    seller.visit(f"{play.my}/upload")
    seller.page.set_input_files("#files", play.source)
    seller.page.locator("#upload-next").wait_for(timeout=60_000)
    seller.visit(f"{play.my}/upload")
    seller.visit(seller.link(r"/upload/[0-9a-f-]{36}$"))
    said = {
        "kind": "service_feedback",
        "source_statement": "由我方在服务中直接收集",
        "period": "2024–2025",
        "system": "CRM",
    }
    seller.fill(seller.form(""), title="服务记录", **said)
    custodian.visit(f"{play.case}/records")
    record = custodian.link(rf"{play.case}/records/RS-[^/?]+$")
    custodian.wait_for(record, "客户编号")
    needs = {f"need-{n}": "required" for n in range(3)}
    custodian.fill(custodian.form("/fields"), **needs)
    if custodian.page.locator("main dl dd", has_text="客户编号").count() == 0:
        custodian.send(f"{record}/facts", "", subject_field="客户编号")
    legal.visit(f"{play.case}/consent")
    basis = legal.link(r"/consent/basis/")
    today = dt.datetime.now(dt.UTC).date().isoformat()
    action = basis.rpartition("/consent")[2]
    legal.send(
        basis,
        action,
        basis="art23_separate_consent",
        pipl13="2",
        purpose="售后服务",
        purpose_unchanged=True,
        retention_until=today,
    )
    custodian.move(record, "review")
    legal.move(record, "approve")
    legal.move(play.case, "freeze_inventory")
    seller.move(f"{play.my}/confirm", "freeze_inventory")


def _redaction(play: Play) -> None:
    lead, legal = play.lead, play.legal
    lead.visit(f"{play.case}/redaction")
    lead.fill(lead.form("/redaction"), party_id=_option(lead, "party_id", COMPANIES["buyer"]))
    run = lead.page.url.removeprefix(play.site.address).partition("?")[0]
    lead.move(run, "queue")
    _until(legal, run, "/review")
    legal.fill(legal.form("/review"), sampled=len(CUSTOMERS), errors=0)
    legal.move(run, "accept_review")
    _until(legal, run, "/approve")
    legal.move(run, "approve")
    legal.move(play.case, "accept_redaction")


def _until(person: Human, path: str, action: str) -> None:
    """Waits for the worker: the page offers a form once it is done."""
    for _ in range(120):
        if person.offers(path, action):
            return
        person.page.wait_for_timeout(500)
    raise AssertionError(f"{person.name}: {path} never offers {action}: {person.page.inner_text('main')}")


def _recipient(play: Play) -> None:
    lead, legal, recipient, buyer = play.lead, play.legal, play.recipient, play.buyer
    lead.send(f"{play.case}/recipients", "/recipients", place="CN-31")
    papers = {"document": "passport", "employer": "浦东智家服务有限公司 IT", "checked_against": "video call"}
    recipient.send(f"{play.my}/identity", "/identity", mandate=play.mandate, **papers)
    lead.move(f"{play.case}/recipients", "verify_identity")
    legal.move(f"{play.case}/recipients", "verify_identity")
    page = recipient.page
    recipient.visit(f"{play.my}/key")
    page.click("[data-go=passphrase]")
    page.fill("#f-new", PASSPHRASE)
    page.fill("#f-again", PASSPHRASE)
    page.click("#make-form button.primary")
    with page.expect_download() as saved:
        page.click("#save-identity")
    identity = play.folder / saved.value.suggested_filename
    saved.value.save_as(identity)
    assert page.is_disabled("#register"), "a key can be registered before its backup was tested"
    page.set_input_files("#f-identity", identity)
    page.fill("#f-passphrase", PASSPHRASE)
    page.click("#test-form button")
    page.locator("#tested").wait_for(timeout=60_000)
    page.click("#register")
    page.locator("#groups li").first.wait_for(timeout=60_000)
    number = page.locator("#groups li").all_inner_texts()
    assert len(number) == 6
    lead.visit(f"{play.case}/recipients")
    lead.visit(lead.link("/compare$"))
    _compare(lead, number)
    buyer.visit(play.my)
    buyer.visit(buyer.link("/compare/"))
    _compare(buyer, number)
    lead.wait_for(f"{play.case}/recipients", "有效")


def _compare(person: Human, number: list[str]) -> None:
    form = person.page.locator("main form:has(input[inputmode=numeric])").first
    boxes = form.locator("input[inputmode=numeric]:visible")
    if boxes.count() == 6:
        for box, group in zip(boxes.all(), number, strict=True):
            box.fill(group)
        person.fill(form)
    else:
        boxes.first.fill(" ".join(number))
        person.fill(form)


def _closing(play: Play) -> None:
    lead, legal, buyer = play.lead, play.legal, play.buyer
    lead.visit(f"{play.case}/parties")
    party = next(link for link in lead.links() if "/parties/" in link and _is_party(lead, link, COMPANIES["buyer"]))
    lead.send(party, "/standing", standing="won")
    text = "我们拟转让客户服务业务，未经您单独同意，不会提供您的信息。"
    legal.visit(f"{play.case}/consent/notice")
    legal.fill(
        legal.form("/notice"),
        recipient_party_id=_option(legal, "recipient_party_id", COMPANIES["buyer"]),
        basis="art23_separate_consent",
        zh=text,
        en="Without your separate consent nothing about you is provided.",
        period_days=0,
    )
    legal.visit(f"{play.case}/consent/import")
    values = legal.page.locator("main .digest").all_inner_texts()
    party_id, digest = values[0], values[1]
    now = dt.datetime.now(dt.UTC).isoformat(timespec="seconds")
    told, answered = play.folder / "told.csv", play.folder / "answered.csv"
    told.write_text("subject_ref,result,at,channel\n" + "".join(f"{c},delivered,{now},sms\n" for c in CUSTOMERS))
    rows = "".join(
        f"{c},{'refused' if c in REFUSED else 'granted'},{now},app,{digest},{party_id},yes,no\n" for c in CUSTOMERS
    )
    answered.write_text("subject_ref,decision,at,channel,text_sha256,recipient,sensitive,guardian\n" + rows)
    legal.send(f"{play.case}/consent/import", "/import", kind="notices", file=told)
    legal.send(f"{play.case}/consent/import", "/import", kind="consents", file=answered)
    legal.send(f"{play.case}/consent", "/complete")
    _agree(play, "undertaking", "buyer", None, [("buyer", "buyer")], purpose="售后服务")
    closing = {"agreement": "业务转让协议 001", "closing_date": dt.datetime.now(dt.UTC).date().isoformat()}
    signers: list[tuple[str, str | None]] = [("seller", "seller"), ("buyer", "buyer")]
    _agree(play, "closing_confirmation", "seller", "buyer", signers, **closing)
    assert buyer.page.url


def _is_party(lead: Human, link: str, name: str) -> bool:
    lead.visit(link)
    return lead.page.locator("main form[action$='/standing']").count() > 0 and name in lead.page.inner_text("main")


def _package(play: Play) -> str:
    lead, legal, seller = play.lead, play.legal, play.seller
    lead.send(f"{play.case}/packages", "/packages", purpose="closing")
    lead.visit(f"{play.case}/packages")
    package = lead.link("/package/")
    lead.move(package, "build")
    _until(lead, package, "/request_release")
    lead.move(package, "request_release")
    lead.move(play.case, "packages_ready")
    number = package.rpartition("/")[2]
    seller.send(f"{play.my}/approve", f"/approve/{number}")
    legal.send(package, "/approve")
    lead.move(play.case, "start_handover")
    return number


def _hand_over(play: Play, number: str) -> None:
    recipient, page = play.recipient, play.recipient.page
    page.add_init_script("delete window.showSaveFilePicker")  # a picker of the system cannot be driven
    _until_offered(play)
    page.set_input_files("#f-identity", next(play.folder.glob("identity-*.age")))
    page.fill("#f-passphrase", PASSPHRASE)
    page.click("#open-form button.primary")
    page.wait_for_selector("#opened:visible, #failed:visible", timeout=60_000)
    assert page.locator("#failed").is_hidden(), page.inner_text("#failed")
    assert "exactly as agreed" in page.inner_text("#opened-text")
    with page.expect_download() as saved:
        page.click("#save")
    target = play.folder / saved.value.suggested_filename
    saved.value.save_as(target)
    with zipfile.ZipFile(target) as archive:
        name = next(n for n in archive.namelist() if n.startswith("files/"))
        arrived = archive.read(name).decode("utf-8-sig").splitlines()
    sent = [line for line in play.source.read_text().splitlines() if line.split(",")[0] not in REFUSED]
    assert arrived == sent, number
    page.click("#send-receipt")
    page.locator("#receipt-text", has_text="recorded").wait_for(timeout=60_000)
    for person in (play.buyer, play.seller):
        _until(person, f"{play.my}/receipt", "/accept")
        person.move(f"{play.my}/receipt", "accept")
    play.lead.move(play.case, "accept_handover")
    recipient.visit(play.my)


def _until_offered(play: Play) -> None:
    page = play.recipient.page
    for _ in range(120):
        play.recipient.visit(f"{play.my}/open")
        if page.locator("#open-form").count():
            return
        page.wait_for_timeout(500)
    raise AssertionError(page.inner_text("main"))


def _destroy(play: Play) -> None:
    lead, legal, seller, custodian, witness = play.lead, play.legal, play.seller, play.custodian, play.witness
    orders = f"{play.case}/destruction"
    for _ in range(60):
        lead.visit(orders)
        found = [link for link in lead.links() if link.startswith(f"{orders}/")]
        if found:
            break
        lead.page.wait_for_timeout(500)
    order = found[0]
    lead.visit(order)
    people = {
        "executor_id": _option(lead, "executor_id", NAMES["custodian"][0]),
        "witness_id": _option(lead, "witness_id", NAMES["witness"][0]),
    }
    lead.fill(lead.form("/people"), **people)
    lead.send(order, "/check")
    seller.send(f"{play.my}/destroy", f"/destroy/{order.rpartition('/')[2]}", reference=play.reference)
    legal.send(order, "/approve", reference=play.reference)
    lead.move(order, "schedule")
    custodian.send(order, "/execute", reference=play.reference)
    _until(witness, order, "/verify")
    witness.move(order, "verify")
    for person in (lead, legal):
        _until(person, play.case, "/close")
        person.move(play.case, "close")
    for title in ("销毁证明", "结项报告"):
        lead.wait_for(f"{play.case}/documents", title)

"""What people wrote stays text: in every field of a whole transfer, on every page, in a real browser, and in its PDFs."""

import datetime as dt
import re
import subprocess
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import httpx
import pytest
from playwright.sync_api import Browser

from handover.crypto.age import generate_identity
from handover.crypto.trust import load_trust
from handover.demo import records, stages
from handover.demo.cast import Cast, gather, open_case
from handover.demo.client import Person
from handover.demo.play import close_the_deal
from handover.demo.server import ADMIN
from tests.e2e.hostile import CALCULATED, FILE_NAME, HOSTILE, Reader, marker, spoiled
from tests.e2e.watching import Site, Window

CUSTOMERS = 60
#: What a page must show, so that something is proven of it. Notes on conflicts and reviews, and the details of a
#: declaration, are written as well; no page shows them to anybody.
FIELDS = (
    *("name", "title", "contact", "reason", "purpose", "duration", "manner", "categories", "measures", "agreement"),
    *("source_statement", "period", "system", "document", "employer", "checked_against", "zh", "en", "column", "token"),
)
MADE_OF_TEXT = ("script:not([src])", "[onerror]", "[hx-get]", "img[src='x']")
_IDS = re.compile(r"[0-9a-f]{8}-[0-9a-f-]{27}|HO-\d{4}-\d{4}[A-Z0-9-]*|(?<=/)[A-Z0-9-]*\d[A-Z0-9-]*(?=/|$)")
_NOT_PAGES = re.compile(
    r"^/(api|static|schema|logout)|/(pdf|twin|bundle|export|file|checkpoint|content|mandate|picture)\b|lang="
)
_SAME_KIND = 7
_MOST = 200


@pytest.fixture(scope="module")
def case(tmp_path_factory: pytest.TempPathFactory) -> Iterator[tuple[Site, Cast]]:
    """A case whose people wrote hostile text wherever a text is asked for; its destruction waits for approval."""
    folder = tmp_path_factory.mktemp("hostile")
    with Site(folder) as site, pytest.MonkeyPatch.context() as patch:
        ask = Person._ask

        def hostile(self: Person, method: str, path: str, **request: Any) -> Any:
            if "json" in request:
                request["json"] = spoiled(path, request["json"])
            return ask(self, method, path, **request)

        patch.setattr(Person, "_ask", hostile)
        admin = Person(site.address, *ADMIN)
        admin.enrol(site.invitation)
        cast = gather(site.address, admin)
        _play(cast, site, folder / "files")
        patch.undo()
        yield site, cast
        admin.close()


def _play(cast: Cast, site: Site, folder: Path) -> None:
    lead, legal = cast.lead, cast.legal
    people = records.customers(CUSTOMERS, 1)
    open_case(cast, "asset_transfer")
    lead.change("PATCH", f"/parties/{cast.parties['winner']['id']}", {"contact": "c"})
    cast.custodian.post(f"/cases/{cast.case_id}/conflict-declarations", {"clean": False, "note": "n"})
    lead.move("cases", cast.case_id, "open")
    stages.sign_ndas(cast)
    stages.take_inventory(cast, _files(people, folder))
    runs = stages.redact(cast, ["winner", "loser"])
    legal.move("cases", cast.case_id, "accept_redaction")
    identity = generate_identity()
    winner, _ = stages.verify_recipient(cast, "recipient", "winner", identity, mistype=False)
    package = stages.build_package(cast, "due_diligence", winner, runs["winner"])
    stages.approve_release(cast, package)
    lead.move("packages", package["id"], "release")
    hold = {
        "case_id": cast.case_id,
        "scope": "case",
        "review_on": dt.datetime.now(dt.UTC).date().isoformat(),
        "reason": "h",
    }
    cast.dpo.post("/legal-holds", hold)
    lead.post(f"/parties/{cast.parties['winner']['id']}/standing", {"standing": "won"})
    lead.post(f"/parties/{cast.parties['loser']['id']}/standing", {"standing": "lost"})
    stages.tell_and_ask(cast, [person.number for person in people])
    close_the_deal(cast)
    closing = stages.build_package(cast, "closing", winner, None)
    lead.move("cases", cast.case_id, "packages_ready")
    stages.approve_release(cast, closing)
    lead.move("cases", cast.case_id, "start_handover")
    stages.receive(cast, closing["id"], identity, load_trust(site.data_dir / "trust"))
    lead.post("/tokens", {"name": f"t{marker('token')}", "scopes": ["read"], "days": 7})


def _files(people: Any, folder: Path) -> list[Path]:
    """The demo's files, with a hostile column and hostile names."""
    made = []
    for path in records.write_all(people, folder, 1):
        if path.suffix == ".csv":
            text = path.read_text("utf-8-sig").replace("会员等级", f"会员等级{marker('column')}{HOSTILE}", 1)
            path.write_text(text, "utf-8-sig")
        made.append(path.rename(folder / f"{path.stem}{FILE_NAME}{path.suffix}"))
    return made


def test_what_people_wrote_is_text_on_every_page(case: tuple[Site, Cast]) -> None:
    site, cast = case
    found, said = list[str](), set[str]()
    for who, person in cast.people.items():
        pages = dict(_walk(site, person))
        assert len(pages) > 2, (who, list(pages))
        for path, read in pages.items():
            found += [f"{who} {path}: {wrong}" for wrong in read.wrongs]
            said |= {text for text in read.said if "alert(1)" in text}
    assert found == [], "\n".join(found[:40])
    missing = [field for field in FIELDS if not any(marker(field) in text for text in said)]
    assert not missing, f"on no page, so that nothing is proven of them: {missing}"
    assert any(FILE_NAME in text for text in said), "no page showed a file's name"


def test_a_browser_runs_nothing_of_it(browser: Browser, case: tuple[Site, Cast]) -> None:
    site, cast = case
    found: list[str] = []
    for who in ("lead", "seller_signatory", "recipient"):
        person = cast.people[who]
        kinds = {_IDS.sub("*", path.partition("?")[0]): path for path, _ in _walk(site, person)}
        window = Window(browser, site)
        cookie = {"name": "__Host-handover", "value": person.authorization.removeprefix("Bearer "), "secure": True}
        window.context.add_cookies([{**cookie, "url": site.address.replace("http:", "https:")}])  # type: ignore[list-item]
        for path in kinds.values():
            window.page.goto(path)
            there = [selector for selector in MADE_OF_TEXT if window.page.locator(selector).count()]
            found += [f"{who} {path}: {selector}" for selector in there]
        found += window.wrongs
        window.close()
    assert found == [], "\n".join(found)


def test_issued_documents_hold_it_as_text(case: tuple[Site, Cast], tmp_path: Path) -> None:
    _, cast = case
    rows = cast.legal.get("/documents", case_id=cast.case_id)
    assert rows
    shown = 0
    for row in rows:
        path = tmp_path / f"{row['id']}.pdf"
        path.write_bytes(cast.legal.raw(f"/documents/{row['id']}/pdf"))
        run = subprocess.run(["pdftotext", "-layout", str(path), "-"], check=True, stdout=subprocess.PIPE, text=True)
        text = re.sub(r"\s", "", run.stdout)
        assert CALCULATED not in text
        shown += "<script>alert(1)</script>{{7*7}}" in text
    assert shown > 3


def _walk(site: Site, person: Person) -> Iterator[tuple[str, Reader]]:
    """Every page that the person can reach, a few of each kind."""
    waiting, known, kinds = ["/todo", "/my", "/account/tokens", "/account/sessions"], set[str](), dict[str, int]()
    headers = {"Accept": "text/html", "Authorization": person.authorization, "Accept-Language": "en"}
    with httpx.Client(base_url=site.address, headers=headers, timeout=30, trust_env=False) as client:
        while waiting and len(known) < 2000 and sum(kinds.values()) < _MOST:
            path = waiting.pop(0)
            kind = _IDS.sub("*", path.partition("?")[0])
            if path in known or kinds.get(kind, 0) >= _SAME_KIND or _NOT_PAGES.search(path):
                continue
            known.add(path)
            answer = client.get(path)
            assert answer.status_code < 500, (path, answer.status_code)
            if not answer.headers.get("content-type", "").startswith("text/html"):
                continue
            kinds[kind] = kinds.get(kind, 0) + 1
            read = Reader(answer.text)
            waiting += [link.partition("#")[0] for link in read.links]
            yield path, read

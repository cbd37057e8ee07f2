"""Pages of redaction over the real application, and what a bidder can look at: nothing early, nothing of others, all noted."""

import html
import io
import json
import re
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import httpx
import pytest
from PIL import Image

from handover.crypto.age import generate_identity
from handover.demo import stages
from handover.demo.cast import Cast, gather, open_case
from handover.demo.client import RefusedError
from handover.demo.play import wait_for_documents
from handover.demo.server import running
from tests.formats import document_samples as samples

#: A whole run is played first; the first test waits for it.
pytestmark = pytest.mark.timeout(400)
HOSTILE = "<script>alert(1)</script>"
NAMES = ("张三丰", "李小四", "王伟明", "欧阳娜娜")
TABLE = f"客户编号,姓名,手机号,备注,{HOSTILE}\n" + "".join(
    f"C{n:04},{NAMES[n % 4]},1381234{n:04},{NAMES[n % 4]}来电咨询保修,一般\n" for n in range(300)
)


@dataclass
class Site:
    """A running case; `runs` by bidder, and each person's browser."""

    cast: Cast
    record_set: str
    #: Of a PDF with two pages.
    document: str
    address: str = ""
    runs: dict[str, str] = field(default_factory=dict)

    def get(self, who: str, path: str) -> httpx.Response:
        return self._ask(who, "GET", path)

    def send(self, who: str, path: str, fields: dict[str, Any]) -> httpx.Response:
        return self._ask(who, "POST", path, data=fields)

    def _ask(self, who: str, method: str, path: str, **more: Any) -> httpx.Response:
        person = self.cast.people[who]
        headers = {"Authorization": person.authorization, "Accept": "text/html", "Accept-Language": "en"}
        where = path.replace("REF", str(self.cast.case["reference"]))
        return httpx.request(method, self.address + where, headers=headers, trust_env=False, timeout=60, **more)

    def samples(self, who: str, **query: Any) -> list[dict[str, Any]]:
        query = {"record_set_id": self.record_set, **query}
        found: list[dict[str, Any]] = self.cast.people[who].get(f"/redactions/{self.runs['winner']}/samples", **query)
        return found

    def item(self) -> dict[str, Any]:
        """What the winner's run made of the table."""
        items: list[dict[str, Any]] = self.cast.legal.get(f"/redactions/{self.runs['winner']}")["items"]
        return next(item for item in items if item["record_set_id"] == self.record_set)

    def run_page(self, who: str, bidder: str = "winner", query: str = "") -> httpx.Response:
        return self.get(who, f"/cases/REF/redaction/{self.runs[bidder]}{query}")

    def looks(self) -> list[dict[str, Any]]:
        items = self.cast.lead.get("/audit", case_id=self.cast.case_id, limit=200)["items"]
        return [i["entry"] for i in items if i["entry"]["event"] == "redaction.material_viewed"]


def text_of(answer: httpx.Response) -> str:
    return html.unescape(re.sub(r"\s+", " ", re.sub(r"<[^>]+>", " ", answer.text)))


@pytest.fixture(scope="module")
def site(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Site]:
    """A case in which the winner's run waits for review; the tests go on in the order of the file."""
    folder: Path = tmp_path_factory.mktemp("pages")
    source = folder / "客户资料.csv"
    source.write_text(TABLE)
    document = folder / "合同.pdf"
    document.write_bytes(
        samples.pdf(f"<p>联系电话13812345678，{samples.KEPT}。</p><p style='break-before: page'>第二页</p>")
    )
    with pytest.MonkeyPatch.context() as environment:
        # Every file counts as large: it is inspected and redacted in two parts, and the rest of these tests must not notice.
        environment.setenv("HANDOVER_POLICY_PARTS_FROM_MIB", "0")
        yield from _played(folder, source, document)


def _played(folder: Path, source: Path, document: Path) -> Iterator[Site]:
    with running(folder / "data") as server:
        cast = gather(server.address, server.admin)
        open_case(cast, "asset_transfer")
        cast.lead.move("cases", cast.case_id, "open")
        stages.sign_ndas(cast)
        record_set, other = stages.take_inventory(cast, [source, document])
        made = Site(cast, record_set["id"], other["id"], address=server.address)
        made.runs["winner"] = stages.start_redaction(cast, "winner", 0)
        cast.legal.wait(f"/redactions/{made.runs['winner']}", "human_review", refuse=("failed",))
        yield made


def test_the_run_was_made_in_parts_and_put_together(site: Site) -> None:
    """Two parts of the table, each a job of its own, and one to put each together; the document is not cut."""
    jobs = site.cast.legal.get("/jobs", case_id=site.cast.case_id)
    done = Counter(job["kind"] for job in jobs if job["state"] == "done")
    assert (done["inventory.inspect"], done["redaction.part"]) == (2, 3)
    assert done["inventory.conclude"] == done["redaction.merge"] == 1
    item = site.item()
    assert (item["records_in"], item["records_out"]) == (300, 300)


def test_the_team_sees_runs_and_parties_do_not(site: Site) -> None:
    for path in ("/cases/REF/redaction", f"/cases/REF/redaction/{site.runs['winner']}"):
        for who in ("lead", "legal", "custodian"):
            assert site.get(who, path).status_code == 200, who
        for who in ("seller_signatory", "buyer", "recipient", "loser"):
            assert site.get(who, path).status_code == 404, who


def test_a_run_of_another_case_is_not_found_under_this_one(site: Site) -> None:
    other = site.cast.lead.post("/cases", {"title": "other", "structure": "asset_transfer"})["reference"]
    assert site.get("lead", f"/cases/{other}/redaction/{site.runs['winner']}").status_code == 404


def test_the_reviewer_sees_before_and_after_without_a_real_value(site: Site) -> None:
    shown = site.run_page("legal", query=f"?sample_of={site.record_set}")
    assert shown.status_code == 200
    assert "汉汉" in shown.text
    assert "99999999999" in shown.text
    assert not any(name in shown.text for name in NAMES)
    assert "1381234" not in shown.text


def test_the_reviewer_sees_what_came_out_and_no_real_value_of_what_went_in(site: Site) -> None:
    shown = site.samples("legal")
    assert [record["position"] for record in shown] == list(range(20))
    told = {field["name"]: field for field in shown[0]["fields"]}
    assert told["姓名"]["action"] == "pseudonymise"
    assert set(told["姓名"]["before"]) == {"汉"}
    assert told["姓名"]["after"] not in NAMES
    assert told["手机号"]["before"] == "9" * 11
    text = json.dumps(shown, ensure_ascii=False)
    assert "1381234" not in text
    assert not any(name in text for name in NAMES)


def test_asking_again_shows_the_same_and_asking_for_more_begins_with_it(site: Site) -> None:
    few, again, many = (site.samples("legal", limit=limit) for limit in (5, 5, 1000))
    assert few == again == many[:5]
    assert len(many) == 50, "as many as the gate wants a reviewer to look at"


def test_reviewers_and_the_lead_read_and_nobody_else(site: Site) -> None:
    for who in ("legal", "dpo", "custodian", "lead"):
        assert site.samples(who)
    for who, status in (("buyer", 404), ("recipient", 404), ("loser", 404), ("seller_signatory", 403)):
        with pytest.raises(RefusedError) as refused:
            site.samples(who)
        assert refused.value.status == status, who


def test_reading_is_in_the_log_with_counts_alone(site: Site) -> None:
    def reads() -> list[dict[str, Any]]:
        items = site.cast.lead.get("/audit", case_id=site.cast.case_id, limit=200)["items"]
        return [i["entry"] for i in items if i["entry"]["event"] == "redaction.sample_read"]

    before = len(reads())
    site.samples("dpo", limit=7)
    entries = reads()
    assert len(entries) == before + 1
    assert entries[-1]["details"] == {"record_set": site.record_set, "records": 7}
    assert entries[-1]["entity_id"] == site.runs["winner"]


def test_a_sample_is_on_the_register_with_a_key_of_its_own(site: Site) -> None:
    copies = site.cast.legal.get("/copies", case_id=site.cast.case_id)
    samples_of = [copy for copy in copies if copy["kind"] == "sample"]
    assert {copy["state"] for copy in samples_of} == {"live"}
    assert sorted(copy["record_set_id"] for copy in samples_of) == sorted([site.record_set, site.document])


def test_a_record_set_of_no_run_has_no_samples(site: Site) -> None:
    with pytest.raises(RefusedError) as refused:
        site.samples("legal", record_set_id=site.runs["winner"])
    assert refused.value.status == 404


def test_a_hostile_field_name_is_shown_as_text(site: Site) -> None:
    shown = site.run_page("legal")
    assert html.escape(HOSTILE) in shown.text
    assert HOSTILE not in shown.text


def test_who_made_the_run_gets_no_form_to_review_it_and_is_told_why(site: Site) -> None:
    own, other = site.run_page("lead"), site.run_page("legal")
    assert "You made this run" in text_of(own)
    assert "/review" not in own.text
    assert f"{site.runs['winner']}/review" in other.text
    refused = site.send("lead", f"/cases/REF/redaction/{site.runs['winner']}/review", _review(site, "50"))
    assert refused.status_code == 403


def test_a_review_with_impossible_numbers_keeps_what_was_typed(site: Site) -> None:
    answer = site.send("legal", f"/cases/REF/redaction/{site.runs['winner']}/review", _review(site, "299999"))
    assert answer.status_code == 422
    assert 'value="299999"' in answer.text


def test_a_review_is_recorded(site: Site) -> None:
    answer = site.send("legal", f"/cases/REF/redaction/{site.runs['winner']}/review", _review(site, "50"))
    assert answer.status_code == 303
    item = site.item()
    assert item["sampled"] == 50
    shown = text_of(site.run_page("legal"))
    assert "Looked at: 50 of 50 wanted" in shown
    assert f"Note of the review by {site.cast.legal.name}: {HOSTILE}" in shown


def _review(site: Site, sampled: str) -> dict[str, str]:
    return {"record_set_id": site.record_set, "sampled": sampled, "errors": "0", "note": HOSTILE}


def test_a_plan_is_proposed_and_changed_field_by_field(site: Site) -> None:
    party = site.cast.parties["loser"]["id"]
    started = site.send("lead", "/cases/REF/redaction", {"party_id": party})
    assert started.status_code == 303
    site.runs["loser"] = run = started.headers["location"].rsplit("/", 1)[1]
    shown = site.run_page("lead", "loser")
    assert "It tells people apart" in text_of(shown)
    fields = {f"{site.record_set}.{n}": "drop" for n in (1, 2)}
    names = dict(re.findall(rf'name="({site.record_set}\.\d+)" aria-label="[^:]*: ([^"]*)"', shown.text))
    assert len(names) == 5
    assert site.send("lead", f"/cases/REF/redaction/{run}/plan", fields).status_code == 303
    rules = site.cast.lead.get(f"/redactions/{run}")["plan"][site.record_set]["fields"]
    changed = {html.unescape(names[key]) for key in fields}
    assert {name for name, rule in rules.items() if rule["action"] == "drop"} == changed


def test_an_unknown_treatment_is_refused(site: Site) -> None:
    before = site.cast.lead.get(f"/redactions/{site.runs['loser']}")["plan_sha256"]
    fields = {f"{site.record_set}.1": "sell"}
    assert site.send("lead", f"/cases/REF/redaction/{site.runs['loser']}/plan", fields).status_code == 422
    assert site.cast.lead.get(f"/redactions/{site.runs['loser']}")["plan_sha256"] == before


def test_approved_records_are_not_open_before_two_persons_released_them(site: Site) -> None:
    stages.finish_redaction(site.cast, site.runs["winner"])
    assert "Nothing is released to you yet" in text_of(site.get("buyer", "/my/REF/view"))
    assert site.get("buyer", f"/my/REF/view/{site.record_set}/1/picture").status_code == 403
    assert site.looks() == []


@pytest.fixture(scope="module")
def released(site: Site) -> Site:
    """The winner's due-diligence package is out."""
    cast = site.cast
    cast.lead.move("redactions", site.runs["loser"], "cancel", "not needed here")
    recipient, _ = stages.verify_recipient(cast, "recipient", "winner", generate_identity(), mistype=False)
    package = stages.build_package(cast, "due_diligence", recipient, site.runs["winner"])
    stages.approve_release(cast, package)
    cast.lead.move("packages", package["id"], "release")
    return site


def test_the_report_names_the_treatment_of_every_field_and_kind(released: Site) -> None:
    """By the twin of the issued document, as the verifier reads it."""
    wait_for_documents(released.cast)
    legal = released.cast.people["legal"]
    (document,) = (d for d in legal.get("/documents", case_id=released.cast.case_id) if d["kind"] == "redaction_report")
    facts = legal.get(f"/documents/{document['id']}/facts")["facts"]
    rules = {rule["field"]: rule["action"]["en"] for rule in facts["rules"] if rule["field"] != "—"}
    assert rules["客户编号"] == "pseudonymise"
    assert rules["手机号"] == "pseudonymise"
    assert {rule["kinds"]["zh"].split()[0] for rule in facts["rules"] if rule["field"] == "—"} == {"手机", "姓名"}
    assert facts["record_sets"][0]["residual_l4"] == 0


def test_the_bidder_reads_redacted_records_under_their_own_name(released: Site) -> None:
    assert f"/view/{released.record_set}/1" in released.get("buyer", "/my/REF/view").text
    shown = released.get("buyer", f"/my/REF/view/{released.record_set}/1/text")
    assert shown.status_code == 200
    assert shown.headers["cache-control"] == "no-store"
    told = text_of(shown)
    assert f"Olivia O'Brien · {released.cast.case['reference']} · " in told
    assert shown.text.count('<th scope="row"') == 25
    assert not any(name in told for name in NAMES)
    assert "1381234" not in told
    assert HOSTILE not in shown.text


def test_the_picture_is_inert_and_kept_nowhere(released: Site) -> None:
    answer = released.get("recipient", f"/my/REF/view/{released.record_set}/2/picture")
    assert answer.status_code == 200
    assert answer.headers["content-type"] == "image/png"
    assert answer.headers["cache-control"] == "no-store"
    assert "sandbox" in answer.headers["content-security-policy"]
    assert Image.open(io.BytesIO(answer.content)).width >= 640


def test_a_document_is_looked_at_page_by_page(released: Site) -> None:
    assert "2 pages" in text_of(released.get("buyer", "/my/REF/view"))
    where = f"/my/REF/view/{released.document}"
    page = text_of(released.get("buyer", f"{where}/2"))
    assert "page 2 of 2" in page
    assert "records" not in page.partition("page 2 of 2")[0].rpartition("All released records")[2]
    drawn = Image.open(io.BytesIO(released.get("buyer", f"{where}/1/picture").content))
    assert drawn.height > drawn.width > 1000, "the sheet itself"
    told = text_of(released.get("buyer", f"{where}/1/text"))
    assert samples.KEPT in told
    assert "13812345678" not in told
    assert released.get("buyer", f"{where}/3").status_code == 404


def test_every_look_is_noted_without_a_value(released: Site) -> None:
    before = len(released.looks())
    released.get("buyer", f"/my/REF/view/{released.record_set}/3/text")
    entries = released.looks()
    assert len(entries) == before + 1
    assert entries[-1]["actor"] == released.cast.buyer.id
    assert entries[-1]["details"] == {"record_set": released.record_set, "page": 3, "form": "text"}
    assert not any(name in json.dumps(entries, ensure_ascii=False) for name in NAMES)


def test_pages_end_where_looking_ends(released: Site) -> None:
    assert released.get("buyer", f"/my/REF/view/{released.record_set}/8").status_code == 200
    for number in (0, 9):
        assert released.get("buyer", f"/my/REF/view/{released.record_set}/{number}/text").status_code == 404


def test_another_bidder_and_the_team_get_nothing_of_it(released: Site) -> None:
    nothing = released.get("loser", "/my/REF/view")
    assert "Nothing is released to you yet" in text_of(nothing)
    assert "浦东智家" not in nothing.text
    assert released.get("loser", f"/my/REF/view/{released.record_set}/1/text").status_code == 403
    for who in ("lead", "seller_signatory"):
        assert released.get(who, "/my/REF/view").status_code == 404


def test_a_paused_case_shows_nothing(released: Site) -> None:
    cast = released.cast
    cast.lead.move("cases", cast.case_id, "hold", "waiting")
    assert "The case is paused" in text_of(released.get("buyer", "/my/REF/view"))
    assert released.get("buyer", f"/my/REF/view/{released.record_set}/1/picture").status_code == 403
    cast.lead.move("cases", cast.case_id, "resume")
    assert released.get("buyer", f"/my/REF/view/{released.record_set}/1").status_code == 200


def test_a_bidder_who_lost_sees_nothing_any_more(released: Site) -> None:
    cast = released.cast
    cast.lead.post(f"/parties/{cast.parties['winner']['id']}/standing", {"standing": "lost"})
    assert "no longer open to you" in text_of(released.get("buyer", "/my/REF/view"))
    assert released.get("recipient", f"/my/REF/view/{released.record_set}/1/text").status_code == 403

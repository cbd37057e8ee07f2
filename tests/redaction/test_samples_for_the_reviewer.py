"""A reviewer sees records of a run before and after; bidders do not, and the log knows who looked."""

import json
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

from handover.demo import stages
from handover.demo.cast import Cast, gather, open_case
from handover.demo.client import RefusedError
from handover.demo.server import Running, running

NAMES = ("张三丰", "李小四", "王伟明", "欧阳娜娜")
TABLE = "客户编号,姓名,手机号,备注\n" + "".join(
    f"C{n:04},{NAMES[n % 4]},1381234{n:04},{NAMES[n % 4]}来电咨询保修\n" for n in range(300)
)


@dataclass
class Reviewed:
    """A run that waits for its reviewer."""

    server: Running
    cast: Cast
    run: dict[str, Any]
    record_set: str

    def samples(self, who: str, **query: Any) -> list[dict[str, Any]]:
        query = {"record_set_id": self.record_set, **query}
        found: list[dict[str, Any]] = self.cast.people[who].get(f"/redactions/{self.run['id']}/samples", **query)
        return found


@pytest.fixture(scope="module")
def reviewed(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Reviewed]:
    folder: Path = tmp_path_factory.mktemp("reviewed")
    source = folder / "客户资料.csv"
    source.write_text(TABLE)
    with running(folder / "data") as server:
        cast = gather(server.address, server.admin)
        open_case(cast, "asset_transfer")
        cast.lead.move("cases", cast.case_id, "open")
        stages.sign_ndas(cast)
        (record_set,) = stages.take_inventory(cast, [source])
        run = cast.lead.post("/redactions", {"case_id": cast.case_id, "party_id": cast.parties["winner"]["id"]})
        cast.lead.move("redactions", run["id"], "queue")
        run = cast.legal.wait(f"/redactions/{run['id']}", "human_review", refuse=("failed",))
        yield Reviewed(server, cast, run, record_set["id"])


def test_the_reviewer_sees_what_came_out_and_no_real_value_of_what_went_in(reviewed: Reviewed) -> None:
    shown = reviewed.samples("legal")
    assert [record["position"] for record in shown] == list(range(20))
    told = {field["name"]: field for field in shown[0]["fields"]}
    assert told["姓名"]["action"] == "pseudonymise"
    assert set(told["姓名"]["before"]) == {"汉"}
    assert told["姓名"]["after"] not in NAMES
    assert told["手机号"]["before"] == "9" * 11
    text = json.dumps(shown, ensure_ascii=False)
    assert "1381234" not in text
    assert not any(name in text for name in NAMES)


def test_asking_again_shows_the_same_and_asking_for_more_begins_with_it(reviewed: Reviewed) -> None:
    few, again, many = (reviewed.samples("legal", limit=limit) for limit in (5, 5, 1000))
    assert few == again == many[:5]
    assert len(many) == 50, "as many as the gate wants a reviewer to look at"


def test_reviewers_and_the_lead_read_and_nobody_else(reviewed: Reviewed) -> None:
    for who in ("legal", "dpo", "custodian", "lead"):
        assert reviewed.samples(who)
    for who, status in (("buyer", 404), ("recipient", 404), ("loser", 404), ("seller_signatory", 403)):
        with pytest.raises(RefusedError) as refused:
            reviewed.samples(who)
        assert refused.value.status == status, who


def test_reading_is_in_the_log_with_counts_alone(reviewed: Reviewed) -> None:
    def reads() -> list[dict[str, Any]]:
        items = reviewed.cast.lead.get("/audit", case_id=reviewed.cast.case_id, limit=200)["items"]
        return [i["entry"] for i in items if i["entry"]["event"] == "redaction.sample_read"]

    before = len(reads())
    reviewed.samples("dpo", limit=7)
    entries = reads()
    assert len(entries) == before + 1
    assert entries[-1]["details"] == {"record_set": reviewed.record_set, "records": 7}
    assert entries[-1]["entity_id"] == reviewed.run["id"]


def test_a_sample_is_on_the_register_with_a_key_of_its_own(reviewed: Reviewed) -> None:
    copies = reviewed.cast.legal.get("/copies", case_id=reviewed.cast.case_id)
    (sample,) = [copy for copy in copies if copy["kind"] == "sample"]
    assert sample["state"] == "live"
    assert sample["record_set_id"] == reviewed.record_set


def test_a_record_set_of_no_run_has_no_samples(reviewed: Reviewed) -> None:
    with pytest.raises(RefusedError) as refused:
        reviewed.samples("legal", record_set_id=reviewed.run["id"])
    assert refused.value.status == 404

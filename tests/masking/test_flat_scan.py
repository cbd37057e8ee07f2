"""Large tables are inventoried and scanned again in compiled code, with the results of the way by batches of columns."""

import csv
import datetime as dt
import io
import random
from collections import Counter
from collections.abc import Callable

import msgspec
import pytest

from handover.detection.inspection import inspect
from handover.detection.parts import PartState, merge
from handover.detection.report import ScanReport
from handover.formats import Reading, flat, open_records
from handover.formats.flat import FlatTable
from handover.masking import FieldRule, Policy, default_policy, keep_all
from handover.masking.redaction import Redaction
from handover.masking.residual import residual
from tests.masking.test_flat import POLICIES, chunks, table

KEY, TODAY = b"c" * 32, dt.date(2026, 6, 1)
#: Whom a record is about is said by a number, by nothing, or in ways that only Python can digest.
SUBJECTS = ["C001", " c001 ", "C002", "", "  ", "Ｃ００１", "顾客七", "x" * 300, "Ⅷ"]
BIRTHS = ["2015-03-04", "2010-06-01", "2008-06-02", "2008-05-31", "1990-05-12", "2015年3月4日", "20150304", ""]
IDS = ["11010520150304002X", "110105201503040038", "11010519491231002X", "110105491231002", ""]


def of_minors(seed: int, *columns: str) -> bytes:
    rng = random.Random(seed)
    values = {
        "客户编号": SUBJECTS,
        "出生日期": BIRTHS,
        "身份证号": IDS,
        "备注": [*IDS, "生于2012年1月1日，电话13812345678", "张三丰来电", "无"],
    }
    out = io.StringIO(newline="")
    writer = csv.writer(out, lineterminator="\n")
    writer.writerow(columns)
    writer.writerows([rng.choice(values[name]) for name in columns] for _ in range(700))
    return out.getvalue().encode()


TABLES = {
    "all columns": lambda: table(3, 900).encode(),
    "ragged": lambda: table(4, 900, ragged=0.02).encode(),
    "in GB18030": lambda: table(5, 900).encode("gb18030"),
    "torn": lambda: table(2, 100).encode() + b'C9,,,,,,,,,"' + "文".encode() * 9000 + b'"\n' + table(6, 60).encode(),
    "minors": lambda: of_minors(1, "客户编号", "出生日期", "身份证号", "备注"),
    "minors by the day": lambda: of_minors(2, "客户编号", "出生日期"),
    "minors in another order": lambda: of_minors(3, "备注", "身份证号", "出生日期", "客户编号"),
    "about nobody": lambda: of_minors(4, "备注"),
}  # fmt: skip


@pytest.fixture(autouse=True)
def small_blocks(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(flat, "BLOCK", 4000)
    monkeypatch.setattr(flat, "_LONGEST_RECORD", 5000)


def inventory(
    opened: Callable[[], Reading | FlatTable], field: str | None = None
) -> tuple[ScanReport, list[bytes] | None]:
    inspection, reading = inspect(opened(), opened, key=KEY, subject_field=field, today=TODAY)
    return inspection.report(reading), inspection.subjects()


def openers(data: bytes) -> list[Callable[[], Reading | FlatTable]]:
    encoding = open_records(chunks(data), "a.csv").notes.encoding
    return [lambda: FlatTable(chunks(data), ",", encoding), lambda: open_records(chunks(data), "a.csv")]


@pytest.mark.parametrize("name", TABLES)
def test_the_inventory_is_the_same(name: str) -> None:
    data = TABLES[name]()
    fast, slow = map(inventory, openers(data))
    assert msgspec.to_builtins(fast[0]) == msgspec.to_builtins(slow[0])
    assert fast[1] == slow[1]
    assert fast[0].minors > 0 or "minors" not in name
    assert fast[0].persons > 0


def test_a_subject_that_is_given_counts_the_same() -> None:
    fast, slow = (inventory(opened, "备注") for opened in openers(TABLES["minors"]()))
    assert fast == slow
    assert fast[0].subject is not None
    assert fast[0].subject.field == "备注"


@pytest.mark.parametrize("name", ["ragged", "torn", "minors", "about nobody"])
def test_parts_make_the_whole(name: str) -> None:
    opened = openers(TABLES[name]())[0]
    states = []
    for number in range(3):
        inspection, reading = inspect(opened(), opened, key=KEY, today=TODAY, part=(number, 3))
        states.append(PartState.of(inspection, inspection.report(reading)))
    report, subjects = merge(states)
    assert (report, subjects) == inventory(opened)


MASKED = Policy(
    fields={
        name: FieldRule("mask", kind)
        for name, kind in (("姓名", "person_name"), ("手机号", "mobile"), ("邮箱", "email"))
    }
    | {"身份证号": FieldRule("surrogate", "resident_id"), "银行卡号": FieldRule("surrogate", "bank_card")},
    kinds={"mobile": "surrogate", "email": "surrogate", "person_name": "pseudonymise", "uscc": "keep"},
)


def redacted(data: bytes, policy: Policy) -> bytes:
    run = Redaction(
        open_records(chunks(data), "a.csv"),
        lambda: open_records(chunks(data), "a.csv"),
        "a.csv",
        policy=policy,
        key=KEY,
    )
    return b"".join(run.output())


@pytest.mark.parametrize(
    ("name", "policy"), [*(("ragged", policy) for policy in (*POLICIES.values(), MASKED)), ("torn", default_policy())]
)
def test_the_second_scan_finds_the_same(name: str, policy: Policy) -> None:
    data = TABLES[name]()
    for output in (redacted(data, policy), data):
        # Rows may be longer than the header, and what follows a torn one is for the other reader.
        ways = zip(openers(data), openers(output), strict=True)
        fast, slow = (
            residual(source(), opened, policy=policy, quasi_identifiers=["地址", "出生日期"]) for source, opened in ways
        )
        assert msgspec.to_builtins(fast) == msgspec.to_builtins(slow)
        assert fast.k is not None
    assert fast.leftover or policy == keep_all()


def test_what_a_broken_redaction_leaves_is_found() -> None:
    data = table(7, 900).encode()
    clean = redacted(data, default_policy())
    opened = openers(data)[0]
    before = residual(opened(), openers(clean)[0], policy=default_policy())
    lines = clean.decode("utf-8-sig").splitlines()
    lines[500] = lines[500].rsplit(",", 1)[0] + ",请联系张三丰，电话13812345678"
    left = residual(opened(), openers("\n".join(lines).encode())[0], policy=default_policy())
    assert Counter(left.leftover_kinds) - Counter(before.leftover_kinds) == {"person_name": 1, "mobile": 1}
    assert Counter(left.leftover_fields) - Counter(before.leftover_fields) == {"备注": 2}

"""Scanning a column as one text gives what scanning value by value gives, and overlaps are settled by validity."""

import hashlib

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from handover.detection.counting import DistinctCounter
from handover.detection.detectors import DETECTORS
from handover.detection.folding import fold
from handover.detection.headers import role_of_header
from handover.detection.known import KnownValues
from handover.detection.roles import whole_value_span
from handover.detection.scanner import ColumnScan
from handover.detection.shapes import shape
from handover.detection.spans import Span, resolve

EXAMPLES = [text for d in DETECTORS for text, _ in d.POSITIVE] + [text for d in DETECTORS for text in d.NEGATIVE]
values = st.lists(st.sampled_from([*EXAMPLES, "", "普通的一句话", "no data at all " * 8]), max_size=12)
ROLES = ["", "person_name", "address", "telephone", "email", "resident_id", "birth_date", "free_text"]


def reference(scan: ColumnScan, value: str) -> list[Span]:
    """The plain way: every detector over the whole value."""
    spans = [span for detector in DETECTORS for span in detector.find(fold(value))]
    whole = whole_value_span(scan.role, value) if scan.role and value else None
    return resolve([*spans, *([whole] if whole else [])])


@settings(deadline=None)
@given(values)
def test_batch_scan_equals_value_by_value(column: list[str]) -> None:
    scan = ColumnScan()
    expected = {i: spans for i, value in enumerate(column) if (spans := reference(scan, value)) and "*" not in value}
    assert scan.find(column) == expected


def test_a_cue_tells_nothing_of_the_next_value() -> None:
    for cue, value in (("手机串号", "49-015420-323751-8"), ("corner of Elm", " and Oak"), ("12 Elm", " Grove apt 5")):
        assert ColumnScan().find([cue, value]) == {}


@settings(deadline=None)
@given(values, st.sampled_from(ROLES))
def test_what_is_settled_at_a_glance_has_the_same_places(column: list[str], role: str) -> None:
    scan = ColumnScan(role)
    found = scan.find(column)
    for index, value in enumerate(column):
        if "*" not in value:
            expected = [(s.start, s.end, s.kind) for s in reference(scan, value)]
            assert [(s.start, s.end, s.kind) for s in found.get(index, [])] == expected


@pytest.mark.parametrize(
    ("header", "value", "kind", "other"),
    [
        ("护照号", "E12345678", "passport", "无"),
        ("Passport No", "533380006", "passport", "n/a"),
        ("通行证号码", "H12345678", "travel_permit", "待办"),
        ("车架号", "WVWZZZ1JZ3W386752", "vin", "WVWZZZ1JZ3"),
        ("IMEI", "490154203237518", "imei", "490154203237519"),
        ("经度", "121.473701", "gps", "912.5"),
        ("lat", "-31.23", "gps", "12"),
    ],
)
def test_a_column_with_a_header_holds_what_it_says(header: str, value: str, kind: str, other: str) -> None:
    scan = ColumnScan(role_of_header(header))
    assert [[s.kind for s in spans] for spans in scan.find([value]).values()] == [[kind]]
    assert kind not in {s.kind for spans in scan.find([other]).values() for s in spans}


def test_a_checked_number_wins_over_a_pattern_inside_it() -> None:
    hits = ColumnScan().find(["6222021381234567892", "邮箱13812345678@139.com"])
    assert [span.kind for span in hits[1]] == ["email"]


def test_an_identity_number_of_digits_alone_is_one_whatever_else_its_form_fits() -> None:
    assert [span.kind for span in ColumnScan().find(["号码440308199901101512，请核对"])[0]] == ["resident_id"]


def test_known_names_are_found_in_any_narrative_and_nowhere_else() -> None:
    known = KnownValues()
    for name in ("张三丰", "张三", "欧阳娜娜", "John Smith", "Will"):
        known.add_name(name)
    text = "张三丰和张三，以及欧阳娜娜；John Smithson met John Smith. Will they?"
    assert [text[s.start : s.end] for s in known.find(text)] == ["张三丰", "张三", "欧阳娜娜", "John Smith"]


def test_replacements_are_no_hits() -> None:
    scan = ColumnScan("person_name")
    assert scan.find(["person_name-" + "A" * 26, "[mobile]", "张*", "138****1234", "3****************4"]) == {}


def test_shapes_show_no_value() -> None:
    assert shape("张三 13812345678 Ab@x.cn") == "中{2} 9{11} Aa@a.a{2}"


def test_counter_is_exact_below_its_limit_and_close_above() -> None:
    digests = [i.to_bytes(8, "big") for i in range(50)]
    small = DistinctCounter()
    for digest in digests * 2:
        small.add(digest)
    assert (small.count(), small.is_exact) == (50, True)
    large = DistinctCounter(limit=2000)
    for number in range(50_000):
        large.add(hashlib.sha256(str(number).encode()).digest()[:16])
    assert not large.is_exact
    assert abs(large.count() - 50_000) < 5_000
    assert len(large.seen) <= 2000


@pytest.mark.parametrize("unseen", ["\u00ad", "\u200b", "\u200d", "\u2060", "\ufeff", "\u202e", "\ufe0f"])
def test_what_nobody_sees_hides_nothing(unseen: str) -> None:
    number = unseen.join("13812345678")
    value = f"请拨打{unseen}电话{number}，谢谢"
    (span,) = ColumnScan().find([value])[0]
    assert (value[span.start : span.end], span.kind) == (number, "mobile")
    mail = f"写信到 zhang.{unseen}san@exam{unseen}ple.com 即可"
    (span,) = ColumnScan().find(["无", mail])[1]
    assert mail[span.start : span.end] == f"zhang.{unseen}san@exam{unseen}ple.com"

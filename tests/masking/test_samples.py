"""What a reviewer is shown: the same records for the same key, what came out in full, and of what went in the shape."""

import json
from collections import Counter
from typing import Any

import pytest

from handover.masking import FieldRule, Policy, default_policy, redact_isolated
from handover.masking.samples import VALUE_MAX, shape
from tests.masking.test_redaction import CHILD, KEY, opened, rows, selection

pytestmark = pytest.mark.usefixtures("without_children")
HEAD = "客户编号,姓名,身份证号,金额,备注\n"
NAMES = ("张三丰", "李小四", "王伟", "欧阳娜娜")
TABLE = HEAD + "".join(
    f"C{n:04},{NAMES[n % 4]},{CHILD},{n}.50,{NAMES[n % 4]}来电 1381234{n:04} Mr Brown {'x' * (3000 if n == 7 else 3)}\n"
    for n in range(400)
)
POLICY = Policy(
    fields={"姓名": FieldRule("pseudonymise", "person_name"), "身份证号": FieldRule("drop", "resident_id")},
    kinds=default_policy().kinds,
)


def sampled(size: int, key: bytes = KEY, **more: Any) -> tuple[list[dict[str, Any]], list[dict[str, str]]]:
    shown: list[bytes] = []
    out: list[bytes] = []
    redact_isolated(
        opened(TABLE.encode()), "a.csv", POLICY, key, sink=out.append, samples=size, on_sample=shown.append, **more
    )
    return [json.loads(line) for line in shown], rows(b"".join(out))


def test_after_is_what_came_out_and_before_is_its_shape_alone() -> None:
    shown, output = sampled(60)
    assert len(shown) == 60
    sources = [line.split(",") for line in TABLE.splitlines()[1:]]
    for record in shown:
        fields = {field["name"]: field for field in record["fields"]}
        assert {name: field["after"] for name, field in fields.items()} == {
            name: value[:VALUE_MAX] for name, value in output[record["record"]].items()
        }
        for before, field in zip(sources[record["record"]], record["fields"], strict=True):
            assert field["before"] == shape(before[:VALUE_MAX])
            assert field["cut"] == (len(before) > VALUE_MAX)
    everything = json.dumps([f["before"] for r in shown for f in r["fields"]], ensure_ascii=False)
    assert not any(name in everything for name in (*NAMES, CHILD, "Brown", "1381234"))


def test_each_field_says_what_was_to_happen_to_it_and_what_was_recognised() -> None:
    (record, *_), _ = sampled(1)
    told = {field["name"]: (field["action"], field["kinds"]) for field in record["fields"]}
    assert told["姓名"] == ("pseudonymise", ["person_name"])
    assert told["身份证号"] == ("drop", ["resident_id"])
    assert told["金额"] == ("scan", [])
    assert told["备注"][0] == "scan"
    assert "mobile" in told["备注"][1]


def test_one_key_draws_the_same_records_and_another_key_others() -> None:
    first, again, other = (sorted(r["record"] for r in sampled(40, key)[0]) for key in (KEY, KEY, b"z" * 32))
    assert first == again != other
    assert max(first) - min(first) > 100, "spread over the whole file"


def test_positions_are_a_permutation_so_that_every_beginning_is_a_sample() -> None:
    shown, _ = sampled(40)
    assert sorted(r["position"] for r in shown) == list(range(40))
    assert [r["position"] for r in shown] != sorted(r["position"] for r in shown)
    assert Counter(r["record"] for r in sampled(5000)[0]) == Counter(range(400))


def test_no_sample_is_drawn_unasked_and_none_of_a_record_that_is_left_out() -> None:
    assert sampled(0)[0] == []
    shown, output = sampled(400, selection=selection([f"C{n:04}" for n in range(10)], {}))
    assert len(output) == 10
    assert {r["record"] for r in shown} == set(range(10))


@pytest.mark.parametrize(
    ("value", "expected"),
    [
        ("张三丰 Zhang-San 13812345678", "汉汉汉 Aaaaa-Aaa 99999999999"),
        ("１３８　ａＢ，㐀𠮷", "999　aA，汉汉"),
        ("Ольга Ö ß カナ 한글", "Aaaaa A a aa aa"),
        ("e\u0301\ue000\U000323b0", "aaaa"),
        ("a@b.c\t\u200b;²Ⅷ", "a@a.a\t\u200b;99"),
        ("", ""),
    ],
)
def test_a_shape_keeps_length_case_and_signs_and_no_letter_or_digit(value: str, expected: str) -> None:
    assert shape(value) == expected
    assert len(shape(value)) == len(value)

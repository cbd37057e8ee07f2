"""Pseudonyms, masks, generalisation, proposals: what stands in for a value, and what it still says."""

import base64
import hmac
from typing import Any

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from handover.detection import FieldReport, ScanReport
from handover.masking import Policy, k_anonymity, keep_all, propose_policy
from handover.masking.generalise import generalise
from handover.masking.masks import mask
from handover.masking.pseudonyms import Pseudonymiser

KEY = b"k" * 32


@given(st.binary(min_size=16, max_size=100), st.text(st.characters(max_codepoint=127), max_size=30))
def test_token_is_the_published_hmac_and_nothing_else(key: bytes, value: str) -> None:
    message = b"wechat\0" + " ".join(value.split()).casefold().encode()
    expected = base64.b32encode(hmac.digest(key, message, "sha256")).decode()[:26]
    # str.split and the normal form agree on what is space.
    assert Pseudonymiser(key).token("wechat", value) == f"wechat-{expected}"


@pytest.mark.parametrize(
    ("kind", "one", "other"),
    [
        ("mobile", "13812345678", "+86 138-1234-5678"),
        ("mobile", "13812345678", "１３８１２３４５６７８"),
        ("email", "A@X.cn", "a@x.cn"),
        ("person_name", "John  Smith", "john smith"),
        ("resident_id", "11010519491231002x", "110105 19491231 002X"),
    ],
)
def test_one_person_is_one_token_however_typed(kind: str, one: str, other: str) -> None:
    tokens = Pseudonymiser(KEY)
    assert tokens.token(kind, one) == tokens.token(kind, other)
    assert tokens.token(kind, one) != Pseudonymiser(b"other key" * 4).token(kind, one)
    assert tokens.token("phone", one) != tokens.token(kind, one)


@pytest.mark.parametrize(
    ("kind", "value", "shown"),
    [
        ("resident_id", "310101199001011234", "3****************4"),
        ("mobile", "+86 13812341234", "138****1234"),
        ("email", "anna@x.cn", "a***@x.cn"),
        ("person_name", "张三", "张*"),
        ("person_name", "John Smith", "J*** S***"),
        ("bank_card", "6222 0212 3456 6789", "**** 6789"),
        ("credential", "hunter2", "***"),
    ],
)
def test_mask_shows_what_the_specification_says(kind: str, value: str, shown: str) -> None:
    assert mask(kind, value) == shown


@pytest.mark.parametrize(
    ("kind", "value", "coarse"),
    [
        ("birth_date", "1990年5月12日", "1990"),
        ("birth_date", "05/12/1990", "1990"),
        ("address", "上海市浦东新区张江路123弄4号502室", "上海市浦东新区"),
        ("address", "221 Baker Street", ""),
        ("ip", "11.147.3.9", "11.147.3.0/24"),
        ("ip", "2001:db8:1:2::9", "2001:db8:1::/48"),
        ("amount", "1234.50", "1000-1999"),
        ("person_name", "张三", ""),
    ],
)
def test_generalised_values_are_coarser_or_nothing(kind: str, value: str, coarse: str) -> None:
    assert generalise(kind, value) == coarse


def test_due_diligence_leaves_no_identifier_column_to_luck() -> None:
    report = ScanReport(
        fields=[
            FieldReport(name="姓名", level="L3", kinds={"person_name": 9}, role="person_name", values=10),
            FieldReport(name="身份证", level="L3", kinds={"resident_id": 2}, role="resident_id", values=10),
            FieldReport(name="客户编号", level="L2", kinds={}, role="customer_id", values=10),
            FieldReport(name="备注", level="L4", kinds={"health": 1}, role="free_text", values=10),
            FieldReport(name="订单号", level="L2", kinds={}, role="order", values=10),
        ]
    )
    rules = propose_policy(report, "due_diligence").fields
    assert {name: rule.action for name, rule in rules.items()} == {
        "姓名": "pseudonymise",
        "身份证": "drop",
        "客户编号": "pseudonymise",
    }
    assert propose_policy(report, "closing") == keep_all()
    assert keep_all().is_verbatim()


@pytest.mark.parametrize(
    "bad", [{"version": 2}, {"fields": {"a": {"action": "encrypt"}}}, {"kinds": {"mobile": "hide"}}, {"colour": "red"}]
)
def test_policy_with_unknown_words_is_refused(bad: Any) -> None:
    with pytest.raises(msgspec.ValidationError):
        msgspec.convert(bad, Policy)


def test_policy_survives_toml_and_json() -> None:
    policy = propose_policy(ScanReport(), "due_diligence")
    assert msgspec.json.decode(msgspec.json.encode(policy), type=Policy) == policy
    assert msgspec.toml.decode(b'[fields."a.b"]\naction = "drop"\n', type=Policy).fields["a.b"].action == "drop"


def test_k_is_the_smallest_group() -> None:
    rows = [("上海", "1990", "x"), ("上海", "1990", "y"), ("南京", "1980", "z")]
    assert k_anonymity(rows, [0, 1]) == 1
    assert k_anonymity(rows[:2], [0, 1]) == 2
    assert k_anonymity([], [0]) == 0

"""Who is under 14 is read from resident IDs by the detector's full rule, on the day of packing."""

from datetime import date

import pytest

from handover.detection import subject_digest
from handover.masking.isolated_selection import minors_isolated
from handover.masking.selection import survey_minors
from tests.masking.test_redaction import CASE, selection

CHILD = "31010120180505001X"
TODAY = date(2026, 1, 1)


def found(value: str, today: date = TODAY) -> bool:
    data = f"客户编号,备注\nC001,{value}\nC002,11010519491231002X\n".encode()
    digests = list(survey_minors([data], selection(None, {}), today=today))
    assert set(digests) <= {subject_digest(CASE, "C001")}
    return bool(digests)


@pytest.mark.parametrize(
    "value",
    [
        CHILD,
        CHILD.lower(),
        f"母亲代签，身份证{CHILD}。",
        "310101 20180505 001X",
        "３１０１０１２０１８０５０５００１Ｘ",
    ],
)
def test_a_valid_number_of_a_child_is_found_however_it_is_written(value: str) -> None:
    assert found(value)


@pytest.mark.parametrize(
    "value",
    [
        "310101201805050011",  # wrong check digit: an order number, perhaps
        "99010120180505001X",  # no such province
        "31010120181305001X",  # month 13
        f"9{CHILD}",  # part of a longer number
        "11010519491231002X",  # a grown-up
    ],
)
def test_what_is_no_number_of_a_child_makes_nobody_a_child(value: str) -> None:
    assert not found(value)


def test_the_fourteenth_birthday_ends_it() -> None:
    assert found(CHILD, date(2032, 5, 4))
    assert not found(CHILD, date(2032, 5, 5))


def test_the_packing_child_finds_the_same() -> None:
    data = f"客户编号,备注\nC001,{CHILD}\nC002,310101201805050011\n".encode()
    assert minors_isolated([data], selection(None, {})) == {subject_digest(CASE, "C001").hex()}

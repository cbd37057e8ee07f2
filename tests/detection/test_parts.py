"""An inspection in parts says what one that looks at everything says."""

import random

import pytest

from handover.detection import ScanReport, inspect_isolated
from handover.detection.counting import DistinctCounter
from handover.detection.isolated import inspect_part_isolated
from handover.detection.parts import PartState, merge
from handover.i18n import Text

KEY = b"c" * 32


def table(records: int) -> bytes:
    draw = random.Random(7)
    births = ("19850307", "20150307", "20090307", "")
    rows = (
        f"C{draw.randrange(records // 2):06},1381234{draw.randrange(10_000):04},{draw.choice(births)},"
        f"{draw.choice(('来电，微信wxid_abc123', '电话13912345678', '好', '患有糖尿病'))}\n"
        for _ in range(records)
    )
    return ("客户编号,手机号,出生日期,备注\n" + "".join(rows) + "C1,12,,手机号不全\n").encode()


def parts(data: bytes, name: str, of: int) -> list[PartState]:
    found = [inspect_part_isolated(lambda: [data], name, key=KEY, part=(number, of)) for number in range(of)]
    assert all(isinstance(one, PartState) for one in found)
    return found  # type: ignore[return-value]


@pytest.mark.parametrize("of", [2, 3])
def test_parts_together_are_the_whole(of: int) -> None:
    data, subjects = table(13_000), list[bytes]()
    whole = inspect_isolated(lambda: [data], "a.csv", key=KEY, on_subjects=subjects.append)
    report, digests = merge(parts(data, "a.csv", of))
    assert report == whole
    assert digests is not None
    assert b"".join(digests) == b"".join(subjects)
    assert (whole.minors, whole.under_14) > (0, 0)
    assert whole.fields[1].unmatched == 1


def test_more_parts_than_batches_are_the_whole_too() -> None:
    data = table(20)
    report, _ = merge(parts(data, "a.csv", 3))
    assert report == inspect_isolated(lambda: [data], "a.csv", key=KEY)


def test_a_part_of_a_file_that_is_refused_says_why() -> None:
    found = inspect_part_isolated(lambda: [b"%PDF-1.7 lie"], "a.csv", key=KEY, part=(1, 2))
    assert isinstance(found, Text)
    assert not isinstance(found, ScanReport)


@pytest.mark.parametrize("limit", [100, 64])
def test_sampled_counters_join_as_if_one_had_counted(limit: int) -> None:
    digests = [random.Random(n).randbytes(16) for n in range(1000)]
    one, left, right = (DistinctCounter(limit) for _ in range(3))
    one.update(digests)
    left.update(digests[:700])
    right.update(digests[600:])
    left.join(right.depth, right.seen)
    assert left.count() == one.count()

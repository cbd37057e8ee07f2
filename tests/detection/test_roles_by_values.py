"""A column whose header says nothing is what nearly all of its values are."""

from handover.detection.inspection import survey_of
from handover.detection.survey import Survey
from handover.formats import open_records

ADDRESSES = [f"青禾镇柳浪路{n}号{n % 7 + 1}幢{100 + n}室" for n in range(1, 18)]


def _survey(lines: list[str]) -> Survey:
    return survey_of(open_records(iter(["\n".join(lines).encode()]), "a.txt"))


def _role(lines: list[str]) -> str:
    return next(iter(_survey(lines).fields.values())).role


def test_a_list_of_addresses_is_a_column_of_addresses() -> None:
    lines = [*ADDRESSES, "云栖 9号 后门", "东郊2号仓库"]
    assert _role(lines) == "address"
    name, field = next(iter(_survey(lines).fields.items()))
    hits = field.scan.find(lines)
    assert name
    assert [[(s.start, s.end, s.kind) for s in hits[i]] for i in range(len(lines))] == [
        [(0, len(line), "address")] for line in lines
    ]


def test_sentences_that_hold_addresses_are_no_column_of_addresses() -> None:
    assert _role([f"请把货送到{address}，谢谢" for address in ADDRESSES]) != "address"

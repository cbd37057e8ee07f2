"""Credit standing by a small dictionary: judgements about a person, not the mere word credit."""

from collections.abc import Iterator

from handover.detection.spans import Span
from handover.detection.terms import find_terms

KIND, LEVEL, VERSION, WINDOW = "credit", "L4", 2, "whole"

TERMS = (
    "征信报告", "征信记录", "征信不良", "征信黑", "失信被执行人", "失信人", "老赖", "逾期记录", "信用黑名单", "限制高消费", "芝麻信用", "信用评级", "多次逾期", "征信有逾期",
    "bad credit history", "poor credit history", "credit blacklist", "my credit score", "his credit score", "her credit score",
    "filed for bankruptcy", "filed bankruptcy", "chapter 7 bankruptcy", "chapter 13 bankruptcy",
)  # fmt: skip

POSITIVE = (
    ("芝麻信用650分", "芝麻信用"),
    ("I filed for bankruptcy", "filed for bankruptcy"),
    ("他是失信被执行人", "失信被执行人"),
    ("My credit score dropped", "My credit score"),
)
NEGATIVE = ("信用卡还款", "credit card payment")


def find(text: str) -> Iterator[Span]:
    for start, end in find_terms(text, TERMS):
        yield Span(start, end, KIND, 0.8)

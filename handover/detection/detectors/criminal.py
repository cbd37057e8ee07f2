"""Criminal records by a small dictionary (PIPL art. 28; GB/T 45574 appendix A)."""

from collections.abc import Iterator

from handover.detection.spans import Span
from handover.detection.terms import find_terms

KIND, LEVEL, VERSION, WINDOW = "criminal", "L4", 2, "whole"

TERMS = (
    "犯罪记录", "前科", "刑满释放", "有期徒刑", "判刑", "缓刑", "拘役", "吸毒", "坐牢", "服刑", "取保候审", "拘留", "被逮捕", "被捕",
    "convicted of", "felony", "criminal record", "prison sentence", "on parole", "on probation", "incarcerated",
    "was arrested", "been arrested", "served time", "indicted", "sentenced to",
)  # fmt: skip

POSITIVE = (
    ("他有犯罪前科", "前科"),
    ("he was arrested for theft", "was arrested"),
    ("此人刑满释放后", "刑满释放"),
    ("he was convicted of fraud", "convicted of"),
)
NEGATIVE = ("刑法课程", "parole")


def find(text: str) -> Iterator[Span]:
    for start, end in find_terms(text, TERMS):
        yield Span(start, end, KIND, 0.8)

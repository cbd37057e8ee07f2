"""Religious belief by a small dictionary (PIPL art. 28)."""

from collections.abc import Iterator

from handover.detection.spans import Span
from handover.detection.terms import find_terms

KIND, LEVEL, VERSION, WINDOW = "religion", "L4", 2, "whole"

TERMS = (
    "佛教徒", "基督徒", "基督教", "天主教", "穆斯林", "道教徒", "信佛", "信教", "清真", "礼拜堂", "受洗", "宗教信仰", "做礼拜", "皈依", "伊斯兰",
    "muslim", "buddhist", "catholic", "jehovah's witness", "hindu", "jewish", "ramadan", "baptized", "islam", "sikh", "religious belief",
)  # fmt: skip

POSITIVE = (("每周去教堂做礼拜", "做礼拜"), ("他是穆斯林，不吃猪肉", "穆斯林"), ("as a practising Muslim I", "Muslim"))
NEGATIVE = ("佛山市", "Hindustan Times")


def find(text: str) -> Iterator[Span]:
    for start, end in find_terms(text, TERMS):
        yield Span(start, end, KIND, 0.8)

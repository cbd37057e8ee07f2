"""Mainland number plates (GA 36), with the eight characters of new-energy vehicles; I and O are not used."""

import re
from collections.abc import Iterator

from handover.detection.spans import Span

KIND, LEVEL, VERSION, WINDOW = "plate", "L3", 2, "whole"

_PLATE = re.compile(
    r"[京津沪渝冀豫云辽黑湘皖鲁新苏浙赣鄂桂甘晋蒙陕吉闽贵粤青藏川宁琼][A-HJ-NP-Z][·•・ -]?"
    r"(?:[DF][A-HJ-NP-Z0-9][0-9]{4}|[0-9]{5}[DF]|[A-HJ-NP-Z0-9]{4}[A-HJ-NP-Z0-9挂学警港澳])(?![0-9A-Za-z])"
)
#: Embassies and the armed police.
_SPECIAL = re.compile(
    r"使[0-9]{6}(?![0-9A-Za-z])"
    r"|WJ(?<![0-9A-Za-z]..)[京津沪渝冀豫云辽黑湘皖鲁新苏浙赣鄂桂甘晋蒙陕吉闽贵粤青藏川宁琼]?[·•・ -]?[0-9]{4}[0-9A-Z](?![0-9A-Za-z])"
)

POSITIVE = (
    ("车牌沪A12345。", "沪A12345"),
    ("粤B·D12345", "粤B·D12345"),
    ("使014578", "使014578"),
    ("WJ京12345", "WJ京12345"),
)
NEGATIVE = ("沪A1234", "沪AI2345", "沪ABCDEF", "沪A123456")


def find(text: str) -> Iterator[Span]:
    for match in _PLATE.finditer(text):
        if any(character.isdigit() for character in match[0]):
            yield Span(match.start(), match.end(), KIND, 0.9)
    if "使" in text or "WJ" in text:
        for match in _SPECIAL.finditer(text):
            yield Span(match.start(), match.end(), KIND, 0.85)

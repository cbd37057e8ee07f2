"""QQ numbers: 5 to 11 digits anchored by a cue."""

import re
from collections.abc import Iterator

from handover.detection.spans import Span
from handover.detection.terms import matches_after

KIND, LEVEL, VERSION, WINDOW = "qq", "L3", 2, "whole"

_NUMBER = re.compile(r"(?:号码?|群|号)?(?: is |[:： 是为加=]{0,4})([1-9][0-9]{4,10})(?![0-9A-Za-z@])")
#: `matches_after` wants an ASCII term to end before a non-letter; a number glued to the cue is common too.
_GLUED = re.compile(r"[Qq](?<![A-Za-z0-9].)[Qq]([1-9][0-9]{4,10})(?![0-9A-Za-z@])")

POSITIVE = (
    ("My QQ is 123456789", "123456789"),
    ("我的QQ号是12345678", "12345678"),
    ("qq:1098765432", "1098765432"),
    ("加QQ12345678", "12345678"),
)
NEGATIVE = ("QQ 1234", "QQ音乐", "12345678", "qq@qq.com")


def find(text: str) -> Iterator[Span]:
    for match in matches_after(text, ("qq", "扣扣"), _NUMBER):
        yield Span(match.start(1), match.end(1), KIND, 0.88)
    for match in _GLUED.finditer(text):
        yield Span(match.start(1), match.end(1), KIND, 0.88)

"""Mainland fixed lines: area code and 7 or 8 digits. Service numbers (400, 800) belong to companies and are no hits."""

import re
from collections.abc import Iterator

from handover.detection.context import AFTER, BEFORE, after_order_cue
from handover.detection.spans import Span

KIND, LEVEL, VERSION, WINDOW = "landline", "L3", 3, "digits"

_AREA = r"(?:10|2[0-57-9]|3(?:1[0-9]|35|35|49|5[0-9]|7[0-79]|9[1-8])|4[1-8][0-9]|5[1-9][0-9]|6[36][0-9]|7[0-9]{2}|8[1-9][0-9]|9[0-9]{2})"
_SEPARATED = re.compile(
    rf"(?=[-+( 0-9]){BEFORE}(?:(?:\+|00)86[ -]?)?(?:\(0{_AREA}\)[ -]?|0{_AREA}[ -]|(?<=86)[ -]?{_AREA}[ -]?|(?<=86[ -]){_AREA}[ -]?)"
    rf"[2-8][0-9]{{2,3}}[ -]?[0-9]{{4}}(?:(?:转|-|ext\.? ?)[0-9]{{1,5}})?{AFTER}"
)
#: Behind a cue a number needs neither area code nor separator, and others may follow it.
_CUE = re.compile(r"(?:电话|座机|传真|热线|致电|拨打|联系方式)(?:号码?)?[^0-9+\0\n。；;]{0,6}")
_CUED = re.compile(rf"(?:\(?0{_AREA}\)?[ -]?)?[2-8][0-9]{{2,3}}[ -]?[0-9]{{4}}{AFTER}")
_NEXT = re.compile(r" ?(?:[,，、/;；]|或者?是?|和|及|以及) ?")
_AMOUNT = re.compile(r" ?(?:元|块|分钟|秒|[.][0-9])")

POSITIVE = (
    ("公司座机021-62345678转801", "021-62345678转801"),
    ("(0571)8765 4321", "(0571)8765 4321"),
    ("电话02162345678", "02162345678"),
    ("+86 21 6234 5678", "+86 21 6234 5678"),
    ("电话是69624789。", "69624789"),
    ("电话有两个，64431558或者64431668", "64431668"),
)
NEGATIVE = (
    "2024-01-12345678",
    "021-1234567",
    "400-820-8820",
    "单号021-62345678",
    "02162345678",
    "69624789",
    "电话费：69624789元",
    "+1 (415) 555-2671",
)


def find(text: str) -> Iterator[Span]:
    for match in _SEPARATED.finditer(text):
        if not after_order_cue(text, match.start()):
            yield Span(match.start(), match.end(), KIND, 0.85)
    for cue in _CUE.finditer(text):
        position = cue.end()
        while (number := _CUED.match(text, position)) and not _AMOUNT.match(text, number.end()):
            yield Span(number.start(), number.end(), KIND, 0.8)
            joint = _NEXT.match(text, number.end())
            if joint is None:
                break
            position = joint.end()

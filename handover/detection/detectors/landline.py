"""Mainland fixed lines: area code and 7 or 8 digits. Service numbers (400, 800) belong to companies and are no hits."""

import re
from collections.abc import Iterator

from handover.detection.context import AFTER, BEFORE, after_order_cue
from handover.detection.spans import Span

KIND, LEVEL, VERSION, WINDOW = "landline", "L3", 1, "digits"

_AREA = r"(?:10|2[0-57-9]|3(?:1[0-9]|35|35|49|5[0-9]|7[0-79]|9[1-8])|4[1-8][0-9]|5[1-9][0-9]|6[36][0-9]|7[0-9]{2}|8[1-9][0-9]|9[0-9]{2})"
_SEPARATED = re.compile(
    rf"(?=[-+( 0-9]){BEFORE}(?:(?:\+|00)86[ -]?)?(?:\(0?{_AREA}\)[ -]?|0{_AREA}[ -]|(?<=86)[ -]?{_AREA}[ -]?|(?<=86[ -]){_AREA}[ -]?)"
    rf"[2-8][0-9]{{2,3}}[ -]?[0-9]{{4}}(?:(?:转|-|ext\.? ?)[0-9]{{1,5}})?{AFTER}"
)
_PLAIN = re.compile(
    rf"(?=0)(?:(?<=电话)|(?<=座机)|(?<=传真)|(?<=电话[:：是为 ])|(?<=座机[:：是为 ])|(?<=传真[:：是为 ]))0{_AREA}[2-8][0-9]{{6,7}}{AFTER}"
)

POSITIVE = (
    ("公司座机021-62345678转801", "021-62345678转801"),
    ("(0571)8765 4321", "(0571)8765 4321"),
    ("电话02162345678", "02162345678"),
    ("+86 21 6234 5678", "+86 21 6234 5678"),
)
NEGATIVE = ("2024-01-12345678", "021-1234567", "400-820-8820", "单号021-62345678", "02162345678")


def find(text: str) -> Iterator[Span]:
    for pattern, confidence in ((_SEPARATED, 0.85), (_PLAIN, 0.8)):
        for match in pattern.finditer(text):
            if not after_order_cue(text, match.start()):
                yield Span(match.start(), match.end(), KIND, confidence)

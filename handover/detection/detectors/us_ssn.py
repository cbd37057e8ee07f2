"""US social security numbers in their written form, without the numbers that are never issued.

Behind the name of a Chinese estate three numbers are house, entrance and room: 丹桂苑171-15-1547.
"""

import re
from collections.abc import Iterator

from handover.detection.context import after_order_cue
from handover.detection.spans import Span

KIND, LEVEL, VERSION, WINDOW = "us_ssn", "L4", 2, "digits"

_VALID = r"(?!000|666|9)[0-9]{3}%s(?!00)[0-9]{2}%s(?!0000)[0-9]{4}"
_NUMBER = re.compile(
    r"(?=[0-8])(?<![0-9A-Za-z_-])(?<![区期园苑庄城府湾里村院庭居轩阁邸郡岸港路弄巷街坊寓])"
    + _VALID % ("-", "-")
    + r"(?![0-9A-Za-z_-])"
)
_CUED = re.compile(
    r"(?=s)(?:\bSSN|social security(?: number| no\.?)?)[ :#is]{0,5}("
    + _VALID % ("[ -]?", "[ -]?")
    + r")(?![0-9A-Za-z])",
    re.IGNORECASE,
)

POSITIVE = (("my SSN is 536-90-4399.", "536-90-4399"), ("Social Security number 536904399", "536904399"))
NEGATIVE = (
    "000-12-3456",
    "666-12-3456",
    "912-34-5678",
    "536-00-4399",
    "536904399",
    "1536-90-4399",
    "丹桂苑171-15-1547",
)


def find(text: str) -> Iterator[Span]:
    for pattern, group in ((_NUMBER, 0), (_CUED, 1)):
        for match in pattern.finditer(text):
            if not after_order_cue(text, match.start(group)):
                yield Span(match.start(group), match.end(group), KIND, 0.9)

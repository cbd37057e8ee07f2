"""Numbers of mobile devices (3GPP TS 23.003): 15 digits with a Luhn check digit, behind a cue.

Without the cue they pass for payment cards; a column of them is known by its header (`roles`).
"""

import re
from collections.abc import Iterator

from handover.detection import checks
from handover.detection.spans import Span
from handover.detection.terms import matches_after

KIND, LEVEL, VERSION, WINDOW = "imei", "L3", 1, "whole"

CUES = ("imei", "imei1", "imei2", "串号", "设备识别码")
_AFTER_CUE = re.compile(r"(?:号码?|码)?[^0-9A-Za-z\0]{0,6}([0-9]{2}[- ]?[0-9]{6}[- ]?[0-9]{6}[- ]?[0-9])(?![0-9])")

POSITIVE = (
    ("IMEI：490154203237518", "490154203237518"),
    ("手机串号49-015420-323751-8", "49-015420-323751-8"),
    ("imei2 356938035643809", "356938035643809"),
)
NEGATIVE = ("IMEI 490154203237519", "490154203237518", "imei 4901542032375189")


def find(text: str) -> Iterator[Span]:
    for match in matches_after(text, CUES, _AFTER_CUE):
        if is_imei(match[1]):
            yield Span(match.start(1), match.end(1), KIND, 0.97)


def is_imei(value: str) -> bool:
    digits = value.replace("-", "").replace(" ", "")
    return len(digits) == 15 and digits.isdigit() and checks.luhn(digits)

"""Passport numbers of any country: one or two letters and six to nine digits, or nine digits, behind a cue.

Without the cue they look like order numbers; a column of passports is known by its header (`roles`).
"""

import re
from collections.abc import Iterator

from handover.detection.spans import Span
from handover.detection.terms import matches_after

KIND, LEVEL, VERSION, WINDOW = "passport", "L3", 1, "whole"

CUES = ("护照", "passport")
NUMBER = r"(?:[A-Za-z]{1,2}[0-9]{6,9}|[0-9]{9})"
_AFTER_CUE = re.compile(
    rf"(?:证?号码?| ?(?:[Nn]o\.?|[Nn]umber|[Nn]um|#))?(?:[:： #.\"'是为=]|is ){{0,5}}({NUMBER})(?![0-9A-Za-z])"
)

POSITIVE = (
    ("护照号码：E12345678", "E12345678"),
    ("本人护照EA1234567已过期", "EA1234567"),
    ("Passport No. 533380006", "533380006"),
    ("passport number is K0123456", "K0123456"),
)
NEGATIVE = ("订单E12345678", "护照已过期，电话13812345678", "passport E123", "passport 12345678901")


def find(text: str) -> Iterator[Span]:
    for match in matches_after(text, CUES, _AFTER_CUE):
        yield Span(match.start(1), match.end(1), KIND, 0.95)

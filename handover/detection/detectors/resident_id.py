"""Mainland resident identity numbers: 18 digits with check (GB 11643), and the old 15 digits without one.

Province, date and check digit hold for one number in a hundred thousand, so Latin letters may be glued to the 18 digits.
"""

import datetime as dt
import re
from collections.abc import Iterator

from handover.detection import checks
from handover.detection.context import after_order_cue
from handover.detection.spans import Span

KIND, LEVEL, VERSION, WINDOW = "resident_id", "L3", 3, "digits"

PROVINCES = "(?:1[1-5]|2[1-3]|3[1-7]|4[1-6]|5[0-4]|6[1-5]|71|8[1-3])"
_NUMBER = re.compile(
    rf"(?=[1-8])(?:(?<![0-9A-Za-z]){PROVINCES}(?:[ .·-]?[0-9]){{15}}[ .·-]?[0-9Xx](?![0-9A-Za-z])"
    rf"|(?<![0-9]){PROVINCES}[0-9]{{15}}(?:[0-9](?![0-9])|[Xx](?![0-9A-Za-z])))"
)
_OLD_NUMBER = re.compile(
    rf"(?=[1-8])(?<![0-9A-Za-z.]){PROVINCES}[0-9]{{4}}[0-9]{{2}}(?:0[1-9]|1[0-2])(?:0[1-9]|[12][0-9]|3[01])[0-9]{{3}}(?![0-9A-Za-z])"
)
_SEPARATORS = str.maketrans("", "", " .·-")

POSITIVE = (
    ("身份证11010519491231002X。", "11010519491231002X"),
    ("证件 110105 19491231 002X", "110105 19491231 002X"),
    ("1101 0519 4912 3100 2X", "1101 0519 4912 3100 2X"),
    ("１１０１０５１９４９１２３１００２Ｘ", "１１０１０５１９４９１２３１００２Ｘ"),
    ("id=ID11010519491231002X。", "11010519491231002X"),
    ("ID110101199003074514abc", "110101199003074514"),
    ("旧证号130503670401001", "130503670401001"),
)
NEGATIVE = (
    "身份证110105194912310021",  # wrong check digit
    "11010519491331002X",  # month 13
    "ID110101199003074515",  # the same with letters
    "a9110101199003074514",  # part of a longer number
    "990105194912310020",  # no such province
    "9110105194912310020X",  # part of a longer number
    "订单号130503670401001",  # an order number with the form of an old one
)


def find(text: str) -> Iterator[Span]:
    for match in _NUMBER.finditer(text):
        if checks.resident_id(match[0].translate(_SEPARATORS)):
            yield Span(match.start(), match.end(), KIND, 0.99)
    for match in _OLD_NUMBER.finditer(text):
        if checks.birth_date("19" + match[0][6:12]) and not after_order_cue(text, match.start()):
            yield Span(match.start(), match.end(), KIND, 0.7)


def birth_of(number: str) -> dt.date | None:
    """The birth date that a valid number carries."""
    bare = number.translate(_SEPARATORS)
    return checks.birth_date(bare[6:14] if len(bare) == 18 else "19" + bare[6:12])

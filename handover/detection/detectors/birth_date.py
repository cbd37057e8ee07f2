"""Dates of birth in running text, anchored by a cue; columns are recognised by their header."""

import re
from collections.abc import Iterator

from handover.detection import checks
from handover.detection.spans import Span
from handover.detection.terms import find_terms

KIND, LEVEL, VERSION, WINDOW = "birth_date", "L3", 2, "whole"

CUES = (
    "出生日期",
    "出生年月",
    "出生于",
    "生日",
    "生于",
    "出生",
    "date of birth",
    "birthday",
    "born on",
    "born",
    "dob",
)
_DATE = re.compile(
    r"(?:(?:19|20)[0-9]{2})([-/.年])\s?[01]?[0-9](?:\1|月)\s?[0-3]?[0-9]日?|(?:19|20)[0-9]{2}[01][0-9][0-3][0-9](?![0-9])|[01]?[0-9]/[0-3]?[0-9]/(?:19|20)[0-9]{2}(?![0-9])"
)
_MONTH = "(?:Jan|Feb|Mar|Apr|May|June?|July?|Aug|Sept?|Oct|Nov|Dec)[a-z]{0,6}"
#: Dates with the month as a word, and a month without a day: enough behind a cue.
_WRITTEN = re.compile(
    rf"{_MONTH}\.? [0-3]?[0-9](?:st|nd|rd|th)?,? (?:19|20)[0-9]{{2}}|[0-3]?[0-9](?:st|nd|rd|th)? (?:of )?{_MONTH}\.?,? (?:19|20)[0-9]{{2}}"
    r"|(?:19|20)[0-9]{2}(?:年|[-/.])\s?(?:1[0-2]|0?[1-9])(?:月|(?![0-9./-]))",
    re.IGNORECASE,
)
_NUMBERS = re.compile(r"[0-9]+")
_GAP = 6
_BORN_AFTER = re.compile(r"\s?(?:日)?\s?(?:出生|生日|生于|生)")

POSITIVE = (
    ("出生日期：1990年5月12日", "1990年5月12日"),
    ("DOB: 05/12/1990", "05/12/1990"),
    ("生日1988-02-29", "1988-02-29"),
    ("1990年5月12日出生", "1990年5月12日"),
    ("1988年3月出生", "1988年3月"),
    ("出生年月：1990.08", "1990.08"),
    ("I was born on March 5, 1988", "March 5, 1988"),
    ("Date of birth: 5 March 1988", "5 March 1988"),
)
NEGATIVE = ("下单日期1990-05-12", "生日1990-13-12", "生日礼物", "1990-05-12")


def find(text: str) -> Iterator[Span]:
    for _, end in find_terms(text, CUES):
        match = _DATE.search(text, end, end + _GAP + 12)
        if match and match.start() - end <= _GAP and "\0" not in text[end : match.start()] and is_date(match[0]):
            yield Span(match.start(), match.end(), KIND, 0.85)
        elif (
            (match := _WRITTEN.search(text, end, end + _GAP + 24))
            and match.start() - end <= _GAP
            and "\0" not in text[end : match.start()]
        ):
            yield Span(match.start(), match.end(), KIND, 0.8)
    if "生" in text:
        for match in _DATE.finditer(text):
            if _BORN_AFTER.match(text, match.end()) and is_date(match[0]):
                yield Span(match.start(), match.end(), KIND, 0.85)
        for match in _WRITTEN.finditer(text):
            if _BORN_AFTER.match(text, match.end()):
                yield Span(match.start(), match.end(), KIND, 0.8)


def is_date(value: str) -> bool:
    """True for one whole real date that someone could be born on."""
    return as_eight_digits(value) is not None


def as_eight_digits(value: str) -> str | None:
    """A written date as YYYYMMDD; None when it is no real date of a birth."""
    match = _DATE.match(value.strip())
    if not match:
        return None
    parts = _NUMBERS.findall(match[0])
    if len(parts) == 1:
        text = parts[0]
    elif len(parts[0]) == 4:
        text = f"{parts[0]}{int(parts[1]):02}{int(parts[2]):02}"
    else:
        text = f"{parts[2]}{int(parts[0]):02}{int(parts[1]):02}"
    return text if checks.birth_date(text) else None

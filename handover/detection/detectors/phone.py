"""Telephone numbers outside the mainland: with a country code, or in the written forms of HK, Taiwan and North America."""

import re
from collections.abc import Iterator

from handover.detection.context import AFTER, BEFORE, after_order_cue
from handover.detection.spans import Span

KIND, LEVEL, VERSION, WINDOW = "phone", "L3", 1, "digits"

_INTERNATIONAL = re.compile(
    rf"\+(?<![0-9A-Za-z+].)(?!86)[1-9][0-9]{{0,2}}[ .-]?(?:\([0-9]{{1,4}}\)[ .-]?)?[0-9]{{1,5}}(?:[ .-]?[0-9]{{2,5}}){{1,4}}{AFTER}"
)
_GREATER_CHINA = re.compile(
    rf"(?=[08]){BEFORE}(?:00)?(?:85[23][ -]?[2-9][0-9]{{3}}[ -][0-9]{{4}}|886[ -]?0?9[0-9]{{2}}[ -]?[0-9]{{3}}[ -]?[0-9]{{3}}){AFTER}"
)
_TAIWAN_MOBILE = re.compile(rf"(?=09){BEFORE}09[0-9]{{2}}[ -][0-9]{{3}}[ -]?[0-9]{{3}}{AFTER}")
_NORTH_AMERICA = re.compile(
    rf"(?=[(1-9])(?<![0-9A-Za-z_])(?<![0-9][.\-])(?:1[ .-])?(?:\([2-9][0-9]{{2}}\) ?|[2-9][0-9]{{2}}[.-])[2-9][0-9]{{2}}[ .-][0-9]{{4}}{AFTER}"
)
_CUED = re.compile(
    r"(?=[香澳港ptcm])(?:(?:香港|澳门|港)(?:的)?(?:电话|手机)|(?:\bphone|\btel|\bcall(?: me)?(?: at| on)?|\bmobile)\b)[:： 号是为.]{0,4}([2-9][0-9]{3}[ -]?[0-9]{4})(?![0-9])",
    re.IGNORECASE,
)
_DIGITS = range(8, 16)  # E.164 allows 15; fewer than 8 is no subscriber abroad

POSITIVE = (
    ("香港电话+852 9123 4567", "+852 9123 4567"),
    ("call (212) 555-0123 now", "(212) 555-0123"),
    ("台湾手机0912-345-678", "0912-345-678"),
    ("+44 20 7946 0958", "+44 20 7946 0958"),
    ("00852 9123 4567", "00852 9123 4567"),
    ("phone: 9123 4567", "9123 4567"),
)
NEGATIVE = ("555-0123", "+12", "2023-10-12 1234", "order 212-555-0123", "9123 4567")


def find(text: str) -> Iterator[Span]:
    for pattern in (_INTERNATIONAL, _GREATER_CHINA, _TAIWAN_MOBILE, _NORTH_AMERICA, _CUED):
        for match in pattern.finditer(text):
            group = 1 if pattern is _CUED else 0
            if sum(c.isdigit() for c in match[group]) in _DIGITS and not after_order_cue(text, match.start(group)):
                yield Span(match.start(group), match.end(group), KIND, 0.75)

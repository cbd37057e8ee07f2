"""Telephone numbers outside the mainland: with a country code, or in the written forms of HK, Taiwan and North America."""

import re
from collections.abc import Iterator

from handover.detection.context import AFTER, BEFORE, after_order_cue
from handover.detection.spans import Span

KIND, LEVEL, VERSION, WINDOW = "phone", "L3", 3, "digits"

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
    r"(?=[香澳港])(?:香港|澳门|澳門|港)(?:的)?(?:电话|手机|電話|手機)?[:： 号是为.]{0,4}([2-9][0-9]{3}[ -]?[0-9]{4})(?![0-9])"
)
#: Fixed lines of Taiwan look like the mainland's; the place tells them apart.
_TAIWAN = re.compile(
    r"(?=[台臺新桃高T])(?:台湾|臺灣|台北|臺北|新北|桃园|桃園|台中|臺中|台南|臺南|高雄|Taiwan|Taipei)[^0-9(\0\n]{0,8}(\(?0[2-9]{1,2}\)?[ -]?[0-9]{3,4}[ -]?[0-9]{4})(?![0-9])"
)
_WRITTEN = r"[+(]?[0-9](?:[ ]?[()./-]?[ ]?[0-9]){6,14}(?: ?(?:x|ext\.?) ?[0-9]{1,6})?"
#: Any way of writing a number, where a word says that it is one.
_AFTER_WORD = re.compile(
    r"\b(?:(?:tele)?phone|tel|mobile|cell|fax|desk|whatsapp|(?:call|reach|text|ring|contact)(?:ing)?(?: (?:me|us|him|her|them))?|answering|messages?)\b"
    rf"(?: ?(?:number|no\.?|at|on|to|is|#))*[:：.\s]{{0,3}}({_WRITTEN}){AFTER}",
    re.IGNORECASE,
)
_BEFORE_WORD = re.compile(
    rf"(?<![0-9A-Za-z])({_WRITTEN})[ -]{{1,3}}(?:office|fax|mobile|desk|cell|home phone)\b", re.IGNORECASE
)
_DIGITS = range(7, 16)  # E.164 allows 15; fewer than 7 is no subscriber

POSITIVE = (
    ("香港电话+852 9123 4567", "+852 9123 4567"),
    ("台湾电话 02-2345-6789", "02-2345-6789"),
    ("澳門 6612 3456 電話", "6612 3456"),
    ("Call me: +1 (415) 555-2671", "+1 (415) 555-2671"),
    ("call (212) 555-0123 now", "(212) 555-0123"),
    ("台湾手机0912-345-678", "0912-345-678"),
    ("+44 20 7946 0958", "+44 20 7946 0958"),
    ("00852 9123 4567", "00852 9123 4567"),
    ("phone: 9123 4567", "9123 4567"),
    ("call me at 0494 92 82 32 or later", "0494 92 82 32"),
    ("07700 063 966-Fax", "07700 063 966"),
    ("Phone:\n60-56-85-91", "60-56-85-91"),
    ("Fax: 259.735.7502x459", "259.735.7502x459"),
    ("not answering at 78 651 450.", "78 651 450"),
)
NEGATIVE = ("555-0123", "+12", "2023-10-12 1234", "order 212-555-0123", "9123 4567")


def find(text: str) -> Iterator[Span]:
    for pattern in (
        _INTERNATIONAL,
        _GREATER_CHINA,
        _TAIWAN_MOBILE,
        _NORTH_AMERICA,
        _CUED,
        _TAIWAN,
        _AFTER_WORD,
        _BEFORE_WORD,
    ):
        for match in pattern.finditer(text):
            group = pattern.groups
            if sum(map(str.isdigit, re.split("[xe]", match[group])[0])) in _DIGITS and not after_order_cue(
                text, match.start(group)
            ):
                yield Span(match.start(group), match.end(group), KIND, 0.75)

"""Permits to travel between the mainland, Hong Kong, Macau and Taiwan, and foreigners' permanent residence, behind a cue."""

import re
from collections.abc import Iterator

from handover.detection.spans import Span
from handover.detection.terms import matches_after

KIND, LEVEL, VERSION, WINDOW = "travel_permit", "L3", 1, "whole"

CUES = ("通行证", "回乡证", "台胞证", "永居证", "居留证", "居留身份证", "travel permit", "home return permit")
#: H and M: residents of Hong Kong and Macau; C, W and T: mainland residents; eight digits: residents of Taiwan.
NUMBER = r"(?:[HMCWThmcwt][0-9A-Za-z][0-9]{7}(?:[0-9]{2})?|[0-9]{8}(?:[0-9]{2})?|[A-Za-z]{3}[0-9]{12})"
_AFTER_CUE = re.compile(
    rf"(?:证?号码?| ?(?:[Nn]o\.?|[Nn]umber|#))?(?:[:： #.\"'是为=]|is ){{0,5}}({NUMBER})(?![0-9A-Za-z])"
)

POSITIVE = (
    ("港澳居民来往内地通行证H12345678", "H12345678"),
    ("回乡证号：M1234567801", "M1234567801"),
    ("台胞证 12345678", "12345678"),
    ("往来港澳通行证号码为CA1234567", "CA1234567"),
    ("home return permit no. H87654321", "H87654321"),
)
NEGATIVE = ("快递单号H12345678", "通行证已办理", "台胞证 1234567", "通行证123456789012")


def find(text: str) -> Iterator[Span]:
    for match in matches_after(text, CUES, _AFTER_CUE):
        yield Span(match.start(1), match.end(1), KIND, 0.95)

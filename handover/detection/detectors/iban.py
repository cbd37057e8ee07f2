"""International bank account numbers (ISO 13616), checked by country length and mod 97."""

import re
from collections.abc import Iterator

from handover.detection import checks
from handover.detection.spans import Span

KIND, LEVEL, VERSION, WINDOW = "iban", "L4", 2, "digits"

_NUMBER = re.compile(
    r"[A-Z](?<![0-9A-Za-z].)[A-Z][0-9]{2}(?:[ ]?[A-Z0-9]{4}){2,7}(?:[ ]?[A-Z0-9]{1,3})?(?![0-9A-Za-z])",
    re.IGNORECASE,
)
_LENGTHS = {
    "AD": 24, "AE": 23, "AT": 20, "BE": 16, "BG": 22, "BR": 29, "CH": 21, "CY": 28, "CZ": 24, "DE": 22, "DK": 18,
    "EE": 20, "ES": 24, "FI": 18, "FR": 27, "GB": 22, "GR": 27, "HR": 21, "HU": 28, "IE": 22, "IL": 23, "IS": 26,
    "IT": 27, "KW": 30, "LI": 21, "LT": 20, "LU": 20, "LV": 21, "MC": 27, "MT": 31, "NL": 18, "NO": 15, "PL": 28,
    "PT": 25, "QA": 29, "RO": 24, "SA": 24, "SE": 24, "SI": 19, "SK": 24, "SM": 27, "TR": 26, "UA": 29,
}  # fmt: skip

POSITIVE = (
    ("IBAN GB29 NWBK 6016 1331 9268 19", "GB29 NWBK 6016 1331 9268 19"),
    ("账户DE89370400440532013000", "DE89370400440532013000"),
    ("my iban is gb29nwbk60161331926819", "gb29nwbk60161331926819"),
)
NEGATIVE = ("GB29 NWBK 6016 1331 9268 18", "DE8937040044053201300", "ZZ89370400440532013000")


def find(text: str) -> Iterator[Span]:
    for match in _NUMBER.finditer(text):
        end = _end_of(match[0])
        if end:
            yield Span(match.start(), match.start() + end, KIND, 0.99)


def _end_of(candidate: str) -> int:
    """How much of the candidate is the number: a capital word behind it may have been taken along; 0 is none."""
    length = _LENGTHS.get(candidate[:2].upper(), 0)
    seen = 0
    for position, character in enumerate(candidate, 1):
        seen += character != " "
        if seen == length:
            bare = candidate[:position].replace(" ", "")
            rest = candidate[position : position + 1]
            return position if rest in {"", " "} and checks.iban(bare) else 0
    return 0

"""Vehicle identification numbers (GB 16735, ISO 3779): 17 characters with a check character, or 17 behind a cue."""

import re
from collections.abc import Iterator

from handover.detection import checks
from handover.detection.spans import Span
from handover.detection.terms import matches_after

KIND, LEVEL, VERSION, WINDOW = "vin", "L3", 1, "whole"

CUES = ("车架号", "车辆识别代号", "车辆识别代码", "车辆识别码", "vin")
_NUMBER = re.compile(r"(?<![0-9A-Za-z])[A-HJ-NPR-Z0-9]{17}(?![0-9A-Za-z])")
#: Behind a cue, also in small letters.
NUMBER = "[A-HJ-NPR-Za-hj-npr-z0-9]{17}"
_AFTER_CUE = re.compile(rf"(?:码|号码?| ?(?:[Nn]o\.?|[Nn]umber|#))?[:： #.是为=]{{0,4}}({NUMBER})(?![0-9A-Za-z])")

POSITIVE = (
    ("车辆1M8GDM9AXKP042788已过户", "1M8GDM9AXKP042788"),
    ("VIN: LSVAA4187C2184841", "LSVAA4187C2184841"),
    ("车架号wvwzzz1jz3w386752", "wvwzzz1jz3w386752"),
)
NEGATIVE = ("1M8GDM9A1KP042788", "ABCDEFGHJKLMNPRST", "12345678901234567", "1M8GDM9AXKP0427881")


def find(text: str) -> Iterator[Span]:
    for match in _NUMBER.finditer(text):
        if _has_both(match[0]) and checks.vin(match[0]):
            yield Span(match.start(), match.end(), KIND, 0.95)
    for match in matches_after(text, CUES, _AFTER_CUE):
        if _has_both(match[1]):
            yield Span(match.start(1), match.end(1), KIND, 0.9)


def _has_both(number: str) -> bool:
    """Seventeen digits may be any number, and seventeen letters any word."""
    return sum(map(str.isdigit, number)) in range(4, 17)

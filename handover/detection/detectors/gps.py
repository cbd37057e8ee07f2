"""Places on earth as pairs of coordinates, in either order: precise decimals, decimals behind a cue, or degrees and minutes."""

import re
from collections.abc import Iterator

from handover.detection.spans import Span

KIND, LEVEL, VERSION, WINDOW = "gps", "L4", 2, "whole"

_PAIR = re.compile(
    r"(?<![0-9A-Za-z.])(-?[0-9]{1,3}\.[0-9]{2,15})[°]?[NSEWnsew]?[ ]{0,2}[,，;；/、 ][ ]{0,2}"
    r"(-?[0-9]{1,3}\.[0-9]{2,15})[°]?[NSEWnsew]?(?![0-9A-Za-z]|\.[0-9])"
)
_DEGREES = re.compile(
    r"[0-9]{1,3}°[ ]?[0-9]{1,2}['′](?:[ ]?[0-9]{1,2}(?:\.[0-9]{1,4})?[\"″])?[ ]?[NSns北南]?[ ]{0,2}[,，;；]?[ ]{0,2}"
    r"[0-9]{1,3}°[ ]?[0-9]{1,2}['′](?:[ ]?[0-9]{1,2}(?:\.[0-9]{1,4})?[\"″])?[ ]?[EWew东西]?"
)
#: Each number behind its own name: 北纬31.23°，东经121.47°; lat 31.23 lng 121.47.
_NAMED = re.compile(
    r"[0-9]{1,2}\.[0-9]{2,15}[^0-9\-\0\n]{1,16}?(?i:东经|西经|经度|longitude|long|lng|lon)[^0-9\-\0\n]{0,6}-?[0-9]{1,3}\.[0-9]{2,15}"
)
_LATITUDE = re.compile(r"(?:纬度?|(?<![a-z])lat(?:itude)?)[^0-9\0\n]{0,6}\Z", re.IGNORECASE)
_CUE = re.compile(r"坐标|位置|经度|纬度|经纬|定位|gps|(?<![a-z])(?:lat|lon|lng|coord)", re.IGNORECASE)
#: Where the cue may stand before the pair.
_BEFORE = 24
#: About a metre: nobody measures a price or a share so finely twice in a row.
_PRECISE = 5

POSITIVE = (
    ("签收位置31.230416,121.473701附近", "31.230416,121.473701"),
    ("GPS坐标：121.47, 31.23", "121.47, 31.23"),
    ("北纬31.23°，东经121.47°", "31.23°，东经121.47"),
    ("lat 31.2304 lng 121.4737", "31.2304 lng 121.4737"),
    ("at 40.712776, -74.005974 on", "40.712776, -74.005974"),
    ("31°13'49\"N 121°28'25\"E", "31°13'49\"N 121°28'25\"E"),
)
NEGATIVE = ("12.50, 13.80", "比例0.1234, 0.5678", "坐标 431.23, 121.47", "1.2.3.4, 5.6.7.8", "199.123456, 98.765432")


def find(text: str) -> Iterator[Span]:
    for match in _PAIR.finditer(text):
        precise = min(len(number.partition(".")[2]) for number in match.groups()) >= _PRECISE
        if _is_place(*map(float, match.groups())) and (precise or _is_cued(text, match.start())):
            yield Span(match.start(), match.end(), KIND, 0.9)
    for match in _NAMED.finditer(text):
        if _LATITUDE.search(text, max(0, match.start() - _BEFORE), match.start()):
            yield Span(match.start(), match.end(), KIND, 0.92)
    if "°" in text:
        for match in _DEGREES.finditer(text):
            yield Span(match.start(), match.end(), KIND, 0.95)


def _is_cued(text: str, start: int) -> bool:
    low = max(0, start - _BEFORE)
    # A cue in the value before this one says nothing here.
    return _CUE.search(text, max(low, text.rfind("\0", low, start) + 1), start) is not None


def _is_place(first: float, second: float) -> bool:
    low, high = sorted((abs(first), abs(second)))
    return low <= 90 and high <= 180


def is_coordinate(value: str) -> bool:
    """A latitude or longitude alone, as a column of its own holds it."""
    match = re.fullmatch(r"-?([0-9]{1,3})\.[0-9]{2,15}", value)
    return match is not None and int(match[1]) <= 180

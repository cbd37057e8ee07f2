"""Provinces, cities and districts of China, and the row of them that an address begins with."""

import re
from functools import cache
from importlib.resources import files
from typing import NamedTuple

_SHORT_PROVINCES = {"内蒙古自治区": "内蒙古", "黑龙江省": "黑龙江", "香港特别行政区": "香港", "澳门特别行政区": "澳门"}
_ENDING = re.compile(r"(?:[^市县区]{2}族)*(?:自治州|自治县|自治旗|地区|林区|新区|特区|省|市|区|县|盟|旗)\Z")
_PROVINCE, _CITY, _DISTRICT = 0, 1, 2
_LEVELS = {"p": _PROVINCE, "c": _CITY, "d": _DISTRICT}
_LONGEST = 15
_BETWEEN = re.compile(r"[-_ ,，、·/]{0,2}")
#: A district that the list does not hold (renamed, new, or of Taiwan), behind a city.
_UNLISTED = re.compile(r"[一-鿿]{1,3}(?:自治县|新区|区|县|市|旗)")


class Regions(NamedTuple):
    """A row of regions in a text."""

    end: int
    levels: int
    #: Reaches down to a district or county.
    district: bool
    #: At least one is written in full (西湖区, not 西湖).
    full: bool


class Gazetteer(NamedTuple):
    """Names of regions, written in full or short."""

    #: With the level (0 a province, 1 a city, 2 a district), and whether it is the full name.
    names: dict[str, tuple[int, bool]]
    #: Short names of districts, which count only behind a city.
    short_districts: frozenset[str]
    heads: frozenset[str]


@cache
def gazetteer() -> Gazetteer:
    """All regions; their names are read once."""
    names: dict[str, tuple[int, bool]] = {}
    short_districts = set()
    lines = (files("handover.detection.addresses") / "regions.txt").read_text("utf-8").splitlines()
    for name, level in (line.split(" ") for line in lines):
        names[name] = (_LEVELS[level], True)
        short = _SHORT_PROVINCES.get(name) or (name[:2] if level == "p" else _ENDING.sub("", name))
        if len(short) < 2:
            continue
        if level == "d":
            short_districts.add(short)
        else:
            names.setdefault(short, (_LEVELS[level], False))
    return Gazetteer(names, frozenset(short_districts), frozenset(name[:2] for name in names))


def regions_at(text: str, start: int, end: int) -> Regions | None:
    """The row of regions, from large to small, that begins at `start`."""
    known = gazetteer()
    if text[start : start + 2] not in known.heads:
        return None
    position, level, full, levels = start, -1, False, 0
    while True:
        at = _BETWEEN.match(text, position, end).end() if position > start else start  # type: ignore[union-attr]
        found = _longest(known, text, at, end, level)
        if found is None:
            break
        position, level, whole = found
        full = full or whole
        levels += 1
    return Regions(position, levels, level == _DISTRICT, full) if level >= 0 else None


def _longest(gazetteer: Gazetteer, text: str, at: int, end: int, level: int) -> tuple[int, int, bool] | None:
    for length in range(min(_LONGEST, end - at), 1, -1):
        name = text[at : at + length]
        known = gazetteer.names.get(name)
        # An address may begin anew (浙江省…浙江省…), but only in full; 中山 behind 南京市 is a street.
        if known and (known[0] > level or (known[1] and known[0] == _PROVINCE)):
            return at + length, *known
        if length == 2 and level in {_PROVINCE, _CITY} and name in gazetteer.short_districts:
            return at + length, _DISTRICT, False
    if level in {_PROVINCE, _CITY} and (unlisted := _UNLISTED.match(text, at, end)):
        return unlisted.end(), _DISTRICT, True
    return None

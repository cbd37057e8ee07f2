"""Hits that come from what a column is: in a name column the whole value is a name, checksum or not."""

import re

from handover.detection.detectors import address, birth_date, gps, imei, passport, person_name, travel_permit, vin
from handover.detection.spans import Span

#: Roles whose column is sensitive whatever its words are.
_ANY_CONTENT = frozenset({"credential", "health", "religion", "criminal", "credit"})
_NOTHING = frozenset(
    {
        "",
        "无",
        "否",
        "没有",
        "未知",
        "-",
        "/",
        "n/a",
        "na",
        "none",
        "no",
        "null",
        "nil",
        "unknown",
        "0",
        "false",
        "健康",
        "良好",
        "正常",
    }
)
#: Roles that make a hit of a whole value.
ROLES_OF_VALUES = _ANY_CONTENT | {
    *("person_name", "address", "birth_date", "wechat", "qq", "telephone"),
    *("passport", "travel_permit", "vin", "imei", "gps"),
}
_TELEPHONE = re.compile(r"\+?[0-9(][0-9() .\-]{5,20}[0-9]\Z")
_WECHAT = re.compile(r"[A-Za-z][A-Za-z0-9_-]{5,19}\Z")
_PASSPORT, _PERMIT = re.compile(rf"{passport.NUMBER}\Z"), re.compile(rf"{travel_permit.NUMBER}\Z")
_VIN = re.compile(rf"{vin.NUMBER}\Z")
_QQ = re.compile(r"[1-9][0-9]{4,10}\Z")
_MIN_TELEPHONE_DIGITS = 7
#: Below every check digit, above what a pattern finds inside the value.
_SURE_BY_ROLE = 0.89
#: Below every telephone detector.
_WEAK = 0.5


def whole_value_span(role: str, value: str, *, single_word: bool = False) -> Span | None:
    """The hit that a role makes of a whole value; None when the value does not fit the role."""
    text = value.strip()
    kind = _kind(role, text, single_word=single_word)
    if not kind:
        return None
    start = value.index(text)
    return Span(start, start + len(text), kind, _SURE_BY_ROLE if kind == role else _WEAK)


def _kind(role: str, text: str, *, single_word: bool) -> str:
    if role == "person_name":
        return role if person_name.is_name(text, single_word=single_word) else ""
    if role in _ANY_CONTENT:
        return "" if text.lower() in _NOTHING else role
    fits = {
        "address": lambda: address.has_detail(text) and len(text) > 4,
        "birth_date": lambda: birth_date.is_date(text),
        "wechat": lambda: _WECHAT.match(text) is not None,
        "passport": lambda: _PASSPORT.match(text) is not None,
        "travel_permit": lambda: _PERMIT.match(text) is not None,
        "vin": lambda: _VIN.match(text) is not None,
        "imei": lambda: imei.is_imei(text),
        "gps": lambda: gps.is_coordinate(text),
        "qq": lambda: _QQ.match(text) is not None,
    }
    if role in fits:
        return role if fits[role]() else ""
    # A number in a telephone column that no detector knows is one all the same, of the kind "any other".
    if role == "telephone" and _TELEPHONE.match(text) and sum(c.isdigit() for c in text) >= _MIN_TELEPHONE_DIGITS:
        return "phone"
    return ""

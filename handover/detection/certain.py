"""Values that one look settles: in a column of a known role most are exactly what the column promises.

Only what a full scan would answer alike is settled here (a test compares the two); the rest is scanned.
"""

import re
from collections.abc import Callable

from handover.detection import checks
from handover.detection.detectors import address, person_name
from handover.detection.detectors.resident_id import PROVINCES

_MOBILE = re.compile(r"1[3-9][0-9]{9}\Z")
_RESIDENT_ID = re.compile(rf"{PROVINCES}[0-9]{{15}}[0-9Xx]\Z")
_EMAIL = re.compile(r"[A-Za-z0-9]+(?:[._-][A-Za-z0-9]+)*@(?:[A-Za-z0-9]+(?:-[A-Za-z0-9]+)*\.)+[A-Za-z]{2,24}\Z")
#: Nothing but numeric kinds could be found in these.
_PLAIN_NUMBER = re.compile(r"[A-Za-z]{0,4}[-_]?[0-9][0-9.,-]{0,30}\Z")
#: What a detector surer than the column's role could find inside an address: numbers, mail, plates, secrets.
_NEEDS_SCAN = re.compile(r"[@＠*\[A-Za-zＡ-Ｚａ-ｚ码令钥]|[0-9０-９](?:[ -]?[0-9０-９]){6}")
_MAX_LOCAL = 64
_CHINESE = re.compile(r"[一-鿿]{2,4}\Z")


def _resident_id(value: str) -> str | None:
    return "resident_id" if _RESIDENT_ID.match(value) and checks.resident_id(value) else None


def _email(value: str) -> str | None:
    return "email" if len(value) <= _MAX_LOCAL and _EMAIL.match(value) and "--" not in value else None


def _name(value: str) -> str | None:
    return "person_name" if _CHINESE.match(value) and person_name.is_chinese_name(value) else None


def _address(value: str) -> str | None:
    if _NEEDS_SCAN.search(value) or value != value.strip() or len(value) <= 4 or not value.isprintable():
        return None
    return "address" if address.has_detail(value) else None


#: For each role: the kind that the whole value certainly is, or None when it must be scanned.
CERTAIN: dict[str, Callable[[str], str | None]] = {
    "resident_id": _resident_id,
    "telephone": lambda value: "mobile" if _MOBILE.match(value) else None,
    "email": _email,
    "person_name": _name,
    "address": _address,
}


def is_plain_number(value: str) -> bool:
    """True when only numeric kinds could be found in the value."""
    return _PLAIN_NUMBER.match(value) is not None

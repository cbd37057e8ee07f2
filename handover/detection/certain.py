"""Values that one look settles: in a column of a known role most are exactly what the column promises.

Only what a full scan would answer alike is settled here (a test compares the two); the rest is scanned.
"""

import re
from collections.abc import Callable
from functools import lru_cache

from handover.detection import checks
from handover.detection.detectors import address, person_name
from handover.detection.detectors.resident_id import PROVINCES

_MOBILE = re.compile(r"1[3-9][0-9]{9}\Z")
_RESIDENT_ID = re.compile(rf"{PROVINCES}[0-9]{{15}}[0-9Xx]\Z")
#: At most 64 characters, for a longer local part is none; `.invalid` may be a surrogate (`replacements`).
_EMAIL = re.compile(
    r"(?=.{1,64}\Z)(?!.*--|.*\.invalid\Z)[A-Za-z0-9]+(?:[._-][A-Za-z0-9]+)*@(?:[A-Za-z0-9]+(?:-[A-Za-z0-9]+)*\.)+[A-Za-z]{2,24}\Z"
)
#: Nothing but numeric kinds could be found in these.
_PLAIN_NUMBER = re.compile(r"[A-Za-z]{0,4}[-_]?[0-9][0-9.,-]{0,30}\Z")
#: What a detector surer than the column's role could find inside an address: numbers, coordinates, mail, plates, secrets.
_NEEDS_SCAN = re.compile(r"[.．][0-9０-９]{2}|[@＠*°\[A-Za-zＡ-Ｚａ-ｚ码令钥]|[0-9０-９](?:[ -]?[0-9０-９]){6}")
_CHINESE = re.compile(r"[一-鿿]{2,4}\Z")


def _resident_id(value: str) -> bool:
    return _RESIDENT_ID.match(value) is not None and checks.resident_id(value)


@lru_cache(maxsize=65_536)  # names repeat, of one person and of many
def _name(value: str) -> bool:
    return _CHINESE.match(value) is not None and person_name.is_chinese_name(value)


def _address(value: str) -> bool:
    if _NEEDS_SCAN.search(value) or value != value.strip() or len(value) <= 4 or not value.isprintable():
        return False
    return address.has_detail(value)


#: For each role: the kind that a whole value certainly is, and the test for it; what fails must be scanned.
CERTAIN: dict[str, tuple[str, Callable[[str], object]]] = {
    "resident_id": ("resident_id", _resident_id),
    "telephone": ("mobile", _MOBILE.match),
    "email": ("email", _EMAIL.match),
    "person_name": ("person_name", _name),
    "address": ("address", _address),
}
#: True when only numeric kinds could be found in the value.
is_plain_number: Callable[[str], object] = _PLAIN_NUMBER.match

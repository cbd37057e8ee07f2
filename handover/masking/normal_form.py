"""One spelling per value before it is pseudonymised, so that one person is one token however they were typed."""

import re
import unicodedata

_NOT_DIGIT = re.compile(r"[^0-9]")
_NOT_ALPHANUMERIC = re.compile(r"[^0-9A-Za-z]")
_SPACES = re.compile(r"\s+")
_MOBILE_DIGITS = 11
_NUMBERS = frozenset({"landline", "phone", "bank_card", "qq", "us_ssn"})
_CODES = frozenset({"resident_id", "passport", "travel_permit", "iban", "uscc", "plate", "vin", "imei", "mac"})


def normal_form(kind: str, value: str) -> str:
    """The value as it goes into the token's HMAC."""
    text = value if value.isascii() else unicodedata.normalize("NFKC", value)
    if kind == "mobile":
        return _NOT_DIGIT.sub("", text)[-_MOBILE_DIGITS:]
    if kind in _NUMBERS:
        return _NOT_DIGIT.sub("", text) or text.strip()
    if kind in _CODES:
        return (text if not text.isascii() else _NOT_ALPHANUMERIC.sub("", text)).upper().replace(" ", "")
    return _SPACES.sub(" ", text).strip().casefold()

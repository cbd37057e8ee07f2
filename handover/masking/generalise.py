"""Makes a value coarser: a date its year, an address its district, an IP its network, a number its range.

What can't be made coarser with certainty gives the empty string: the caller then drops it.
"""

import ipaddress
import re

from handover.detection.detectors import address, birth_date

_YEAR = re.compile(r"(?<![0-9])((?:19|20)[0-9]{2})(?![0-9])")
_NUMBER = re.compile(r"[-+]?[0-9][0-9,]*(?:\.[0-9]+)?\Z")
_V4_PREFIX, _V6_PREFIX = 24, 48


def generalise(kind: str, value: str) -> str:
    """A coarser value, or nothing."""
    text = value.strip()
    if kind == "birth_date":
        return _year(text)
    if kind == "address":
        coarse = address.district(text)
        return coarse if coarse != text else ""
    if kind == "ip":
        return _network(text)
    return _range(text) or _year(text) if kind in {"", "amount", "number"} else ""


def _year(text: str) -> str:
    digits = birth_date.as_eight_digits(text)
    if digits:
        return digits[:4]
    match = _YEAR.search(text)
    return match[1] if match else ""


def _network(text: str) -> str:
    try:
        host = ipaddress.ip_address(text)
    except ValueError:
        return ""
    prefix = _V4_PREFIX if host.version == 4 else _V6_PREFIX
    return str(ipaddress.ip_network(f"{host}/{prefix}", strict=False))


def _range(text: str) -> str:
    """One leading digit is kept: 1234 → 1000-1999."""
    if not _NUMBER.match(text):
        return ""
    whole = abs(int(float(text.replace(",", ""))))
    step = 10 ** max(len(str(whole)) - 1, 1)
    low = whole // step * step
    return f"{'-' if text.startswith('-') else ''}{low}-{low + step - 1}"

"""IPv4 and IPv6 addresses; version numbers, networks with a prefix length and special addresses are no hits."""

import ipaddress
import re
from collections.abc import Iterator

from handover.detection.spans import Span

KIND, LEVEL, VERSION, WINDOW = "ip", "L2", 1, "whole"

_OCTET = "(?:25[0-5]|2[0-4][0-9]|1[0-9]{2}|[1-9]?[0-9])"
_V4 = re.compile(rf"(?=[0-9])(?<![0-9A-Za-z_.]){_OCTET}(?:\.{_OCTET}){{3}}(?![0-9A-Za-z_/]|\.[0-9])")
_V4_AFTER_CUE = re.compile(rf"(?=[0-9])(?<=[Ii][Pp]){_OCTET}(?:\.{_OCTET}){{3}}(?![0-9A-Za-z_/]|\.[0-9])")
_V6 = re.compile(
    r"(?<![0-9A-Za-z:.])(?:[0-9A-Fa-f]{1,4}:){2,7}(?::?[0-9A-Fa-f]{1,4}){0,6}(?![0-9A-Za-z:/])|(?<![0-9A-Za-z:.])[0-9A-Fa-f]{0,4}::(?:[0-9A-Fa-f]{1,4}:){0,6}[0-9A-Fa-f]{1,4}(?![0-9A-Za-z:/])"
)
#: What every address holds, quickly found; most texts hold neither.
_MAYBE_V4, _MAYBE_V6 = re.compile(r"\.[0-9]{1,3}\.[0-9]"), re.compile(r":[0-9A-Fa-f]{0,4}:")
_VERSION_CUE = re.compile(r"(?:版本|固件|version|firmware|build|release|\bver|\bv)[号 :：.]{0,3}\Z", re.IGNORECASE)

POSITIVE = (
    ("登录IP11.147.3.9，异常", "11.147.3.9"),
    ("from 2001:db8::1f9c today", "2001:db8::1f9c"),
    ("203.0.113.77", "203.0.113.77"),
)
NEGATIVE = ("版本 1.2.3.4", "1.2.3.256", "11.147.3.0/24", "1.2.3.4.5", "12:30:45", "127.0.0.1", "v10.0.19.1")


def find(text: str) -> Iterator[Span]:
    for pattern in (_V4, _V4_AFTER_CUE) if _MAYBE_V4.search(text) else ():
        for match in pattern.finditer(text):
            if not _VERSION_CUE.search(text, max(0, match.start() - 12), match.start()) and _is_host(match[0]):
                yield Span(match.start(), match.end(), KIND, 0.85)
    if _MAYBE_V6.search(text):
        for match in _V6.finditer(text):
            if _is_host(match[0]):
                yield Span(match.start(), match.end(), KIND, 0.9)


def _is_host(candidate: str) -> bool:
    try:
        address = ipaddress.ip_address(candidate)
    except ValueError:
        return False
    return not (address.is_loopback or address.is_unspecified or address.is_multicast)

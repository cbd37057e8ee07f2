"""Hardware addresses of network devices (IEEE 802): six pairs of hex digits, or three groups of four."""

import re
from collections.abc import Iterator

from handover.detection.spans import Span

KIND, LEVEL, VERSION, WINDOW = "mac", "L2", 1, "whole"

_PAIRS = re.compile(
    r"(?<![0-9A-Za-z:.-])[0-9A-Fa-f]{2}([:-])[0-9A-Fa-f]{2}(?:\1[0-9A-Fa-f]{2}){4}(?![0-9A-Za-z]|[:-][0-9A-Za-z])"
)
_GROUPS = re.compile(r"(?<![0-9A-Za-z.])[0-9A-Fa-f]{4}\.[0-9A-Fa-f]{4}\.[0-9A-Fa-f]{4}(?![0-9A-Za-z]|\.[0-9A-Za-z])")
#: What every address holds, quickly found; most texts hold none.
_MAYBE = re.compile(r"[0-9A-Fa-f]{2}[:-][0-9A-Fa-f]{2}[:-][0-9A-Fa-f]{2}[:-]|[0-9A-Fa-f]{4}\.[0-9A-Fa-f]{4}\.")
_LETTER = re.compile(r"[A-Fa-f]")

POSITIVE = (
    ("设备MAC为00:1A:2b:3C:4d:5E。", "00:1A:2b:3C:4d:5E"),
    ("mac 00-1a-2b-3c-4d-5e", "00-1a-2b-3c-4d-5e"),
    ("001a.2b3c.4d5e", "001a.2b3c.4d5e"),
)
NEGATIVE = (
    "12:30:45",
    "00:00:00:00:00:00",
    "ff:ff:ff:ff:ff:ff",
    "00:1A:2b:3C:4d:5E:6F",
    "1234.5678.9012",
    "20-11-12-10-30-45",
)


def find(text: str) -> Iterator[Span]:
    if _MAYBE.search(text):
        for pattern in (_PAIRS, _GROUPS):
            for match in pattern.finditer(text):
                if _LETTER.search(match[0]) and len(set(match[0].lower())) > 2:
                    yield Span(match.start(), match.end(), KIND, 0.95)

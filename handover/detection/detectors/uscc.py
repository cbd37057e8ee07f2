"""Unified social credit codes of organisations (GB 32100). A sole trader's code (prefix 92) points to a person."""

import re
from collections.abc import Iterator

from handover.detection import checks
from handover.detection.spans import Span

KIND, LEVEL, VERSION, WINDOW = "uscc", "L1", 2, "digits"

_CODE = re.compile(
    r"[159AYN](?<![0-9A-Za-z].)[ -]?[1-59](?:[ -]?[0-9]){6}(?:[ -]?[0-9A-HJ-NPQRTUWXY]){10}(?![0-9A-Za-z])"
)
_SEPARATORS = str.maketrans("", "", " -")

POSITIVE = (
    ("税号91350100M000100Y43", "91350100M000100Y43"),
    ("9135 0100 M000 100Y 43", "9135 0100 M000 100Y 43"),
)
NEGATIVE = ("91350100M000100Y44", "91350100M000100Y4", "X91350100M000100Y43")


def find(text: str) -> Iterator[Span]:
    for match in _CODE.finditer(text):
        if checks.uscc(match[0].translate(_SEPARATORS)):
            yield Span(match.start(), match.end(), KIND, 0.98)

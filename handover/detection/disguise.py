"""The slow path for numbers that somebody hides from a search: digits written as words (一三八…), O for 0, l for 1.

Only what has a check digit or the form of a mobile number is looked for: anything shorter is a word or a date.
"""

import re
from collections.abc import Iterator

from handover.detection.detectors import bank_card, mobile, resident_id
from handover.detection.spans import Span

_WORDS = "零〇一二三四五六七八九幺两壹贰叁肆伍陆柒捌玖"
_LETTERS = "OoIl"
_RUN = re.compile(
    rf"(?<![0-9A-Za-z])(?:[0-9{_WORDS}{_LETTERS}][ .-]?){{10,22}}[0-9{_WORDS}{_LETTERS}Xx](?![0-9A-Za-z])"
)
_PLAIN = str.maketrans(_WORDS + _LETTERS, "00123456789" + "12" + "123456789" + "0011")
_HIDDEN = re.compile(rf"[{_WORDS}{_LETTERS}]")
#: Letters alone are a word.
_MIN_DIGITS = 5
#: Below what the detectors give to a number in the open.
_CONFIDENCE = 0.6


def find(text: str) -> Iterator[Span]:
    """Hits in folded text that only show when words and letters are read as digits."""
    for run in _RUN.finditer(text):
        if _HIDDEN.search(run[0]) and sum(c not in _LETTERS and c not in " .-" for c in run[0]) >= _MIN_DIGITS:
            plain = run[0].translate(_PLAIN)
            for detector in (resident_id, bank_card, mobile):
                for span in detector.find(plain):
                    yield Span(run.start() + span.start, run.start() + span.end, span.kind, _CONFIDENCE)

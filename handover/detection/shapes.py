"""The form of a value without the value: 9 for digits, A and a for letters, 中 for CJK, runs counted."""

import re
from collections import Counter
from collections.abc import Iterable
from itertools import groupby

_DIGIT = re.compile(r"\d")
_UPPER = re.compile(r"[A-ZÀ-Þ]")
_LOWER = re.compile(r"[a-zß-ÿ]")
_OTHER = re.compile(r"[^\x20-\x7e]")
_SHOWN = 3
_MAX_LENGTH = 40


def commonest_shapes(values: Iterable[str]) -> list[str]:
    """The three commonest forms among short values; long texts have none."""
    counts = Counter(shape(value) for value in values if len(value) <= _MAX_LENGTH)
    return [form for form, _ in counts.most_common(_SHOWN)]


def shape(value: str) -> str:
    """`13812345678` → `9{11}`, `张三` → `中{2}`."""
    plain = _LOWER.sub("a", _UPPER.sub("A", _DIGIT.sub("9", _OTHER.sub("中", value))))
    return "".join(
        character if (length := len(list(run))) == 1 else f"{character}{{{length}}}"
        for character, run in groupby(plain)
    )

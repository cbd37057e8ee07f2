"""A text that is spread over several places (the inline elements of a paragraph) and is replaced as one."""

import re
from collections.abc import Iterator, Sequence
from difflib import SequenceMatcher
from itertools import accumulate

#: Compared are words of letters and digits, and any other character as a word of its own.
_WORDS = re.compile(r"[0-9A-Za-z]+|[^0-9A-Za-z]")
#: Changed stretches of more words are not compared (it takes quadratic time and more): all of one goes where it begins.
_DETAIL = 300


def spread(parts: Sequence[str], new: str) -> list[str]:
    """`new` cut into as many parts, so that what is the same stays in its place and what is new stands where the old began."""
    old = "".join(parts)
    if old == new or len(parts) == 1:
        return list(parts) if old == new else [new]
    ends = list(accumulate(map(len, parts)))
    out = [""] * len(parts)
    part = 0
    for old_start, old_end, text in _pieces(old, new):
        while part < len(parts) - 1 and ends[part] <= old_start:
            part += 1
        if old[old_start:old_end] != text:
            out[part] += text
            continue
        at = old_start
        while at < old_end:
            while ends[part] <= at:
                part += 1
            upto = min(ends[part], old_end)
            out[part] += old[at:upto]
            at = upto
    return out


def _pieces(old: str, new: str) -> list[tuple[int, int, str]]:
    """Stretches of the old text, and what stands for each in the new one."""
    head = _common(old, new)
    tail = _common(old[head:][::-1], new[head:][::-1])
    middle, changed = old[head : len(old) - tail], new[head : len(new) - tail]
    pieces = [
        (0, head, old[:head]),
        *_compared(middle, changed, head),
        (len(old) - tail, len(old), old[len(old) - tail :]),
    ]
    return [piece for piece in pieces if piece[0] < piece[1] or piece[2]]


def _compared(old: str, new: str, at: int) -> Iterator[tuple[int, int, str]]:
    before, after = _WORDS.findall(old), _WORDS.findall(new)
    if max(len(before), len(after)) > _DETAIL:
        yield at, at + len(old), new
        return
    starts = list(accumulate(map(len, before), initial=at))
    for _, i1, i2, j1, j2 in SequenceMatcher(None, before, after, autojunk=False).get_opcodes():
        yield starts[i1], starts[i2], "".join(after[j1:j2])


def _common(one: str, other: str) -> int:
    """How many characters both begin with."""
    return next((at for at, (a, b) in enumerate(zip(one, other, strict=False)) if a != b), min(len(one), len(other)))

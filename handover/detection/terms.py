"""Finds the terms of a small dictionary: a plain search per term is faster than one large alternation in `re`."""

import re
from collections.abc import Iterator, Sequence

from handover.detection.folding import lower


def find_terms(text: str, terms: Sequence[str]) -> Iterator[tuple[int, int]]:
    """Positions of lower-case `terms`, in any case; an ASCII term does not match inside a longer ASCII word."""
    lowered = lower(text)
    for term in terms:
        start = lowered.find(term)
        while start >= 0:
            end = start + len(term)
            if not term.isascii() or not (_is_letter(lowered, start - 1) or _is_letter(lowered, end)):
                yield start, end
            start = lowered.find(term, end)


def matches_after(text: str, terms: Sequence[str], pattern: re.Pattern[str]) -> Iterator[re.Match[str]]:
    """What `pattern` matches right behind a term: a value that its cue introduces."""
    for _, end in find_terms(text, terms):
        match = pattern.match(text, end)
        if match:
            yield match


def _is_letter(text: str, position: int) -> bool:
    if not 0 <= position < len(text):
        return False
    character = text[position]
    return character.isascii() and character.isalnum()

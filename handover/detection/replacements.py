"""Recognises what a redaction leaves in place of a value, so that the second scan does not take it for a leftover."""

import re

_TOKEN = re.compile(r"[a-z_]+-[A-Z2-7]{26}\Z")
_MARKER = re.compile(r"\[[a-z_]+\]\Z")
#: A mask hides at least this share; less is a value with a star in it.
_MASKED_SHARE = 0.3


def is_replacement(value: str) -> bool:
    """True for a pseudonym, a marker like `[mobile]`, or a value that is masked for the most part."""
    if "*" in value:
        stars = value.count("*")
        return stars >= _MASKED_SHARE * len(value)
    return bool(_TOKEN.match(value) or _MARKER.match(value))

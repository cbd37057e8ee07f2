"""Makes texts comparable without moving a character: positions in the folded text are positions in the original."""

import re
from functools import lru_cache

#: Full-width letters, digits and the marks that occur inside numbers and addresses of mail.
_WIDE = re.compile("[０-９Ａ-Ｚａ-ｚ＠．－＿＋（）]+")
_TO_ASCII = {code: code - 0xFEE0 for code in range(0xFF01, 0xFF5F)}
_DASHES = str.maketrans("‐‑‒–—−", "------")
_HAS_DASH = re.compile("[‐‑‒–—−\u00a0\u3000]")


@lru_cache(maxsize=2)
def fold(text: str) -> str:
    """Full-width forms as ASCII, odd dashes and spaces as plain ones; the length stays."""
    if text.isascii():
        return text
    folded = _WIDE.sub(lambda match: match[0].translate(_TO_ASCII), text)
    if _HAS_DASH.search(folded):
        folded = folded.translate(_DASHES).replace("\u00a0", " ").replace("\u3000", " ")
    return folded


@lru_cache(maxsize=2)
def lower(text: str) -> str:
    """Lower case of the same length (a few letters grow when lowered; such a text stays as it is)."""
    lowered = text.lower()
    return lowered if len(lowered) == len(text) else text

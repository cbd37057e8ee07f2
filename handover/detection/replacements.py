"""Recognises what a redaction leaves in place of a value, so that the second scan does not take it for a leftover."""

import re

from handover.detection.spans import Span

#: Values in ranges that nobody is given (`masking.surrogates`).
_SURROGATE = r"1[01][0-9]{9}|000-[0-9]{8}|\+999[0-9]{12}|[a-z2-7]{25}@example\.invalid|00[0-9]{16}|0000[0-9]{12}"
_REPLACEMENT = re.compile(rf"(?:[a-z_]+-[A-Z2-7]{{26}}|\[[a-z_]+\]|{_SURROGATE})\Z")
_TOKEN_IN_TEXT = re.compile(rf"(?<![A-Za-z0-9])(?:[a-z_]+-[A-Z2-7]{{26}}(?![A-Z0-9])|(?:{_SURROGATE})(?![0-9A-Za-z]))")
#: Without one of these a text holds no token and no surrogate.
_HINTS = ("-", "10", "11", "00", "+999", ".invalid")
#: A mask hides at least this share; less is a value with a star in it.
_MASKED_SHARE = 0.3


def is_replacement(value: str) -> bool:
    """True for a pseudonym, a surrogate, a marker like `[mobile]`, or a value that is masked for the most part."""
    if "*" in value:
        stars = value.count("*")
        return stars >= _MASKED_SHARE * len(value)
    return _REPLACEMENT.match(value) is not None


def without_tokens(value: str, spans: list[Span]) -> list[Span]:
    """Hits that are not part of a pseudonym: behind a cue (密码是…) a token reads like a secret."""
    if not spans or not any(hint in value for hint in _HINTS):
        return spans
    tokens = [match.span() for match in _TOKEN_IN_TEXT.finditer(value)]
    if not tokens:
        return spans
    return [span for span in spans if not any(start <= span.start and span.end <= end for start, end in tokens)]

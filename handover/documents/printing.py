"""How values look on a page: as text that can only ever be text, in both time zones, with nothing hidden.

A character that a reader can't see, or that reorders others, is printed as its code point in a frame: a name, a reason
or a file name on a document must read as what it is. The machine-readable twin holds the value unchanged.
"""

import datetime as dt
import re
from collections.abc import Iterable
from typing import Any
from zoneinfo import ZoneInfo

from markupsafe import Markup, escape

_SHANGHAI = ZoneInfo("Asia/Shanghai")
_DIGEST_GROUP = 8
_SHA256 = re.compile(r"[0-9a-f]{64}")
_UUID = re.compile(r"[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}")
_MOMENT = re.compile(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(\.\d+)?(Z|[+-]\d\d:\d\d)")
_IDENTIFIER = re.compile(r"[a-z0-9]{1,16}([_.][a-z0-9]{1,16})*_[a-z0-9]{1,16}")
_SHORT = 6
#: A longer word may be broken anywhere, so that no text can push a table over the edge of the page.
_LONGEST_WORD = 16
_WORD_END = re.compile(r"[\s-]|(?=[\u2e80-\ua4ff])")
#: Controls, soft hyphen, zero-width and bidirectional controls (UAX #9), line separators, interlinear and tag
#: characters, noncharacters. The joiners U+200C and U+200D are letters' business and stay.
_UNSEEN = re.compile(
    "[\x00-\x08\x0b-\x1f\x7f-\x9f\xad\u061c\u180e\u200b\u200e\u200f\u2028-\u202e\u2060-\u206f\ufeff"
    "\ufff0-\ufffb\ufffe\uffff\ud800-\udfff\U000e0000-\U000e0fff]"
)


def both_zones(moment: dt.datetime | str) -> Markup:
    """A time in UTC and in Shanghai, each unbroken."""
    at = dt.datetime.fromisoformat(moment) if isinstance(moment, str) else moment
    return Markup(
        '<span class="time">{:%Y-%m-%d %H:%M:%S} UTC</span> · <span class="time">{:%Y-%m-%d %H:%M:%S} Asia/Shanghai</span>'
    ).format(at.astimezone(dt.UTC), at.astimezone(_SHANGHAI))


def digest(value: str) -> Markup:
    """A hex digest in groups that eyes can compare; for machines it is in the twin."""
    groups = (value[i : i + _DIGEST_GROUP] for i in range(0, len(value), _DIGEST_GROUP))
    return Markup('<span class="digest">{}</span>').format(_unbroken(groups))


def _unbroken(groups: Iterable[str]) -> Markup:
    """Pieces that lines may break between, never inside."""
    return Markup("<wbr>").join(Markup("<span>{}</span>").format(group) for group in groups)


def shown(value: Any) -> Markup:
    """A value as text: digests grouped, times in both zones, yes and no in words, all else isolated from its surroundings."""
    if value is None or value == "":
        return Markup("—")
    if isinstance(value, bool):
        return escape("是 yes" if value else "否 no")
    text = str(value)
    if _SHA256.fullmatch(text):
        return digest(text)
    if _MOMENT.fullmatch(text):
        return _moment(text)
    if _UUID.fullmatch(text):
        return Markup('<span class="id">{}</span>').format(_unbroken(_after(text, "-")))
    if _IDENTIFIER.fullmatch(text):
        return Markup('<span class="word">{}</span>').format(_unbroken(_after(text, "_")))
    return Markup('<bdi class="{}">{}</bdi>').format(_fit(text), visible(text))


def _after(text: str, mark: str) -> list[str]:
    *pieces, last = text.split(mark)
    return [*(piece + mark for piece in pieces), last]


def _fit(text: str) -> str:
    """How a text may break: a short name never, a very long word anywhere, all else between words."""
    if len(text) <= _SHORT:
        return "short"
    return "tight" if any(len(word) > _LONGEST_WORD for word in _WORD_END.split(text)) else "words"


def visible(text: str) -> Markup:
    """Text with every unseen or reordering character printed as its code point."""
    parts, last = list[Markup](), 0
    for found in _UNSEEN.finditer(text):
        parts += [escape(text[last : found.start()]), _code_point(found[0])]
        last = found.end()
    return Markup("").join([*parts, escape(text[last:])])


def _code_point(character: str) -> Markup:
    return Markup('<span class="unseen">U+{:04X}</span>').format(ord(character))


def _moment(text: str) -> Markup:
    try:
        return both_zones(text)
    except ValueError:  # the form of a time, yet none: 2026-13-45T…
        return Markup("<bdi>{}</bdi>").format(text)

"""HTML cut into tags, texts and comments, as the standard's tokenizer does (WHATWG HTML §13.2.5), in linear time.

No tree is built: what is written out again is made from these tokens alone, so no reader can find in it what was
not seen here.
"""

import html
import re
import sys
from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Literal

from handover.formats.errors import refuse

#: Elements whose content is text up to their end tag; in the second group character references count.
_RAW = frozenset({"script", "style", "iframe", "noembed", "noframes", "xmp", "plaintext"})
_RAW_WITH_REFERENCES = frozenset({"textarea", "title"})
_TAG_NAME = re.compile(r"[^ \t\n\f\r/>]+")
_SPACE = r"[ \t\n\f\r]"
_ATTRIBUTE = re.compile(
    rf"""(?:{_SPACE}|/)*(=?[^ \t\n\f\r/>=]*)(?:{_SPACE}*(=){_SPACE}*(?:"([^"]*)"|'([^']*)'|([^ \t\n\f\r>"'][^ \t\n\f\r>]*))?)?"""
)
_NO_ATTRIBUTES: dict[str, str] = {}
#: A tag with more is no page's.
_MAX_ATTRIBUTES = 1000
_COMMENT_END = re.compile(r"--!?>")
_LETTER = re.compile(r"[A-Za-z]")


@dataclass(slots=True)
class Token:
    """A start tag, an end tag, a text, or what stands in the source and is never shown (`hidden`)."""

    kind: Literal["start", "end", "text", "hidden"]
    #: The tag's name in lower case, or the text.
    value: str
    #: Empty for most, and then one and the same for all: it is replaced, never changed.
    attributes: dict[str, str] = field(default_factory=lambda: _NO_ATTRIBUTES)


def tokens(source: str) -> Iterator[Token]:
    """The tokens of a document; a tag that the text breaks off in is hidden, as it is to a browser.

    Raises:
        FormatRefusedError: a tag has too many attributes.
    """
    at = 0
    while at < len(source):
        mark = source.find("<", at)
        if mark < 0:
            mark = len(source)
        if mark > at:
            yield Token("text", html.unescape(source[at:mark]))
        if mark == len(source):
            return
        token, at = _markup(source, mark)
        yield token
        if token.kind == "start" and token.value in _RAW | _RAW_WITH_REFERENCES:
            end = _end_of_raw(source, at, token.value)
            if end > at:
                yield _raw(token.value, source[at:end])
            at = end


def _markup(source: str, at: int) -> tuple[Token, int]:
    """The token that begins with the `<` at `at`, and where the next one begins."""
    if source.startswith("<!--", at):
        if source.startswith((">", "->"), at + 4):
            return Token("hidden", ""), source.index(">", at) + 1
        end = _COMMENT_END.search(source, at + 4)
        return Token("hidden", source[at + 4 : end.start() if end else len(source)]), end.end() if end else len(source)
    if source.startswith(("<!", "<?"), at) or (source.startswith("</", at) and not _LETTER.match(source, at + 2)):
        end_at = source.find(">", at)
        end_at = len(source) if end_at < 0 else end_at
        declared = source[at + 2 : end_at]
        return Token("hidden", "" if declared.lower() == "doctype html" else declared), end_at + 1
    closing = source.startswith("</", at)
    name = _TAG_NAME.match(source, at + 1 + closing)
    if name is None or not _LETTER.match(name[0]):
        return Token("text", "<"), at + 1
    attributes, end_at = _attributes(source, name.end())
    if end_at > len(source):
        return Token("hidden", html.unescape(source[at:])), len(source)
    return Token("end" if closing else "start", sys.intern(name[0].lower()), attributes or _NO_ATTRIBUTES), end_at


def _attributes(source: str, at: int) -> tuple[dict[str, str], int]:
    """The attributes and where the tag ends; beyond the source when it never does."""
    found: dict[str, str] = {}
    while True:
        match = _ATTRIBUTE.match(source, at)
        if match is None or match.end() == at:
            return found, at + 1 if source.startswith(">", at) else len(source) + 1
        name = match[1].lower()
        value = next((value for value in match.group(3, 4, 5) if value is not None), None)
        if match[2] and value is None and source.startswith(('"', "'"), match.end()):
            return found, len(source) + 1  # a quote that never ends takes the rest of the document
        if len(found) >= _MAX_ATTRIBUTES:
            raise refuse("网页有一个标签的属性过多。", "A tag of the page has too many attributes.")
        if name:
            # The first of two counts, but the second stands in the file too.
            found[name if name not in found else f"{name} {len(found)}"] = html.unescape(value or "")
        at = match.end()


def _end_of_raw(source: str, at: int, name: str) -> int:
    if name == "plaintext":
        return len(source)
    end = re.compile(rf"</{name}(?=[ \t\n\f\r/>])", re.IGNORECASE).search(source, at)
    return end.start() if end else len(source)


def _raw(name: str, content: str) -> Token:
    if name in _RAW_WITH_REFERENCES:
        return Token("text", html.unescape(content))
    return Token("text" if name in {"xmp", "plaintext"} else "hidden", content)

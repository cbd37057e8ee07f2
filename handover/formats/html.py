"""HTML pages: the visible text block by block, and everything else that holds text.

Fields: `text` (one record a block: a paragraph, a cell, a heading; inline elements do not cut it), `attribute` (what is
kept of attributes) and `hidden` (comments, scripts, styles, addresses and attributes that a rewrite leaves out). A rewrite has
the same visible text in the same elements, as UTF-8, and can neither run nor load anything.
"""

import html
import re
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, field

from handover.formats.encoding import decode_as
from handover.formats.errors import FormatRefusedError, refuse
from handover.formats.html_tokens import Token, tokens
from handover.formats.records import Batch, Column, Table
from handover.formats.runs import spread
from handover.formats.whole import whole

MAX_PAGE = 32 * 1024 * 1024
#: A page of this many tags and comments, or attributes, takes some 200 MiB as tokens.
_MAX_TAGS = 200_000
_MAX_ATTRIBUTES = 400_000

_INLINE = frozenset(
    [
        "a",
        "abbr",
        "b",
        "bdi",
        "bdo",
        "big",
        "cite",
        "code",
        "data",
        "del",
        "dfn",
        "em",
        "font",
        "i",
        "ins",
        "kbd",
        "label",
        "mark",
        "nobr",
        "q",
        "s",
        "samp",
        "small",
        "span",
        "strike",
        "strong",
        "sub",
        "sup",
        "time",
        "tt",
        "u",
        "var",
        "wbr",
    ]
)
_VOID = frozenset({"br", "hr", "img", "input", "wbr", "col"})
#: What is written out; of other elements the text alone.
_KEPT = (
    _INLINE
    | _VOID
    | frozenset(
        [
            "html",
            "head",
            "title",
            "body",
            "header",
            "footer",
            "main",
            "nav",
            "section",
            "article",
            "aside",
            "div",
            "p",
            "h1",
            "h2",
            "h3",
            "h4",
            "h5",
            "h6",
            "ul",
            "ol",
            "li",
            "dl",
            "dt",
            "dd",
            "blockquote",
            "pre",
            "address",
            "center",
            "figure",
            "figcaption",
            "table",
            "caption",
            "colgroup",
            "thead",
            "tbody",
            "tfoot",
            "tr",
            "th",
            "td",
            "fieldset",
            "legend",
            "select",
            "option",
            "optgroup",
            "textarea",
            "button",
            "details",
            "summary",
            "hgroup",
            "menu",
        ]
    )
)
#: Attributes that a reader sees or that give a table its form.
_KEPT_ATTRIBUTES = frozenset(
    [
        "alt",
        "title",
        "value",
        "placeholder",
        "label",
        "summary",
        "abbr",
        "aria-label",
        "datetime",
        "content",
        "colspan",
        "rowspan",
        "span",
        "start",
        "lang",
        "dir",
        "type",
        "checked",
        "selected",
        "disabled",
        "open",
    ]
)
_SAFE_ADDRESS = re.compile(r"(?:mailto:|tel:|sms:|#)", re.IGNORECASE)
_CHARSET = re.compile(rb"""<meta[^>]{0,200}?charset\s*=\s*["']?\s*([A-Za-z0-9_:-]+)""", re.IGNORECASE)
_NAME = re.compile(r"[a-z][a-z0-9-]*\Z")


@dataclass(slots=True)
class Page:
    """A page as tokens, and the texts in them that may be replaced."""

    tokens: list[Token] = field(default_factory=list)
    #: For each block the tokens that its text is spread over.
    blocks: list[list[Token]] = field(default_factory=list)
    #: For each attribute that is kept: its tag, its name, and its block.
    attributes: list[tuple[Token, str, int]] = field(default_factory=list)
    hidden: list[tuple[str, int]] = field(default_factory=list)

    def columns(self) -> list[Column]:
        """The three fields; records are the blocks."""
        return [
            Column("text", ["".join(token.value for token in block) for block in self.blocks], range(len(self.blocks))),
            Column(
                "attribute",
                [tag.attributes[name] for tag, name, _ in self.attributes],
                [r for _, _, r in self.attributes],
            ),
            Column("hidden", [text for text, _ in self.hidden], [record for _, record in self.hidden]),
        ]

    def put_back(self, texts: Sequence[str], attributes: Sequence[str]) -> None:
        """Replaces the values of the first two columns."""
        for block, new in zip(self.blocks, texts, strict=True):
            for token, part in zip(block, spread([token.value for token in block], new), strict=True):
                token.value = part
        for (tag, name, _), new in zip(self.attributes, attributes, strict=True):
            tag.attributes[name] = new

    def render(self) -> str:
        """The clean page."""
        return '<!DOCTYPE html><meta charset="utf-8">' + "".join(map(_rendered, self.tokens))


def parse(source: str) -> Page:
    """Takes a page apart.

    Raises:
        FormatRefusedError: it has too many tags.
    """
    if source.count("<") > _MAX_TAGS:
        raise _too_long()
    page, block, attributes = Page(), list[Token](), 0
    for token in tokens(source):
        attributes += len(token.attributes)
        if attributes > _MAX_ATTRIBUTES:
            raise _too_long()
        if token.kind == "text":
            block.append(token)
        elif token.kind == "hidden":
            page.hidden.append((token.value, len(page.blocks)))
            continue
        else:
            if token.value not in _INLINE:
                _end_block(page, block)
                block = []
            _sort_attributes(page, token)
        page.tokens.append(token)
    _end_block(page, block)
    page.hidden = [(text, min(record, max(len(page.blocks) - 1, 0))) for text, record in page.hidden if text.strip()]
    page.attributes = [(tag, name, min(record, max(len(page.blocks) - 1, 0))) for tag, name, record in page.attributes]
    if not page.blocks and (page.hidden or page.attributes):
        page.blocks.append([])
    return page


def _too_long() -> FormatRefusedError:
    return refuse("网页的标签或属性过多。请拆分。", "The page has too many tags or attributes. Split it.")


def _end_block(page: Page, block: list[Token]) -> None:
    if any(token.value.strip() for token in block):
        page.blocks.append(block)


def _sort_attributes(page: Page, tag: Token) -> None:
    kept = {}
    for name, value in tag.attributes.items():
        if tag.kind == "start" and tag.value in _KEPT and _is_kept(name, value):
            kept[name] = value
            if value.strip():
                page.attributes.append((tag, name, len(page.blocks)))
        elif name != "charset":
            page.hidden.append((value, len(page.blocks)))
    tag.attributes = kept


def _is_kept(name: str, value: str) -> bool:
    if name == "href":
        return _SAFE_ADDRESS.match(value.strip()) is not None
    return (name in _KEPT_ATTRIBUTES or name.startswith("data-")) and _NAME.match(name) is not None


def _rendered(token: Token) -> str:
    if token.kind == "text":
        return html.escape(token.value, quote=False)
    if token.value not in _KEPT or (token.kind == "end" and token.value in _VOID):
        return ""
    if token.kind == "end":
        return f"</{token.value}>"
    attributes = "".join(f' {name}="{html.escape(value)}"' for name, value in token.attributes.items())
    return f"<{token.value}{attributes}>"


def read(chunks: Iterable[bytes]) -> Iterator[Batch]:
    """The blocks of a page.

    Raises:
        FormatRefusedError: too large, or in no known encoding.
    """
    data = whole(chunks, MAX_PAGE, "HTML")
    said = _CHARSET.search(data[:4096])
    page = parse(decode_as(data, said[1].decode() if said else ""))
    yield Batch(Table(), 0, len(page.blocks), page.columns(), origin=page)


class HtmlWriter:
    """Writes the page that its one batch brings."""

    def write(self, batch: Batch, keep: Sequence[bool] | None = None) -> bytes:
        page: Page = batch.origin
        values = {column.name: column.output() for column in batch.columns}
        texts, attributes = values["text"], values["attribute"]
        if keep is not None:
            texts = [text if kept else "" for text, kept in zip(texts, keep, strict=True)]
            attributes = [text if keep[r] else "" for text, (_, _, r) in zip(attributes, page.attributes, strict=True)]
        page.put_back(texts, attributes)
        return page.render().encode("utf-8", "surrogatepass")

    def finish(self) -> bytes:
        return b""

"""HTML pages: the visible text block by block, and everything else that holds text.

Fields: `text` (one record a block: a paragraph, a cell, a heading; inline elements do not cut it), `attribute` (what is
kept of attributes) and `hidden` (comments, scripts, styles, addresses and attributes that a rewrite leaves out). A rewrite has
the same visible text in the same elements, as UTF-8, and can neither run nor load anything.
"""

import html
import re
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, field
from urllib.parse import unquote

from handover.formats.encoding import decode_as
from handover.formats.errors import FormatRefusedError, refuse
from handover.formats.html_elements import AS_DIV, BLOCKS, KEPT, KEPT_ATTRIBUTES, VOID
from handover.formats.html_tokens import Token, tokens
from handover.formats.records import Batch, Column, Table
from handover.formats.runs import spread
from handover.formats.whole import whole

MAX_PAGE = 32 * 1024 * 1024
#: A page of this many tags and comments, or attributes, takes some 250 MiB.
_MAX_TAGS = 800_000
_MAX_ATTRIBUTES = 400_000

_SAFE_ADDRESS = re.compile(r"(?:mailto:|tel:|sms:|#)", re.IGNORECASE)
_CHARSET = re.compile(rb"""<meta[^>]{0,200}?charset\s*=\s*["']?\s*([A-Za-z0-9_:-]+)""", re.IGNORECASE)
#: A name of any other form may hold data itself.
_NAME = re.compile(r"[a-z]+(?:-[a-z]+)*\Z")


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
            if token.value in BLOCKS:
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
    if tag.value not in KEPT and not _NAME.match(tag.value):
        page.hidden.append((tag.value, len(page.blocks)))
    if not tag.attributes:
        return
    kept = {}
    for name, value in tag.attributes.items():
        if tag.kind == "start" and tag.value in KEPT and _is_kept(name, value):
            # An address may spell any character as %40.
            kept[name] = unquote(value) if name == "href" else value
            if value.strip():
                page.attributes.append((tag, name, len(page.blocks)))
        elif name != "charset":
            page.hidden.append((value if _NAME.match(name) else f"{name} {value}", len(page.blocks)))
    tag.attributes = kept


def _is_kept(name: str, value: str) -> bool:
    if name == "href":
        return _SAFE_ADDRESS.match(value.strip()) is not None
    return (name in KEPT_ATTRIBUTES or name.startswith("data-")) and _NAME.match(name) is not None


def _rendered(token: Token) -> str:
    if token.kind == "text":
        return html.escape(token.value, quote=False)
    name = "div" if token.value in AS_DIV else token.value
    if name not in KEPT or (token.kind == "end" and name in VOID):
        return ""
    if token.kind == "end":
        return f"</{name}>"
    attributes = "".join(f' {key}="{html.escape(value)}"' for key, value in token.attributes.items())
    return f"<{name}{attributes}>"


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

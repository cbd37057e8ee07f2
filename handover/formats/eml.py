"""Mails: headers and bodies are one record; attachments and attached mails are files of their own formats.

Fields: `from`, `to`, `cc`, `subject`, `date`, `body` (plain texts whole, pages by block), `attribute`, `file_name`, and `hidden`
for all that a rewrite leaves out: other headers, text around the parts, and what pages hide. A rewrite is a new mail of these
five headers, the bodies as UTF-8, and the rebuilt attachments; signatures are dropped, for they no longer fit.
"""

from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass
from email.utils import parsedate_to_datetime

from handover.formats import html
from handover.formats.mail_parts import FORM, Mail, take_apart
from handover.formats.mail_writing import Part, build, header_line
from handover.formats.media_types import MEDIA_TYPES
from handover.formats.members import MemberWriter, Nest, OutputNames, stem_and_extension
from handover.formats.records import Batch, Column, Notes, Table, Writer
from handover.formats.whole import whole

#: Held in memory several times: as bytes, as parsed parts and decoded.
MAX_MAIL = 48 * 1024 * 1024
_KEPT_HEADERS = ("date", "from", "to", "cc", "subject")


@dataclass(slots=True)
class _Origin:
    """A mail with its pages parsed; `pages` stands beside `mail.bodies`."""

    mail: Mail
    pages: list[html.Page | None]


def read(chunks: Iterable[bytes], notes: Notes, nest: Nest) -> Iterator[Batch]:
    """The mail as one record, then the records of what is attached.

    Raises:
        FormatRefusedError: the mail, or (unless the nest is tolerant) an attachment, can't be inspected.
    """
    mail = take_apart(whole(chunks, MAX_MAIL, "EML"))
    notes.dropped += mail.dropped
    origin = _Origin(mail, [html.parse(text) if kind == "html" else None for kind, text in mail.bodies])
    yield Batch(Table(), 0, 1, _columns(origin), origin=origin)
    done = 1
    for number, (name, content) in enumerate(mail.files):
        for batch in nest.batches(number, name, iter([content]), notes, done):
            last = batch.first + batch.count
            yield batch
            done = last


def _columns(origin: _Origin) -> list[Column]:
    mail = origin.mail
    headers: dict[str, list[str]] = {name: [] for name in _KEPT_HEADERS}
    body, attribute, hidden = list[str](), list[str](), list[str]()
    for name, value in mail.headers:
        if name.lower() in headers and _is_kept(name.lower(), value):
            headers[name.lower()].append(value)
        elif name.lower() not in FORM and value:
            hidden.append(f"{name}: {value}")
    for (_, text), page in zip(mail.bodies, origin.pages, strict=True):
        if page is None:
            body.append(text)
        else:
            texts, attributes, unseen = (column.values for column in page.columns())
            body += texts
            attribute += attributes
            hidden += unseen
    values = headers | {
        "body": body,
        "attribute": attribute,
        "file_name": [stem_and_extension(name)[0] for name, _ in mail.files],
        "hidden": hidden + mail.hidden,
    }
    return [Column(name, found, [0] * len(found)) for name, found in values.items()]


def _is_kept(name: str, value: str) -> bool:
    """A date is one; anything else under that name is left out."""
    if name != "date":
        return bool(value)
    try:
        parsedate_to_datetime(value)
    except (ValueError, TypeError, OverflowError):
        return False
    return True


class EmlWriter:
    """Builds a new mail in memory; its bytes come out at the end."""

    def __init__(self, open_writer: Callable[[str, str], Writer]) -> None:
        self._members = MemberWriter(open_writer, self._take)
        self._headers: list[str] = []
        self._bodies: list[Part] = []
        self._names: list[str] = []
        self._files: dict[int, list[bytes]] = {}
        self._formats: dict[int, str] = {}

    def write(self, batch: Batch, keep: Sequence[bool] | None = None) -> bytes:
        """Takes the mail or a batch of an attachment; of a mail that is not kept the attachments alone stay."""
        if batch.table.member:
            self._formats[batch.origin.number] = batch.origin.format
            self._members.write(batch, keep)
            return b""
        values = {column.name: column.output() for column in batch.columns}
        kept = keep is None or keep[0]
        names, stems = OutputNames(), values.get("file_name", [])
        for number, (name, _) in enumerate(batch.origin.mail.files):
            self._names.append(names.choose(number, name, stems[number] if kept and stems else ""))
        if kept:
            self._headers = [
                header_line(name.capitalize(), value)
                for name in _KEPT_HEADERS
                for value in values.get(name, [])
                if value
            ]
            self._bodies = _rebuilt(batch.origin, values)
        return b""

    def finish(self) -> bytes:
        self._members.finish()
        files = [
            Part(MEDIA_TYPES.get(self._formats[number], "text/plain"), b"".join(pieces), self._names[number])
            for number, pieces in self._files.items()
        ]
        return build(self._headers, self._bodies, files)

    def _take(self, number: int, piece: bytes) -> None:
        self._files.setdefault(number, []).append(piece)


def _rebuilt(origin: _Origin, values: dict[str, list[str]]) -> list[Part]:
    body, attribute = iter(values.get("body", [])), iter(values.get("attribute", []))
    parts = []
    for page in origin.pages:
        if page is None:
            parts.append(Part("text/plain", next(body, "").encode("utf-8", "surrogatepass")))
        else:
            page.put_back([next(body, "") for _ in page.blocks], [next(attribute, "") for _ in page.attributes])
            parts.append(Part("text/html", page.render().encode("utf-8", "surrogatepass")))
    return parts

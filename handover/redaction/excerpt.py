"""A few records of a redacted file, or one page of a redacted document, read in a child.

It comes as text, or as a picture with a watermark burnt in. A page is shown as it looks; nothing on it is read by OCR.

The file is parsed and drawn where there are no keys and no network, and nothing of it is written to a disk.
"""

from collections.abc import Iterable, Iterator
from typing import Any, TypeVar

import msgspec

from handover.errors import ConflictError
from handover.i18n import Text
from handover.resources import data_folder
from handover.sandbox import Limits, SandboxCrashError, run_isolated
from handover.sandbox.frames import FrameKind, FrameParser, pack, pack_stream

_CHILD = "handover.redaction.excerpt_child"
#: A person waits for a page: what takes longer than this is opened in the package instead.
_WALL_SECONDS, _CPU_SECONDS = 60, 40
_OUTPUT_BYTES = 32 << 20

T = TypeVar("T")


class Request(msgspec.Struct, frozen=True, kw_only=True):
    """Which records of a file, or which page of a document; with a watermark a picture of them."""

    name: str
    first: int
    count: int
    #: The page of a PDF or picture, counted from 0; the records are not asked for then.
    sheet: int | None = None
    #: Empty asks for text.
    watermark: str = ""


class Excerpt(msgspec.Struct, frozen=True, kw_only=True):
    """Records by column; `first` is the number of the first one, counted from 0."""

    columns: list[str]
    rows: list[list[str]]
    first: int


def read_text(source: Iterable[bytes], name: str, first: int, count: int, *, sheet: int | None = None) -> Excerpt:
    """The records as text, or the lines of a document's page as far as they are text there.

    Raises:
        ConflictError: the file cannot be read. SandboxError: the child did not finish.
    """
    return msgspec.msgpack.decode(_run(source, Request(name=name, first=first, count=count, sheet=sheet)), type=Excerpt)


def draw(
    source: Iterable[bytes], name: str, first: int, count: int, watermark: str, *, sheet: int | None = None
) -> bytes:
    """The records, or a document's page, as a PNG whose pixels hold the watermark, once across everything and once as a line.

    Raises:
        ConflictError: the file cannot be read. SandboxError: the child did not finish.
    """
    return _run(source, Request(name=name, first=first, count=count, sheet=sheet, watermark=watermark))


def _run(source: Iterable[bytes], request: Request) -> bytes:
    parser, answer, ended = FrameParser(), bytearray(), []

    def take(data: bytes) -> None:
        for kind, payload in parser.feed(data):
            if kind is FrameKind.DATA:
                answer.extend(payload)
            elif kind is FrameKind.END:
                ended.append(True)
            elif kind is FrameKind.REFUSED:
                raise ConflictError(msgspec.json.decode(payload, type=Text).en)

    def wire() -> Iterator[bytes]:
        yield pack(FrameKind.PARAMETERS, msgspec.msgpack.encode(request))
        yield from pack_stream(source)

    limits: dict[str, Any] = {"cpu_seconds": _CPU_SECONDS, "wall_seconds": _WALL_SECONDS, "output_bytes": _OUTPUT_BYTES}
    run_isolated(_CHILD, stdin=wire(), limits=Limits(**limits, readable=(str(_fonts()),)), on_output=take)
    if not ended:
        raise SandboxCrashError("the child ended without an answer")
    return bytes(answer)


def _fonts() -> Any:
    return data_folder("templates") / "documents" / "fonts"

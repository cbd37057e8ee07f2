"""Reads and rebuilds files, recognised by content; `FORMATS` lists them.

- `identify(head: bytes, name: str) -> FormatGuess`: what a file is, or why it is refused (bilingual).
- `open_records(chunks, name) -> Reading`: batches of records, with notes (ragged rows, hidden sheets, encoding, the files within).
- `open_writer(format, name="") -> Writer`: `write(batch, keep)` and `finish()` give the bytes of a clean file.

Everything that parses runs on untrusted bytes: call it in a child (`handover.sandbox`).
"""

from collections.abc import Callable, Iterable, Iterator
from importlib import import_module
from importlib.util import find_spec
from itertools import chain
from typing import TYPE_CHECKING, Any

from handover.formats import delimited
from handover.formats.errors import FormatRefusedError, refuse
from handover.formats.identify import FORMATS, HEAD_BYTES, FormatGuess, identify
from handover.formats.members import Nest
from handover.formats.records import Batch, Column, Edit, Notes, Reading, Table, Writer
from handover.formats.zip_directory import END_BYTES, ends_like_zip

#: Formats that are ZIPs themselves.
_ZIPPED = frozenset({"zip", "xlsx", "docx"})

if TYPE_CHECKING:
    from handover.formats.flat import FlatTable


def open_records(chunks: Iterable[bytes], name: str, *, tolerant: bool = False, nest: Nest | None = None) -> Reading:
    """Recognises a stream and reads its records.

    Args:
        chunks: the file's bytes.
        name: its name; only the ending counts.
        tolerant: read on when a file within can't be inspected; the notes say which and why.
        nest: for the files within a file: where they are.

    Raises:
        FormatRefusedError: at once or while the batches are read.
    """
    inside = nest or Nest(open_records, tolerant)
    source = iter(chunks)
    head = b""
    for chunk in source:
        head += chunk
        if len(head) >= HEAD_BYTES:
            break
    guess = identify(head, name)
    if guess.refused is not None:
        raise FormatRefusedError(guess.refused)
    notes = Notes(encoding=guess.encoding)
    whole: Iterator[bytes] = chain([head], source)
    if guess.format not in _ZIPPED:
        whole = _no_zip_at_end(whole)
    readers: dict[str, Callable[[], Iterator[Batch]]] = {
        "csv": lambda: delimited.read(whole, guess.delimiter, notes),
        "jsonl": lambda: _module("jsonl").read(whole),
        "json": lambda: _module("json_document").read(whole),
        "sqlite": lambda: _module("sqlite").read(whole, notes),
        "pdf": lambda: _module("pdf").read(whole, notes),
        "png": lambda: _module("picture").read(whole, "png", notes),
        "jpeg": lambda: _module("picture").read(whole, "jpeg", notes),
        "docx": lambda: _module("docx").read(whole),
        "txt": lambda: _module("plain_text").read(whole),
        "html": lambda: _module("html").read(whole),
        "eml": lambda: _module("eml").read(whole, notes, inside),
        "xlsx": lambda: _module("xlsx").read(whole, notes),
        "zip": lambda: _module("zip_files").read(whole, notes, inside),
    }
    return Reading(guess.format, readers[guess.format](), notes)


def _module(name: str) -> Any:
    """A format is loaded only when such a file comes: all of them would slow every start."""
    return import_module(f"handover.formats.{name}")


def _no_zip_at_end(chunks: Iterator[bytes]) -> Iterator[bytes]:
    """The chunks; refused at their end when an archive is appended, which other programs would open instead."""
    tail = b""
    for chunk in chunks:
        yield chunk
        tail = chunk[-END_BYTES:] if len(chunk) >= END_BYTES else (tail + chunk)[-END_BYTES:]
    if ends_like_zip(tail):
        raise refuse(
            "文件末尾附有一个压缩包，无法整体检查。",
            "An archive is appended to the file, so it can't be inspected whole.",
        )


#: Smaller tables are done before the libraries of the fast way are loaded.
_LARGE = 2 << 20


def open_table(chunks: Iterable[bytes], name: str, *, tolerant: bool = False) -> "Reading | FlatTable":
    """As `open_records`, but a large delimited text as a `FlatTable`, where its libraries are installed.

    Raises:
        FormatRefusedError: at once or while the records are read.
    """
    source = iter(chunks)
    seen: list[bytes] = []
    size = 0
    for chunk in source:
        seen.append(chunk)
        size += len(chunk)
        if size >= _LARGE:
            break
    guess = identify(b"".join(seen)[:HEAD_BYTES], name)
    if size >= _LARGE and guess.format == "csv" and guess.refused is None and find_spec("wasmtime"):
        from handover.formats.flat import FlatTable, NotFlatError

        recorder = _Recorder(_no_zip_at_end(chain(seen, source)))
        try:
            return FlatTable(recorder, guess.delimiter, guess.encoding)
        except NotFlatError:
            seen = recorder.held
        finally:
            recorder.recording = False
    return open_records(chain(seen, source), name, tolerant=tolerant)


class _Recorder:
    """Hands on chunks and keeps them while it is not yet known who reads them."""

    def __init__(self, chunks: Iterable[bytes]) -> None:
        self._chunks = iter(chunks)
        self.held: list[bytes] = []
        self.recording = True

    def __iter__(self) -> Iterator[bytes]:
        for chunk in self._chunks:
            if self.recording:
                self.held.append(chunk)
            yield chunk


def open_writer(format: str, name: str = "", *, goes_on: bool = False) -> Writer:  # noqa: A002 - the word of the interface
    """A writer of `format`; a `.tsv` name keeps its tabs. One that `goes_on` writes what follows earlier records: no header."""
    writers: dict[str, Callable[[], Writer]] = {
        "csv": lambda: delimited.DelimitedWriter(delimited.output_delimiter(name)),
        "jsonl": lambda: _module("jsonl").JsonlWriter(),
        "json": lambda: _module("json_document").JsonWriter(),
        "sqlite": lambda: _module("sqlite").SqliteWriter(),
        "pdf": lambda: _module("pdf").PdfWriter(),
        "png": lambda: _module("picture").PngWriter(),
        "jpeg": lambda: _module("picture").JpegWriter(),
        "docx": lambda: _module("docx").DocxWriter(),
        "txt": lambda: _module("plain_text").PlainTextWriter(),
        "html": lambda: _module("html").HtmlWriter(),
        "eml": lambda: _module("eml").EmlWriter(open_writer),
        "xlsx": lambda: _module("xlsx").XlsxWriter(),
        "zip": lambda: _module("zip_files").ZipWriter(open_writer),
    }
    writer = writers[format]()
    if goes_on and isinstance(writer, delimited.DelimitedWriter):
        writer.start_without_header()
    return writer


__all__ = [
    "FORMATS",
    "HEAD_BYTES",
    "Batch",
    "Column",
    "Edit",
    "FormatGuess",
    "FormatRefusedError",
    "Notes",
    "Reading",
    "Table",
    "Writer",
    "identify",
    "open_records",
    "open_table",
    "open_writer",
]

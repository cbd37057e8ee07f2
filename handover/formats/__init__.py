"""Reads and rebuilds files of records: CSV/TSV, XLSX, JSONL and TXT, recognised by content.

- `identify(head: bytes, name: str) -> FormatGuess`: what a file is, or why it is refused (bilingual).
- `open_records(chunks, name) -> Reading`: batches of records, with notes (ragged rows, hidden sheets, encoding).
- `open_writer(format, name="") -> Writer`: `write(batch, keep)` and `finish()` give the bytes of a clean file.

Everything that parses runs on untrusted bytes: call it in a child (`handover.sandbox`).
"""

from collections.abc import Iterable, Iterator
from importlib.util import find_spec
from itertools import chain
from typing import TYPE_CHECKING

from handover.formats import delimited, jsonl, plain_text, xlsx
from handover.formats.errors import FormatRefusedError
from handover.formats.identify import FORMATS, HEAD_BYTES, FormatGuess, identify
from handover.formats.records import Batch, Column, Notes, Reading, Table, Writer

if TYPE_CHECKING:
    from handover.formats.flat import FlatTable


def open_records(chunks: Iterable[bytes], name: str) -> Reading:
    """Recognises a stream and reads its records.

    Raises:
        FormatRefusedError: at once or while the batches are read.
    """
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
    whole = chain([head], source)
    batches = {
        "csv": lambda: delimited.read(whole, guess.delimiter, notes),
        "jsonl": lambda: jsonl.read(whole),
        "txt": lambda: plain_text.read(whole),
        "xlsx": lambda: xlsx.read(whole, notes),
    }[guess.format]()
    return Reading(guess.format, batches, notes)


#: Smaller tables are done before the libraries of the fast way are loaded.
_LARGE = 2 << 20


def open_table(chunks: Iterable[bytes], name: str) -> "Reading | FlatTable":
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

        recorder = _Recorder(chain(seen, source))
        try:
            return FlatTable(recorder, guess.delimiter)
        except NotFlatError:
            seen = recorder.held
        finally:
            recorder.recording = False
    return open_records(chain(seen, source), name)


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


def open_writer(format: str, name: str = "") -> Writer:  # noqa: A002 - the word of the interface
    """A writer of `format`; a `.tsv` name keeps its tabs."""
    if format == "csv":
        return delimited.DelimitedWriter(delimited.output_delimiter(name))
    writers: dict[str, type[jsonl.JsonlWriter | plain_text.PlainTextWriter | xlsx.XlsxWriter]] = {
        "jsonl": jsonl.JsonlWriter,
        "txt": plain_text.PlainTextWriter,
        "xlsx": xlsx.XlsxWriter,
    }
    return writers[format]()


__all__ = [
    "FORMATS",
    "HEAD_BYTES",
    "Batch",
    "Column",
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

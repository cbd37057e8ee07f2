"""Reads and rebuilds files of records: CSV/TSV, XLSX, JSONL, TXT, PDF, DOCX, PNG and JPEG, recognised by content.

- `identify(head: bytes, name: str) -> FormatGuess`: what a file is, or why it is refused (bilingual).
- `open_records(chunks, name) -> Reading`: batches of records, with notes (ragged rows, hidden sheets, encoding).
- `open_writer(format, name="") -> Writer`: `write(batch, keep)` and `finish()` give the bytes of a clean file.

Everything that parses runs on untrusted bytes: call it in a child (`handover.sandbox`).
"""

from collections.abc import Callable, Iterable, Iterator
from importlib import import_module
from itertools import chain
from typing import Any

from handover.formats import delimited, jsonl, plain_text, xlsx
from handover.formats.errors import FormatRefusedError
from handover.formats.identify import FORMATS, HEAD_BYTES, FormatGuess, identify
from handover.formats.records import Batch, Column, Edit, Notes, Reading, Table, Writer


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
    readers: dict[str, Callable[[], Iterator[Batch]]] = {
        "csv": lambda: delimited.read(whole, guess.delimiter, notes),
        "jsonl": lambda: jsonl.read(whole),
        "pdf": lambda: _module("pdf").read(whole),
        "png": lambda: _module("picture").read(whole, "png"),
        "jpeg": lambda: _module("picture").read(whole, "jpeg"),
        "docx": lambda: _module("docx").read(whole),
        "txt": lambda: plain_text.read(whole),
        "xlsx": lambda: xlsx.read(whole, notes),
    }
    return Reading(guess.format, readers[guess.format](), notes)


def _module(name: str) -> Any:
    """A format whose libraries are loaded only when such a file comes: they would slow every start."""
    return import_module(f"handover.formats.{name}")


def open_writer(format: str, name: str = "") -> Writer:  # noqa: A002 - the word of the interface
    """A writer of `format`; a `.tsv` name keeps its tabs."""
    if format == "csv":
        return delimited.DelimitedWriter("\t" if name.lower().endswith((".tsv", ".tab")) else ",")
    writers: dict[str, Callable[[], Writer]] = {
        "jsonl": jsonl.JsonlWriter,
        "pdf": lambda: _module("pdf").PdfWriter(),
        "png": lambda: _module("picture").PngWriter(),
        "jpeg": lambda: _module("picture").JpegWriter(),
        "docx": lambda: _module("docx").DocxWriter(),
        "txt": plain_text.PlainTextWriter,
        "xlsx": xlsx.XlsxWriter,
    }
    return writers[format]()


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
    "open_writer",
]

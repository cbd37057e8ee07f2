"""The export, version 1: JSON Lines, each canonical and ended by one newline. docs/audit-log.md describes it.

A header, the kept checkpoints in order of size, then one line per leaf in order of index: `{"entry":…,"leaf":…}`, or
`{"leaf":…}` for an entry that this export does not show. The leaf's bytes are exactly those of `entry`.
"""

import re
from collections.abc import Iterable, Iterator
from typing import BinaryIO, Literal

import msgspec

from handover.audit.entry import Entry
from handover.audit.errors import AuditVerificationError
from handover.crypto import canonical

_HASH = re.compile(r"[0-9a-f]{64}")
#: The longest line is a checkpoint (about 5 kB); what is much longer is no export.
MAX_LINE = 1 << 18
CHECKPOINT_PREFIX = b'{"checkpoint":'
ENTRY_PREFIX = b'{"entry":'
#: What follows an entry's bytes on its line: `,"leaf":"` + 64 digits + `"}`.
ENTRY_SUFFIX_SIZE = len(',"leaf":""}') + 64


class Header(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """Line 1. `case` is None for the whole log; `keys` are the log's verifier keys, which the reader should have pinned."""

    format: Literal["handover-audit-export"] = "handover-audit-export"
    version: Literal[1] = 1
    origin: str
    size: int
    root: str
    case: str | None
    keys: tuple[str, ...]


class CheckpointLine(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """A checkpoint that the log signed earlier, or, as the last one, for the size of this export."""

    checkpoint: str


class EntryLine(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """An entry that is shown, and its leaf hash in hex."""

    entry: Entry
    leaf: str

    def __post_init__(self) -> None:
        _check_hash(self.leaf)


class HiddenLine(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """An entry of another case: its place in the tree, and nothing of what it says."""

    leaf: str

    def __post_init__(self) -> None:
        _check_hash(self.leaf)


def write_export(
    header: Header, checkpoints: Iterable[str], leaves: Iterable[tuple[bytes | None, bytes]]
) -> Iterator[bytes]:
    """The lines; `leaves` gives (entry bytes or None to hide it, leaf hash) in order of index."""
    yield canonical.encode(header) + b"\n"
    for note in checkpoints:
        yield canonical.encode(CheckpointLine(note)) + b"\n"
    for entry, leaf in leaves:
        shown = b"" if entry is None else b'"entry":' + entry + b","
        yield b"{" + shown + b'"leaf":"' + leaf.hex().encode() + b'"}\n'


def read_lines(file: BinaryIO) -> Iterator[bytes]:
    """The lines of a file, each with its newline, in bounded memory.

    Raises:
        AuditVerificationError: a line is longer than any of an export.
    """
    while line := file.readline(MAX_LINE + 1):
        if len(line) > MAX_LINE:
            raise AuditVerificationError(f"a line is longer than {MAX_LINE} bytes: this is no export", "line_malformed")
        yield line


def _check_hash(value: str) -> None:
    if _HASH.fullmatch(value) is None:
        raise ValueError("a leaf hash has 64 lower-case hex digits")

"""A delimited text without an object per cell: blocks of whole records whose cells are offsets in the kernel's memory.

The way for large tables. A file that it does not take (another line end than LF or CR LF, no end of a record for megabytes) is read by
`delimited`; what both read is the same (a test compares them).
"""

from collections.abc import Iterable, Iterator, Sequence
from itertools import chain
from typing import NamedTuple

import numpy as np

from handover.formats.delimited import first_names, read_on
from handover.formats.encoding import to_utf8, utf8_text
from handover.formats.records import Batch, Column, Notes, Table
from handover.kernel import NONE, Kernel, prepare
from handover.kernel.threads import TornBlockError

#: Large enough that the work per block vanishes, small enough that some of them at once are little memory.
BLOCK = 4 << 20
#: The first one is read by Python too, to learn what the columns hold.
_FIRST = 1 << 20
#: A record longer than this is left to the other reader, which knows how to refuse it.
_LONGEST_RECORD = 8 << 20
_MOST_COLUMNS = 1024


class NotFlatError(Exception):
    """This file is for the other reader."""


class WideRecordError(Exception):
    """A block holds a record with more cells than the header."""


class Block(NamedTuple):
    """Some whole records as UTF-8; the last block may end without a line end."""

    data: bytes
    #: How much UTF-8 stands before it.
    start: int
    last: bool = False


class FlatTable:
    """A table that is being read: names of its columns, and its records block by block. Whoever reads them notes what is ragged."""

    format = "csv"

    def __init__(self, chunks: Iterable[bytes], delimiter: str, encoding: str = "") -> None:
        prepare()
        self.notes = Notes(encoding=encoding)
        self.delimiter = delimiter
        self._pieces = to_utf8(chunks)
        self._blocks = self._cut()
        first = next(self._blocks, Block(b"", 0, last=True))
        text = "".join(utf8_text([first.data], 0, whole=is_whole(first)))
        self.header, self.names, taken = first_names(text, delimiter)
        self._first = first._replace(data=first.data[taken:], start=taken)
        #: Lines of the header.
        self.header_lines = first.data.count(b"\n", 0, taken)
        if not self._first.data or len(self.names) > _MOST_COLUMNS:
            raise NotFlatError

    def blocks(self) -> Iterator[Block]:
        """Records, from the first one behind the header."""
        yield self._first
        yield from self._blocks

    def _cut(self) -> Iterator[Block]:
        held: list[bytes] = []
        size = start = 0
        for piece in self._pieces:
            held.append(piece)
            size += len(piece)
            if size >= (BLOCK if start else min(_FIRST, BLOCK)):
                end = _end_of_records(held)
                if not end:
                    held = [b"".join(held)]
                    end = _end_of_records(held)
                if end:
                    # Copied once: the blocks of a table are as long as the table.
                    last = memoryview(held.pop())
                    yield Block(b"".join((*held, last[:end])), start)
                    held, start = [bytes(last[end:])], start + size - len(last) + end
                    size = len(held[0])
                elif size > _LONGEST_RECORD:
                    yield Block(held.pop(), start)  # torn, as the kernel will see
                    size, start = 0, start + size
        if size:
            yield Block(b"".join(held), start, last=True)


def halves(block: Block) -> list[Block]:
    """The block's records in two blocks; it alone when it can't be cut."""
    end = _end_of_records([block.data[: len(block.data) // 2]])
    if not end:
        return [block]
    return [Block(block.data[:end], block.start), Block(block.data[end:], block.start + end, block.last)]


def _end_of_records(pieces: Sequence[bytes]) -> int:
    """In the last piece, behind its last LF that has an even number of quotes before it. Whether a record really ends there, `split` finds out."""
    # Ten times as fast as `bytes.count`, and other threads run meanwhile.
    quotes = sum(int(np.count_nonzero(np.frombuffer(piece, np.uint8) == ord('"'))) for piece in pieces)
    last = pieces[-1]
    end = len(last)
    while quotes % 2 or last[end - 1 : end] != b"\n":
        before = last.rfind(b"\n", 0, end - 1) + 1
        if not before:
            return 0
        quotes -= last.count(b'"', before, end)
        end = before
    return end


class SeenValues:
    """Hashes of values that were met, in a kernel's memory; at most half a million, beyond which a value may be met as new again."""

    _SIZE = 1 << 20

    def __init__(self, kernel: Kernel) -> None:
        self.size, self.room = self._SIZE, self._SIZE // 2
        self.table = kernel.reserve(8 * self._SIZE)
        kernel.view(self.table, self._SIZE, np.uint64)[:] = 0

    def place(self) -> tuple[int, int, int]:
        """Address, size and room."""
        return self.table, self.size, self.room


class Wanted(NamedTuple):
    """What a first pass takes from a column: the hashes of its numbers under their kind's number, or, by what was `seen`, its new values.

    With `forms` numbers, and beside Chinese all of ASCII, make no difference between values.
    """

    column: int
    kind: int = 0
    seen: SeenValues | None = None
    forms: bool = False

    @property
    def what(self) -> int:
        """The kernel's number for it."""
        return 0 if self.seen is None else 1 + self.forms


#: Words of the kernel's `Wanted`.
_WANTED = 10


class Taken(NamedTuple):
    """What was wanted."""

    #: Of each column of numbers.
    hashes: list[bytes]
    #: By column, those that are not empty.
    values: dict[int, list[str]]
    #: A bit for each length that numbers have had.
    lengths: int


class FlatBatch:
    """One block in the memory of a kernel, which it fills until `close`."""

    def __init__(self, kernel: Kernel, block: Block, table: FlatTable) -> None:
        """Splits the block; the caller sets the kernel's mark back in the end.

        Raises:
            TornBlockError, WideRecordError: it can't be read in this way.
            FormatRefusedError: it is no UTF-8.
        """
        self.kernel, self.table = kernel, table
        columns = len(table.names)
        self.size = len(block.data)
        self._most = self.size // columns + 1
        self.text = kernel.put(block.data)
        self._starts, self._ends, said = (
            kernel.reserve(4 * size) for size in (columns * self._most,) * 2 + (6 + columns,)
        )
        arguments = ord(table.delimiter), columns, self._starts, self._ends, self._most, said
        kernel.call("split", self.text, self.size, block.last, *arguments)
        found = kernel.view(said, 6 + columns, np.uint32).tolist()
        self.count, taken, self.ragged, widest, is_utf8, self.line_count, *filled = found
        #: How many cells of each column are not empty.
        self.filled: list[int] = filled
        if taken != self.size:
            raise TornBlockError
        if not is_utf8:
            list(utf8_text([block.data], block.start))  # says where
        if widest > columns:
            raise WideRecordError

    def cells(self, column: int) -> tuple[int, int]:
        """Addresses of a column's starts and ends."""
        offset = 4 * column * self._most
        return self._starts + offset, self._ends + offset

    def lines(self, column: int) -> bytes | None:
        """The cells, LF behind each; None when one holds an LF itself."""
        mark = self.kernel.mark
        out = self.kernel.reserve(self.size + self.count)
        size = self.kernel.call("gather", self.text, *self.cells(column), self.count, out)
        data = self.kernel.view(out, size, np.uint8).tobytes() if size else None
        self.kernel.mark = mark
        return data

    def take(self, wanted: Sequence[Wanted]) -> Taken:
        """What is wanted of some columns, in one call."""
        kernel, mark = self.kernel, self.kernel.mark
        plan = [
            (*self.cells(one.column), one.what, one.kind, *(one.seen.place() if one.seen else (0, 0, 0)), 0, 0, 0)
            for one in wanted
        ]
        at = kernel.put(np.array(plan, np.uint32).reshape(-1))
        # A value and its LF, or a number's hash, of every cell.
        out = kernel.reserve(self.size + (8 * self.count + 8) * len(wanted))
        lengths = kernel.call("take", self.text, self.count, at, len(wanted), out)
        said = kernel.view(at, _WANTED * len(wanted), np.uint32).reshape(-1, _WANTED)[:, -3:].tolist()
        taken = Taken([], {}, lengths)
        for one, (start, size, added) in zip(wanted, said, strict=True):
            if size == NONE:
                taken.values[one.column] = self.values(one.column)
                continue
            data = kernel.view(start, size, np.uint8).tobytes()
            if one.seen:
                one.seen.room -= added
                taken.values[one.column] = data.decode("utf-8").split("\n")[:-1]
            else:
                taken.hashes.append(data)
        kernel.mark = mark
        return taken

    def values(self, column: int, rows: Iterable[int] | None = None) -> list[str]:
        """The cells as text: of all rows, or of those named."""
        if rows is None and (lines := self.lines(column)) is not None:
            return lines.decode("utf-8").split("\n")[:-1]
        starts, ends = (self.kernel.view(address, self.count, np.uint32).tolist() for address in self.cells(column))
        text = self.kernel.view(self.text, self.size, np.uint8).data
        return [str(text[starts[row] : ends[row]], "utf-8") for row in (range(self.count) if rows is None else rows)]

    def as_batch(self, only: str | None = None) -> Batch:
        """All columns, or one of them, as text."""
        everyone = range(self.count)
        names = self.table.names
        columns = [Column(name, self.values(names.index(name)), everyone) for name in names if only in {None, name}]
        return Batch(Table(header=self.table.header), 0, self.count, columns)


def is_whole(block: Block) -> bool:
    """False for a block that surely does not end where a record does."""
    return block.last or (block.data.endswith(b"\n") and block.data.count(b'"') % 2 == 0)


def records_of(blocks: Iterable[Block], table: FlatTable, notes: Notes | None = None) -> Iterator[Batch]:
    """The same records by the other reader, which counts lines from the first block's."""
    blocks = iter(blocks)
    first = next(blocks)
    pieces = utf8_text((block.data for block in chain([first], blocks)), first.start)
    return read_on(pieces, table.delimiter, table.header, table.names, notes or Notes())

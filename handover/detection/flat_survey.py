"""The first pass over a large table: roles by a sample as `Survey` decides them, then only what columns of names and numbers hold."""

from collections import deque
from collections.abc import Callable, Iterable, Iterator
from concurrent.futures import ThreadPoolExecutor
from itertools import chain

import msgspec

from handover.detection.known import MAX_NUMBERS
from handover.detection.number_table import KINDS, Hashes, NumberTable
from handover.detection.scanner import SOURCES_OF_NUMBERS, ColumnScan
from handover.detection.survey import RUNNING_TEXT, Survey, kind_of_numbers
from handover.formats import Batch, Notes
from handover.formats.flat import Block, FlatBatch, FlatTable, SeenValues, Wanted, WideRecordError, is_whole, records_of
from handover.kernel import Kernel
from handover.kernel.threads import TornBlockError, in_order

#: Bytes of some records.
_TASTE = 4000


class _Learnt(msgspec.Struct):
    """What one block holds: records, filled cells by column, new values by column of names, and its numbers."""

    count: int
    filled: dict[str, int]
    values: dict[str, list[str]]
    numbers: Hashes | None = None
    #: How many lines, and how many of its records are ragged.
    lines: int = 0
    ragged: int = 0
    block: Block | None = None
    #: Instead of all that, the records, and what their reader notes.
    batches: Iterable[Batch] = ()
    notes: Notes = msgspec.field(default_factory=Notes)
    #: Part of what begins with a block that does not end where a record does.
    torn: bool = False


def survey_flat(table: FlatTable, on_records: Callable[[str, int], None] | None = None) -> Survey:
    """Every record of a table. What the survey calls batches are the table's blocks; of torn ones all that follows is one.

    Raises:
        FormatRefusedError: as with `Survey`.
    """
    blocks = table.blocks()
    first = next(blocks)
    # Compiles the detectors' expressions while another thread compiles the kernel.
    ColumnScan().find([first.data[:_TASTE].decode("utf-8", "ignore")])
    blocks, kernel = chain([first], blocks), Kernel()
    survey = Survey()
    survey.known.table = NumberTable(MAX_NUMBERS)
    counts: list[int] = []
    lines = table.header_lines
    # By batches until the roles are known: they decide what is learnt from a column.
    for block in blocks:
        counts.append(0)
        notes = Notes()
        for batch in records_of(chain([block], blocks) if _is_torn(kernel, block, table) else [block], table, notes):
            survey.add(batch)
            counts[-1] += batch.count
        _note(table, lines, notes)
        lines += block.data.count(b"\n")
        if all(entry.decided for entry in survey.fields.values()):
            break
    # Numbers go into their table in the order of the file (it is bounded), in a thread of their own.
    torn = False
    with ThreadPoolExecutor(1) as numbers:
        for learnt in in_order(
            lambda worker, block: _learn(worker, block, table, survey),
            blocks,
            lambda _: _Worker(),
            lambda rest: _rest(rest, table),
            caller_works=True,
        ):
            if not (torn and learnt.torn):
                counts.append(0)
            torn = learnt.torn
            survey.records += learnt.count
            counts[-1] += learnt.count
            if learnt.numbers:
                numbers.submit(survey.known.add_number_hashes, learnt.numbers)
            for name, filled in learnt.filled.items():
                survey.learn(name, filled, learnt.values.get(name, []))
            for batch in learnt.batches:
                survey.add(batch)
                counts[-1] += batch.count
            if learnt.block and learnt.ragged:
                learnt.notes = _of_ragged(learnt.block, learnt.ragged, table)
            _note(table, lines, learnt.notes)
            lines += learnt.lines
            if on_records:
                on_records("survey", survey.records)
    survey.batches = counts
    return survey.finish()


def _note(table: FlatTable, lines: int, notes: Notes) -> None:
    """What the reader of some records, of which the first stands behind so many lines, noted; each thing once."""
    mine = table.notes
    if mine.ragged_first_line is None and notes.ragged_first_line is not None:
        mine.ragged_first_line = lines + notes.ragged_first_line
    mine.ragged += notes.ragged
    notes.ragged = 0


def _of_ragged(block: Block, ragged: int, table: FlatTable) -> Notes:
    """The notes of a block with so many ragged records; the first line is only looked for once."""
    notes = Notes()
    if table.notes.ragged_first_line is None:
        deque(records_of([block], table, notes), maxlen=0)
    notes.ragged = ragged
    return notes


def _is_torn(kernel: Kernel, block: Block, table: FlatTable) -> bool:
    if not is_whole(block):
        return True
    mark = kernel.mark
    try:
        FlatBatch(kernel, block, table)
    except TornBlockError:
        return True
    except WideRecordError:
        return False
    finally:
        kernel.mark = mark
    return False


def _rest(blocks: Iterator[Block], table: FlatTable) -> Iterator[_Learnt]:
    notes = Notes()
    for batch in records_of(blocks, table, notes):
        yield _Learnt(0, {}, {}, batches=[batch], notes=notes, torn=True)


class _Worker:
    """For one thread."""

    def __init__(self) -> None:
        self.kernel = Kernel()
        self.names, self.texts = SeenValues(self.kernel), SeenValues(self.kernel)


def _learn(worker: _Worker, block: Block, table: FlatTable, survey: Survey) -> _Learnt:
    kernel = worker.kernel
    mark = kernel.mark
    try:
        batch = FlatBatch(kernel, block, table)
        filled = dict(zip(table.names, batch.filled, strict=True))
        learnt = _Learnt(batch.count, filled, {}, lines=batch.line_count, ragged=batch.ragged, block=block)
        wanted: list[Wanted] = []
        for index, name in enumerate(table.names):
            entry = survey.fields[name]
            if not entry.decided:
                learnt.values[name] = batch.values(index)
            elif entry.role in SOURCES_OF_NUMBERS:
                wanted.append(Wanted(index, KINDS.index(kind_of_numbers(entry.role))))
            elif entry.role == "person_name":
                wanted.append(Wanted(index, seen=worker.names))
            elif entry.role in RUNNING_TEXT and not survey.names.is_full:
                wanted.append(Wanted(index, seen=worker.texts, forms=True))
        if wanted:
            taken = batch.take(wanted)
            learnt.values |= {table.names[index]: values for index, values in taken.values.items()}
            if taken.hashes:
                learnt.numbers = Hashes(b"".join(taken.hashes), taken.lengths)
    except WideRecordError:
        notes = Notes()
        lines = block.data.count(b"\n")
        return _Learnt(0, {}, {}, lines=lines, batches=records_of([block], table, notes), notes=notes)
    finally:
        kernel.mark = mark
    return learnt

"""The hits in a large table, found on all cores in compiled code; what that can't judge is given to the detectors.

They are the same as by batches of columns (tests compare what is made of them).
"""

from collections.abc import Callable, Iterator
from itertools import chain, islice
from typing import NamedTuple, TypeVar

import numpy as np

from handover.detection.scanner import NUMERIC_KINDS, SOURCES_OF_NUMBERS, ColumnScan
from handover.detection.screening import KINDS, Screen, is_current
from handover.detection.spans import Span, count_kinds
from handover.detection.survey import Survey
from handover.formats import Batch
from handover.formats.flat import Block, FlatBatch, FlatTable, WideRecordError, halves, records_of
from handover.kernel import KernelFullError
from handover.kernel.threads import in_order

Result = TypeVar("Result")

#: How the kernel judges a column by its role; of the first ones only text in which anything may stand.
_FREE = frozenset({"", "free_text", "bank_card"})
_KIND_OF = {
    "person_name": "person_name", "telephone": "mobile", "email": "email", "resident_id": "resident_id",
    "bank_card": "bank_card",
}  # fmt: skip
_JUDGES = {
    **dict.fromkeys(_KIND_OF.keys() - _FREE, "screen"),
    "address": "whole_addresses",
    "birth_date": "whole_dates",
}


class Look(NamedTuple):
    """How a column is looked at."""

    #: The kernel's function; empty when the detectors judge every value.
    judge: str = ""
    #: A value counts only as a whole.
    whole: bool = False
    #: What most of its values are.
    kind: str = ""
    #: Known numbers are looked for.
    numbers: bool = True
    #: What stands in for a value holds nothing.
    replaced: bool = True

    def at(self, screen: Screen, batch: FlatBatch, index: int) -> tuple[np.ndarray, np.ndarray]:
        """The rows that the detectors must judge, and the hits in the others: (row, start, end, number of the kind), in bytes of the cell."""
        kernel, (starts, ends) = screen.kernel, batch.cells(index)
        if not self.judge:
            return np.arange(batch.count), np.zeros((0, 4), np.uint32)
        mark = kernel.mark
        if self.judge == "screen":
            how = {"numbers": self.numbers, "whole": self.whole, "replaced": self.replaced}
            slow, hits = screen.look(batch.text, starts, ends, batch.count, kind=self.kind, **how)
        else:
            slow_at, out = kernel.reserve(batch.count), kernel.reserve(16 * batch.count)
            found = kernel.call(self.judge, batch.text, starts, ends, batch.count, slow_at, out)
            slow = kernel.view(slow_at, batch.count, np.uint8).astype(bool)
            hits = kernel.view(out, 4 * found, np.uint32).reshape(-1, 4).copy()
        kernel.mark = mark
        return np.flatnonzero(slow), hits


def look_of(scan: ColumnScan, *, whole: bool = False) -> Look:
    """How a column that is scanned in this way can be looked at; with `whole` each of its values is to be replaced, whatever it holds."""
    judge, only_whole = "", whole
    if not is_current():
        pass  # the detectors judge everything
    elif scan.suppressed:
        if scan.suppressed >= NUMERIC_KINDS and not scan.known and not whole:
            judge = "plain_numbers"
    elif scan.role in _FREE:
        judge = "screen"
    elif scan.role in _JUDGES:
        judge, only_whole = _JUDGES[scan.role], True
    return Look(judge, only_whole, _KIND_OF.get(scan.role, ""), scan.role not in SOURCES_OF_NUMBERS, not whole)


def count_rows(hits: np.ndarray) -> int:
    """How many rows hold some of these hits of the kernel, which are in ascending order."""
    return int(np.count_nonzero(np.diff(hits[:, 0]))) + (len(hits) > 0)


class Hits(NamedTuple):
    """What one column of a block holds."""

    column: int
    #: The kernel's, as `Look.at` gives them.
    plain: np.ndarray
    #: The detectors', by row, with the row's value.
    judged: dict[int, tuple[str, list[Span]]]

    def kinds(self) -> dict[str, int]:
        """How many of each kind."""
        plain = np.bincount(self.plain[:, 3], minlength=len(KINDS)).tolist()
        counts = count_kinds(spans for _, spans in self.judged.values())
        for kind, count in zip(KINDS, plain, strict=True):
            counts[kind] += count
        return dict(+counts)

    def values(self) -> int:
        """How many values hold any."""
        return count_rows(self.plain) + len(self.judged)


def flat_hits(
    survey: Survey,
    table: FlatTable,
    work: Callable[[FlatBatch, Iterator[Hits]], Result],
    mine: slice = slice(0, None),
) -> Iterator[Result | Batch]:
    """What `work` makes of some of the blocks, of each column's hits in turn. Where a block can't be looked at in this way, its records."""
    scans = [survey.column_scan(name) for name in table.names]
    looks = [look_of(scan) for scan in scans]

    def hits(screen: Screen, batch: FlatBatch) -> Iterator[Hits]:
        for column, (scan, look) in enumerate(zip(scans, looks, strict=True)):
            rows, plain = look.at(screen, batch, column)
            yield Hits(column, plain, _judged(batch, column, rows, scan, is_screened=bool(look.judge)))

    def parts(screen: Screen, block: Block) -> Iterator[Result | Batch]:
        base = screen.kernel.mark
        try:
            batch = FlatBatch(screen.kernel, block, table)
            result = work(batch, hits(screen, batch))
        except WideRecordError:
            yield from records_of([block], table)
        except KernelFullError:
            screen.kernel.mark = base
            halved = halves(block)
            if len(halved) == 1:
                raise
            for half in halved:
                yield from parts(screen, half)
        else:
            yield result
        finally:
            screen.kernel.mark = base

    blocks = islice(table.blocks(), mine.start, mine.stop)
    found: Iterator[list[Result | Batch]] = in_order(
        lambda screen, block: list(parts(screen, block)),
        blocks,
        lambda before: before.copy() if before else Screen(survey.known),
        lambda rest: ([batch] for batch in records_of(rest, table)),
    )
    return chain.from_iterable(found)


def _judged(
    batch: FlatBatch, column: int, rows: np.ndarray, scan: ColumnScan, *, is_screened: bool
) -> dict[int, tuple[str, list[Span]]]:
    """What the detectors find in some rows: those that hold anything, with their values. Equal values are scanned once."""
    if not len(rows):
        return {}
    values = batch.values(column, None if len(rows) == batch.count else rows.tolist())
    distinct = list(dict.fromkeys(values))
    found = {distinct[at]: spans for at, spans in scan.find(distinct, is_screened=is_screened).items()}
    if not found:
        return {}
    return {row: (value, found[value]) for row, value in zip(rows.tolist(), values, strict=True) if value in found}

"""Redacts a large table block by block in compiled code, on all cores; what that can't judge is given to `Redactor`.

The output is the same, byte for byte, as by batches of columns (a test compares them).
"""

from collections.abc import Iterable, Iterator, Sequence
from itertools import accumulate, chain, islice, repeat
from threading import Lock
from typing import NamedTuple, Protocol

import msgspec
import numpy as np

from handover.detection.survey import Survey
from handover.formats import Batch, Column, Table
from handover.formats.delimited import DelimitedWriter
from handover.formats.flat import Block, FlatBatch, FlatTable, WideRecordError, halves, records_of
from handover.kernel import KernelFullError
from handover.kernel.threads import in_order
from handover.masking.flat_columns import Worker, plan_of, write_column
from handover.masking.policy import Policy
from handover.masking.redaction import Redactor
from handover.masking.report import FieldRedaction, merge_fields
from handover.masking.samples import SampledRecord, Sampler

#: A cell gets a delimiter, two quotes and an apostrophe at most.
_PER_CELL = 4


class Redacted(msgspec.Struct):
    """One block as it comes out."""

    count: int
    output: bytes
    fields: list[FieldRedaction]
    #: Which records went in; None when all did.
    keep: Sequence[bool] | None
    #: What a reviewer sees of it.
    samples: list[SampledRecord]


class Numbered(NamedTuple):
    """A block, and the number of its first record; of what follows a torn one it is not known."""

    first: int
    block: Block


class Judge(Protocol):
    """Decides whose records go in (`selection`)."""

    def keep(self, batch: Batch) -> list[bool]: ...


class FlatRedactor:
    """Applies one policy under one key to one table."""

    def __init__(
        self,
        survey: Survey,
        policy: Policy,
        key: bytes,
        table: FlatTable,
        delimiter: str,
        judge: Judge | None,
        subject: str | None,
        sampler: Sampler,
    ) -> None:
        self._survey, self._policy, self._key, self._table = survey, policy, key, table
        self._delimiter = delimiter
        self._judge, self._subject, self._lock, self._sampler = judge, subject, Lock(), sampler
        self._plans = [plan_of(name, survey, policy) for name in table.names]

    def blocks(self, mine: slice) -> Iterator[Redacted]:
        """Some of the blocks, in order; the output begins without header."""
        firsts = chain(accumulate(self._survey.batches, initial=0), repeat(-1))
        blocks = islice(map(Numbered, firsts, self._table.blocks()), mine.start, mine.stop)
        return in_order(self._redact, blocks, self._worker, self._rest)

    def _worker(self, before: Worker | None) -> Worker:
        return before.copy(self._redactor()) if before else Worker(self._survey, self._redactor(), self._key)

    def _redactor(self) -> Redactor:
        return Redactor(self._survey, self._policy, self._key)

    def _redact(self, worker: Worker, given: Numbered) -> Redacted:
        try:
            return _merged(list(self._parts(worker, given.block, given.first)))
        except WideRecordError:
            return _merged(list(self._slowly(worker.redactor, [given.block], given.first)))

    def _parts(
        self, worker: Worker, block: Block, first: int, keep: Sequence[bool] | None = None
    ) -> Iterator[Redacted]:
        """The block as a whole, or where it does not fit into the kernel, in parts."""
        base = worker.kernel.mark
        try:
            batch = FlatBatch(worker.kernel, block, self._table)
            if self._judge and keep is None:
                keep = self._keep(batch.as_batch(self._subject))
            whole = self._apply(worker, batch, first, keep)
        except KernelFullError:
            parts = halves(block)
            if len(parts) == 1:
                raise
        else:
            yield whole
            return
        finally:
            worker.kernel.mark = base
        done = 0
        for half in parts:
            for part in self._parts(worker, half, first + done, keep and keep[done:]):
                done += part.count
                yield part

    def _apply(self, worker: Worker, batch: FlatBatch, first: int, keep: Sequence[bool] | None) -> Redacted:
        fields, columns = [], []
        growth = 0
        for index, plan in enumerate(self._plans):
            report = FieldRedaction(name=plan.name, action=plan.rule.action)
            column, more = write_column(worker, batch, index, plan, report)
            columns.append(column)
            fields.append(report)
            growth += more
        keep = keep and keep[: batch.count]
        output = self._join(worker, batch, columns, keep, growth)
        return Redacted(batch.count, output, fields, keep, self._samples(batch, first, keep))

    def _samples(self, batch: FlatBatch, first: int, keep: Sequence[bool] | None) -> list[SampledRecord]:
        """The drawn records of a block, redacted once more by themselves."""
        drawn = [number for number in self._sampler.drawn(first, batch.count) if keep is None or keep[number - first]]
        if not drawn:
            return []
        rows, everyone = [number - first for number in drawn], range(len(drawn))
        columns = [Column(name, batch.values(index, rows), everyone) for index, name in enumerate(self._table.names)]
        alone = Batch(Table(header=self._table.header), first, len(drawn), columns)
        self._redactor().apply(alone)
        return [self._sampler.record(alone, index, number) for index, number in enumerate(drawn)]

    def _keep(self, batch: Batch) -> list[bool]:
        assert self._judge is not None  # noqa: S101 - asked by the caller
        with self._lock:
            return self._judge.keep(batch)

    def _join(
        self, worker: Worker, batch: FlatBatch, columns: list[list[int]], keep: Sequence[bool] | None, growth: int
    ) -> bytes:
        kernel = worker.kernel
        plan = kernel.put(np.array(columns, np.uint32).reshape(-1))
        kept = kernel.put(np.array(keep, np.uint8)) if keep is not None else 0
        out = kernel.reserve(2 * batch.size + growth + _PER_CELL * batch.count * (len(columns) + 1))
        size = kernel.call(
            "join", batch.text, batch.count, plan, len(columns), worker.labels, ord(self._delimiter), kept, out
        )
        return kernel.view(out, size, np.uint8).tobytes()

    def _rest(self, blocks: Iterator[Numbered]) -> Iterator[Redacted]:
        """From a block on that does not end where a record does."""
        torn = next(blocks)
        return self._slowly(self._redactor(), chain([torn.block], (later.block for later in blocks)), torn.first)

    def _slowly(self, redactor: Redactor, blocks: Iterable[Block], first: int) -> Iterator[Redacted]:
        """The same by batches of columns."""
        writer = DelimitedWriter(self._delimiter)
        writer.start_without_header()
        for batch in records_of(blocks, self._table):
            keep = self._keep(batch) if self._judge else None
            redactor.fields = {}
            redactor.apply(batch)
            batch.first, first = first, first + batch.count
            samples = list(self._sampler.of(batch, keep))
            yield Redacted(batch.count, writer.write(batch, keep), list(redactor.fields.values()), keep, samples)


def _merged(parts: list[Redacted]) -> Redacted:
    """Parts of one block as one."""
    if len(parts) == 1:
        return parts[0]
    fields: dict[str, FieldRedaction] = {}
    for part in parts:
        merge_fields(fields, part.fields)
    keep = None if parts[0].keep is None else [kept for part in parts for kept in part.keep or ()]
    return Redacted(
        sum(part.count for part in parts),
        b"".join(part.output for part in parts),
        list(fields.values()),
        keep,
        [sample for part in parts for sample in part.samples],
    )

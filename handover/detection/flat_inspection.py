"""The second pass over a large table: `inspection` over what compiled code finds in whole blocks."""

from collections.abc import Callable, Iterator

import msgspec
import numpy as np

from handover.detection.flat_scan import Hits, flat_hits
from handover.detection.inspection import BIRTHS, IDENTIFYING, Inspection
from handover.detection.screening import KINDS
from handover.detection.subjects import DIGEST_BYTES, padded_key
from handover.detection.survey import Survey
from handover.formats import Batch
from handover.formats.flat import FlatBatch, FlatTable

#: The kernel's words for a cell of the subject's column (kernel.h).
_BLANK, _UNDIGESTED = 1, 2
#: Where in a plain hit of a kind the year of birth stands, and how long the hit then is.
_YEARS = {KINDS.index("resident_id"): (6, 18), KINDS.index("birth_date"): (0, 10)}
_YEAR_DIGITS = np.array([1000, 100, 10, 1])
_NOTED = BIRTHS.union(IDENTIFYING)


class _Counted(msgspec.Struct):
    """What one block holds."""

    count: int
    #: By column: hits by kind, and how many values hold any.
    kinds: list[dict[str, int]]
    hit_values: list[int]
    #: Whom its records name in the subject's column: digests one behind the other, and values that are still to be digested.
    digests: bytes
    undigested: list[str]
    #: Of records that name nobody there, or somebody who may be a minor: whom, and what else tells who or how old he is.
    references: dict[int, str]
    found: dict[int, dict[str, str]]


class _Inspector:
    """Counts what each block holds, for an `Inspection` to sum up."""

    def __init__(self, inspection: Inspection, table: FlatTable, key: bytes) -> None:
        subject = inspection.subject
        self._inspection, self._names, self._key = inspection, table.names, padded_key(key)
        self._subject = table.names.index(subject.field) if subject and subject.field in table.names else None

    def count(self, batch: FlatBatch, columns: Iterator[Hits]) -> _Counted:
        """What a block holds."""
        digests, unnamed, undigested = self._digests(batch)
        wanted = unnamed.copy()
        held = list(columns)
        for hits in held:
            self._want_minors(batch, hits, wanted)
        found: dict[int, dict[str, str]] = {}
        references: dict[int, str] = {}
        if wanted.any():
            for hits in held:
                _note(batch, hits, wanted, found)
            rows = [row for row in found if not unnamed[row]]
            if rows and self._subject is not None:
                references = dict(zip(rows, batch.values(self._subject, rows), strict=True))
        return _Counted(
            batch.count,
            [hits.kinds() for hits in held],
            [hits.values() for hits in held],
            digests,
            undigested,
            references,
            found,
        )

    def _digests(self, batch: FlatBatch) -> tuple[bytes, np.ndarray, list[str]]:
        """Of whom the records name: the digests, which records name nobody, and the values that only Python can digest."""
        if self._subject is None:
            return b"", np.ones(batch.count, bool), []
        kernel = batch.kernel
        mark = kernel.mark
        kernel.call("set_key", kernel.put(self._key))
        what, out = kernel.reserve(batch.count), kernel.reserve(DIGEST_BYTES * batch.count)
        done = kernel.call("digests", batch.text, *batch.cells(self._subject), batch.count, what, out)
        digests = kernel.view(out, DIGEST_BYTES * done, np.uint8).tobytes()
        said = kernel.view(what, batch.count, np.uint8).copy()
        kernel.mark = mark
        values = batch.values(self._subject, np.flatnonzero(said == _UNDIGESTED).tolist())
        return digests, said == _BLANK, values

    def take(self, one: "_Counted | Batch") -> int:
        """Adds it to the inspection; how many records it has."""
        if isinstance(one, Batch):
            self._inspection.add(one)
        else:
            fields = dict(zip(self._names, zip(one.kinds, one.hit_values, strict=True), strict=True))
            digests = [one.digests[at : at + DIGEST_BYTES] for at in range(0, len(one.digests), DIGEST_BYTES)]
            self._inspection.add_counts(one.count, fields, digests, one.undigested, one.references, one.found)
        return one.count

    def _want_minors(self, batch: FlatBatch, hits: Hits, wanted: np.ndarray) -> None:
        """Marks the records of those who may be minors by this column."""
        for row, (_, spans) in hits.judged.items():
            if not wanted[row] and any(span.kind in BIRTHS for span in spans):
                wanted[row] = True
        starts = batch.kernel.view(batch.cells(hits.column)[0], batch.count, np.uint32)
        text = batch.kernel.view(batch.text, batch.size, np.uint8)
        for kind, (offset, length) in _YEARS.items():
            rows, start, end, _ = hits.plain[hits.plain[:, 3] == kind].T
            wanted[rows[end - start != length]] = True
            at = (starts[rows] + start + offset)[end - start == length]
            years = (text[at[:, None] + np.arange(4)] - ord("0")) @ _YEAR_DIGITS
            wanted[rows[end - start == length][years >= self._inspection.adult_before]] = True


def _note(batch: FlatBatch, hits: Hits, wanted: np.ndarray, found: dict[int, dict[str, str]]) -> None:
    """What the wanted records hold that tells who or how old somebody is: of each kind the first."""
    starts = batch.kernel.view(batch.cells(hits.column)[0], batch.count, np.uint32)
    text = batch.kernel.view(batch.text, batch.size, np.uint8)
    for row, start, end, kind in hits.plain[wanted[hits.plain[:, 0]]].tolist():
        if KINDS[kind] in _NOTED:
            cell = int(starts[row])
            value = text[cell + start : cell + end].tobytes().decode()
            found.setdefault(row, {}).setdefault(KINDS[kind], value)
    for row, (value, spans) in hits.judged.items():
        if wanted[row]:
            for span in spans:
                if span.kind in _NOTED:
                    found.setdefault(row, {}).setdefault(span.kind, value[span.start : span.end])


def inspect_flat(
    table: FlatTable,
    survey: Survey,
    inspection: Inspection,
    key: bytes,
    on_records: Callable[[str, int], None] | None,
    part: tuple[int, int],
) -> None:
    """The second pass over a table, or over the share of it that one part (number, of how many) has.

    Raises:
        FormatRefusedError: as the other way.
    """
    mine, done = survey.share(part)
    inspector = _Inspector(inspection, table, key)
    for one in flat_hits(survey, table, inspector.count, mine):
        done += inspector.take(one)
        if on_records:
            on_records("scan", done)

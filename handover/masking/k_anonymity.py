"""The smallest group of records that are alike in their quasi-identifiers (Sweeney 2002)."""

import hashlib
from collections import Counter
from collections.abc import Iterable, Sequence

from handover.formats import Batch


def k_anonymity(rows: Iterable[Sequence[str]], quasi_identifiers: Sequence[int]) -> int:
    """The smallest group's size; 0 for no rows.

    Args:
        rows: records as sequences of values.
        quasi_identifiers: positions of the values that together might single a person out.
    """
    groups = Counter(tuple(row[position] for position in quasi_identifiers) for row in rows)
    return min(groups.values(), default=0)


class GroupSizes:
    """The same over batches; groups are kept as digests, eight bytes each."""

    def __init__(self, fields: Sequence[str]) -> None:
        self._fields = tuple(fields)
        self._groups: Counter[bytes] = Counter()

    def add(self, batch: Batch) -> None:
        columns = [[""] * batch.count for _ in self._fields]
        for column in batch.columns:
            if column.name in self._fields:
                position = self._fields.index(column.name)
                if column.records == range(batch.count):
                    columns[position] = column.values
                else:
                    for record, value in zip(column.records, column.values, strict=True):
                        columns[position][record] = value
        for row, count in Counter(zip(*columns, strict=True)).items():
            text = "\0".join(row).encode("utf-8", "surrogatepass")
            self._groups[hashlib.blake2b(text, digest_size=8).digest()] += count

    def smallest(self) -> int:
        return min(self._groups.values(), default=0)

"""Plain text: one record a line, in the single field `text`."""

from collections.abc import Iterable, Iterator, Sequence
from itertools import compress

from handover.formats.encoding import decode
from handover.formats.lines import lines
from handover.formats.records import BATCH_CHARACTERS, BATCH_RECORDS, Batch, Column, Table

FIELD = "text"


def read(chunks: Iterable[bytes]) -> Iterator[Batch]:
    """The lines of a text; an empty line is a record too, so that numbers agree with an editor's."""
    table = Table()
    done = 0
    held: list[str] = []
    size = 0
    for line in lines(decode(chunks)):
        held.append(line)
        size += len(line)
        if len(held) >= BATCH_RECORDS or size >= BATCH_CHARACTERS:
            yield _batch(table, done, held)
            done, held, size = done + len(held), [], 0
    if held or not done:
        yield _batch(table, done, held)


def _batch(table: Table, first: int, held: list[str]) -> Batch:
    values = [line.removesuffix("\n") for line in held]
    ends_open = bool(held) and not held[-1].endswith("\n")
    return Batch(table, first, len(held), [Column(FIELD, values, range(len(held)))], origin=ends_open)


class PlainTextWriter:
    """Writes UTF-8 with LF."""

    def write(self, batch: Batch, keep: Sequence[bool] | None = None) -> bytes:
        values = batch.columns[0].output()
        kept = values if keep is None else list(compress(values, keep))
        if not kept:
            return b""
        return ("\n".join(kept) + ("" if batch.origin else "\n")).encode()

    def finish(self) -> bytes:
        return b""

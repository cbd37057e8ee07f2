"""The second scan of a large table, in compiled code on all cores."""

from collections.abc import Iterator, Sequence

from handover.detection.flat_scan import Hits, flat_hits
from handover.detection.survey import Survey
from handover.formats import Batch, Column, Table
from handover.formats.flat import FlatBatch, FlatTable
from handover.masking.residual import Piece, piece_of


def flat_pieces(table: FlatTable, survey: Survey, names: Sequence[str]) -> Iterator[Piece]:
    """Blocks of a table, with no columns but these, and what is found in them."""
    columns = [index for index, name in enumerate(table.names) if name in names]

    def look(batch: FlatBatch, found: Iterator[Hits]) -> Piece:
        fields = {table.names[hits.column]: hits.kinds() for hits in found}
        everyone = range(batch.count)
        kept = [Column(table.names[index], batch.values(index), everyone) for index in columns]
        return Batch(Table(header=table.header), 0, batch.count, kept), fields

    for one in flat_hits(survey, table, look):
        yield piece_of(one, survey) if isinstance(one, Batch) else one

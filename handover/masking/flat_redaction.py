"""Both passes over a large table: iterate `output()`, then read `report`; the face of `Redaction` for a `FlatTable`."""

from collections.abc import Callable, Iterator

from handover.detection.flat_survey import survey_flat
from handover.formats import Batch, Column, Table
from handover.formats.delimited import DelimitedWriter, output_delimiter
from handover.formats.flat import FlatTable
from handover.masking.flat import FlatRedactor
from handover.masking.policy import Policy
from handover.masking.report import FieldRedaction, RedactionReport, merge_fields
from handover.masking.samples import SampledRecord, Sampler
from handover.masking.selection import Selection, SelectionReport
from handover.masking.selection import _Judge as RecordJudge


class FlatRedaction:
    """One table, redacted on all cores."""

    def __init__(
        self,
        first: FlatTable,
        second: Callable[[], FlatTable],
        name: str,
        *,
        policy: Policy,
        key: bytes,
        selection: Selection | None = None,
        on_records: Callable[[str, int], None],
        samples: int = 0,
        on_sample: Callable[[SampledRecord], object],
        part: tuple[int, int] = (0, 1),
    ) -> None:
        self._first, self._second, self._name = first, second, name
        self._policy, self._key, self._selection = policy, key, selection
        self._on_records, self._samples, self._on_sample = on_records, samples, on_sample
        self._part = part
        self.report = RedactionReport(format="csv")

    def output(self) -> Iterator[bytes]:
        """The redacted table; it is whole only when the iteration has ended.

        Raises:
            FormatRefusedError: on either pass.
        """
        survey = survey_flat(self._first, self._on_records)
        sampler = Sampler(survey, self._policy, self._key, self._samples)
        selected = SelectionReport()
        judge = RecordJudge(self._selection, selected) if self._selection else None
        table, delimiter = self._second(), output_delimiter(self._name)
        subject = self._selection.subject_field if self._selection else None
        mine, before = survey.share(self._part)
        if self._part[0] == 0:
            yield DelimitedWriter(delimiter).write(Batch(Table(header=table.header), 0, 0, [Column("", [], ())]))
        redactor = FlatRedactor(
            survey, self._policy, self._key, table, delimiter, judge, None if subject == "text" else subject, sampler
        )
        report, fields = self.report, dict[str, FieldRedaction]()
        for block in redactor.blocks(mine):
            for sample in block.samples:
                self._on_sample(sample)
            report.records_in += block.count
            report.records_out += block.count if block.keep is None else sum(block.keep)
            merge_fields(fields, block.fields)
            yield block.output
            self._on_records("redact", before + report.records_in)
        report.fields, report.excluded = list(fields.values()), selected.excluded
        report.limits = survey.names.limits()
        report.persons_out = len(judge.kept_subjects) if judge else 0

"""Finds personal data in files: what kinds, where, at which level, of how many persons.

- `inspect_isolated(source, name, *, key, subject_field=None, on_spans=None, on_subjects=None, progress=None) -> ScanReport`:
  the inventory of one file, in a child. `source` opens the plaintext (`sandbox.Source`).
- `ScanReport`: format, records, fields (`FieldReport`), persons, subject, minors, ragged, hidden_sheets,
  `members` (`MemberReport`: each file within a container), `blocked` (bilingual).
- `subject_digest(key, value) -> bytes`: 16 bytes; the reference of a consent list and of a record compare equal.
- `holds_personal_data(text) -> bool`: of a short text such as a file's name.
- `LEVELS`: sensitivity by kind. Kinds are those of the interface.
"""

from handover.detection.detectors import LEVELS
from handover.detection.isolated import inspect_isolated
from handover.detection.report import FieldReport, MemberReport, ScanReport, SpanRow, Subject, local_name, total
from handover.detection.scanner import holds_personal_data
from handover.detection.spans import Level, Span
from handover.detection.subjects import subject_digest

__all__ = [
    "LEVELS",
    "FieldReport",
    "Level",
    "MemberReport",
    "ScanReport",
    "Span",
    "SpanRow",
    "Subject",
    "holds_personal_data",
    "inspect_isolated",
    "local_name",
    "subject_digest",
    "total",
]

"""What every field of a case is and whether the transfer needs it: the classification and the over-collection report.

A field without purpose is one that people excluded, or that nobody claimed yet although the inspection sees no need for
it (PIPL art. 6: no more than the purpose takes).
"""

import uuid
from collections import Counter
from collections.abc import Iterable

import msgspec

from handover.context import Context
from handover.detection import total
from handover.inventory.models import RecordSet
from handover.inventory.queries import field_view, fields_of, record_sets_of, report_of

LEVELS = ("L1", "L2", "L3", "L4")
#: What the inspection proposes for a field that no transfer needs (a password), see `detection.FieldReport.need`.
_UNNEEDED = "unneeded"


class ClassifiedField(msgspec.Struct, frozen=True, kw_only=True):
    """One field of one record set; `need` is None until somebody decided."""

    record_set: str
    field: str
    level: str
    proposed_level: str
    kinds: dict[str, int]
    need: str | None
    reason: str | None
    without_purpose: bool


class Classification(msgspec.Struct, frozen=True, kw_only=True):
    """All fields, most sensitive first, with how many there are of each level."""

    fields: list[ClassifiedField]
    levels: dict[str, int]
    kinds: dict[str, int]

    @property
    def without_purpose(self) -> list[ClassifiedField]:
        return [field for field in self.fields if field.without_purpose]


def classification_of(ctx: Context, case_id: uuid.UUID) -> Classification:
    """The fields of every record set that was inspected; those that are out of the transfer as a whole are left out."""
    fields = [field for row in record_sets_of(ctx, case_id) if row.state != "excluded" for field in _fields(ctx, row)]
    counts = Counter(field.level for field in fields)
    return Classification(
        fields=sorted(fields, key=lambda field: field.level, reverse=True),
        levels={level: counts[level] for level in LEVELS},
        kinds=total(field.kinds for field in fields),
    )


def _fields(ctx: Context, row: RecordSet) -> Iterable[ClassifiedField]:
    report = report_of(ctx, row)
    if report is None:
        return
    proposed = {field.name: field.need for field in report.fields}
    for field in fields_of(ctx, row.id):
        view = field_view(ctx, field)
        unclaimed = view.need is None and proposed.get(view.name) == _UNNEEDED
        yield ClassifiedField(
            record_set=row.number,
            field=view.name,
            level=view.level,
            proposed_level=view.proposed_level,
            kinds=view.kinds,
            need=view.need,
            reason=view.reason,
            without_purpose=view.need == "excluded" or unclaimed,
        )

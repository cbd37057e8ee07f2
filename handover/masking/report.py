"""What a redaction did and what a second scan found: counts by field, kind and level, never a value."""

from collections.abc import Iterable

import msgspec

from handover.i18n import Text


class FieldRedaction(msgspec.Struct, kw_only=True):
    """One field of the output."""

    name: str
    #: The policy's action for the whole field; `scan` where only hits are replaced.
    action: str
    #: Values that changed.
    replaced: int = 0
    #: Hits replaced, by kind.
    kinds: dict[str, int] = msgspec.field(default_factory=dict)
    #: Hits that the policy keeps, by kind.
    kept: dict[str, int] = msgspec.field(default_factory=dict)

    def add(self, more: "FieldRedaction", times: int = 1) -> None:
        """What was done elsewhere in the field, so many times."""
        self.replaced += times * more.replaced
        for counts, added in ((self.kinds, more.kinds), (self.kept, more.kept)):
            for kind, count in added.items():
                counts[kind] = counts.get(kind, 0) + times * count


def merge_fields(total: dict[str, FieldRedaction], more: Iterable[FieldRedaction]) -> None:
    """Adds what was done to fields in another part of a file."""
    for field in more:
        total.setdefault(field.name, FieldRedaction(name=field.name, action=field.action)).add(field)


class RedactionReport(msgspec.Struct, kw_only=True):
    """One file, redacted."""

    format: str = ""
    records_in: int = 0
    records_out: int = 0
    #: Pages of a document that is looked at page by page; 0 where there are records alone.
    pages: int = 0
    #: Records left out for the persons that they are about, by reason.
    excluded: dict[str, int] = msgspec.field(default_factory=dict)
    #: Distinct persons in the output; 0 when nobody was to be left out, because then they are not told apart.
    persons_out: int = 0
    fields: list[FieldRedaction] = msgspec.field(default_factory=list)
    #: What was searched less well than it could be, as in `ScanReport`.
    limits: list[Text] = msgspec.field(default_factory=list)


class ResidualReport(msgspec.Struct, kw_only=True):
    """A second scan over the bytes that came out."""

    format: str = ""
    records: int = 0
    #: What should not be there, by level, kind and field. An L4 hit is always one, whatever the policy keeps.
    leftover: dict[str, int] = msgspec.field(default_factory=dict)
    leftover_kinds: dict[str, int] = msgspec.field(default_factory=dict)
    leftover_fields: dict[str, int] = msgspec.field(default_factory=dict)
    #: Hits below L4 that the policy keeps on purpose, by kind.
    kept: dict[str, int] = msgspec.field(default_factory=dict)
    #: The smallest group of records alike in the declared quasi-identifiers; None when none were declared.
    k: int | None = None

    @property
    def l4(self) -> int:
        return self.leftover.get("L4", 0)

    @property
    def l3(self) -> int:
        return self.leftover.get("L3", 0)

"""What an inspection says about a file: counts, kinds, shapes. Never a value of the file."""

from collections import Counter
from collections.abc import Iterable, Mapping
from typing import Literal

import msgspec

from handover.detection.spans import Level
from handover.i18n import Text


def total(counts: Iterable[Mapping[str, int]]) -> dict[str, int]:
    """Counts by kind, added up and in the order of the kinds' names."""
    added: Counter[str] = Counter()
    for one in counts:
        added.update(one)
    return dict(sorted(added.items()))


class FieldReport(msgspec.Struct, kw_only=True):
    """One field of a file."""

    name: str
    #: The file within a container; the name begins with it and a `!`.
    member: str = ""
    level: Level
    #: Hits by kind, over all values.
    kinds: dict[str, int]
    #: What the field holds as a whole, by header and values (`person_name`, `order`, `free_text`, …); empty if nothing is known.
    role: str = ""
    #: Proposal for the custodian: `needed` for the transfer, `review`, or `unneeded`.
    need: str = "needed"
    #: Values that are not empty.
    values: int = 0
    #: Values of a column for identifiers that are none by check digit or form: likely typing mistakes.
    unmatched: int = 0
    #: The commonest forms, e.g. `9{11}`; digits, letters and 汉字 are replaced.
    shapes: list[str] = msgspec.field(default_factory=list)


class Subject(msgspec.Struct, kw_only=True, frozen=True):
    """The field that says which person a record is about."""

    field: str
    #: `customer_id`, `resident_id`, `mobile`, `email`, `person_name` or `record_id`; `given` when the caller chose it.
    basis: str


class MemberReport(msgspec.Struct, kw_only=True):
    """One file within a container; its fields are those of the report with this `path` as their `member`."""

    #: Nested files are joined by `!`.
    path: str
    #: Empty for an empty file.
    format: str
    records: int = 0
    persons: int = 0
    #: Why it can't be inspected; then its counts are incomplete.
    blocked: Text | None = None


class ScanReport(msgspec.Struct, kw_only=True):
    """The inventory of one file."""

    format: str = ""
    encoding: str = ""
    #: Those of all files within a container too.
    records: int = 0
    fields: list[FieldReport] = msgspec.field(default_factory=list)
    members: list[MemberReport] = msgspec.field(default_factory=list)
    #: What a rewrite leaves out: views of a database, signatures of a mail, litter in an archive; by name.
    dropped: list[str] = msgspec.field(default_factory=list)
    #: Distinct persons by `subject`, or by identifiers found in the text when there is no such field.
    persons: int = 0
    #: `exact`; `estimate` beyond a million; `none` when nothing in the file tells persons apart.
    persons_method: str = "exact"
    subject: Subject | None = None
    #: Persons under 18 and under 14, by birth dates and identity numbers; distinct like `persons`.
    minors: int = 0
    under_14: int = 0
    ragged: int = 0
    ragged_first_line: int | None = None
    hidden_sheets: list[str] = msgspec.field(default_factory=list)
    #: How Chinese names in running text were looked for: by the `model`, `partly` by it (the text is longer than it reads) or by `rules`
    #: alone; None when there is no such text.
    names: Literal["model", "partly", "rules"] | None = None
    #: What was searched less well than it could be, in words. It does not block; a reviewer sees it.
    limits: list[Text] = msgspec.field(default_factory=list)
    #: Why the file can't be inspected; then nothing else in the report counts, but for `members`, which says which
    #: of the files within a container it is that block it. Names no file: it is shown where names are not.
    blocked: Text | None = None

    @property
    def level(self) -> Level:
        """The highest level of any field."""
        return max((field.level for field in self.fields), default="L1")

    def kinds(self) -> dict[str, int]:
        """Hits by kind over all fields."""
        return total(field.kinds for field in self.fields)


class SpanRow(msgspec.Struct):
    """One hit with its place; records are counted and fields are named within the member."""

    member: str
    record: int
    field: str
    kind: str
    start: int
    end: int
    confidence: float


def local_name(field: str, member: str) -> str:
    """A field's name within the file that it is of."""
    return field.removeprefix(f"{member}!") if member else field

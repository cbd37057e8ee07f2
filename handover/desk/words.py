"""The desk's words for names that code writes: audit events, entities, kinds, conditions. Tests prove that none is missing."""

from functools import cache

import msgspec

from handover.documents.templates import label
from handover.i18n import Text
from handover.resources import data_folder
from handover.workflow.roles import ROLES

#: How the engine names an approval that was recorded while others are awaited.
_APPROVAL = ".approved"


class Table(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """`groups` are the first parts of the names of events."""

    events: dict[str, Text]
    groups: dict[str, Text]
    entities: dict[str, Text]
    kinds: dict[str, Text]
    conditions: dict[str, Text]
    details: dict[str, Text]


@cache
def table() -> Table:
    """The table as it stands in `words.toml`."""
    return msgspec.toml.decode((data_folder("templates") / "web" / "desk" / "words.toml").read_bytes(), type=Table)


def event_label(event: str) -> Text:
    """An event in words; a name of a later release that is not in the table is shown as it is."""
    known = table().events
    if event in known:
        return known[event]
    base = known.get(event.removesuffix(_APPROVAL))
    if base is not None:
        return Text(f"同意：{base.zh}", f"Approval given: {base.en}")
    return Text(event, event)


def entity_label(entity: str) -> Text:
    return table().entities.get(entity) or label(entity)


def kind_label(kind: str) -> Text:
    return table().kinds.get(kind) or label(kind)


def detail_label(key: str) -> Text:
    return table().details.get(key) or entity_label(key)


def condition_label(name: str) -> Text:
    """A fulfilled condition; what it is about (`named:legal`, `sample:RS-01`) follows in brackets."""
    condition, _, subject = name.partition(":")
    text = table().conditions.get(condition) or label(condition)
    if not subject:
        return text
    about = ROLES.get(subject) or label(subject)
    return Text(f"{text.zh}（{about.zh}）", f"{text.en} ({about.en})")

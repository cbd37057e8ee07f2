"""What the audit log's event names mean in words; a test proves that no name the code writes is missing."""

from functools import cache

import msgspec

from handover.i18n import Text
from handover.resources import data_folder

#: How the engine names an approval that was recorded while others are awaited.
_APPROVAL = ".approved"


class Table(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """Names of events, and of the groups that their first parts make."""

    events: dict[str, Text]
    groups: dict[str, Text]


@cache
def table() -> Table:
    """The table as it stands in `events.toml`."""
    return msgspec.toml.decode((data_folder("templates") / "web" / "desk" / "events.toml").read_bytes(), type=Table)


def event_label(event: str) -> Text:
    """An event in words; a name of a later release that is not in the table is shown as it is."""
    known = table().events
    if event in known:
        return known[event]
    base = known.get(event.removesuffix(_APPROVAL))
    if base is not None:
        return Text(f"同意：{base.zh}", f"Approval given: {base.en}")
    return Text(event, event)

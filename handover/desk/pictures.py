"""Numbers behind the pictures of a case: stages over time, copies over places, sensitivity by record set, days of the log."""

import datetime as dt
import uuid
from collections import Counter

import msgspec

from handover.audit.queries import entries_of_entity
from handover.cases.frame import ROAD
from handover.cases.models import Case
from handover.cases.queries import parties, party_name
from handover.context import Context
from handover.desk.words import kind_label
from handover.i18n import Text
from handover.inventory.queries import copies_of, fields_of, record_sets_of
from handover.workflow import Workflow

LEVELS = ("L1", "L2", "L3", "L4")
LIVE = ("live", "retained")


class Stay(msgspec.Struct, frozen=True, kw_only=True):
    """One stay in one state; `end` is None for the present one. `left` and `width` are thousandths of the whole time."""

    state: str
    #: Line of the picture: the road from top to bottom, what lies beside it on the last.
    line: int
    label: Text
    start: dt.datetime
    end: dt.datetime | None
    left: int
    width: int


class Place(msgspec.Struct, frozen=True, kw_only=True):
    """Copies of one kind at one holder: how many are still there, and how many ended."""

    holder: str | None
    place: str
    kind: Text
    live: int
    retained: int
    ended: int


class SetLevels(msgspec.Struct, frozen=True):
    """How many fields of a record set have which level."""

    number: str
    counts: dict[str, int]

    @property
    def total(self) -> int:
        return sum(self.counts.values())


def timeline(ctx: Context, case: Case) -> list[Stay]:
    """The states of the case over time, as the log tells them."""
    moves = [
        (dt.datetime.fromisoformat(view.entry.time), view.entry.to_state)
        for view in entries_of_entity(ctx, case.id, case.id)
        if view.entry.entity == Case.MACHINE and view.entry.to_state and view.entry.to_state != view.entry.from_state
    ]
    states = ctx.get(Workflow).definition(ctx, case.id, Case.MACHINE).states
    begun, ends = [(case.created_at, next(iter(states))), *moves], [at for at, _ in moves]
    last = ends[-1] if case.state == "closed" and ends else ctx.now()
    whole = max((last - case.created_at).total_seconds(), 1.0)
    found = []
    for (start, state), end in zip(begun, [*ends, None], strict=True):
        if end is None and state == "closed":
            continue
        left = round((start - case.created_at).total_seconds() / whole * 1000)
        right = round(((end or last) - case.created_at).total_seconds() / whole * 1000)
        found.append(
            Stay(
                state=state,
                line=_line(state),
                label=states[state].label,
                start=start,
                end=end,
                left=left,
                width=max(right - left, 4),
            )
        )
    return found


def _line(state: str) -> int:
    order = ("draft", *ROAD)
    return order.index(state) if state in order else len(order)


def copies_by_place(ctx: Context, case_id: uuid.UUID) -> list[Place]:
    """Where copies are, were, and are still: by holder, place and kind."""
    names = {party.id: party_name(ctx, party) for party in parties(ctx, case_id)}
    states: dict[tuple[uuid.UUID | None, str, str], Counter[str]] = {}
    for copy in copies_of(ctx, case_id):
        states.setdefault((copy.holder_party_id, copy.place, copy.kind), Counter())[copy.state] += 1
    return [
        Place(
            holder=names.get(holder) if holder else None,
            place=place,
            kind=kind_label(kind),
            live=counts["live"],
            retained=counts["retained"],
            ended=sum(counts.values()) - counts["live"] - counts["retained"],
        )
        for (holder, place, kind), counts in states.items()
    ]


def sensitivity(ctx: Context, case_id: uuid.UUID) -> list[SetLevels]:
    """Levels of the fields of every record set; set by set, without names of fields."""
    found = []
    for row in record_sets_of(ctx, case_id):
        counts = Counter(field.level for field in fields_of(ctx, row.id))
        if counts:
            found.append(SetLevels(row.number, {level: counts[level] for level in LEVELS}))
    return found

"""What happened in a case, as people read it: the log's entries with names, words and states."""

import datetime as dt
import uuid
from collections import Counter

import msgspec

from handover.accounts.queries import person_name
from handover.audit.queries import PARTIES_ZONE, EntryView, Wanted, latest, times_of
from handover.context import Context
from handover.desk.words import detail_label, entity_label, event_label
from handover.i18n import Text
from handover.i18n.catalogue import catalogue
from handover.workflow import Workflow

PAGE = 15


class Line(msgspec.Struct, frozen=True, kw_only=True):
    """One entry in words. States are those of the entity's machine, under the version that the case runs under."""

    index: int
    at: str
    who: str
    role: str | None
    event: str
    label: Text
    about: Text
    from_state: Text | None
    to_state: Text | None
    gates: list[str]
    has_reason: bool
    details: list[tuple[Text, str | int]]
    leaf: str
    request: str


class Activity(msgspec.Struct, frozen=True):
    """A page of lines, newest first; `older` is where the next page begins."""

    lines: list[Line]
    older: int | None


def activity(
    ctx: Context, case_id: uuid.UUID, wanted: Wanted, *, before: int | None = None, limit: int = PAGE
) -> Activity:
    """The newest entries of a case."""
    found, older = latest(ctx, case_id, wanted, before=before, limit=limit)
    in_words = _Words(ctx, case_id)
    return Activity([in_words.line(view) for view in found], older)


def days(ctx: Context, case_id: uuid.UUID) -> list[tuple[dt.date, int]]:
    """How many entries each day has, from the first to the last day of the case, days without any included."""
    counts = Counter(time.astimezone(PARTIES_ZONE).date() for time in times_of(ctx, case_id))
    if not counts:
        return []
    first, last = min(counts), max(counts)
    every = [first + dt.timedelta(days=n) for n in range((last - first).days + 1)]
    return [(day, counts[day]) for day in every]


class _Words:
    def __init__(self, ctx: Context, case_id: uuid.UUID) -> None:
        self._ctx, self._case_id = ctx, case_id
        self._names: dict[str, str] = {}
        self._states: dict[str, dict[str, Text]] = {}
        self._machines = frozenset(ctx.get(Workflow).machines())

    def line(self, view: EntryView) -> Line:
        entry = view.entry
        return Line(
            index=entry.index,
            at=entry.time,
            who=self._name(entry.actor),
            role=entry.role,
            event=entry.event,
            label=event_label(entry.event),
            about=entity_label(entry.entity),
            from_state=self._state(entry.entity, entry.from_state),
            to_state=self._state(entry.entity, entry.to_state),
            gates=[record.gate for record in entry.gates],
            has_reason=entry.reason is not None,
            details=[(detail_label(key), value) for key, value in entry.details.items()],
            leaf=view.leaf,
            request=entry.request,
        )

    def _name(self, actor: str) -> str:
        if actor not in self._names:
            _ = catalogue(self._ctx.language).gettext
            words = {"system": _("The system"), "anonymous": _("Somebody not logged in")}
            self._names[actor] = words.get(actor) or person_name(self._ctx, uuid.UUID(actor))
        return self._names[actor]

    def _state(self, entity: str, state: str | None) -> Text | None:
        if state is None:
            return None
        if entity not in self._states:
            known = {}
            if entity in self._machines:
                known = self._ctx.get(Workflow).definition(self._ctx, self._case_id, entity).states
            self._states[entity] = {name: found.label for name, found in known.items()}
        return self._states[entity].get(state, Text(state, state))

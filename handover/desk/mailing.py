"""Looks at cases in which something happened, and mails those whose turn it became; tells of declined agreements and dead jobs.

The log says which cases those are, so a sweep costs nothing where nothing happened, and looks at a few cases at most.
"""

import hashlib
import logging
import uuid
from collections.abc import Sequence

import sqlalchemy as sa

from handover.agreements.models import Agreement
from handover.audit.entry import Entry
from handover.audit.models import AuditEntry
from handover.audit.queries import Wanted, latest
from handover.cases.models import Case
from handover.context import Context
from handover.desk.due import OVER
from handover.desk.people import Named, People
from handover.desk.post import tell
from handover.desk.todo import work_of
from handover.desk.words import kind_label
from handover.desk.work import Work
from handover.documents.templates import label
from handover.errors import HandoverError
from handover.mail import Item
from handover.mail.models import Look, Turn

logger = logging.getLogger("handover.desk")

#: Cases of one sweep: gates are computed for each, while writers wait.
CASES = 10
#: Entries that are read of what happened since the last look.
ENTRIES = 200


def notify(ctx: Context) -> int:
    """One sweep; returns how many mails were written."""
    made = 0
    for case, newest in _changed(ctx):
        try:
            with ctx.session.begin_nested():
                made += _look(ctx, case)
        except HandoverError as error:
            logger.warning("case %s could not be looked at for mails: %s", case.id, error.code)
        ctx.session.merge(Look(case_id=case.id, index=newest))
    return made


def _changed(ctx: Context) -> list[tuple[Case, int]]:
    """Open cases with entries that were not looked at, those first that were looked at longest ago."""
    newest = (
        sa.select(sa.func.max(AuditEntry.index)).where(AuditEntry.case_id == Case.id).correlate(Case).scalar_subquery()
    )
    seen = sa.func.coalesce(Look.index, -1)
    query = (
        sa.select(Case, newest)
        .outerjoin(Look, Look.case_id == Case.id)
        .where(Case.state.not_in(OVER), newest > seen)
        .order_by(seen, Case.id)
        .limit(CASES)
    )
    return [(case, index) for case, index in ctx.session.execute(query)]


def _look(ctx: Context, case: Case) -> int:
    people, entries = People(ctx, [case.id]), _news(ctx, case.id)
    advance, rest = work_of(ctx, [case], people)[case.id]
    works = [*rest, *([advance] if advance else [])]
    made = _turns(ctx, case, people, works, _actors(entries))
    for entry in entries:
        if entry.event == "agreement.declined":
            made += _declined(ctx, case, people, entry)
        elif entry.event == "job.dead":
            made += _dead(ctx, case, people, entry)
    return made


def _news(ctx: Context, case_id: uuid.UUID) -> list[Entry]:
    look = ctx.session.get(Look, case_id)
    found, _ = latest(ctx, case_id, Wanted(), limit=ENTRIES)
    return [view.entry for view in found if look is None or view.entry.index > look.index]


def _actors(entries: Sequence[Entry]) -> set[str]:
    """Who acted; what the system did within somebody's request is theirs, what it did in a job is its own."""
    by_request: dict[str, set[str]] = {}
    for entry in entries:
        by_request.setdefault(entry.request, set()).add(entry.actor)
    return {actor for actors in by_request.values() for actor in (actors - {"system"} or actors)}


def _turns(ctx: Context, case: Case, people: People, works: Sequence[Work], actors: set[str]) -> int:
    """Mails everybody the steps that were not theirs at the last look; who alone acted since then knows them."""
    waiting = {(person, step_of(work)): work for work in works for person in work.who}
    known = {(turn.person_id, turn.step): turn for turn in _known(ctx, case.id)}
    still = {(person.id, step) for person, step in waiting}
    for key, turn in known.items():
        if key not in still:
            ctx.session.delete(turn)
    new: dict[Named, list[tuple[Turn, Work]]] = {}
    for (person, step), work in waiting.items():
        if (person.id, step) not in known:
            turn = Turn(case_id=case.id, person_id=person.id, step=step)
            ctx.session.add(turn)
            new.setdefault(person, []).append((turn, work))
    ctx.session.flush()
    return sum(_turn(ctx, case, people, person, found) for person, found in new.items() if actors != {str(person.id)})


def _turn(ctx: Context, case: Case, people: People, person: Named, found: Sequence[tuple[Turn, Work]]) -> bool:
    items = [Item(what=what) for what in dict.fromkeys(work.what for _, work in found)]
    places = [work.place for _, work in found]
    return tell(ctx, case, people, person, "your_turn", items, places, f"turn:{found[0][0].id}")


def _known(ctx: Context, case_id: uuid.UUID) -> list[Turn]:
    return list(ctx.session.scalars(sa.select(Turn).where(Turn.case_id == case_id)))


def step_of(work: Work) -> str:
    """What is to be done with which row, as one word."""
    return hashlib.sha256("\0".join((work.what.en, work.place, work.row.en, str(work.row_id))).encode()).hexdigest()


def _declined(ctx: Context, case: Case, people: People, entry: Entry) -> int:
    row = ctx.session.get(Agreement, uuid.UUID(entry.entity_id))
    items = [Item(what=kind_label(row.kind))] if row else []
    to = [p for p in people.holding(case.id, ("lead_consultant", "legal")) if str(p.id) != entry.actor]
    place = f"/cases/{case.reference}/nda"
    return sum(tell(ctx, case, people, one, "declined", items, [place], f"declined:{entry.entity_id}") for one in to)


def _dead(ctx: Context, case: Case, people: People, entry: Entry) -> int:
    items, place = [Item(what=label(str(entry.details.get("kind"))))], f"/cases/{case.reference}"
    to = people.leads(case.id)
    return sum(tell(ctx, case, people, one, "job_failed", items, [place], f"job:{entry.entity_id}") for one in to)

"""Reminders before dates: once some days ahead (the policy `reminder_days`), and once on the day before."""

import datetime as dt
import uuid
from collections.abc import Sequence

import sqlalchemy as sa

from handover.cases.models import Case
from handover.context import Context
from handover.desk.due import Coming, coming
from handover.desk.people import Named, People
from handover.desk.post import tell
from handover.mail import Item
from handover.mail.models import Mail
from handover.settings import Settings

#: Dates of which one sweep reminds.
DATES = 50
_DAY = dt.timedelta(days=1)


def remind(ctx: Context) -> int:
    """One sweep; returns how many mails were written."""
    ahead = ctx.get(Settings).policy.reminder_days
    if ahead == 0:
        return 0
    found = {cause_of(date, ctx.now(), ahead): date for date in coming(ctx, ahead) if _is_news(date, ctx.now())}
    told = set(ctx.session.scalars(sa.select(Mail.cause).where(Mail.cause.in_(found)).distinct()))
    new = [(cause, date) for cause, date in found.items() if cause not in told][:DATES]
    cases = _cases(ctx, [date.case_id for _, date in new])
    people = People(ctx, list(cases))
    return sum(_remind(ctx, cases[date.case_id], people, date, cause) for cause, date in new)


def cause_of(date: Coming, now: dt.datetime, ahead: int) -> str:
    """One word for the date and which of its reminders it is; a date that is moved is another one."""
    return f"due:{date.row_id}:{date.at:%Y-%m-%dT%H:%M}:{1 if date.at - now <= _DAY else ahead}"


def _is_news(date: Coming, now: dt.datetime) -> bool:
    """Who just began something with a short period needs no early reminder of it."""
    return date.at - now <= _DAY or now - date.began >= _DAY


def _cases(ctx: Context, ids: Sequence[uuid.UUID]) -> dict[uuid.UUID, Case]:
    return {case.id: case for case in ctx.session.scalars(sa.select(Case).where(Case.id.in_(ids)))}


def _remind(ctx: Context, case: Case, people: People, date: Coming, cause: str) -> int:
    items, place = [Item(what=date.what, by=date.at)], f"/cases/{case.reference}/{date.place}".rstrip("/")
    return sum(tell(ctx, case, people, one, "reminder", items, [place], cause) for one in _who(people, date))


def _who(people: People, date: Coming) -> list[Named]:
    own = [people.named(date.case_id, date.person_id)] if date.person_id else []
    return list(dict.fromkeys([*own, *people.holding(date.case_id, date.roles, date.party_id)]))

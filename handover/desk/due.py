"""What falls due over all cases of the reader: one short query for each kind of date, the soonest first."""

import datetime as dt
import uuid
from collections.abc import Iterator
from typing import Any

import msgspec
from sqlalchemy import Select, select

from handover.agreements.models import Agreement
from handover.cases.models import Case, LegalHold
from handover.compliance.models import Notice, ReturnDeclaration
from handover.context import Context
from handover.delivery.models import Delivery
from handover.i18n import Text
from handover.inventory.models import Copy
from handover.recipients.models import RecipientKey

#: How far the to-do list looks ahead.
AHEAD = dt.timedelta(days=30)
#: So many of each kind and in all: a list that is read, not kept.
MAX_EACH, MAX_ALL = 20, 20
_ASKED = ("requested", "overdue")


class Due(msgspec.Struct, frozen=True, order=True):
    """One date; `late` when it is over."""

    at: dt.datetime
    reference: str
    what: Text
    place: str
    late: bool


def due(ctx: Context, cases: Select[Any]) -> list[Due]:
    """Dates of the given cases that are over or come within the next weeks."""
    now = ctx.now()
    found = []
    for what, place, query in _kinds(cases.with_only_columns(Case.id).where(Case.state != "closed"), now):
        for reference, at in ctx.session.execute(query.limit(MAX_EACH)):
            moment = _moment(at)
            found.append(Due(moment, reference, what, f"/cases/{reference}/{place}".rstrip("/"), moment < now))
    return sorted(found, key=lambda one: (one.at, one.reference))[:MAX_ALL]


def _kinds(cases: Select[Any], now: dt.datetime) -> Iterator[tuple[Text, str, Select[Any]]]:
    until, day = now + AHEAD, (now + AHEAD).date()
    yield (
        Text("协议到期", "Agreement expires"),
        "nda",
        _dated(cases, Agreement.case_id, Agreement.expires_at, until).where(Agreement.state == "in_force"),
    )
    yield (
        Text("下载链接失效", "Download closes"),
        "handover",
        _dated(cases, Delivery.case_id, Delivery.expires_at, until).where(
            Delivery.state.in_(("link_issued", "downloading"))
        ),
    )
    yield (
        Text("返还或销毁声明到期", "Declaration of return or destruction due"),
        "destruction",
        _dated(cases, ReturnDeclaration.case_id, ReturnDeclaration.due_at, until).where(
            ReturnDeclaration.state.in_(_ASKED)
        ),
    )
    yield (
        Text("复核保全令", "Review a legal hold"),
        "parties",
        _dated(cases, LegalHold.case_id, LegalHold.review_on, day).where(LegalHold.state == "active"),
    )
    yield Text("复核案件", "Review the case"), "", _dated(cases, Case.id, Case.review_on, day)
    yield (
        Text("接收人公钥到期", "Recipient's key expires"),
        "recipients",
        _dated(cases, RecipientKey.case_id, RecipientKey.expires_at, until).where(RecipientKey.state == "verified"),
    )
    yield (
        Text("保留期限届满", "Retention ends"),
        "destruction",
        _dated(cases, Copy.case_id, Copy.retained_until, day).where(Copy.state == "retained"),
    )


def notice_ends(ctx: Context, cases: Select[Any]) -> list[Due]:
    """Notice periods that run: their end is computed from the start and a number of days."""
    ids = cases.with_only_columns(Case.id).where(Case.state != "closed")
    query = (
        select(Case.reference, Notice.started_at, Notice.period_days)
        .join(Case, Case.id == Notice.case_id)
        .where(Notice.case_id.in_(ids), Notice.completed_at.is_(None))
        .order_by(Notice.started_at)
        .limit(MAX_EACH)
    )
    what = Text("告知期届满", "Notice period ends")
    found = []
    for reference, started, days in ctx.session.execute(query):
        at = started + dt.timedelta(days=days)
        if at <= ctx.now() + AHEAD:
            found.append(Due(at, reference, what, f"/cases/{reference}/consent", at < ctx.now()))
    return found


def overdue_cases(now: dt.datetime) -> list[Select[uuid.UUID]]:
    """The cases in which a date is over, as queries for a filter."""
    return [
        select(ReturnDeclaration.case_id).where(ReturnDeclaration.state.in_(_ASKED), ReturnDeclaration.due_at < now),
        select(LegalHold.case_id).where(LegalHold.state == "active", LegalHold.review_on < now.date()),
        select(Delivery.case_id).where(Delivery.state == "expired"),
        select(Case.id).where(Case.review_on < now.date()),
    ]


def _dated(cases: Select[Any], case_id: Any, column: Any, until: Any) -> Select[Any]:
    query = select(Case.reference, column).select_from(case_id.class_)
    if case_id.class_ is not Case:
        query = query.join(Case, Case.id == case_id)
    return query.where(case_id.in_(cases), column.is_not(None), column <= until).order_by(column)


def _moment(value: dt.datetime | dt.date) -> dt.datetime:
    if isinstance(value, dt.datetime):
        return value
    return dt.datetime.combine(value, dt.time(), dt.UTC)

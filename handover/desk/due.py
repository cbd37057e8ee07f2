"""What falls due over all cases of the reader: one short query for each kind of date, the soonest first."""

import datetime as dt
import uuid
from collections.abc import Iterator
from typing import Any, NamedTuple

import msgspec
from sqlalchemy import Date, Select, null, select, true

from handover.agreements.models import Agreement
from handover.cases.models import Case, LegalHold
from handover.cases.queries import BUYER_ROLES
from handover.compliance.models import Notice, ReturnDeclaration
from handover.context import Context
from handover.delivery.models import Delivery
from handover.i18n import Text
from handover.inventory.models import Copy
from handover.recipients.models import Recipient, RecipientKey

#: How far the to-do list looks ahead.
AHEAD = dt.timedelta(days=30)
#: So many of each kind and in all: a list that is read, not kept.
MAX_EACH, MAX_ALL = 20, 20
#: Dates of each kind for which a sweep looks.
MAX_COMING = 200
#: Nothing falls due any more in these.
OVER = ("closed", "cancelled")
NOTICE_ENDS = Text("告知期届满", "Notice period ends")
_ASKED = ("requested", "overdue")


class Due(msgspec.Struct, frozen=True, order=True):
    """One date; `late` when it is over."""

    at: dt.datetime
    reference: str
    what: Text
    place: str
    late: bool


class Dates(NamedTuple):
    """One kind of date: where it stands, while `holds`, and whom it concerns: a person, roles (of one party)."""

    what: Text
    place: str
    case_id: Any
    at: Any
    holds: Any
    roles: tuple[str, ...] = ()
    party: Any = None
    person: Any = None


class Coming(msgspec.Struct, frozen=True, kw_only=True):
    """One date of one row that comes near, and whom it concerns."""

    what: Text
    place: str
    case_id: uuid.UUID
    row_id: uuid.UUID
    at: dt.datetime
    #: When the row was made.
    began: dt.datetime
    roles: tuple[str, ...]
    party_id: uuid.UUID | None = None
    person_id: uuid.UUID | None = None


def due(ctx: Context, cases: Select[Any]) -> list[Due]:
    """Dates of the given cases that are over or come within the next weeks."""
    now = ctx.now()
    found, ids = [], cases.with_only_columns(Case.id).where(Case.state != "closed")
    for kind in KINDS:
        query = _dated(ids, kind, now + AHEAD).add_columns(Case.reference)
        for at, reference in ctx.session.execute(query.limit(MAX_EACH)):
            moment = _moment(at)
            found.append(
                Due(moment, reference, kind.what, f"/cases/{reference}/{kind.place}".rstrip("/"), moment < now)
            )
    return sorted(found, key=lambda one: (one.at, one.reference))[:MAX_ALL]


def coming(ctx: Context, days: int) -> list[Coming]:
    """Dates of all open cases within so many days that are not over, the soonest first of each kind."""
    now, found = ctx.now(), []
    until, ids = now + dt.timedelta(days=days), select(Case.id).where(Case.state.not_in(OVER))
    for kind in KINDS:
        row, none = kind.case_id.class_, null()
        query = _dated(ids, kind, until).where(kind.at > (now.date() if _is_day(kind) else now))
        query = query.add_columns(
            kind.case_id,
            row.id,
            row.created_at,
            none if kind.party is None else kind.party,
            none if kind.person is None else kind.person,
        )
        found += [
            Coming(
                what=kind.what,
                place=kind.place,
                case_id=case_id,
                row_id=row_id,
                at=_moment(at),
                began=began,
                roles=kind.roles,
                party_id=party_id,
                person_id=person_id,
            )
            for at, case_id, row_id, began, party_id, person_id in ctx.session.execute(query.limit(MAX_COMING))
        ]
    return [*found, *_notices_coming(ctx, ids, until)]


def _notices_coming(ctx: Context, ids: Select[Any], until: dt.datetime) -> Iterator[Coming]:
    query = select(Notice).where(Notice.case_id.in_(ids), Notice.completed_at.is_(None)).order_by(Notice.started_at)
    for row in ctx.session.scalars(query.limit(MAX_COMING)):
        at = row.started_at + dt.timedelta(days=row.period_days)
        if ctx.now() < at <= until:
            yield Coming(
                what=NOTICE_ENDS,
                place="consent",
                case_id=row.case_id,
                row_id=row.id,
                at=at,
                began=row.created_at,
                roles=_LEAD,
            )


def _of_recipient(column: Any, recipient_id: Any) -> Any:
    return select(column).where(Recipient.id == recipient_id).scalar_subquery()


_LEAD = ("lead_consultant",)
KINDS = (
    Dates(
        Text("协议到期", "Agreement expires"),
        "nda",
        Agreement.case_id,
        Agreement.expires_at,
        Agreement.state == "in_force",
        ("lead_consultant", "legal"),
    ),
    Dates(
        Text("下载链接失效", "Download closes"),
        "handover",
        Delivery.case_id,
        Delivery.expires_at,
        Delivery.state.in_(("link_issued", "downloading")),
        person=_of_recipient(Recipient.person_id, Delivery.recipient_id),
    ),
    Dates(
        Text("返还或销毁声明到期", "Declaration of return or destruction due"),
        "destruction",
        ReturnDeclaration.case_id,
        ReturnDeclaration.due_at,
        ReturnDeclaration.state.in_(_ASKED),
        tuple(sorted(BUYER_ROLES)),
        party=ReturnDeclaration.party_id,
    ),
    Dates(
        Text("复核保全令", "Review a legal hold"),
        "parties",
        LegalHold.case_id,
        LegalHold.review_on,
        LegalHold.state == "active",
        ("lead_consultant", "legal"),
    ),
    Dates(Text("复核案件", "Review the case"), "", Case.id, Case.review_on, true(), _LEAD),
    Dates(
        Text("接收人公钥到期", "Recipient's key expires"),
        "recipients",
        RecipientKey.case_id,
        RecipientKey.expires_at,
        RecipientKey.state == "verified",
        _LEAD,
        person=_of_recipient(Recipient.person_id, RecipientKey.recipient_id),
    ),
    Dates(
        Text("保留期限届满", "Retention ends"),
        "destruction",
        Copy.case_id,
        Copy.retained_until,
        Copy.state == "retained",
        _LEAD,
    ),
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
    found = []
    for reference, started, days in ctx.session.execute(query):
        at = started + dt.timedelta(days=days)
        if at <= ctx.now() + AHEAD:
            found.append(Due(at, reference, NOTICE_ENDS, f"/cases/{reference}/consent", at < ctx.now()))
    return found


def overdue_cases(now: dt.datetime) -> list[Select[uuid.UUID]]:
    """The cases in which a date is over, as queries for a filter."""
    return [
        select(ReturnDeclaration.case_id).where(ReturnDeclaration.state.in_(_ASKED), ReturnDeclaration.due_at < now),
        select(LegalHold.case_id).where(LegalHold.state == "active", LegalHold.review_on < now.date()),
        select(Delivery.case_id).where(Delivery.state == "expired"),
        select(Case.id).where(Case.review_on < now.date()),
    ]


def _dated(cases: Select[Any], kind: Dates, until: dt.datetime) -> Select[Any]:
    case_id = kind.case_id
    query = select(kind.at).select_from(case_id.class_)
    if case_id.class_ is not Case:
        query = query.join(Case, Case.id == case_id)
    last = until.date() if _is_day(kind) else until
    return query.where(case_id.in_(cases), kind.holds, kind.at.is_not(None), kind.at <= last).order_by(kind.at)


def _is_day(kind: Dates) -> bool:
    return isinstance(kind.at.type, Date)


def _moment(value: dt.datetime | dt.date) -> dt.datetime:
    if isinstance(value, dt.datetime):
        return value
    return dt.datetime.combine(value, dt.time(), dt.UTC)

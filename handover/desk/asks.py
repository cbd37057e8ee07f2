"""What people are asked for that is no transition: signatures, keys, comparisons, downloads, receipts, declarations."""

import uuid
from collections.abc import Mapping, Sequence

from sqlalchemy import select

from handover.agreements.models import Agreement, Signer
from handover.cases.models import Case, ConflictDeclaration, Override
from handover.cases.separation import AGENCY_ROLES, BUYER_ROLES
from handover.compliance.models import ReturnDeclaration
from handover.context import Context
from handover.delivery.models import Delivery
from handover.desk.people import Named, People
from handover.desk.words import kind_label
from handover.desk.work import NAMELESS, Work
from handover.i18n import Text
from handover.recipients.models import KeyVerification, Recipient, RecipientKey

_KEY = {
    "identity_verified": Text("生成并登记公钥", "Make and register a key"),
    "key_submitted": Text("证明持有私钥", "Prove possession of the key"),
}
_DELIVERY = {
    "link_issued": Text("下载并打开数据包", "Download and open the package"),
    "downloading": Text("下载并打开数据包", "Download and open the package"),
    "downloaded": Text("提交签收凭证", "Send the receipt"),
}
#: Who may compare a safety number for their side (the agency's and the other two sides').
_COMPARE = AGENCY_ROLES | {"seller_admin", "seller_signatory", "buyer_admin", "buyer_signatory"}


Cases = Mapping[uuid.UUID, Case]


def asks(ctx: Context, rows: Sequence[Case], people: People) -> list[Work]:
    """Everything that single people of the cases are asked for now."""
    cases = {row.id: row for row in rows}
    return [work for part in _PARTS for work in part(ctx, cases, people)]


def _ask(
    ctx: Context, case: Case, what: Text, row: Text, place: str, who: list[Named], row_id: uuid.UUID | None = None
) -> Work:
    mine = any(person.id == ctx.actor.person_id for person in who)
    address = f"/cases/{case.reference}/{place}"
    return Work(
        case_id=case.id, what=what, row=row, place=address, who=who, roles=[], mine=mine, ready=mine, row_id=row_id
    )


def _conflicts(ctx: Context, cases: Cases, people: People) -> list[Work]:
    drafts = [case for case in cases.values() if case.state == "draft"]
    query = select(ConflictDeclaration.case_id, ConflictDeclaration.person_id).where(
        ConflictDeclaration.case_id.in_([case.id for case in drafts])
    )
    declared = {(case_id, person_id) for case_id, person_id in ctx.session.execute(query)} if drafts else set()
    what = Text("声明利益冲突情况", "Declare conflicts of interest")
    return [
        _ask(ctx, case, what, NAMELESS, "parties", [person])
        for case in drafts
        for person in people.holding(case.id, AGENCY_ROLES)
        if (case.id, person.id) not in declared
    ]


def _signatures(ctx: Context, cases: Cases, people: People) -> list[Work]:
    query = (
        select(Agreement.case_id, Agreement.id, Agreement.kind, Signer.person_id, Signer.state)
        .join(Signer, Signer.agreement_id == Agreement.id)
        .where(
            Agreement.case_id.in_(cases),
            Agreement.state.in_(("sent", "partially_signed")),
            Signer.state != "signed",
        )
        .order_by(Signer.id)
    )
    scanned, sign = Text("确认盖章扫描件", "Confirm the scan of the signed paper"), Text("签署", "Sign")
    found = []
    for case_id, row_id, kind, person_id, state in ctx.session.execute(query):
        waiting = state == "scan_uploaded"
        who = people.holding(case_id, ("legal",)) if waiting else [people.named(case_id, person_id)]
        found.append(_ask(ctx, cases[case_id], scanned if waiting else sign, kind_label(kind), "nda", who, row_id))
    return found


def _keys(ctx: Context, cases: Cases, people: People) -> list[Work]:
    query = select(Recipient).where(Recipient.case_id.in_(cases), Recipient.state.in_((*_KEY, "fingerprint_pending")))
    compare, found = Text("核对安全码", "Compare the safety number"), []
    for row in ctx.session.scalars(query.order_by(Recipient.id)):
        case, name = cases[row.case_id], Text(people.name(row.person_id), people.name(row.person_id))
        if row.state in _KEY:
            who = [people.named(case.id, row.person_id)]
            found.append(_ask(ctx, case, _KEY[row.state], name, "recipients", who, row.id))
        else:
            found.append(_ask(ctx, case, compare, name, "recipients", _comparing(ctx, case, people, row), row.id))
    return found


def _comparing(ctx: Context, case: Case, people: People, row: Recipient) -> list[Named]:
    """Those who may still compare: not the recipient, nobody who did, nobody of a side that did."""
    query = (
        select(KeyVerification.person_id, KeyVerification.side)
        .join(RecipientKey, RecipientKey.id == KeyVerification.key_id)
        .where(RecipientKey.recipient_id == row.id, RecipientKey.state == "proven", KeyVerification.matched.is_(True))
    )
    done = {row.person_id: row.side for row in ctx.session.execute(query)}
    able = people.holding(case.id, _COMPARE, row.party_id)
    return [
        p for p in able if p.id != row.person_id and p.id not in done and _side(case, people, p.id) not in done.values()
    ]


def _side(case: Case, people: People, person_id: uuid.UUID) -> str:
    held = people.roles_of(case.id, person_id)
    return "agency" if held & AGENCY_ROLES else "seller" if held & {"seller_admin", "seller_signatory"} else "buyer"


def _downloads(ctx: Context, cases: Cases, people: People) -> list[Work]:
    query = (
        select(Delivery.case_id, Delivery.id, Delivery.state, Recipient.person_id)
        .join(Recipient, Recipient.id == Delivery.recipient_id)
        .where(Delivery.case_id.in_(cases), Delivery.state.in_(_DELIVERY))
        .order_by(Delivery.id)
    )
    return [
        _ask(ctx, cases[case_id], _DELIVERY[state], NAMELESS, "handover", [people.named(case_id, person)], row_id)
        for case_id, row_id, state, person in ctx.session.execute(query)
    ]


def _declarations(ctx: Context, cases: Cases, people: People) -> list[Work]:
    query = select(ReturnDeclaration.case_id, ReturnDeclaration.id, ReturnDeclaration.party_id).where(
        ReturnDeclaration.case_id.in_(cases), ReturnDeclaration.state.in_(("requested", "overdue"))
    )
    what = Text("作出返还或销毁声明", "Declare return or destruction")
    return [
        _ask(ctx, cases[case_id], what, NAMELESS, "destruction", people.holding(case_id, BUYER_ROLES, party_id), row_id)
        for case_id, row_id, party_id in ctx.session.execute(query)
    ]


def _overrides(ctx: Context, cases: Cases, people: People) -> list[Work]:
    query = select(Override).where(Override.case_id.in_(cases), Override.confirmed_by.is_(None))
    what, found = Text("确认例外放行", "Confirm an override"), []
    for row in ctx.session.scalars(query.order_by(Override.id)):
        able = [p for p in people.holding(row.case_id, ("lead_consultant", "dpo")) if p.id != row.requested_by]
        found.append(_ask(ctx, cases[row.case_id], what, Text(row.gate, row.gate), "parties", able, row.id))
    return found


_PARTS = (_conflicts, _signatures, _keys, _downloads, _declarations, _overrides)

"""Reads of bases, notices and the ledger. Counts only: who is behind a digest nobody learns here."""

import datetime as dt
import uuid

import msgspec
from sqlalchemy import func, select

from handover.cases.queries import case_key, visible_case
from handover.compliance.bases import DEFAULT_BASIS, ROUTES, Route
from handover.compliance.models import LegalBasis, Notice, ReturnDeclaration, SubjectEntry, SubjectImport
from handover.context import Context
from handover.detection.subjects import subject_digest
from handover.errors import NotFoundError
from handover.vault import Vault


class LedgerView(msgspec.Struct, frozen=True, kw_only=True):
    """How many customers stand where."""

    case_id: str
    subjects: int
    notice: dict[str, int]
    consent: dict[str, int]
    restricted: int
    minors: int
    minors_with_guardian: int
    imports: list[dict[str, str | int]]


class NoticeView(msgspec.Struct, frozen=True, kw_only=True):
    """One notice; the period ends at `ends_at`."""

    id: str
    version: int
    case_id: str
    basis: str
    recipient_party_id: str
    text_sha256: str
    period_days: int
    started_at: dt.datetime
    ends_at: dt.datetime
    completed_at: dt.datetime | None


class NoticePageView(msgspec.Struct, frozen=True, kw_only=True):
    """A notice with its text in both languages; without it once the case's names are destroyed."""

    notice: NoticeView
    zh: str | None
    en: str | None


class BasisTexts(msgspec.Struct, frozen=True, kw_only=True):
    """What legal wrote; None once the case's names are destroyed."""

    purpose: str | None
    opinion: str | None


class BasisView(msgspec.Struct, frozen=True, kw_only=True):
    """The legal basis of one record set."""

    record_set_id: str
    version: int
    basis: str
    pipl13: int
    purpose_unchanged: bool
    has_opinion: bool
    retention_until: dt.date | None
    approved_by: str
    approved_at: dt.datetime


class DeclarationView(msgspec.Struct, frozen=True, kw_only=True):
    """A return-or-destroy declaration; `self_declared` is always true: this system cannot verify it."""

    id: str
    version: int
    case_id: str
    party_id: str
    state: str
    due_at: dt.datetime
    kind: str | None
    copies: int | None
    declared_at: dt.datetime | None
    self_declared: bool = True


class Eligibility(msgspec.Struct, frozen=True, kw_only=True):
    """Whose records may go into a package: those in `reasons` may not; unlisted ones may only if `unlisted` is None."""

    reasons: dict[str, str]
    unlisted: str | None
    allowed: frozenset[str]


def subject_key(case_id: uuid.UUID) -> str:
    return f"case:{case_id}:subjects"


def digest_of(ctx: Context, case_id: uuid.UUID, reference: str) -> str:
    return subject_digest(ctx.get(Vault).secret(subject_key(case_id)), reference).hex()


def basis_of(ctx: Context, record_set_id: uuid.UUID) -> LegalBasis | None:
    return ctx.session.scalars(select(LegalBasis).where(LegalBasis.record_set_id == record_set_id)).one_or_none()


def bases_of(ctx: Context, case_id: uuid.UUID) -> list[LegalBasis]:
    return list(ctx.session.scalars(select(LegalBasis).where(LegalBasis.case_id == case_id).order_by(LegalBasis.id)))


def route_of(ctx: Context, case_id: uuid.UUID) -> Route:
    """The strictest demands of all bases set in the case; before any is set, those of the structure."""
    routes = [ROUTES[row.basis] for row in bases_of(ctx, case_id)]
    if not routes:
        routes = [ROUTES[DEFAULT_BASIS[visible_case(ctx, case_id).structure]]]
    return Route(
        notice=any(r.notice for r in routes),
        consent=any(r.consent for r in routes),
        moves_records=any(r.moves_records for r in routes),
    )


def notices_of(ctx: Context, case_id: uuid.UUID) -> list[Notice]:
    return list(ctx.session.scalars(select(Notice).where(Notice.case_id == case_id).order_by(Notice.id)))


def visible_notice(ctx: Context, notice_id: uuid.UUID) -> Notice:
    row = ctx.session.get(Notice, notice_id)
    if row is None:
        raise NotFoundError("there is no such notice")
    visible_case(ctx, row.case_id)
    return row


def declarations_of(ctx: Context, case_id: uuid.UUID) -> list[ReturnDeclaration]:
    query = select(ReturnDeclaration).where(ReturnDeclaration.case_id == case_id).order_by(ReturnDeclaration.id)
    return list(ctx.session.scalars(query))


def eligibility(ctx: Context, case_id: uuid.UUID, party_id: uuid.UUID) -> Eligibility:
    """Who may be in a closing package for this party, by the case's route.

    Under PIPL Art. 23 silence is refusal, so only listed grants for this very recipient and text count.
    """
    route = route_of(ctx, case_id)
    texts = {n.text_sha256 for n in notices_of(ctx, case_id) if n.recipient_party_id == party_id}
    reasons: dict[str, str] = {}
    allowed: set[str] = set()
    for entry in ctx.session.scalars(select(SubjectEntry).where(SubjectEntry.case_id == case_id)):
        reason = _why_not(entry, route, party_id, texts)
        if reason is None:
            allowed.add(entry.subject_digest)
        else:
            reasons[entry.subject_digest] = reason
    return Eligibility(reasons=reasons, unlisted="no_answer" if route.consent else None, allowed=frozenset(allowed))


def _why_not(entry: SubjectEntry, route: Route, party_id: uuid.UUID, texts: set[str]) -> str | None:
    if entry.restricted:
        return "restricted"
    if not route.consent:
        return None
    if entry.consent in {"refused", "withdrawn"}:
        return entry.consent
    if entry.consent == "none":
        return "no_answer"
    if entry.consent_party_id != party_id or entry.consent_text_sha256 not in texts:
        return "consent_for_other_recipient_or_text"
    if not entry.sensitive:
        return "no_consent_to_sensitive"
    return "minor_without_guardian" if entry.minor and not entry.guardian else None


def lost_since(ctx: Context, case_id: uuid.UUID, moment: dt.datetime) -> dict[str, int]:
    """Changes after `moment` that bar a subject who may be inside a package: counts by reason."""
    base = (
        select(func.count())
        .select_from(SubjectEntry)
        .where(SubjectEntry.case_id == case_id, SubjectEntry.changed_at > moment)
    )
    found = {
        "consent": ctx.session.scalar(base.where(SubjectEntry.consent.in_(("withdrawn", "refused")))) or 0,
        "restricted": ctx.session.scalar(base.where(SubjectEntry.restricted.is_(True))) or 0,
    }
    return {name: count for name, count in found.items() if count}


def ledger_view(ctx: Context, case_id: uuid.UUID) -> LedgerView:
    visible_case(ctx, case_id)

    def counts(column: object) -> dict[str, int]:
        query = select(column, func.count()).where(SubjectEntry.case_id == case_id).group_by(column)  # type: ignore[call-overload]
        return {str(name): count for name, count in ctx.session.execute(query)}

    restricted, minors = counts(SubjectEntry.restricted), counts(SubjectEntry.minor)
    notice = counts(SubjectEntry.notice)
    guardian = select(func.count()).where(
        SubjectEntry.case_id == case_id, SubjectEntry.minor.is_(True), SubjectEntry.guardian.is_(True)
    )
    imports = select(SubjectImport).where(SubjectImport.case_id == case_id).order_by(SubjectImport.id)
    return LedgerView(
        case_id=str(case_id),
        subjects=sum(notice.values()),
        notice=notice,
        consent=counts(SubjectEntry.consent),
        restricted=restricted.get("True", 0),
        minors=minors.get("True", 0),
        minors_with_guardian=ctx.session.scalar(guardian) or 0,
        imports=[
            {"kind": i.kind, "accepted": i.accepted, "rejected": i.rejected, "salted_sha256": i.salted_sha256}
            for i in ctx.session.scalars(imports)
        ],
    )


def notice_view(row: Notice) -> NoticeView:
    return NoticeView(
        id=str(row.id),
        version=row.version,
        case_id=str(row.case_id),
        basis=row.basis,
        recipient_party_id=str(row.recipient_party_id),
        text_sha256=row.text_sha256,
        period_days=row.period_days,
        started_at=row.started_at,
        ends_at=row.started_at + dt.timedelta(days=row.period_days),
        completed_at=row.completed_at,
    )


def notice_page_view(ctx: Context, row: Notice) -> NoticePageView:
    vault, key = ctx.get(Vault), case_key(row.case_id)
    text: dict[str, str] = {}
    if vault.has(key):
        text = msgspec.json.decode(vault.open_text(key, row.text_sealed, field="notices.text", row=row.id))
    return NoticePageView(notice=notice_view(row), zh=text.get("zh"), en=text.get("en"))


def basis_texts(ctx: Context, row: LegalBasis) -> BasisTexts:
    return BasisTexts(
        purpose=_open(ctx, row, row.purpose_sealed, "legal_bases.purpose"),
        opinion=_open(ctx, row, row.opinion_sealed, "legal_bases.opinion"),
    )


def _open(ctx: Context, row: LegalBasis | ReturnDeclaration, sealed: bytes | None, field: str) -> str | None:
    vault, key = ctx.get(Vault), case_key(row.case_id)
    return vault.open_text(key, sealed, field=field, row=row.id) if sealed and vault.has(key) else None


def basis_view(row: LegalBasis) -> BasisView:
    return BasisView(
        record_set_id=str(row.record_set_id),
        version=row.version,
        basis=row.basis,
        pipl13=row.pipl13,
        purpose_unchanged=row.purpose_unchanged,
        has_opinion=row.opinion_sealed is not None,
        retention_until=row.retention_until,
        approved_by=str(row.approved_by),
        approved_at=row.approved_at,
    )


def declaration_details(ctx: Context, row: ReturnDeclaration) -> str | None:
    """What the bidder wrote about its copies; None before, and once the case's names are destroyed."""
    return _open(ctx, row, row.details_sealed, "return_declarations.details")


def declaration_view(row: ReturnDeclaration) -> DeclarationView:
    return DeclarationView(
        id=str(row.id),
        version=row.version,
        case_id=str(row.case_id),
        party_id=str(row.party_id),
        state=row.state,
        due_at=row.due_at,
        kind=row.kind,
        copies=row.copies,
        declared_at=row.declared_at,
    )

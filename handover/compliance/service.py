"""Writes about legal bases, notices, the ledger and declarations."""

import datetime as dt
import hashlib
import secrets
import uuid
from collections.abc import Iterable

import msgspec
import sqlalchemy as sa
from sqlalchemy import select

from handover import jobs
from handover.accounts.service import require_recent_second_factor
from handover.audit import AuditLog
from handover.cases.queries import case_key, parties, party, require_role, visible_case
from handover.compliance.bases import ADMITTED, ROUTES
from handover.compliance.imports import MAX_LISTED, ImportKind, Rejected, Row, rows
from handover.compliance.models import LegalBasis, Notice, ReturnDeclaration, SubjectEntry, SubjectImport
from handover.compliance.queries import basis_of, subject_key
from handover.context import Context
from handover.crypto import canonical
from handover.db import new_id
from handover.detection.subjects import subject_digest
from handover.errors import ConflictError, InvalidInputError
from handover.inventory.models import RecordSet
from handover.settings import Settings
from handover.vault import Vault

#: Rows of the ledger are written in batches, so that one statement stays small.
_BATCH = 2_000
_CAN_DECLARE = ("buyer_signatory", "buyer_admin")


class ImportResult(msgspec.Struct, frozen=True, kw_only=True):
    """What became of a file; at most a hundred rejected rows are listed."""

    id: str
    accepted: int
    rejected: int
    rejected_rows: list[Rejected]


def set_basis(
    ctx: Context,
    record_set: RecordSet,
    *,
    basis: str,
    pipl13: int,
    purpose: str,
    purpose_unchanged: bool,
    retention_until: dt.date | None,
    opinion: str | None,
) -> LegalBasis:
    """Legal sets and thereby approves the basis of one record set.

    Raises:
        InvalidInputError: the structure of the deal does not admit the basis without a recorded opinion.
    """
    require_role(ctx, record_set.case_id, "legal")
    structure = visible_case(ctx, record_set.case_id).structure
    if basis not in ROUTES:
        raise InvalidInputError(f"the basis is one of: {', '.join(ROUTES)}", field="basis")
    if basis not in ADMITTED[structure] and not (opinion or "").strip():
        raise InvalidInputError(
            f"a {structure} takes {', '.join(sorted(ADMITTED[structure]))}; another basis needs a legal opinion on record",
            field="opinion",
        )
    row = basis_of(ctx, record_set.id) or LegalBasis(
        id=new_id(), case_id=record_set.case_id, record_set_id=record_set.id
    )
    vault, key = ctx.get(Vault), case_key(record_set.case_id)
    row.basis, row.pipl13, row.purpose_unchanged = basis, pipl13, purpose_unchanged
    row.purpose_sealed = vault.seal_text(key, purpose, field="legal_bases.purpose", row=row.id)
    row.opinion_sealed = (
        vault.seal_text(key, opinion, field="legal_bases.opinion", row=row.id) if opinion and opinion.strip() else None
    )
    row.retention_until, row.approved_by, row.approved_at = retention_until, ctx.person(), ctx.now()
    ctx.session.add(row)
    ctx.session.flush()
    _log(ctx, "compliance.basis_set", "record_set", record_set.id, record_set.case_id, basis=basis, pipl13=pipl13)
    jobs.put(ctx, "packages.mark_stale", case_id=record_set.case_id, entity_id=record_set.case_id)
    return row


def start_notice(
    ctx: Context,
    case_id: uuid.UUID,
    *,
    basis: str,
    recipient_party_id: uuid.UUID,
    zh: str,
    en: str,
    period_days: int | None,
) -> Notice:
    """Legal or the DPO approves a notice and starts its period; the policy's period unless another is given."""
    require_role(ctx, case_id, "legal", "dpo")
    to = party(ctx, case_id, recipient_party_id)
    if to.side != "buyer":
        raise InvalidInputError("a notice names the buyer who would receive the records", field="recipient_party_id")
    text = canonical.encode({"en": en, "zh": zh})
    row = Notice(
        id=new_id(),
        case_id=case_id,
        basis=basis,
        recipient_party_id=recipient_party_id,
        text_sealed=b"",
        text_sha256=hashlib.sha256(text).hexdigest(),
        period_days=ctx.get(Settings).policy.notice_period_days if period_days is None else period_days,
        approved_by=ctx.person(),
        started_at=ctx.now(),
    )
    row.text_sealed = ctx.get(Vault).seal_text(case_key(case_id), text.decode(), field="notices.text", row=row.id)
    ctx.session.add(row)
    ctx.session.flush()
    _log(ctx, "notice.started", "notice", row.id, case_id, text_sha256=row.text_sha256, period_days=row.period_days)
    return row


def complete_notice(ctx: Context, row: Notice) -> Notice:
    """The DPO confirms that the period is over and every objection was decided."""
    require_role(ctx, row.case_id, "dpo")
    ends = row.started_at + dt.timedelta(days=row.period_days)
    if ctx.now() < ends:
        raise ConflictError(f"the notice period ends at {ends.isoformat(timespec='minutes')}; complete it then")
    row.completed_at, row.completed_by = ctx.now(), ctx.person()
    ctx.session.flush()
    _log(ctx, "notice.completed", "notice", row.id, row.case_id)
    return row


def import_subjects(ctx: Context, case_id: uuid.UUID, kind: ImportKind, data: bytes) -> ImportResult:
    """Takes a file of notices or consents into the ledger, keyed by digests.

    Raises:
        InvalidInputError: the file as a whole is unusable.
    """
    require_role(ctx, case_id, "legal", "dpo", "consultant", "lead_consultant", "seller_admin")
    key = _subject_secret(ctx, case_id)
    recipients = _recipients(ctx, case_id)
    good: list[Row] = []
    bad: list[Rejected] = []
    for row in rows(data, kind):
        if isinstance(row, Rejected):
            bad.append(row)
        else:
            good.append(row)
    usable = [row for row in good if row.recipient is None or row.recipient in recipients]
    foreign = (row for row in good if not (row.recipient is None or row.recipient in recipients))
    bad += [Rejected(row.number, "the recipient is no party of this case") for row in foreign]
    for start in range(0, len(usable), _BATCH):
        _store(ctx, case_id, kind, key, recipients, usable[start : start + _BATCH])
    salt = secrets.token_hex(16)
    made = SubjectImport(
        case_id=case_id,
        kind=kind,
        accepted=len(usable),
        rejected=len(bad),
        salt=salt,
        salted_sha256=hashlib.sha256(bytes.fromhex(salt) + data).hexdigest(),
        by=ctx.person(),
    )
    ctx.session.add(made)
    ctx.session.flush()
    details: dict[str, str | int] = {"kind": kind, "accepted": len(usable), "rejected": len(bad)}
    _log(ctx, "compliance.subjects_imported", "subject_import", made.id, case_id, **details)
    if kind == "consents":
        jobs.put(ctx, "packages.mark_stale", case_id=case_id, entity_id=case_id)
    bad.sort(key=lambda r: r.row)
    return ImportResult(id=str(made.id), accepted=len(usable), rejected=len(bad), rejected_rows=bad[:MAX_LISTED])


def withdraw(ctx: Context, case_id: uuid.UUID, subject_ref: str, *, restrict: bool = False) -> None:
    """One customer takes consent back (or objects): no package may carry them from now on."""
    require_role(ctx, case_id, "legal", "dpo", "consultant", "lead_consultant", "seller_admin")
    digest = subject_digest(_subject_secret(ctx, case_id), subject_ref).hex()
    entry = ctx.session.get(SubjectEntry, (case_id, digest))
    if entry is None:
        entry = SubjectEntry(case_id=case_id, subject_digest=digest, changed_at=ctx.now())
        ctx.session.add(entry)
    entry.consent, entry.changed_at = ("withdrawn" if not restrict else entry.consent or "none"), ctx.now()
    entry.restricted = entry.restricted or restrict
    ctx.session.flush()
    # The digest is keyed with the case's subject key, so the entry names nobody once that key is destroyed.
    event = "compliance.subject_restricted" if restrict else "compliance.consent_withdrawn"
    _log(ctx, event, "case", case_id, case_id, subject=digest)
    jobs.put(ctx, "packages.mark_stale", case_id=case_id, entity_id=case_id)


def mark_minors(ctx: Context, case_id: uuid.UUID, digests: Iterable[str]) -> None:
    """Notes which subjects turned out to be under 14, from the records themselves."""
    wanted = list(digests)
    for start in range(0, len(wanted), 500):
        ctx.session.execute(
            sa.update(SubjectEntry)
            .where(SubjectEntry.case_id == case_id, SubjectEntry.subject_digest.in_(wanted[start : start + 500]))
            .values(minor=True)
        )


def demand_returns(ctx: Context, case_id: uuid.UUID) -> list[ReturnDeclaration]:
    """Asks every bidder who did not win to declare what became of its copies; asks nobody twice."""
    days = ctx.get(Settings).policy.return_or_destroy_days
    asked = {
        d.party_id for d in ctx.session.scalars(select(ReturnDeclaration).where(ReturnDeclaration.case_id == case_id))
    }
    made = []
    case = visible_case(ctx, case_id)
    for bidder in parties(ctx, case_id):
        out = bidder.standing in {"lost", "withdrawn"} or (case.state == "cancelled" and bidder.side == "buyer")
        if bidder.side != "buyer" or not out or bidder.id in asked:
            continue
        row = ReturnDeclaration(case_id=case_id, party_id=bidder.id, due_at=ctx.now() + dt.timedelta(days=days))
        ctx.session.add(row)
        ctx.session.flush()
        _log(ctx, "declaration.requested", "declaration", row.id, case_id, due_at=row.due_at.isoformat())
        made.append(row)
    return made


def declare(ctx: Context, row: ReturnDeclaration, *, kind: str, copies: int, details: str) -> ReturnDeclaration:
    """The losing bidder's signatory declares; it is printed as self-declared and unverified."""
    require_role(ctx, row.case_id, *_CAN_DECLARE, party_id=row.party_id)
    require_recent_second_factor(ctx)
    if row.state not in {"requested", "overdue"}:
        raise ConflictError(f"this declaration is {row.state} already")
    row.state, row.kind, row.copies = "declared", kind, copies
    row.details_sealed = ctx.get(Vault).seal_text(
        case_key(row.case_id), details, field="return_declarations.details", row=row.id
    )
    row.person_id, row.declared_at = ctx.person(), ctx.now()
    ctx.session.flush()
    _log(ctx, "declaration.declared", "declaration", row.id, row.case_id, kind=kind, copies=copies)
    return row


def mark_overdue(ctx: Context) -> int:
    """Marks declarations that are late; called by the sweeper. Returns how many."""
    query = select(ReturnDeclaration).where(
        ReturnDeclaration.state == "requested", ReturnDeclaration.due_at < ctx.now()
    )
    found = list(ctx.session.scalars(query))
    for row in found:
        row.state = "overdue"
        _log(ctx, "declaration.overdue", "declaration", row.id, row.case_id)
    return len(found)


def _subject_secret(ctx: Context, case_id: uuid.UUID) -> bytes:
    vault, key = ctx.get(Vault), subject_key(case_id)
    if not vault.has(key):
        vault.create_secret(key)
    return vault.secret(key)


def _recipients(ctx: Context, case_id: uuid.UUID) -> dict[str, uuid.UUID]:
    found: dict[str, uuid.UUID] = {}
    for buyer in parties(ctx, case_id):
        if buyer.side == "buyer":
            found[str(buyer.id)] = buyer.id
    return found


def _store(
    ctx: Context, case_id: uuid.UUID, kind: ImportKind, key: bytes, recipients: dict[str, uuid.UUID], batch: list[Row]
) -> None:
    digests = [subject_digest(key, row.subject_ref).hex() for row in batch]
    known = {
        entry.subject_digest: entry
        for entry in ctx.session.scalars(
            select(SubjectEntry).where(SubjectEntry.case_id == case_id, SubjectEntry.subject_digest.in_(digests))
        )
    }
    fresh: dict[str, SubjectEntry] = {}
    now = ctx.now()
    for digest, row in zip(digests, batch, strict=True):
        entry = known.get(digest) or fresh.get(digest)
        if entry is None:
            entry = fresh[digest] = SubjectEntry(
                case_id=case_id, subject_digest=digest, notice="none", consent="none", restricted=False, minor=False
            )
        entry.changed_at, entry.channel = now, row.channel
        if kind == "notices":
            entry.notice = row.outcome
            continue
        entry.consent, entry.sensitive, entry.guardian = row.outcome, row.sensitive, row.guardian
        entry.consent_text_sha256 = row.text_sha256
        entry.consent_party_id = recipients.get(row.recipient) if row.recipient else None
    ctx.session.add_all(fresh.values())
    ctx.session.flush()


def _log(ctx: Context, event: str, entity: str, entity_id: uuid.UUID, case_id: uuid.UUID, **details: str | int) -> None:
    ctx.get(AuditLog).append(ctx, event, entity=entity, entity_id=entity_id, case_id=case_id, details=details)

"""Reads of redaction runs."""

import datetime as dt
import uuid
from typing import Any

import msgspec
from sqlalchemy import select

from handover.cases.queries import case_key, visible_case
from handover.context import Context
from handover.errors import NotFoundError
from handover.inventory.queries import inside, record_sets_of
from handover.masking import RedactionReport
from handover.redaction.models import Redaction, RedactionItem, RedactionPart, RedactionReview
from handover.vault import Vault


class ItemView(msgspec.Struct, frozen=True, kw_only=True):
    """What became of one record set; `residual` counts what a second scan still found, by level."""

    record_set_id: str
    records_in: int
    records_out: int
    counts: dict[str, int]
    residual: dict[str, Any] | None
    k_min: int | None
    quasi_identifiers: int
    sampled: int
    errors: int


class RedactionView(msgspec.Struct, frozen=True, kw_only=True):
    """A redaction run; the plan maps record set ids to policies."""

    id: str
    version: int
    case_id: str
    party_id: str
    state: str
    plan: dict[str, Any] | None
    plan_sha256: str
    created_by: str
    reviewed_by: str | None
    approved_by: str | None
    run_at: dt.datetime | None
    items: list[ItemView]


def visible_redaction(ctx: Context, redaction_id: uuid.UUID) -> Redaction:
    """A run of a case that the actor works on; bidders see packages, not runs.

    Raises:
        NotFoundError: missing or not the actor's to see.
    """
    row = ctx.session.get(Redaction, redaction_id)
    if row is None:
        raise NotFoundError("there is no such redaction")
    inside(ctx, row.case_id)
    return row


def redaction_of(ctx: Context, case_id: uuid.UUID, redaction_id: uuid.UUID) -> Redaction:
    """A run of this very case.

    Raises:
        NotFoundError: missing, of another case, or not the actor's to see.
    """
    row = visible_redaction(ctx, redaction_id)
    if row.case_id != case_id:
        raise NotFoundError("there is no such redaction")
    return row


def set_numbers(ctx: Context, case_id: uuid.UUID) -> dict[str, tuple[str, str]]:
    """Number and kind of each record set by its id."""
    return {str(row.id): (row.number, row.kind) for row in record_sets_of(ctx, case_id)}


def redactions_of(ctx: Context, case_id: uuid.UUID) -> list[Redaction]:
    visible_case(ctx, case_id)
    return list(ctx.session.scalars(select(Redaction).where(Redaction.case_id == case_id).order_by(Redaction.id)))


def items_of(ctx: Context, redaction_id: uuid.UUID | None) -> list[RedactionItem]:
    query = select(RedactionItem).where(RedactionItem.redaction_id == redaction_id).order_by(RedactionItem.id)
    return list(ctx.session.scalars(query))


def parts_of(ctx: Context, redaction_id: uuid.UUID) -> list[RedactionPart]:
    """The parts of the latest run, by record set and in the order of the file."""
    query = select(RedactionPart).where(RedactionPart.redaction_id == redaction_id)
    return list(ctx.session.scalars(query.order_by(RedactionPart.record_set_id, RedactionPart.number)))


def report_of_part(ctx: Context, part: RedactionPart) -> RedactionReport:
    """What a part that is done did."""
    assert part.report_sealed is not None  # noqa: S101 - only parts that are done are asked
    key = case_key(part.case_id)
    found = ctx.get(Vault).open_json(key, part.report_sealed, field="redaction_parts.report", row=part.id)
    return msgspec.convert(found, RedactionReport)


def document_pages(ctx: Context, redaction_id: uuid.UUID) -> dict[uuid.UUID, int]:
    """How many pages the documents among a run's outputs have; a table has none, nor has what is destroyed."""
    found: dict[uuid.UUID, int] = {}
    for part in parts_of(ctx, redaction_id):
        if part.report_sealed is not None and ctx.get(Vault).has(case_key(part.case_id)):
            found[part.record_set_id] = found.get(part.record_set_id, 0) + report_of_part(ctx, part).pages
    return found


def reviews_of(ctx: Context, row: Redaction) -> list[RedactionReview]:
    """Samples that were taken of the latest run."""
    query = select(RedactionReview).where(RedactionReview.redaction_id == row.id, RedactionReview.run_at == row.run_at)
    return list(ctx.session.scalars(query.order_by(RedactionReview.id)))


def plan_of(ctx: Context, row: Redaction) -> dict[str, Any] | None:
    """Policies by record set id; None once the case's names are destroyed."""
    vault, key = ctx.get(Vault), case_key(row.case_id)
    if not vault.has(key):
        return None
    plan: dict[str, Any] = vault.open_json(key, row.plan_sealed, field="redactions.plan", row=row.id)
    return plan


def review_notes(ctx: Context, row: Redaction) -> dict[str, list[tuple[uuid.UUID, str]]]:
    """What reviewers wrote of this run, by record set: person and text, in order."""
    vault, key = ctx.get(Vault), case_key(row.case_id)
    found: dict[str, list[tuple[uuid.UUID, str]]] = {}
    for review in reviews_of(ctx, row) if vault.has(key) else ():
        if review.note_sealed is not None:
            text = vault.open_text(key, review.note_sealed, field="redaction_reviews.note", row=review.id)
            found.setdefault(str(review.record_set_id), []).append((review.person_id, text))
    return found


def redaction_view(ctx: Context, row: Redaction) -> RedactionView:
    reviews = reviews_of(ctx, row)
    return RedactionView(
        id=str(row.id),
        version=row.version,
        case_id=str(row.case_id),
        party_id=str(row.party_id),
        state=row.state,
        plan=plan_of(ctx, row),
        plan_sha256=row.plan_sha256,
        created_by=str(row.created_by),
        reviewed_by=str(row.reviewed_by) if row.reviewed_by else None,
        approved_by=str(row.approved_by) if row.approved_by else None,
        run_at=row.run_at,
        items=[
            ItemView(
                record_set_id=str(item.record_set_id),
                records_in=item.records_in,
                records_out=item.records_out,
                counts=item.counts,
                residual=item.residual,
                k_min=item.k_min,
                quasi_identifiers=item.quasi_identifiers,
                sampled=sum(r.sampled for r in reviews if r.record_set_id == item.record_set_id),
                errors=sum(r.errors for r in reviews if r.record_set_id == item.record_set_id),
            )
            for item in items_of(ctx, row.id)
        ],
    )

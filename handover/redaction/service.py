"""Writes about redaction runs: the plan, who reviews it, and the samples."""

import hashlib
import uuid
from collections.abc import Mapping
from typing import Any

import msgspec

from handover.audit import AuditLog
from handover.cases.queries import case_key, party, require_role
from handover.context import Context
from handover.crypto import canonical
from handover.db import new_id
from handover.errors import ConflictError, InvalidInputError
from handover.inventory.queries import inside, transferable_record_sets
from handover.masking import Policy
from handover.redaction.models import Redaction, RedactionReview
from handover.redaction.plans import CHANGEABLE, proposed_policy
from handover.redaction.queries import items_of, plan_of
from handover.vault import Vault
from handover.workflow import Workflow

_APPROVED = ("approved", "packaged", "transferred")


def pseudonym_key(case_id: uuid.UUID, party_id: uuid.UUID) -> str:
    """Every bidder sees other pseudonyms, so two of them cannot put their sets together."""
    return f"case:{case_id}:pseudonyms:{party_id}"


def propose(ctx: Context, case_id: uuid.UUID, party_id: uuid.UUID) -> Redaction:
    """Starts a run for a bidder with a plan proposed from the classification.

    Raises:
        ConflictError: a record set that would be shown is not approved yet.
    """
    inside(ctx, case_id)
    require_role(ctx, case_id, "consultant", "lead_consultant")
    if party(ctx, case_id, party_id).side != "buyer":
        raise InvalidInputError("records are redacted for a bidder", field="party_id")
    plan = proposed_plan(ctx, case_id)
    row = Redaction(
        id=new_id(),
        case_id=case_id,
        party_id=party_id,
        state=ctx.get(Workflow).initial(Redaction.MACHINE),
        plan_sealed=b"",
        plan_sha256="",
        created_by=ctx.person(),
    )
    _keep_plan(ctx, row, plan)
    vault, key = ctx.get(Vault), pseudonym_key(case_id, party_id)
    if not vault.has(key):
        vault.create_secret(key)
    ctx.session.add(row)
    ctx.session.flush()
    _log(ctx, "redaction.planned", row, plan_sha256=row.plan_sha256, record_sets=len(plan))
    return row


def proposed_plan(ctx: Context, case_id: uuid.UUID) -> dict[str, Any]:
    """A policy per approved record set, as `plans.proposed_policy` suggests it."""
    plan: dict[str, Any] = {}
    for record_set in transferable_record_sets(ctx, case_id):
        policy = proposed_policy(ctx, record_set)
        if record_set.state not in _APPROVED or policy is None:
            raise ConflictError(f"record set {record_set.number} is {record_set.state}; approve or exclude it first")
        plan[str(record_set.id)] = msgspec.to_builtins(policy)
    if not plan:
        raise ConflictError("there is no approved record set to redact")
    return plan


def change_plan(ctx: Context, row: Redaction, plan: Mapping[str, Any]) -> Redaction:
    """Replaces the plan; only before a run, or when it was sent back.

    Raises:
        InvalidInputError: a record set is missing or unknown, or a policy is not of the documented form.
    """
    require_role(ctx, row.case_id, "consultant", "lead_consultant")
    if row.state not in CHANGEABLE:
        raise ConflictError(f"the plan is fixed while the run is {row.state}")
    current = plan_of(ctx, row) or {}
    if set(plan) != set(current):
        raise InvalidInputError("the plan has exactly one policy per record set of the run", field="plan")
    for record_set_id, policy in plan.items():
        try:
            msgspec.convert(policy, Policy)
        except msgspec.ValidationError as error:
            raise InvalidInputError(f"record set {record_set_id}: {error}", field="plan") from error
    _keep_plan(ctx, row, dict(plan))
    ctx.session.flush()
    _log(ctx, "redaction.plan_changed", row, plan_sha256=row.plan_sha256)
    return row


def review(
    ctx: Context, row: Redaction, record_set_id: uuid.UUID, *, sampled: int, errors: int, note: str | None
) -> RedactionReview:
    """A reviewer notes how many records they looked at and how many were wrong.

    Raises:
        ConflictError: the run is not up for review, or the reviewer made it.
    """
    require_role(ctx, row.case_id, "legal", "dpo", "custodian")
    if row.state != "human_review" or row.run_at is None:
        raise ConflictError(f"the run is {row.state}, not up for review")
    if ctx.person() == row.created_by:
        raise ConflictError("the person who made the run does not review it")
    item = next((i for i in items_of(ctx, row.id) if i.record_set_id == record_set_id), None)
    if item is None or not 0 < sampled <= item.records_out or not 0 <= errors <= sampled:
        raise InvalidInputError("the numbers do not fit the record set of this run", field="sampled")
    identifier = new_id()
    made = RedactionReview(
        id=identifier,
        case_id=row.case_id,
        redaction_id=row.id,
        record_set_id=record_set_id,
        person_id=ctx.person(),
        run_at=row.run_at,
        sampled=sampled,
        errors=errors,
        note_sealed=ctx.get(Vault).seal_text(
            case_key(row.case_id), note, field="redaction_reviews.note", row=identifier
        )
        if note
        else None,
    )
    ctx.session.add(made)
    ctx.session.flush()
    _log(ctx, "redaction.sampled", row, record_set=str(record_set_id), sampled=sampled, errors=errors)
    return made


def on_accept_review(ctx: Context, row: Redaction, _details: Mapping[str, Any]) -> None:
    row.reviewed_by = ctx.actor.person_id


def on_approve(ctx: Context, row: Redaction, _details: Mapping[str, Any]) -> None:
    row.approved_by, row.approved_at = ctx.actor.person_id, ctx.now()


def _keep_plan(ctx: Context, row: Redaction, plan: dict[str, Any]) -> None:
    row.plan_sha256 = hashlib.sha256(canonical.encode(plan)).hexdigest()
    row.plan_sealed = ctx.get(Vault).seal_json(case_key(row.case_id), plan, field="redactions.plan", row=row.id)


def _log(ctx: Context, event: str, row: Redaction, **details: str | int) -> None:
    ctx.get(AuditLog).append(ctx, event, entity="redaction", entity_id=row.id, case_id=row.case_id, details=details)

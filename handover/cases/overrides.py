"""Overrides and legal holds: two persons set a gate aside for one row, legal orders that something is kept."""

import datetime as dt
import secrets
import uuid

from handover.accounts.service import require_recent_second_factor
from handover.audit import AuditLog, reason_digest
from handover.cases.models import LegalHold, Override
from handover.cases.queries import case_key, require_role, visible_case
from handover.context import Context
from handover.db import new_id
from handover.errors import ConflictError, ForbiddenError, InvalidInputError, NotFoundError
from handover.vault import Vault
from handover.workflow import Workflow

_SCOPES = ("case", "record_set", "copy")


def request_override(
    ctx: Context, case_id: uuid.UUID, *, machine: str, entity_id: uuid.UUID, gate: str, reason: str
) -> Override:
    """Legal asks to set a gate aside for one row; nothing changes until another person confirms.

    Raises:
        InvalidInputError: there is no such gate.
        ForbiddenError: this gate protects people, or the law, and cannot be set aside.
    """
    visible_case(ctx, case_id)
    require_role(ctx, case_id, "legal")
    require_recent_second_factor(ctx)
    found = ctx.get(Workflow).gate_named(gate)
    if found is None:
        raise InvalidInputError(f"there is no gate {gate!r}", field="gate")
    name, judged = found
    if not judged.overridable:
        raise ForbiddenError(f"gate {judged.code} {name} cannot be overridden by anybody")
    salt, identifier = secrets.token_hex(16), new_id()
    row = Override(
        id=identifier,
        case_id=case_id,
        machine=machine,
        entity_id=entity_id,
        gate=name,
        reason_sealed=ctx.get(Vault).seal_text(case_key(case_id), reason, field="overrides.reason", row=identifier),
        reason_salt=salt,
        requested_by=ctx.person(),
    )
    ctx.session.add(row)
    ctx.session.flush()
    ctx.get(AuditLog).append(
        ctx,
        "override.requested",
        entity="override",
        entity_id=row.id,
        case_id=case_id,
        role="legal",
        reason=reason_digest(reason, salt),
        details={"gate": f"{judged.code} {name}", "row": str(entity_id)},
    )
    return row


def confirm_override(ctx: Context, override_id: uuid.UUID) -> Override:
    """A second person confirms; from now on the gate is open for this row and listed in the closing report."""
    row = ctx.session.get(Override, override_id)
    if row is None:
        raise NotFoundError("there is no such override")
    visible_case(ctx, row.case_id)
    require_role(ctx, row.case_id, "lead_consultant", "dpo")
    require_recent_second_factor(ctx)
    if row.confirmed_by is not None:
        raise ConflictError("this override is confirmed already")
    if row.requested_by == ctx.person():
        raise ConflictError("the person who asked cannot confirm; it takes a second person")
    row.confirmed_by, row.confirmed_at = ctx.person(), ctx.now()
    ctx.session.flush()
    ctx.get(AuditLog).append(
        ctx,
        "override.confirmed",
        entity="override",
        entity_id=row.id,
        case_id=row.case_id,
        details={"gate": row.gate, "row": str(row.entity_id)},
    )
    return row


def propose_hold(
    ctx: Context, case_id: uuid.UUID, *, scope: str, scope_id: uuid.UUID | None, reason: str, review_on: dt.date
) -> LegalHold:
    """Proposes to keep a case, a record set or a copy; legal activates it."""
    visible_case(ctx, case_id)
    require_role(ctx, case_id, "legal", "dpo", "lead_consultant", "custodian")
    if scope not in _SCOPES or (scope == "case") != (scope_id is None):
        raise InvalidInputError("scope is case, or record_set or copy with its scope_id", field="scope")
    identifier = new_id()
    row = LegalHold(
        id=identifier,
        case_id=case_id,
        state=ctx.get(Workflow).initial(LegalHold.MACHINE),
        scope=scope,
        scope_id=scope_id,
        reason_sealed=ctx.get(Vault).seal_text(case_key(case_id), reason, field="legal_holds.reason", row=identifier),
        review_on=review_on,
        proposed_by=ctx.person(),
    )
    ctx.session.add(row)
    ctx.session.flush()
    ctx.get(AuditLog).append(
        ctx, "legal_hold.proposed", entity="legal_hold", entity_id=row.id, case_id=case_id, details={"scope": scope}
    )
    return row

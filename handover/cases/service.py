"""Writes about cases: opening one, its parties, conflicts of interest, standings; its people are in `members`."""

import secrets
import uuid
from collections.abc import Mapping
from typing import Any

from sqlalchemy import func, select

from handover import jobs
from handover.audit import AuditLog, reason_digest
from handover.cases.models import Case, ConflictDeclaration, Member, Party
from handover.cases.queries import case_key, parties, require_role, visible_case
from handover.context import Context
from handover.db import new_id
from handover.detection.checks import uscc as uscc_is_valid
from handover.errors import ConflictError, ForbiddenError, InvalidInputError
from handover.vault import Vault
from handover.workflow import Workflow

STRUCTURES = (
    "equity_transfer",
    "asset_transfer",
    "business_transfer",
    "merger",
    "division",
    "dissolution",
    "bankruptcy",
)
SIDES = ("seller", "target", "buyer", "agency")
STANDINGS = ("active", "won", "lost", "withdrawn")
_USCC_LENGTH = 18


def create(ctx: Context, *, title: str, structure: str, key_policy: str, jurisdictions: list[str]) -> Case:
    """Opens a draft; the creator leads it. Its keys are made and the workflow versions fixed now."""
    if "consultant" not in ctx.actor.roles:
        raise ForbiddenError("a consultant of the agency creates cases", roles=["consultant"])
    if structure not in STRUCTURES:
        raise InvalidInputError(f"the structure is one of: {', '.join(STRUCTURES)}", field="structure")
    vault, identifier = ctx.get(Vault), new_id()
    vault.create_secret(case_key(identifier))
    row = Case(
        id=identifier,
        reference=_next_reference(ctx),
        structure=structure,
        title_sealed=vault.seal_text(case_key(identifier), title, field="cases.title", row=identifier),
        state=ctx.get(Workflow).initial(Case.MACHINE),
        key_policy=key_policy,
        jurisdictions=jurisdictions,
        created_by=ctx.person(),
    )
    ctx.session.add(row)
    ctx.session.flush()
    ctx.session.add(
        Member(
            case_id=row.id,
            person_id=ctx.person(),
            role="lead_consultant",
            granted_by=ctx.person(),
            effective_at=ctx.now(),
        )
    )
    ctx.session.flush()
    _log(ctx, "case.created", "case", row.id, row.id, structure=structure, reference=row.reference)
    ctx.get(Workflow).pin(ctx, row.id)
    return row


def change(ctx: Context, row: Case, *, title: str | None, structure: str | None, reason: str | None) -> Case:
    """Corrects a case. The structure decides the legal route, so only legal changes it later, with a reason."""
    require_role(ctx, row.id, "lead_consultant", "consultant", "legal")
    if title is not None:
        row.title_sealed = ctx.get(Vault).seal_text(case_key(row.id), title, field="cases.title", row=row.id)
    if structure is not None and structure != row.structure:
        if structure not in STRUCTURES:
            raise InvalidInputError(f"the structure is one of: {', '.join(STRUCTURES)}", field="structure")
        if row.state != "draft":
            require_role(ctx, row.id, "legal")
            if not (reason or "").strip():
                raise InvalidInputError("changing the structure after the draft needs a reason", field="reason")
        row.structure = structure
        jobs.put(ctx, "packages.mark_stale", case_id=row.id, entity_id=row.id)
    ctx.session.flush()
    salted = reason_digest(reason, secrets.token_hex(16)) if reason else None
    ctx.get(AuditLog).append(
        ctx,
        "case.changed",
        entity="case",
        entity_id=row.id,
        case_id=row.id,
        reason=salted,
        details={"structure": row.structure},
    )
    return row


def add_party(
    ctx: Context,
    case_id: uuid.UUID,
    *,
    side: str,
    kind: str,
    name: str,
    uscc: str | None,
    contact: str | None,
    place: str,
) -> Party:
    """Adds a party.

    Raises:
        InvalidInputError: the unified social credit code has a wrong check character (GB 32100-2015), or a company has none.
        ConflictError: the same company stands on two sides, or bids twice.
    """
    visible_case(ctx, case_id)
    require_role(ctx, case_id, "lead_consultant", "consultant")
    if side not in SIDES or kind not in {"company", "person"}:
        raise InvalidInputError(f"side is one of {', '.join(SIDES)}; kind is company or person", field="side")
    if uscc is not None and not (len(uscc) == _USCC_LENGTH and uscc_is_valid(uscc)):
        raise InvalidInputError("the unified social credit code is wrong: check all 18 characters", field="uscc")
    if kind == "company" and side != "agency" and uscc is None:
        raise InvalidInputError("a company is named with its unified social credit code", field="uscc")
    vault, key, identifier = ctx.get(Vault), case_key(case_id), new_id()
    digest = vault.digest(key, "uscc", uscc) if uscc else None
    if digest and any(p.uscc_digest == digest for p in parties(ctx, case_id)):
        raise ConflictError("a party with this unified social credit code is in the case already")
    row = Party(
        id=identifier,
        case_id=case_id,
        side=side,
        kind=kind,
        name_sealed=vault.seal_text(key, name, field="parties.name", row=identifier),
        uscc_sealed=vault.seal_text(key, uscc, field="parties.uscc", row=identifier) if uscc else None,
        uscc_digest=digest,
        contact_sealed=vault.seal_text(key, contact, field="parties.contact", row=identifier) if contact else None,
        place=place,
    )
    ctx.session.add(row)
    ctx.session.flush()
    _log(ctx, "party.added", "party", row.id, case_id, side=side, kind=kind, place=place)
    return row


def change_party(ctx: Context, row: Party, *, name: str | None, contact: str | None, place: str | None) -> Party:
    """Corrects a party's name, contact or place."""
    require_role(ctx, row.case_id, "lead_consultant", "consultant")
    vault, key = ctx.get(Vault), case_key(row.case_id)
    if name is not None:
        row.name_sealed = vault.seal_text(key, name, field="parties.name", row=row.id)
    if contact is not None:
        row.contact_sealed = vault.seal_text(key, contact, field="parties.contact", row=row.id)
    row.place = place or row.place
    ctx.session.flush()
    _log(ctx, "party.changed", "party", row.id, row.case_id, place=row.place)
    return row


def set_standing(ctx: Context, row: Party, standing: str) -> Party:
    """Records how a bidder stands; who lost or withdrew is asked to return or destroy.

    Raises:
        ConflictError: another bidder won already.
    """
    require_role(ctx, row.case_id, "lead_consultant")
    if row.side != "buyer" or standing not in STANDINGS:
        raise InvalidInputError(f"a bidder's standing is one of: {', '.join(STANDINGS)}", field="standing")
    if standing == "won" and any(p.standing == "won" and p.id != row.id for p in parties(ctx, row.case_id)):
        raise ConflictError("another bidder is marked as the winner")
    row.standing = standing
    ctx.session.flush()
    _log(ctx, "party.standing_set", "party", row.id, row.case_id, standing=standing)
    if standing in {"lost", "withdrawn"}:
        jobs.put(ctx, "compliance.demand_returns", case_id=row.case_id, entity_id=row.case_id)
    return row


def declare_conflict(ctx: Context, case_id: uuid.UUID, *, clean: bool, note: str | None) -> ConflictDeclaration:
    """The acting member declares whether they have a conflict of interest; the latest declaration counts."""
    visible_case(ctx, case_id)
    identifier = new_id()
    sealed = (
        ctx.get(Vault).seal_text(case_key(case_id), note, field="conflict_declarations.note", row=identifier)
        if note
        else None
    )
    row = ConflictDeclaration(id=identifier, case_id=case_id, person_id=ctx.person(), clean=clean, note_sealed=sealed)
    ctx.session.add(row)
    ctx.session.flush()
    _log(ctx, "conflict.declared", "conflict_declaration", row.id, case_id, clean=int(clean))
    return row


def on_pause(_ctx: Context, row: Case, details: Mapping[str, Any]) -> None:
    """Effect of `hold` and `freeze`: remembers where to return; a held case that is frozen returns to before the hold."""
    if details["from_state"] != "on_hold":
        row.resume_to = details["from_state"]


def on_resume(_ctx: Context, row: Case, _details: Mapping[str, Any]) -> None:
    row.resume_to = None


def on_close(ctx: Context, row: Case, _details: Mapping[str, Any]) -> None:
    row.closed_at = ctx.now()


def _next_reference(ctx: Context) -> str:
    year = ctx.now().year
    count = ctx.session.scalar(select(func.count()).select_from(Case).where(Case.reference.like(f"HO-{year}-%"))) or 0
    return f"HO-{year}-{count + 1:04d}"


def _log(ctx: Context, event: str, entity: str, entity_id: uuid.UUID, case_id: uuid.UUID, **details: str | int) -> None:
    ctx.get(AuditLog).append(ctx, event, entity=entity, entity_id=entity_id, case_id=case_id, details=details)

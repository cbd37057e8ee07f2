"""Writes about record sets and fields: registration, decisions, confirmation, and the copy register."""

import datetime as dt
import uuid
from collections.abc import Sequence
from typing import Any

import msgspec
from sqlalchemy import func, select

from handover import jobs
from handover.audit import AuditLog
from handover.cases.queries import case_key, party, require_role, roles_of
from handover.context import Context
from handover.db import new_id
from handover.errors import ConflictError, ForbiddenError, InvalidInputError
from handover.inventory.content import Stored
from handover.inventory.models import Copy, CopyNote, Field, RecordSet
from handover.inventory.queries import RecordFacts, facts_of, fields_of, require_inside_role, visible_upload
from handover.jobs import JobRun
from handover.vault import CopyBinding, SealedBlob, Vault
from handover.workflow import Workflow

KINDS = (
    "customer_profile",
    "transaction_history",
    "service_feedback",
    "complaint",
    "chat_log",
    "ticket",
    "contract",
    "email",
    "other",
)
LEVELS = ("L1", "L2", "L3", "L4")
NEEDS = ("required", "optional", "excluded")


class FieldDecision(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """What a person decides about one field; what is left out stays as it is."""

    id: uuid.UUID
    need: str | None = None
    level: str | None = None
    reason: str | None = None


def register(
    ctx: Context, upload_id: uuid.UUID, *, kind: str, owner_party_id: uuid.UUID, facts: RecordFacts
) -> RecordSet:
    """Registers a complete upload as a record set and starts its scan.

    Raises:
        ConflictError: the upload is not complete, or registered already.
    """
    upload = visible_upload(ctx, upload_id)
    require_inside_role(ctx, upload.case_id, "seller_admin", "custodian", "consultant", "lead_consultant")
    if kind not in KINDS:
        raise InvalidInputError(f"the kind is one of: {', '.join(KINDS)}", field="kind")
    if party(ctx, upload.case_id, owner_party_id).side not in {"seller", "target"}:
        raise InvalidInputError("records belong to the seller or the target company", field="owner_party_id")
    if upload.state != "complete":
        raise ConflictError(f"the upload is {upload.state}; a record set takes a complete one")
    if ctx.session.scalars(select(RecordSet.id).where(RecordSet.upload_id == upload.id)).first():
        raise ConflictError("this upload is registered as a record set already")
    count = ctx.session.scalar(select(func.count()).select_from(RecordSet).where(RecordSet.case_id == upload.case_id))
    filename = ctx.get(Vault).open_text(
        case_key(upload.case_id), upload.filename_sealed, field="uploads.filename", row=upload.id
    )
    row = RecordSet(
        id=new_id(),
        case_id=upload.case_id,
        number=f"RS-{(count or 0) + 1:02d}",
        kind=kind,
        state=ctx.get(Workflow).initial(RecordSet.MACHINE),
        owner_party_id=owner_party_id,
        facts_sealed=b"",
        upload_id=upload.id,
        created_by=ctx.person(),
        size=upload.size,
    )
    _keep_facts(ctx, row, msgspec.structs.replace(facts, filename=filename))
    ctx.session.add(row)
    ctx.session.flush()
    _log(ctx, "record_set.registered", row, number=row.number, kind=kind, size=row.size)
    with ctx.as_system():
        ctx.get(Workflow).fire(ctx, row, "scan")
    return row


def change_facts(ctx: Context, row: RecordSet, changes: dict[str, Any]) -> RecordSet:
    """Corrects what people said of a record set, until it is approved."""
    require_role(ctx, row.case_id, "seller_admin", "custodian", "consultant", "lead_consultant")
    if row.state in {"approved", "packaged", "transferred"}:
        raise ConflictError(f"the record set is {row.state}; reopen it to change it")
    facts = facts_of(ctx, row)
    if facts is None:
        raise ConflictError("the names of this case are destroyed")
    _keep_facts(ctx, row, msgspec.structs.replace(facts, **changes))
    ctx.session.flush()
    _log(ctx, "record_set.corrected", row, fields=",".join(sorted(changes)))
    return row


def decide_fields(ctx: Context, row: RecordSet, decisions: Sequence[FieldDecision]) -> list[Field]:
    """Sets need and level of fields in one go; all or none.

    Raises:
        ForbiddenError: somebody other than legal lowers a level.
        InvalidInputError: a field of another set, an unknown value, or a missing reason.
    """
    require_role(ctx, row.case_id, "custodian", "legal", "consultant", "lead_consultant", "seller_admin")
    if row.state != "classified":
        raise ConflictError(f"fields are decided while a record set is classified, not {row.state}")
    fields = {field.id: field for field in fields_of(ctx, row.id)}
    legal = any(r.role == "legal" for r in roles_of(ctx, row.case_id))
    for decision in decisions:
        field = fields.get(decision.id)
        if field is None:
            raise InvalidInputError(f"field {decision.id} is not of this record set", field="fields")
        _decide(ctx, field, decision, legal=legal)
    row.level = max((f.level for f in fields.values() if f.need != "excluded"), default="L1")
    ctx.session.flush()
    _log(ctx, "record_set.fields_decided", row, fields=len(decisions), level=row.level)
    return list(fields.values())


def on_review(ctx: Context, row: RecordSet, _details: object) -> None:
    row.reviewed_by = ctx.actor.person_id


def on_approve(ctx: Context, row: RecordSet, _details: object) -> None:
    row.approved_by, row.approved_at = ctx.actor.person_id, ctx.now()


def on_reopen(ctx: Context, row: RecordSet, _details: object) -> None:
    row.reviewed_by = row.approved_by = row.approved_at = None
    ctx.session.flush()


def announce_copy(
    run: JobRun, case_id: uuid.UUID, kind: str, level: str, *, record_set_id: uuid.UUID | None = None
) -> uuid.UUID:
    """Enters a copy into the register before its first byte, with a key of its own; returns its id.

    A run that is killed while writing leaves a line with a key, so that its remains are destroyed with the rest.
    """
    copy_id = new_id()
    key_id = f"copy:{copy_id}"
    with run.unit_of_work() as ctx:
        ctx.session.add(
            Copy(id=copy_id, case_id=case_id, kind=kind, record_set_id=record_set_id, level=level, key_id=key_id)
        )
    binding = CopyBinding(case=case_id, copy=copy_id, role=kind, level=level)
    run.installation.get(Vault).create_copy(key_id, binding)
    return copy_id


def fill_copy(ctx: Context, copy_id: uuid.UUID, stored: Stored, *, level: str | None = None) -> Copy:
    """Notes what an announced copy holds, once it is whole."""
    row = ctx.session.get_one(Copy, copy_id)
    row.blob = msgspec.to_builtins(stored.blob)
    row.level = level or row.level
    row.content_sealed = ctx.get(Vault).seal_json(
        case_key(row.case_id), msgspec.to_builtins(stored.content), field="copies.content", row=copy_id
    )
    ctx.session.flush()
    ctx.get(AuditLog).append(
        ctx,
        "copy.made",
        entity="copy",
        entity_id=row.id,
        case_id=row.case_id,
        details={"kind": row.kind, "size": stored.blob.size, "header_sha256": stored.blob.header_sha256},
    )
    return row


def drop_copy(ctx: Context, copy_id: uuid.UUID | None) -> None:
    """Deletes the bytes of a copy that another one replaces; its line and key stay until they are destroyed with the rest."""
    row = ctx.session.get_one(Copy, copy_id)
    if row.blob is not None:
        key = msgspec.convert(row.blob, SealedBlob).key
        row.blob, row.kind = None, "working"
        ctx.after_commit.append(lambda: ctx.get(Vault).delete_blob(key))


def declare_copy(
    ctx: Context,
    case_id: uuid.UUID,
    *,
    kind: str,
    place: str,
    holder_party_id: uuid.UUID | None,
    note: str,
    retained_until: dt.date | None,
    record_set_id: uuid.UUID | None,
) -> Copy:
    """Registers a copy that lies outside this service (backup, paper, a party's own): only declared, never read."""
    require_inside_role(ctx, case_id, "seller_admin", "custodian", "consultant", "lead_consultant")
    if kind not in {"backup", "paper", "recipient_copy", "other"}:
        raise InvalidInputError("kind is one of: backup, paper, recipient_copy, other", field="kind")
    if holder_party_id is not None:
        party(ctx, case_id, holder_party_id)
    row = Copy(
        case_id=case_id,
        kind=kind,
        record_set_id=record_set_id,
        holder_party_id=holder_party_id,
        place=place,
        state="declared",
        retained_until=retained_until,
    )
    ctx.session.add(row)
    ctx.session.flush()
    identifier = new_id()
    sealed = ctx.get(Vault).seal_text(case_key(case_id), note, field="copy_notes.text", row=identifier)
    ctx.session.add(CopyNote(id=identifier, case_id=case_id, copy_id=row.id, text_sealed=sealed, by=ctx.person()))
    ctx.session.flush()
    ctx.get(AuditLog).append(
        ctx, "copy.declared", entity="copy", entity_id=row.id, case_id=case_id, details={"kind": kind, "place": place}
    )
    return row


def content_changed(ctx: Context, case_id: uuid.UUID) -> None:
    """Tells the later rooms that what would be in a package is no longer what it was."""
    jobs.put(ctx, "packages.mark_stale", case_id=case_id, entity_id=case_id)


def _decide(ctx: Context, field: Field, decision: FieldDecision, *, legal: bool) -> None:
    if decision.need is not None and decision.need not in NEEDS:
        raise InvalidInputError(f"need is one of: {', '.join(NEEDS)}", field="need")
    if decision.level is not None and decision.level not in LEVELS:
        raise InvalidInputError(f"level is one of: {', '.join(LEVELS)}", field="level")
    if decision.level is not None and decision.level < field.level:
        if not legal:
            raise ForbiddenError(f"field {field.position + 1}: only legal may lower a level, with a reason")
        if not (decision.reason or "").strip():
            raise InvalidInputError(f"field {field.position + 1}: lowering a level needs a reason", field="reason")
    field.level = decision.level or field.level
    field.need = decision.need or field.need
    field.decided_by = ctx.person()
    if decision.reason:
        field.reason_sealed = ctx.get(Vault).seal_text(
            case_key(field.case_id), decision.reason, field="fields.reason", row=field.id
        )


def _keep_facts(ctx: Context, row: RecordSet, facts: RecordFacts) -> None:
    row.facts_sealed = ctx.get(Vault).seal_json(
        case_key(row.case_id), msgspec.to_builtins(facts), field="record_sets.facts", row=row.id
    )


def _log(ctx: Context, event: str, row: RecordSet, **details: str | int) -> None:
    ctx.get(AuditLog).append(ctx, event, entity="record_set", entity_id=row.id, case_id=row.case_id, details=details)

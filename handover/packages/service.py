"""Writes about packages: drafting, and what becomes of them when the ground under them changes."""

import uuid
from collections.abc import Mapping
from typing import Any

from handover.audit import AuditLog
from handover.cases.queries import party, require_role, visible_case
from handover.context import Context
from handover.db import new_id
from handover.errors import ConflictError, InvalidInputError
from handover.packages.freshness import why_stale
from handover.packages.models import Package
from handover.packages.queries import ENDED, next_number, packages_of
from handover.recipients.queries import current_key, visible_recipient
from handover.redaction.queries import visible_redaction
from handover.storage import Storage
from handover.workflow import Fired, Workflow

PURPOSES = ("due_diligence", "closing", "return")
_PRE_RELEASE = ("built", "attested", "release_requested", "approved")
_OUT = ("released", "delivered")


def draft(
    ctx: Context, case_id: uuid.UUID, purpose: str, recipient_id: uuid.UUID, redaction_id: uuid.UUID | None
) -> Package:
    """Drafts a package for one recipient.

    Raises:
        InvalidInputError: the purpose, the recipient and the redaction do not fit each other or the structure.
        ConflictError: a package for this purpose and recipient is under way.
    """
    case = visible_case(ctx, case_id)
    require_role(ctx, case_id, "consultant", "lead_consultant")
    recipient = visible_recipient(ctx, recipient_id)
    if recipient.case_id != case_id:
        raise InvalidInputError("the recipient belongs to another case", field="recipient_id")
    _check_purpose(ctx, case, purpose, recipient.party_id)
    if purpose == "due_diligence":
        redaction = visible_redaction(ctx, redaction_id) if redaction_id else None
        if redaction is None or redaction.party_id != recipient.party_id:
            raise InvalidInputError(
                "a due-diligence package takes the redaction made for this bidder", field="redaction_id"
            )
    elif redaction_id is not None:
        raise InvalidInputError("only a due-diligence package is made from a redaction", field="redaction_id")
    for other in packages_of(ctx, case_id):
        if other.recipient_id == recipient_id and other.purpose == purpose and other.state not in ENDED:
            raise ConflictError(f"package {other.number} for this recipient and purpose is {other.state}")
    row = Package(
        id=new_id(),
        case_id=case_id,
        number=next_number(ctx, case_id),
        purpose=purpose,
        state=ctx.get(Workflow).initial(Package.MACHINE),
        recipient_id=recipient_id,
        party_id=recipient.party_id,
        redaction_id=redaction_id,
        created_by=ctx.person(),
        exclusions={},
        record_set_ids=[],
    )
    ctx.session.add(row)
    ctx.session.flush()
    _log(ctx, "package.drafted", row, number=row.number, purpose=purpose)
    return row


def on_build(ctx: Context, row: Package, _details: Mapping[str, Any]) -> None:
    """Effect of `build`: the key is fixed now, so that a key changed meanwhile is noticed."""
    key = current_key(ctx, row.recipient_id)
    if key is None:
        raise ConflictError("the recipient has no key")
    row.key_id = key.id


def approve_release(ctx: Context, row: Package, manifest_sha256: str) -> Fired:
    """The acting person approves the very manifest that was shown to them.

    Raises:
        ConflictError: the package was built again since.
    """
    if manifest_sha256 != row.manifest_sha256:
        raise ConflictError("the package was built again since it was shown to you; read it once more")
    return ctx.get(Workflow).fire(ctx, row, "approve")


def on_refuse(ctx: Context, row: Package, _details: Mapping[str, Any]) -> None:
    """Effect of `refuse`: another request for release begins without approvals."""
    ctx.get(Workflow).void_approvals(ctx, row)


def on_release(ctx: Context, row: Package, _details: Mapping[str, Any]) -> None:
    row.released_at = ctx.now()


def on_destroy(ctx: Context, row: Package, _details: Mapping[str, Any]) -> None:
    """Effect of `destroy`: the ciphertext goes once the transaction is durable."""
    if row.storage_key is not None:
        storage, key = ctx.get(Storage), row.storage_key  # type: ignore[type-abstract]
        ctx.after_commit.append(lambda: storage.delete(key))


def release_closing(ctx: Context, case_id: uuid.UUID) -> None:
    """Releases every approved closing package once the handover has begun; its own gates are computed again."""
    for row in packages_of(ctx, case_id):
        if row.purpose == "closing" and row.state == "approved":
            ctx.get(Workflow).fire(ctx, row, "release")


def mark_stale(ctx: Context, case_id: uuid.UUID) -> list[Package]:
    """Marks packages stale whose content would be another one today; released ones are revoked.

    Only what really changed counts: consent lost, a subject restricted, a record set reopened or a redaction withdrawn
    after the facts of the package were read.
    """
    changed = []
    for row in packages_of(ctx, case_id):
        if row.state not in (*_PRE_RELEASE, *_OUT):
            continue
        reason = why_stale(ctx, row)
        if reason is None:
            continue
        row.stale_reason = reason
        workflow = ctx.get(Workflow)
        if row.state in _PRE_RELEASE:
            workflow.void_approvals(ctx, row)
            workflow.fire(ctx, row, "mark_stale")
        elif row.state == "released":
            workflow.fire(ctx, row, "revoke", reason=f"content changed: {reason}")
        changed.append(row)
    return changed


def retire_for_recipient(ctx: Context, recipient_id: uuid.UUID) -> None:
    """A recipient's key was replaced or revoked: no package to the old key goes on."""
    recipient = visible_recipient(ctx, recipient_id)
    for row in packages_of(ctx, recipient.case_id):
        if row.recipient_id != recipient_id:
            continue
        workflow = ctx.get(Workflow)
        row.stale_reason = "recipient_key_changed"
        if row.state in _OUT:
            workflow.fire(ctx, row, "revoke", reason="the recipient's key was replaced or revoked")
        elif row.state in _PRE_RELEASE:
            workflow.void_approvals(ctx, row)
            workflow.fire(ctx, row, "mark_stale")


def _check_purpose(ctx: Context, case: Any, purpose: str, party_id: uuid.UUID) -> None:
    if purpose not in PURPOSES:
        raise InvalidInputError(f"the purpose is one of: {', '.join(PURPOSES)}", field="purpose")
    theirs = party(ctx, case.id, party_id)
    if purpose == "closing" and case.structure == "equity_transfer":
        raise InvalidInputError(
            "an equity transfer moves no records to a new controller: it ends in a custody handover", field="purpose"
        )
    if purpose == "closing" and not (theirs.side == "buyer" and theirs.standing in {"won", "active"}):
        raise InvalidInputError("a closing package goes to the buyer who won", field="recipient_id")
    if purpose == "return" and theirs.side not in {"seller", "target"}:
        raise InvalidInputError("a return package goes back to the seller", field="recipient_id")
    if purpose == "due_diligence" and theirs.standing in {"lost", "withdrawn"}:
        raise InvalidInputError("this bidder is out of the process", field="recipient_id")


def _log(ctx: Context, event: str, row: Package, **details: str | int) -> None:
    ctx.get(AuditLog).append(ctx, event, entity="package", entity_id=row.id, case_id=row.case_id, details=details)

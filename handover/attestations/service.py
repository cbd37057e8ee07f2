"""Issuing a document: gather, number, render, seal, check; then row, log entry and follow-up in one transaction."""

import uuid
from types import ModuleType
from typing import Any

import msgspec

from handover import jobs
from handover.attestations.facts import Facts
from handover.attestations.kinds import KINDS
from handover.attestations.models import IssuedDocument
from handover.attestations.queries import newest
from handover.audit import AuditLog
from handover.cases.models import Case
from handover.cases.queries import parties, party_name, party_view, visible_case
from handover.context import Context
from handover.destruction.models import DestructionOrder
from handover.destruction.queries import items_of
from handover.documents.document import Document, Issued
from handover.errors import InvalidInputError
from handover.packages.models import Package
from handover.settings import Settings
from handover.vault import SealedBlob, Vault
from handover.workflow import Workflow


def prepare(ctx: Context, kind: str, entity_id: uuid.UUID) -> tuple[Document, Facts] | None:
    """Everything that will be printed; None when this very document was issued before.

    Raises:
        InvalidInputError: there is no such kind.
    """
    module = _module(kind)
    row = ctx.session.get_one(module.MODEL, entity_id)
    before = newest(ctx, kind, entity_id)
    if before is not None and not _repeats(kind):
        return None
    case, gathered = visible_case(ctx, row.case_id), module.gather(ctx, row)
    issue = (before.issue + 1) if before else 1
    settings, number = ctx.get(Settings), _number(module, case, entity_id, issue)
    issuer, issuer_uscc = _issuer(ctx, case)
    document = Document(
        kind=kind,
        number=number,
        issue=issue,
        title=module.TITLE,
        case=case.reference,
        structure=case.structure,
        state=case.state,
        issuer=issuer,
        issuer_uscc=issuer_uscc,
        issued_at=ctx.now().replace(microsecond=0),
        facts=gathered.facts,
        covered=gathered.covered,
        gates=gathered.gates,
        legal=gathered.legal,
        signatories=gathered.signatories,
        not_proven=gathered.not_proven,
        verification_url=f"{settings.public_url}/verify/{number}",
        checkpoint=ctx.get(AuditLog).checkpoint(ctx),
        demo=settings.demo,
        supersedes=before.number if before else None,
        text=gathered.text,
    )
    return document, gathered


def store(
    ctx: Context, document: Document, gathered: Facts, issued: Issued, entity_id: uuid.UUID, case_id: uuid.UUID
) -> IssuedDocument:
    """Keeps an issued document under the evidence key, logs it and fires what waits for it."""
    row = IssuedDocument(
        case_id=case_id,
        kind=document.kind,
        entity_id=entity_id,
        issue=document.issue,
        party_id=gathered.party_id,
        number=document.number,
        title=msgspec.to_builtins(document.title),
        sha256=issued.sha256,
        twin_sha256=issued.twin_sha256,
        size=len(issued.pdf),
        blob=_keep(ctx, issued.pdf),
        twin_blob=_keep(ctx, issued.twin),
        level=issued.level,
        issued_at=document.issued_at,
        supersedes=document.supersedes,
    )
    ctx.session.add(row)
    ctx.session.flush()
    ctx.get(AuditLog).append(
        ctx,
        "document.issued",
        entity="document",
        entity_id=row.id,
        case_id=case_id,
        details={
            "kind": document.kind,
            "number": document.number,
            "sha256": issued.sha256,
            "twin_sha256": issued.twin_sha256,
        },
    )
    _follow_up(ctx, document.kind, entity_id)
    return row


def ask(ctx: Context, kind: str, entity_id: uuid.UUID, case_id: uuid.UUID) -> uuid.UUID:
    """Puts the job that issues a document."""
    return jobs.put(ctx, "attestations.issue", case_id=case_id, document=kind, entity_id=entity_id)


def _follow_up(ctx: Context, kind: str, entity_id: uuid.UUID) -> None:
    workflow = ctx.get(Workflow)
    if kind == "package_attestation":
        package = ctx.session.get_one(Package, entity_id)
        if package.state == "built":
            workflow.fire(ctx, package, "attest")
    if kind == "destruction_certificate":
        order = ctx.session.get_one(DestructionOrder, entity_id)
        if order.state == "verified":
            workflow.fire(ctx, order, "certify")
            residual = any(i.state == "residual" for i in items_of(ctx, order.id))
            workflow.fire(ctx, order, "close_with_residual" if residual else "close")


def _repeats(kind: str) -> bool:
    """Kinds about a row that goes through the same step again after it was reopened or rebuilt."""
    return kind in {"inventory_report", "redaction_report", "package_attestation", "key_verification"}


def _module(kind: str) -> ModuleType:
    module = KINDS.get(kind)
    if module is None:
        raise InvalidInputError(f"there is no document of the kind {kind!r}")
    return module


def _number(module: ModuleType, case: Case, entity_id: uuid.UUID, issue: int) -> str:
    """TYPE-case-object-issue; the object part is random, so two documents issued at once never meet."""
    return f"{module.PREFIX}-{case.reference}-{entity_id.hex[-6:].upper()}-{issue}"


def _issuer(ctx: Context, case: Case) -> tuple[str, str | None]:
    """Name and unified social credit code of the agency that runs the case."""
    agency = next((p for p in parties(ctx, case.id) if p.side == "agency"), None)
    if agency is None:
        return "handover", None
    return party_name(ctx, agency) or "handover", party_view(ctx, agency).uscc


def _keep(ctx: Context, data: bytes) -> dict[str, Any]:
    with ctx.get(Vault).writer("evidence") as sink:
        sink.write(data)
    blob: SealedBlob = sink.blob
    kept: dict[str, Any] = msgspec.to_builtins(blob)
    return kept

"""The build: gates again, content, manifest, encryption in one stream, a test decryption, and only then a package.

A killed build starts over with a new file key. The ciphertext appears in the store when it is whole; its name is
reserved in the job first, so that what a killed run left is removed by the next.
"""

import uuid

from handover import __version__
from handover.archive.head import Facts, SigningKeys
from handover.archive.manifest import Exclusion, PackageHead, WorkflowHead
from handover.archive.names import ROOT, UniquePaths, clean_path
from handover.archive.seal import Plan, Sealed
from handover.audit import AuditLog
from handover.cases.queries import visible_case
from handover.context import Context
from handover.db import new_id
from handover.errors import ConflictError, VerificationError
from handover.inventory.models import Copy, RecordSet
from handover.jobs import Job, JobRun
from handover.packages.content import Collected, collect, entries
from handover.packages.models import Package
from handover.recipients.models import RecipientKey
from handover.storage import Storage, new_blob_key
from handover.vault import Vault
from handover.vault.signers import Signers
from handover.workflow import Workflow

#: Gates that were passed at the click and are computed again here (time of check, time of use).
BUILD_GATES = ("basis_ok", "redaction_ok", "recipient_ok", "not_frozen")


def build(run: JobRun) -> None:
    """Builds one package; a second run after success changes nothing."""
    installation = run.installation
    storage = installation.get(Storage)  # type: ignore[type-abstract]
    if run.temporary is not None:
        storage.delete(run.temporary)
    with run.unit_of_work() as ctx:
        row = ctx.session.get_one(Package, run.entity_id)
        if row.state != "building":
            return
        ctx.get(Workflow).require(ctx, row, BUILD_GATES)
        key = ctx.session.get_one(RecipientKey, row.key_id)
        row.facts_at = ctx.now()
    storage_key = new_blob_key()
    run.reserve(storage_key)
    collected = collect(run, row, run.progress)
    try:
        sealed = _write(run, row, key, collected, storage_key)
        with storage.open(storage_key) as written:
            sealed.verify_written(written, run.progress)
        _check_stanzas(sealed, key)
    except BaseException:
        storage.delete(storage_key)
        raise
    finally:
        # Working copies exist for this build alone; their keys go whether it succeeded or not.
        _drop_working(run, collected)
    with run.finish() as ctx:
        _store(ctx, row.id, collected, sealed, storage_key)


def on_end(ctx: Context, job: Job, _code: str) -> None:
    """A build that ended without success leaves the package failed, to be tried again."""
    row = ctx.session.get_one(Package, uuid.UUID(job.arguments["entity_id"]))
    if row.state == "building":
        ctx.get(Workflow).fire(ctx, row, "fail")


def _write(run: JobRun, row: Package, key: RecipientKey, collected: Collected, storage_key: str) -> Sealed:
    vault, signers = run.installation.get(Vault), run.installation.get(Signers)
    taken = UniquePaths()
    for part in collected.parts:
        part.name = taken.add_numbered(clean_path(f"{ROOT}{part.name}"))
    with run.unit_of_work() as ctx:
        facts = _facts(ctx, row, collected)
    plan = Plan(
        list(entries(collected.parts, vault)),
        recipients=[key.recipient],
        facts=facts,
        keys=SigningKeys(signers.manifest_ed25519, signers.manifest_mldsa),
    )
    storage = run.installation.get(Storage)  # type: ignore[type-abstract]
    with storage.create(storage_key) as sink:
        return plan.write(sink, run.progress)


def _facts(ctx: Context, row: Package, collected: Collected) -> Facts:
    case = visible_case(ctx, row.case_id)
    pin = next(p for p in ctx.get(Workflow).pinned(ctx, row.case_id) if p.machine == "case")
    return Facts(
        package=PackageHead(
            number=row.number,
            purpose=row.purpose,
            case=case.reference,
            built_at=ctx.now().strftime("%Y-%m-%dT%H:%M:%SZ"),
            software=f"handover {__version__}",
        ),
        persons=collected.persons,
        exclusions=tuple(Exclusion(reason, count) for reason, count in sorted(collected.exclusions.items())),
        workflow=WorkflowHead(pin.machine, pin.workflow_version, pin.sha256),
        audit_checkpoint=ctx.get(AuditLog).checkpoint(ctx),
    )


def _check_stanzas(sealed: Sealed, key: RecipientKey) -> None:
    wanted = "mlkem768x25519" if key.kind == "post_quantum" else "X25519"
    if sealed.result.stanza_kinds != (wanted,):
        raise VerificationError(f"the package header does not hold exactly one {wanted} stanza; it was discarded")


def _store(ctx: Context, package_id: uuid.UUID, collected: Collected, sealed: Sealed, storage_key: str) -> None:
    row, result = ctx.session.get_one(Package, package_id), sealed.result
    if row.state != "building":
        raise ConflictError(f"the package became {row.state} while it was built")
    row.storage_key, row.built_at = storage_key, ctx.now()
    row.manifest_sha256, row.files_root = result.manifest_sha256, result.files_root
    row.header_sha256, row.ciphertext_sha256 = result.header_sha256, result.ciphertext_sha256
    row.size, row.stanza_kind, row.receipt_key = result.size, result.stanza_kinds[0], result.receipt_key
    row.file_count, row.content_size = result.files_count, result.files_size
    row.records, row.persons = result.records, result.persons
    row.exclusions = dict(sorted(collected.exclusions.items()))
    row.record_set_ids = [str(part.record_set_id) for part in collected.parts]
    level = max((part.level for part in collected.parts), default="L1")
    blob = {"key": storage_key, "header_sha256": result.header_sha256, "size": result.size, "plain_size": 0}
    ctx.session.add(Copy(id=new_id(), case_id=row.case_id, kind="package", package_id=row.id, level=level, blob=blob))
    ctx.session.flush()
    ctx.get(AuditLog).append(
        ctx,
        "package.sealed",
        entity="package",
        entity_id=row.id,
        case_id=row.case_id,
        details={
            "manifest_sha256": result.manifest_sha256,
            "ciphertext_sha256": result.ciphertext_sha256,
            "header_sha256": result.header_sha256,
            "files": result.files_count,
            "records": result.records,
            "size": result.size,
            "excluded": sum(row.exclusions.values()),
        },
    )
    workflow = ctx.get(Workflow)
    workflow.fire(ctx, row, "finish_build")
    if row.purpose == "closing":
        for part in collected.parts:
            record_set = ctx.session.get_one(RecordSet, part.record_set_id)
            if record_set.state in {"approved", "packaged"}:
                workflow.fire(ctx, record_set, "pack")


def _drop_working(run: JobRun, collected: Collected) -> None:
    if not collected.working_keys:
        return
    vault = run.installation.get(Vault)
    done = vault.destroy(list(collected.working_keys))
    for part in collected.parts:
        if part.key_id in collected.working_keys:
            vault.delete_blob(part.stored.blob.key)
    with run.unit_of_work() as ctx:
        for copy_id in collected.working_keys.values():
            copy = ctx.session.get_one(Copy, copy_id)
            copy.state, copy.ended_at = "destroyed", ctx.now()
        ctx.get(AuditLog).append(
            ctx,
            "copy.working_destroyed",
            entity="package",
            entity_id=run.entity_id,
            case_id=run.case_id,
            details={"keys": len(collected.working_keys), "generation": done.generation_after},
        )

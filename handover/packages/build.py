"""The build: gates again, content, manifest, encryption in one stream, a test decryption, and only then a package.

A build that is killed before its ciphertext is whole starts over with a new file key; its name is reserved in the job
first, so that what it left is removed by the next run. From then on the row holds all that the last commit needs, so a
killed run's successor goes on with placing the ciphertext where it belongs, without any key.
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
from handover.redaction.queries import items_of
from handover.storage import Storage, new_blob_key
from handover.vault import Vault
from handover.vault.signers import Signers
from handover.workflow import Workflow

#: Gates that were passed at the click and are computed again here (time of check, time of use).
BUILD_GATES = ("basis_ok", "redaction_ok", "recipient_ok", "not_frozen")


def build(run: JobRun) -> None:
    """Builds one package; a second run after success changes nothing."""
    storage = run.installation.get(Storage)  # type: ignore[type-abstract]
    with run.unit_of_work() as ctx:
        row = ctx.session.get_one(Package, run.entity_id)
        if row.state != "building":
            return
        ctx.get(Workflow).require(ctx, row, BUILD_GATES)
    storage_key = row.storage_key
    if storage_key is None or not storage.is_staged(storage_key):
        storage_key = _make(run, storage)
    storage.place(storage_key, run.progress)
    with run.finish() as ctx:
        _finish(ctx, run.entity_id)


def on_end(ctx: Context, job: Job, _code: str) -> None:
    """A build that ended without success leaves the package failed, to be tried again, and nothing of its file."""
    row = ctx.session.get_one(Package, uuid.UUID(job.arguments["entity_id"]))
    if row.state == "building":
        ctx.get(Workflow).fire(ctx, row, "fail")
    if row.built_at is None and (key := row.storage_key) is not None:
        storage, row.storage_key = ctx.get(Storage), None  # type: ignore[type-abstract]
        ctx.after_commit.append(lambda: storage.delete(key))


def _make(run: JobRun, storage: Storage) -> str:
    """Ciphertext that is whole, opened again and described in the row; returns its name."""
    if run.temporary is not None:
        storage.delete(run.temporary)
    with run.unit_of_work() as ctx:
        row = ctx.session.get_one(Package, run.entity_id)
        key = ctx.session.get_one(RecipientKey, row.key_id)
        row.storage_key, row.facts_at = None, ctx.now()
    storage_key = new_blob_key()
    run.reserve(storage_key)
    collected = collect(run, row, run.progress)
    try:
        try:
            sealed = _write(run, row, key, collected, storage_key)
            with storage.open_staged(storage_key) as written:
                sealed.verify_written(written, run.progress)
            _check_stanzas(sealed, key)
        finally:
            # Working copies exist for this build alone; their keys go whether it succeeded or not.
            _drop_working(run, collected)
        with run.step() as ctx:
            _describe(ctx, row.id, collected, sealed, storage_key)
    except BaseException:
        storage.delete(storage_key)
        raise
    return storage_key


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
    with storage.stage(storage_key) as sink:
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


def _describe(ctx: Context, package_id: uuid.UUID, collected: Collected, sealed: Sealed, storage_key: str) -> None:
    row, result = ctx.session.get_one(Package, package_id), sealed.result
    _require_building(row)
    row.storage_key = storage_key
    row.manifest_sha256, row.files_root = result.manifest_sha256, result.files_root
    row.header_sha256, row.ciphertext_sha256 = result.header_sha256, result.ciphertext_sha256
    row.size, row.stanza_kind, row.receipt_key = result.size, result.stanza_kinds[0], result.receipt_key
    row.file_count, row.content_size = result.files_count, result.files_size
    row.records, row.persons = result.records, result.persons
    row.exclusions = dict(sorted(collected.exclusions.items()))
    row.record_set_ids = [str(part.record_set_id) for part in collected.parts]


def _finish(ctx: Context, package_id: uuid.UUID) -> None:
    row = ctx.session.get_one(Package, package_id)
    _require_building(row)
    row.built_at = ctx.now()
    blob = {"key": row.storage_key, "header_sha256": row.header_sha256, "size": row.size, "plain_size": 0}
    level = _level(ctx, row)
    ctx.session.add(Copy(id=new_id(), case_id=row.case_id, kind="package", package_id=row.id, level=level, blob=blob))
    ctx.session.flush()
    ctx.get(AuditLog).append(
        ctx,
        "package.sealed",
        entity="package",
        entity_id=row.id,
        case_id=row.case_id,
        details={
            "manifest_sha256": row.manifest_sha256 or "",
            "ciphertext_sha256": row.ciphertext_sha256 or "",
            "header_sha256": row.header_sha256 or "",
            "files": row.file_count,
            "records": row.records,
            "size": row.size or 0,
            "excluded": sum(row.exclusions.values()),
        },
    )
    workflow = ctx.get(Workflow)
    workflow.fire(ctx, row, "finish_build")
    if row.purpose == "closing":
        for record_set in _record_sets(ctx, row):
            if record_set.state in {"approved", "packaged"}:
                workflow.fire(ctx, record_set, "pack")


def _require_building(row: Package) -> None:
    if row.state != "building":
        raise ConflictError(f"the package became {row.state} while it was built")


def _level(ctx: Context, row: Package) -> str:
    """The highest level of what is inside."""
    if row.purpose == "due_diligence":
        items = items_of(ctx, row.redaction_id)
        levels = [ctx.session.get_one(Copy, item.output_copy_id).level for item in items]
    else:
        levels = [record_set.level or "" for record_set in _record_sets(ctx, row)]
    return max(levels, default="L1")


def _record_sets(ctx: Context, row: Package) -> list[RecordSet]:
    return [ctx.session.get_one(RecordSet, uuid.UUID(each)) for each in row.record_set_ids]


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

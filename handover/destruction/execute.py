"""The execution: keys out of the ring and the master key renewed, objects deleted, then an attempt to read it all again.

Every step can be repeated: a killed worker's job finds what is gone already and goes on. What remains readable makes
the order partially executed, never executed.
"""

from collections.abc import Sequence
from typing import Any

from handover.audit import AuditLog
from handover.cases.queries import case_key
from handover.context import Context
from handover.db import Database
from handover.destruction.models import DestructionItem, DestructionOrder
from handover.destruction.queries import items_of
from handover.errors import HandoverError
from handover.inventory.models import Copy, RecordSet
from handover.inventory.queries import copies_of
from handover.jobs import JobRun
from handover.packages.models import Package
from handover.storage import Storage
from handover.vault import SealedBlob, Vault
from handover.workflow import Workflow

#: The vault blob's size and header are not needed to see whether it opens, but its reader checks them.
_PLACEHOLDER = {"header_sha256": "", "size": 0, "plain_size": 0}


def execute(run: JobRun) -> None:
    """Destroys everything on the order and records what trying to read showed."""
    vault = run.installation.get(Vault)
    storage = run.installation.get(Storage)  # type: ignore[type-abstract]
    with run.unit_of_work() as ctx:
        order = ctx.session.get_one(DestructionOrder, run.entity_id)
        if order.state != "executing":
            return
        items = [i for i in items_of(ctx, order.id) if i.state in {"pending", "failed"}]
        for item in items:
            item.started_at = item.started_at or ctx.now()
        blobs = {i.id: _blob_of(ctx, i) for i in items}
        keys = _keys(ctx, order, items)
    destruction = vault.destroy(keys) if keys else None
    for done, item in enumerate(items):
        run.progress(done, len(items))
        if item.blob_key is not None:
            storage.delete(item.blob_key)
    seen = {item.id: try_to_read(vault, storage, item, blobs[item.id]) for item in items}
    with run.finish() as ctx:
        order = ctx.session.get_one(DestructionOrder, run.entity_id)
        if destruction is not None:
            order.key_destruction = {
                "keys": len(destruction.key_ids),
                "generation_before": destruction.generation_before,
                "generation_after": destruction.generation_after,
                "master_sha256_before": destruction.master_sha256_before,
                "master_sha256_after": destruction.master_sha256_after,
                "at": destruction.at.isoformat(),
            }
        for item in items:
            _record(ctx, ctx.session.get_one(DestructionItem, item.id), seen[item.id])
        _finish(ctx, order)
    # Deleted rows and pages of the write-ahead log hold sealed values only; they go all the same.
    run.installation.get(Database).checkpoint()


def try_to_read(vault: Vault, storage: Storage, item: DestructionItem, blob: SealedBlob | None) -> dict[str, Any]:
    """Looks whether key and object are gone, and tries to decrypt with everything the installation still has."""
    result: dict[str, Any] = {
        "key_absent": item.key_id is None or not vault.has(item.key_id),
        "object_absent": item.blob_key is None or not storage.exists(item.blob_key),
        "decryption_refused": True,
    }
    if item.key_id is not None and blob is not None:
        try:
            with vault.reader(item.key_id, blob) as source:
                source.read(1)
            result["decryption_refused"] = False
        except HandoverError as error:
            result["refused_with"] = error.code
    return result


def is_gone(verification: dict[str, Any] | None) -> bool:
    """Key, object and every way to read are gone."""
    return verification is not None and all(
        verification.get(name) is True for name in ("key_absent", "object_absent", "decryption_refused")
    )


def _keys(ctx: Context, order: DestructionOrder, items: Sequence[DestructionItem]) -> list[str]:
    """The copies' keys; with the last copies go all others of the case's records, also those that no row names
    because whoever made them was killed. Keys that a killed run destroyed are named again, for its answer."""
    vault = ctx.get(Vault)
    keys = [i.key_id for i in items if i.key_id is not None]
    on_order = {i.copy_id for i in items}
    others = [c for c in copies_of(ctx, order.case_id, live=True) if c.id not in on_order and c.key_id is not None]
    if not others:
        keys += vault.keys_of_case(order.case_id) - {case_key(order.case_id)}
    return sorted({key for key in keys if vault.has(key) or vault.was_destroyed(key)})


def _blob_of(ctx: Context, item: DestructionItem) -> SealedBlob | None:
    copy = ctx.session.get_one(Copy, item.copy_id)
    if copy.blob is None or item.key_id is None:
        return None
    blob = {**_PLACEHOLDER, **copy.blob}
    return SealedBlob(
        key=blob["key"], header_sha256=blob["header_sha256"], size=blob["size"], plain_size=blob["plain_size"]
    )


def _record(ctx: Context, item: DestructionItem, seen: dict[str, Any]) -> None:
    item.verification, item.ended_at = seen, ctx.now()
    item.state = "done" if is_gone(seen) else "failed"
    ctx.get(AuditLog).append(
        ctx,
        "copy.destroyed" if item.state == "done" else "copy.destruction_failed",
        entity="copy",
        entity_id=item.copy_id,
        case_id=item.case_id,
        details={"method": item.method, "kind": item.copy_kind},
    )
    if item.state != "done":
        return
    copy = ctx.session.get_one(Copy, item.copy_id)
    copy.state, copy.ended_at = "destroyed", ctx.now()
    workflow = ctx.get(Workflow)
    if item.copy_kind == "package" and item.package_id is not None:
        package = ctx.session.get_one(Package, item.package_id)
        if package.state != "destroyed":
            workflow.fire(ctx, package, "destroy")
    if item.copy_kind == "source" and item.record_set_id is not None:
        record_set = ctx.session.get_one(RecordSet, item.record_set_id)
        if record_set.state == "destruction_pending":
            workflow.fire(ctx, record_set, "destroy")


def _finish(ctx: Context, order: DestructionOrder) -> None:
    ctx.session.flush()
    failed = any(i.state == "failed" for i in items_of(ctx, order.id))
    order.executed_at = order.executed_at or ctx.now()
    ctx.get(Workflow).fire(ctx, order, "finish_partly" if failed else "finish")

"""Resumable uploads: what is acknowledged is sealed and on disk, and a piece never passes through memory whole.

Bytes are sealed in segments as they arrive, because the state of an encryption stream cannot be saved; the offset
moves in the same transaction that lists the segment. Of two writers at one offset exactly one gets on.
"""

import datetime as dt
import uuid

import msgspec
from sqlalchemy import func, select

from handover.audit import AuditLog
from handover.cases.queries import case_key, require_role, visible_case
from handover.context import Context
from handover.db import new_id
from handover.errors import ConflictError, HandoverError, InvalidInputError, Kind
from handover.inventory.models import Copy, Upload
from handover.inventory.queries import inside
from handover.settings import Settings
from handover.vault import CopyBinding, SealedBlob, Vault

#: A sealed segment ends with the batch that makes it this large: what a server that dies loses of one upload.
SEGMENT_BYTES = 64 << 20
_MIB = 1 << 20
#: Longer names are cut by some file systems.
_NAME_MAX = 255


class UploadTooLargeError(HandoverError):
    """More bytes than the policy or the case's quota admit."""

    code = "upload_too_large"
    kind = Kind.TOO_LARGE


class UploadOffsetError(ConflictError):
    """The piece does not begin where the upload ends; ask for the offset and go on from there."""

    code = "upload_offset"


def begin(ctx: Context, case_id: uuid.UUID, filename: str, size: int) -> Upload:
    """Starts an upload of `size` bytes for a case.

    Raises:
        UploadTooLargeError: larger than one upload, or the case's quota, may be.
    """
    inside(ctx, case_id)
    require_role(ctx, case_id, "seller_admin", "custodian", "consultant", "lead_consultant")
    case = visible_case(ctx, case_id)
    if case.state != "inventory":
        raise ConflictError(f"records are uploaded while the case is in inventory, not in {case.state}")
    name = filename.replace("\\", "/").rsplit("/", 1)[-1].strip()
    if not name or len(name) > _NAME_MAX or "\x00" in name:
        raise InvalidInputError("the file name is empty, too long or not a name", field="filename")
    _check_quota(ctx, case_id, size)
    row = Upload(
        id=new_id(),
        case_id=case_id,
        created_by=ctx.person(),
        filename_sealed=b"",
        size=size,
        segments=[],
        expires_at=ctx.now() + dt.timedelta(hours=ctx.get(Settings).policy.upload_expiry_hours),
    )
    vault = ctx.get(Vault)
    row.filename_sealed = vault.seal_text(case_key(case_id), name, field="uploads.filename", row=row.id)
    vault.create_copy(upload_key(row.id), CopyBinding(case=case_id, copy=row.id, role="upload", level="L4"))
    ctx.session.add(row)
    ctx.session.add(Copy(case_id=case_id, kind="upload", level="L4", key_id=upload_key(row.id)))
    ctx.session.flush()
    ctx.get(AuditLog).append(
        ctx, "upload.started", entity="upload", entity_id=row.id, case_id=case_id, details={"size": size}
    )
    return row


def list_segment(ctx: Context, upload_id: uuid.UUID, offset: int, blob: SealedBlob) -> None:
    """Moves the offset over a sealed segment; one that comes too late is deleted.

    Raises:
        UploadOffsetError: another piece arrived first, or this one does not begin at the offset.
    """
    row = ctx.session.scalars(select(Upload).where(Upload.id == upload_id).with_for_update()).one()
    try:
        check_piece(row, offset, blob.plain_size)
    except HandoverError:
        ctx.get(Vault).delete_blob(blob.key)
        raise
    row.segments = [*row.segments, msgspec.to_builtins(blob)]
    row.offset = offset + blob.plain_size
    if row.offset == row.size:
        _complete(ctx, row)


def finish_short(ctx: Context, row: Upload) -> None:
    """Completes an upload whose size could only be announced as a limit: what arrived is all.

    Raises:
        InvalidInputError: nothing arrived.
    """
    if row.offset == 0:
        raise InvalidInputError("the file is empty", field="file")
    if row.state == "open":
        row.size = row.offset
        _complete(ctx, row)


def remove(ctx: Context, row: Upload) -> None:
    """Ends an upload that nobody needs; its sealed segments go at once, its key with the next destruction."""
    if row.state not in {"open", "complete"}:
        raise ConflictError(f"this upload is {row.state} and cannot be removed")
    drop_segments(ctx, row)
    row.state = "removed"
    ctx.session.flush()
    ctx.get(AuditLog).append(ctx, "upload.removed", entity="upload", entity_id=row.id, case_id=row.case_id)


def drop_segments(ctx: Context, row: Upload) -> None:
    """Deletes the segments once the transaction that no longer lists them is durable."""
    vault = ctx.get(Vault)
    keys = [msgspec.convert(segment, SealedBlob).key for segment in row.segments]
    row.segments = []

    def delete_all() -> None:
        for key in keys:
            vault.delete_blob(key)

    ctx.after_commit.append(delete_all)


def expire(ctx: Context) -> int:
    """Removes uploads that nobody went on with; called by the sweeper. Returns how many."""
    found = list(ctx.session.scalars(select(Upload).where(Upload.state == "open", Upload.expires_at < ctx.now())))
    for row in found:
        remove(ctx, row)
    return len(found)


def upload_key(upload_id: uuid.UUID) -> str:
    return f"copy:{upload_id}"


def _complete(ctx: Context, row: Upload) -> None:
    row.state = "complete"
    ctx.get(AuditLog).append(
        ctx, "upload.completed", entity="upload", entity_id=row.id, case_id=row.case_id, details={"size": row.size}
    )


def check_piece(row: Upload, offset: int, length: int) -> None:
    """Whether a piece may follow.

    Raises:
        UploadOffsetError: it does not begin where the upload ends. UploadTooLargeError: it reaches beyond its end.
    """
    if row.state != "open":
        raise UploadOffsetError(f"the upload is {row.state}", offset=row.offset)
    if offset != row.offset:
        raise UploadOffsetError(f"the upload is at {row.offset}, the piece begins at {offset}", offset=row.offset)
    if offset + length > row.size:
        raise UploadTooLargeError(f"the upload was announced with {row.size} bytes; this piece reaches beyond")


def _check_quota(ctx: Context, case_id: uuid.UUID, size: int) -> None:
    policy = ctx.get(Settings).policy
    if size > policy.upload_max_mib * _MIB:
        raise UploadTooLargeError(
            f"one upload may have {policy.upload_max_mib} MiB; split the file or ask the operator"
        )
    used = select(func.coalesce(func.sum(Upload.size), 0)).where(Upload.case_id == case_id, Upload.state != "removed")
    if int(ctx.session.scalar(used) or 0) + size > policy.case_quota_mib * _MIB:
        raise UploadTooLargeError(f"the case may hold {policy.case_quota_mib} MiB; remove uploads or ask the operator")

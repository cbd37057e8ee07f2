"""Limited downloads: bytes are reserved before they are sent and given back if they were not.

The budget is (n + 1) × size − 1 bytes for n downloads, so however many requests run side by side and however they
are cut into ranges, never more than n whole copies leave, while an interrupted download can go on.
"""

import uuid
from typing import BinaryIO

import msgspec
from sqlalchemy import select

from handover.accounts.service import require_recent_second_factor
from handover.audit import AuditLog
from handover.cases.queries import visible_case
from handover.context import Context, Installation
from handover.db import new_id
from handover.delivery.models import Delivery, Download
from handover.delivery.queries import is_recipient, visible_delivery
from handover.errors import ConflictError, ForbiddenError, HandoverError, Kind
from handover.packages.models import Package
from handover.packages.queries import open_ciphertext
from handover.workflow import Workflow

_OPEN = ("link_issued", "downloading", "downloaded")


class DownloadLimitError(HandoverError):
    """All downloads that were allowed are used up; a consultant can issue more."""

    code = "download_limit"
    kind = Kind.FORBIDDEN


class DownloadEndedError(HandoverError):
    """The delivery is expired, revoked, suspended or over."""

    code = "download_ended"
    kind = Kind.GONE


class Offer(msgspec.Struct, frozen=True, kw_only=True):
    """What a request may be answered with: the whole file's facts."""

    number: str
    size: int
    sha256: str


def budget(size: int, downloads: int) -> int:
    """Bytes that allow `downloads` whole copies and never one more."""
    return (downloads + 1) * size - 1


def offer(ctx: Context, delivery_id: uuid.UUID) -> Offer:
    """Checks that the actor may download now; reserves nothing.

    Raises:
        ForbiddenError: another person than the recipient, or no recent second factor.
        DownloadEndedError: the delivery is not open.
    """
    row = visible_delivery(ctx, delivery_id)
    if not is_recipient(ctx, row):
        raise ForbiddenError("only the recipient whose key was verified can download this package")
    require_recent_second_factor(ctx)
    case = visible_case(ctx, row.case_id)
    if case.state in {"on_hold", "frozen"}:
        raise DownloadEndedError(f"the case is {case.state}; downloads wait until it goes on")
    if row.state not in _OPEN or row.expires_at is None or row.expires_at <= ctx.now():
        raise DownloadEndedError(f"this delivery is not open for download any more ({row.state})")
    package = ctx.session.get_one(Package, row.package_id)
    if package.size is None or package.ciphertext_sha256 is None:
        raise ConflictError("the package is not built")
    return Offer(number=package.number, size=package.size, sha256=package.ciphertext_sha256)


def reserve(ctx: Context, delivery_id: uuid.UUID, start: int, length: int) -> tuple[uuid.UUID, BinaryIO]:
    """Takes `length` bytes out of the budget; returns the download's id and the open file.

    Raises:
        DownloadLimitError: not so many bytes are left.
    """
    offer(ctx, delivery_id)
    row = ctx.session.scalars(select(Delivery).where(Delivery.id == delivery_id).with_for_update()).one()
    if row.bytes_reserved + length > row.byte_budget:
        raise DownloadLimitError("the allowed downloads are used up; ask the consultant to issue more")
    row.bytes_reserved += length
    download = Download(
        id=new_id(),
        case_id=row.case_id,
        delivery_id=row.id,
        person_id=ctx.person(),
        start=start,
        length=length,
    )
    ctx.session.add(download)
    ctx.session.flush()
    if row.state == "link_issued":
        with ctx.as_system():
            ctx.get(Workflow).fire(ctx, row, "start_download")
    return download.id, open_ciphertext(ctx, ctx.session.get_one(Package, row.package_id))


def settle(installation: Installation, actor_context: Context, download_id: uuid.UUID, sent: int) -> None:
    """Ends a download: unsent bytes go back, and one audit entry says how many were sent."""
    with installation.unit_of_work(actor_context.actor, request_id=actor_context.request_id) as ctx:
        settle_within(ctx, download_id, sent)


def settle_within(ctx: Context, download_id: uuid.UUID, sent: int) -> None:
    download = ctx.session.get_one(Download, download_id)
    if download.sent is not None:
        return
    query = select(Delivery).where(Delivery.id == download.delivery_id).with_for_update()
    row = ctx.session.scalars(query).one()
    row.bytes_reserved -= download.length - sent
    download.sent, download.ended_at = sent, ctx.now()
    ctx.session.flush()
    ctx.get(AuditLog).append(
        ctx,
        "delivery.bytes_sent",
        entity="delivery",
        entity_id=row.id,
        case_id=row.case_id,
        details={"start": download.start, "length": download.length, "sent": sent},
    )
    package = ctx.session.get_one(Package, row.package_id)
    reached_end = download.start + sent == package.size
    if reached_end and row.state == "downloading":
        row.entered_at = row.entered_at or ctx.now()
        with ctx.as_system():
            ctx.get(Workflow).fire(ctx, row, "finish_download")


def settle_abandoned(ctx: Context) -> int:
    """Ends downloads that a killed server left open: their bytes count as sent. Returns how many."""
    found = list(ctx.session.scalars(select(Download).where(Download.sent.is_(None))))
    for download in found:
        settle_within(ctx, download.id, download.length)
    return len(found)

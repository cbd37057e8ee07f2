"""Reads of deliveries."""

import datetime as dt
import uuid
from typing import Any

import msgspec
from sqlalchemy import func, select

from handover.cases.queries import case_key, members_of, roles_of, visible_case
from handover.context import Context
from handover.delivery.models import CustodyItem, Delivery, Download, Receipt
from handover.errors import NotFoundError
from handover.packages.models import Package
from handover.recipients.models import Recipient
from handover.settings import Settings
from handover.vault import Vault

_BUYER_ROLES = frozenset({"buyer_admin", "buyer_signatory", "recipient"})


class CustodyItemView(msgspec.Struct, frozen=True, kw_only=True):
    """One row of a custody handover."""

    id: str
    version: int
    kind: str
    what: str | None
    note: str | None
    handed_by: str
    received_by: str
    witness: str
    at: dt.datetime
    confirmed_by: list[str]


class ReceiptView(msgspec.Struct, frozen=True, kw_only=True):
    """A verified receipt; the statement is what the key inside the package signed."""

    id: str
    delivery_id: str
    package_id: str
    person_id: str
    sha256: str
    statement: dict[str, Any]
    at: dt.datetime


class DeliveryView(msgspec.Struct, frozen=True, kw_only=True):
    """A delivery; `downloads_left` counts whole downloads."""

    id: str
    version: int
    case_id: str
    kind: str
    state: str
    package_id: str | None
    recipient_id: str | None
    party_id: str | None
    expires_at: dt.datetime | None
    bytes_left: int
    opened_manifest_sha256: str | None
    entered_at: dt.datetime | None
    identified_at: dt.datetime | None
    accepted_at: dt.datetime | None
    receipt: ReceiptView | None
    items: list[CustodyItemView]


class Downloads(msgspec.Struct, frozen=True, kw_only=True):
    """How many whole copies may still leave, how many bytes left, and in how many requests."""

    left: int
    allowed: int
    requests: int
    bytes_sent: int


class Received(msgspec.Struct, frozen=True, kw_only=True):
    """What a receipt says, beside what was agreed."""

    files: int
    records: int
    persons: int
    size: int
    defects: int
    verified_at: str
    as_agreed: bool


def visible_delivery(ctx: Context, delivery_id: uuid.UUID) -> Delivery:
    """A delivery of a case that the actor works on; a bidder's people see their own party's only.

    Raises:
        NotFoundError: missing or not the actor's to see.
    """
    row = ctx.session.get(Delivery, delivery_id)
    if row is None:
        raise NotFoundError("there is no such delivery")
    visible_case(ctx, row.case_id)
    if not _may_see(ctx, row):
        raise NotFoundError("there is no such delivery")
    return row


def deliveries_of(ctx: Context, case_id: uuid.UUID) -> list[Delivery]:
    """All deliveries of a case that the actor may see, oldest first."""
    rows = ctx.session.scalars(select(Delivery).where(Delivery.case_id == case_id).order_by(Delivery.id))
    return [row for row in rows if _may_see(ctx, row)]


def downloads_of(ctx: Context, row: Delivery) -> Downloads:
    """The account of a delivery's downloads."""
    package = ctx.session.get(Package, row.package_id) if row.package_id else None
    size = (package.size if package else None) or 1
    mine = Download.delivery_id == row.id
    return Downloads(
        left=max(0, row.byte_budget - row.bytes_reserved) // size,
        allowed=ctx.get(Settings).policy.download_limit,
        requests=ctx.session.scalar(select(func.count()).select_from(Download).where(mine)) or 0,
        bytes_sent=ctx.session.scalar(select(func.sum(Download.sent)).where(mine)) or 0,
    )


def received(ctx: Context, receipt: Receipt) -> Received:
    """The counts of a verified receipt, compared with those of the package that was released."""
    package, counts = ctx.session.get_one(Package, receipt.package_id), receipt.statement["counts"]
    agreed = {
        "files": package.file_count,
        "size": package.content_size,
        "records": package.records,
        "persons": package.persons,
    }
    defects = int(receipt.statement["defects"])
    return Received(
        files=counts["files"],
        records=counts["records"],
        persons=counts["persons"],
        size=counts["size"],
        defects=defects,
        verified_at=receipt.statement["verified_at"],
        as_agreed=counts == agreed and receipt.statement["manifest_sha256"] == package.manifest_sha256 and not defects,
    )


def people_in(ctx: Context, case_id: uuid.UUID) -> dict[str, list[str]]:
    """The people of a case with their roles, by id, for whoever names them in a custody row."""
    found: dict[str, list[str]] = {}
    for member in members_of(ctx, case_id):
        found.setdefault(str(member.person_id), []).append(member.role)
    return found


def is_recipient(ctx: Context, row: Delivery) -> bool:
    """The actor is the very person the package was made for."""
    if row.recipient_id is None:
        return False
    return ctx.session.get_one(Recipient, row.recipient_id).person_id == ctx.actor.person_id


def receipt_of(ctx: Context, delivery_id: uuid.UUID) -> Receipt | None:
    return ctx.session.scalars(select(Receipt).where(Receipt.delivery_id == delivery_id)).one_or_none()


def items_of(ctx: Context, delivery_id: uuid.UUID) -> list[CustodyItem]:
    query = select(CustodyItem).where(CustodyItem.delivery_id == delivery_id).order_by(CustodyItem.id)
    return list(ctx.session.scalars(query))


def receipt_view(row: Receipt) -> ReceiptView:
    return ReceiptView(
        id=str(row.id),
        delivery_id=str(row.delivery_id),
        package_id=str(row.package_id),
        person_id=str(row.person_id),
        sha256=row.sha256,
        statement=row.statement,
        at=row.created_at,
    )


def custody_view(ctx: Context, row: CustodyItem) -> CustodyItemView:
    return CustodyItemView(
        id=str(row.id),
        version=row.version,
        kind=row.kind,
        what=_open(ctx, row, row.what_sealed, "what"),
        note=_open(ctx, row, row.note_sealed, "note"),
        handed_by=str(row.handed_by),
        received_by=str(row.received_by),
        witness=str(row.witness),
        at=row.at,
        confirmed_by=sorted(row.confirmations),
    )


def delivery_view(ctx: Context, row: Delivery) -> DeliveryView:
    receipt = receipt_of(ctx, row.id)
    return DeliveryView(
        id=str(row.id),
        version=row.version,
        case_id=str(row.case_id),
        kind=row.kind,
        state=row.state,
        package_id=str(row.package_id) if row.package_id else None,
        recipient_id=str(row.recipient_id) if row.recipient_id else None,
        party_id=str(row.party_id) if row.party_id else None,
        expires_at=row.expires_at,
        bytes_left=max(0, row.byte_budget - row.bytes_reserved),
        opened_manifest_sha256=row.opened_manifest_sha256,
        entered_at=row.entered_at,
        identified_at=row.identified_at,
        accepted_at=row.accepted_at,
        receipt=receipt_view(receipt) if receipt else None,
        items=[custody_view(ctx, item) for item in items_of(ctx, row.id)],
    )


def _open(ctx: Context, row: CustodyItem, sealed: bytes | None, name: str) -> str | None:
    vault, key = ctx.get(Vault), case_key(row.case_id)
    if sealed is None or not vault.has(key):
        return None
    return vault.open_text(key, sealed, field=f"custody_items.{name}", row=row.id)


def _may_see(ctx: Context, row: Delivery) -> bool:
    held = roles_of(ctx, row.case_id)
    if ctx.actor.is_system or any(r.role not in _BUYER_ROLES for r in held):
        return True
    return row.party_id is not None and any(r.party_id == row.party_id for r in held)

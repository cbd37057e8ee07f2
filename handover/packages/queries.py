"""Reads of packages."""

import datetime as dt
import uuid
from typing import BinaryIO

import msgspec
from sqlalchemy import func, select

from handover.cases.queries import roles_of, visible_case
from handover.context import Context
from handover.errors import NotFoundError
from handover.packages.models import Package
from handover.storage import Storage

_BUYER_ROLES = frozenset({"buyer_admin", "buyer_signatory", "recipient"})
#: States in which a package is over and another may take its place.
ENDED = ("failed", "stale", "superseded", "revoked", "expired", "rejected", "destroyed")


class PackageView(msgspec.Struct, frozen=True, kw_only=True):
    """A package; digests are hex, sizes in bytes."""

    id: str
    version: int
    case_id: str
    number: str
    purpose: str
    state: str
    recipient_id: str
    party_id: str
    redaction_id: str | None
    manifest_sha256: str | None
    files_root: str | None
    header_sha256: str | None
    ciphertext_sha256: str | None
    size: int | None
    stanza_kind: str | None
    receipt_key: str | None
    file_count: int
    content_size: int
    records: int
    persons: int
    exclusions: dict[str, int]
    stale_reason: str | None
    built_at: dt.datetime | None
    released_at: dt.datetime | None


def visible_package(ctx: Context, package_id: uuid.UUID) -> Package:
    """A package of a case that the actor works on; a bidder's people see their own party's only.

    Raises:
        NotFoundError: missing or not the actor's to see.
    """
    row = ctx.session.get(Package, package_id)
    if row is None:
        raise NotFoundError("there is no such package")
    visible_case(ctx, row.case_id)
    if not _may_see(ctx, row):
        raise NotFoundError("there is no such package")
    return row


def packages_of(ctx: Context, case_id: uuid.UUID) -> list[Package]:
    """All packages of a case that the actor may see, oldest first."""
    rows = ctx.session.scalars(select(Package).where(Package.case_id == case_id).order_by(Package.id))
    return [row for row in rows if _may_see(ctx, row)]


def closing_packages(ctx: Context, case_id: uuid.UUID) -> list[Package]:
    """Closing packages that are not over."""
    query = select(Package).where(Package.case_id == case_id, Package.purpose == "closing", Package.state.not_in(ENDED))
    return list(ctx.session.scalars(query.order_by(Package.id)))


def next_number(ctx: Context, case_id: uuid.UUID) -> str:
    count = ctx.session.scalar(select(func.count()).select_from(Package).where(Package.case_id == case_id)) or 0
    return f"{visible_case(ctx, case_id).reference}-P{count + 1:02d}"


def open_ciphertext(ctx: Context, row: Package) -> BinaryIO:
    """The package file, seekable.

    Raises:
        NotFoundError: it is not built, or gone.
    """
    if row.storage_key is None or row.state == "destroyed":
        raise NotFoundError("this package has no file")
    return ctx.get(Storage).open(row.storage_key)  # type: ignore[type-abstract]


def package_view(row: Package) -> PackageView:
    return PackageView(
        id=str(row.id),
        version=row.version,
        case_id=str(row.case_id),
        number=row.number,
        purpose=row.purpose,
        state=row.state,
        recipient_id=str(row.recipient_id),
        party_id=str(row.party_id),
        redaction_id=str(row.redaction_id) if row.redaction_id else None,
        manifest_sha256=row.manifest_sha256,
        files_root=row.files_root,
        header_sha256=row.header_sha256,
        ciphertext_sha256=row.ciphertext_sha256,
        size=row.size,
        stanza_kind=row.stanza_kind,
        receipt_key=row.receipt_key,
        file_count=row.file_count,
        content_size=row.content_size,
        records=row.records,
        persons=row.persons,
        exclusions=row.exclusions,
        stale_reason=row.stale_reason,
        built_at=row.built_at,
        released_at=row.released_at,
    )


def _may_see(ctx: Context, row: Package) -> bool:
    held = roles_of(ctx, row.case_id)
    if ctx.actor.is_system or any(r.role not in _BUYER_ROLES for r in held):
        return True
    return any(r.party_id == row.party_id for r in held)

"""Reads of packages."""

import datetime as dt
import uuid
from typing import BinaryIO

import msgspec
from sqlalchemy import func, select

from handover.accounts.queries import person_name
from handover.cases.queries import party, party_name, roles_of, visible_case
from handover.context import Context
from handover.errors import NotFoundError
from handover.inventory.models import Copy
from handover.inventory.queries import record_sets_of
from handover.jobs import JobView, newest_for
from handover.packages.models import Package
from handover.recipients.models import Recipient, RecipientKey
from handover.recipients.queries import current_key, recipients_of
from handover.redaction.queries import items_of as redacted_items
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


class Addressee(msgspec.Struct, frozen=True, kw_only=True):
    """Who will be able to open a package, and with which key."""

    name: str
    party: str | None
    place: str
    key_sha256: str | None
    key_kind: str | None
    key_state: str | None


class ContentView(msgspec.Struct, frozen=True, kw_only=True):
    """One record set of a package, by its number: names of files are for those who may open it."""

    number: str
    kind: str
    level: str | None
    format: str | None
    size: int
    records: int


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


def package_by_number(ctx: Context, case_id: uuid.UUID, number: str) -> Package:
    """A package of a case by the number that people call it by.

    Raises:
        NotFoundError: missing or not the actor's to see.
    """
    row = ctx.session.scalars(select(Package).where(Package.case_id == case_id, Package.number == number)).one_or_none()
    if row is None:
        raise NotFoundError("there is no such package")
    return visible_package(ctx, row.id)


def open_builds(ctx: Context, case_id: uuid.UUID) -> dict[str, JobView]:
    """The running or waiting build of each package that is being built."""
    building = [row for row in packages_of(ctx, case_id) if row.state == "building"]
    found = {str(row.id): newest_for(ctx, "packages.build", case_id, entity_id=row.id) for row in building}
    return {identifier: job for identifier, job in found.items() if job is not None}


def addressee(ctx: Context, row: Package) -> Addressee:
    """The recipient, with the key that the build fixed, or the current one before it."""
    recipient = ctx.session.get_one(Recipient, row.recipient_id)
    key = ctx.session.get(RecipientKey, row.key_id) if row.key_id else current_key(ctx, recipient.id)
    return Addressee(
        name=person_name(ctx, recipient.person_id),
        party=party_label(ctx, row.case_id, recipient.party_id),
        place=recipient.place,
        key_sha256=key.sha256 if key else None,
        key_kind=key.kind if key else None,
        key_state=key.state if key else None,
    )


def party_label(ctx: Context, case_id: uuid.UUID, party_id: uuid.UUID) -> str:
    """A party's name, or a dash once the case's names are destroyed."""
    return party_name(ctx, party(ctx, case_id, party_id)) or "—"


def recipient_choices(ctx: Context, case_id: uuid.UUID) -> list[tuple[str, str, str, str]]:
    """Recipients for whom a package can be drafted: id, name, party, state."""
    return [
        (str(r.id), person_name(ctx, r.person_id), party_label(ctx, case_id, r.party_id), r.state)
        for r in recipients_of(ctx, case_id)
        if r.state != "revoked"
    ]


def contents(ctx: Context, row: Package) -> list[ContentView]:
    """The record sets that a package was built from; what a redaction left of them where it is made from one.

    A closing package holds fewer records than its sets where people were left out: the package's own counts say how many.
    """
    left = {item.record_set_id: item for item in redacted_items(ctx, row.redaction_id)} if row.redaction_id else {}
    wanted = {uuid.UUID(identifier) for identifier in row.record_set_ids} or set(left)
    found = []
    for record_set in record_sets_of(ctx, row.case_id):
        if record_set.id not in wanted:
            continue
        item = left.get(record_set.id)
        output = ctx.session.get(Copy, item.output_copy_id) if item else None
        found.append(
            ContentView(
                number=record_set.number,
                kind=record_set.kind,
                level=output.level if output else record_set.level,
                format=record_set.format,
                size=int((output.blob or {}).get("plain_size", 0)) if output else record_set.size,
                records=item.records_out if item else record_set.records,
            )
        )
    return found


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

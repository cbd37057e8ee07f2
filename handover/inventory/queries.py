"""Reads of record sets, fields, uploads and the copy register."""

import datetime as dt
import uuid
from collections.abc import Callable, Iterator, Sequence
from typing import Any

import msgspec
from sqlalchemy import select

from handover.cases.queries import case_key, require_role, roles_of, visible_case
from handover.context import Context
from handover.detection import ScanReport
from handover.errors import NotFoundError
from handover.inventory.content import Content, plain_chunks, raw_chunks
from handover.inventory.models import Copy, Field, RecordSet, Upload
from handover.vault import SealedBlob, Vault

#: States in which a set is out of the transfer for good or for now.
OUT = ("excluded", "refused", "destruction_pending", "destroyed", "retained_restricted")
#: Who may see record sets at all; bidders see redacted material only, through their packages.
_INSIDE = frozenset(
    {
        "consultant",
        "lead_consultant",
        "legal",
        "dpo",
        "custodian",
        "security_officer",
        "seller_admin",
        "seller_signatory",
        "auditor",
        "destruction_executor",
        "witness",
    }
)


class RecordFacts(msgspec.Struct, frozen=True, kw_only=True):
    """What people said of a record set; sealed as a whole."""

    title: str
    filename: str
    source_statement: str
    period: str
    system: str
    subject_field: str | None


class FieldView(msgspec.Struct, frozen=True, kw_only=True):
    """One field; `kinds` counts what was found in it by kind of personal data."""

    id: str
    version: int
    position: int
    name: str
    kinds: dict[str, int]
    proposed_level: str
    level: str
    need: str | None
    reason: str | None


class RecordSetView(msgspec.Struct, frozen=True, kw_only=True):
    """A record set as the case's team sees it."""

    id: str
    version: int
    case_id: str
    number: str
    kind: str
    state: str
    title: str | None
    filename: str | None
    source_statement: str | None
    period: str | None
    system: str | None
    subject_field: str | None
    format: str | None
    encoding: str | None
    size: int
    records: int
    persons: int
    persons_method: str
    minors: int
    level: str | None
    blocked: dict[str, str] | None
    fields: list[FieldView]


class CopyView(msgspec.Struct, frozen=True, kw_only=True):
    """One line of the copy register."""

    id: str
    version: int
    case_id: str
    kind: str
    record_set_id: str | None
    package_id: str | None
    holder_party_id: str | None
    place: str
    level: str
    state: str
    size: int | None
    retained_until: dt.date | None
    made_at: dt.datetime
    ended_at: dt.datetime | None


class UploadView(msgspec.Struct, frozen=True, kw_only=True):
    """How far an upload is."""

    id: str
    version: int
    case_id: str
    filename: str | None
    size: int
    offset: int
    state: str
    expires_at: dt.datetime


def visible_upload(ctx: Context, upload_id: uuid.UUID) -> Upload:
    row = ctx.session.get(Upload, upload_id)
    if row is None:
        raise NotFoundError("there is no such upload")
    visible_case(ctx, row.case_id)
    if row.created_by != ctx.actor.person_id and not ctx.actor.is_system:
        raise NotFoundError("there is no such upload")
    return row


def visible_record_set(ctx: Context, record_set_id: uuid.UUID) -> RecordSet:
    """A record set of a case that the actor works on; bidders never see one."""
    row = ctx.session.get(RecordSet, record_set_id)
    if row is None:
        raise NotFoundError("there is no such record set")
    inside(ctx, row.case_id)
    return row


def inside(ctx: Context, case_id: uuid.UUID) -> None:
    """The actor belongs to the agency's team or the seller's side of the case.

    Raises:
        NotFoundError: a bidder or a stranger asks.
    """
    visible_case(ctx, case_id)
    if ctx.actor.is_system or any(r.role in _INSIDE for r in roles_of(ctx, case_id)):
        return
    raise NotFoundError("there is no such record set")


def record_sets_of(ctx: Context, case_id: uuid.UUID) -> list[RecordSet]:
    return list(ctx.session.scalars(select(RecordSet).where(RecordSet.case_id == case_id).order_by(RecordSet.id)))


def transferable_record_sets(ctx: Context, case_id: uuid.UUID) -> list[RecordSet]:
    """Those that may still move: neither refused nor excluded nor gone."""
    return [row for row in record_sets_of(ctx, case_id) if row.state not in OUT]


def fields_of(ctx: Context, record_set_id: uuid.UUID) -> list[Field]:
    query = select(Field).where(Field.record_set_id == record_set_id).order_by(Field.position)
    return list(ctx.session.scalars(query))


def field_name(ctx: Context, field: Field) -> str:
    return ctx.get(Vault).open_text(case_key(field.case_id), field.name_sealed, field="fields.name", row=field.id)


def facts_of(ctx: Context, row: RecordSet) -> RecordFacts | None:
    """None once the case's metadata key is destroyed."""
    vault, key = ctx.get(Vault), case_key(row.case_id)
    if not vault.has(key):
        return None
    return msgspec.convert(vault.open_json(key, row.facts_sealed, field="record_sets.facts", row=row.id), RecordFacts)


def report_of(ctx: Context, row: RecordSet) -> ScanReport | None:
    """What the inspection found; None before it, or once the case's names are destroyed."""
    vault, key = ctx.get(Vault), case_key(row.case_id)
    if row.report_sealed is None or not vault.has(key):
        return None
    text = vault.open_text(key, row.report_sealed, field="record_sets.report", row=row.id)
    return msgspec.json.decode(text, type=ScanReport)


def copies_of(ctx: Context, case_id: uuid.UUID, *, kinds: Sequence[str] = (), live: bool = False) -> list[Copy]:
    """The register, oldest first."""
    query = select(Copy).where(Copy.case_id == case_id).order_by(Copy.id)
    if kinds:
        query = query.where(Copy.kind.in_(kinds))
    if live:
        query = query.where(Copy.state.in_(("live", "retained")))
    return list(ctx.session.scalars(query))


def source_copy(ctx: Context, record_set_id: uuid.UUID) -> Copy:
    """The live source copy of a record set.

    Raises:
        NotFoundError: it is not ingested yet, or destroyed.
    """
    query = select(Copy).where(Copy.record_set_id == record_set_id, Copy.kind == "source", Copy.state != "destroyed")
    row = next((c for c in ctx.session.scalars(query.order_by(Copy.id.desc())) if c.blob is not None), None)
    if row is None:
        raise NotFoundError("this record set has no stored source")
    return row


def copy_content(ctx: Context, copy: Copy) -> Content:
    """What is known of the copy's bytes."""
    if copy.content_sealed is None:
        raise NotFoundError("this copy holds no bytes here")
    sealed = ctx.get(Vault).open_json(case_key(copy.case_id), copy.content_sealed, field="copies.content", row=copy.id)
    return msgspec.convert(sealed, Content)


def copy_source(ctx: Context, copy: Copy) -> Callable[[], Iterator[bytes]]:
    """Opens the copy's original bytes, decrypted as they are read, as often as wanted; usable after the unit of work has ended."""
    vault, key_id, blob, content = ctx.get(Vault), str(copy.key_id), _blob(copy), copy_content(ctx, copy)
    return lambda: plain_chunks(vault, key_id, blob, content)


def copy_plain(ctx: Context, copy: Copy) -> Iterator[bytes]:
    """The same, opened once."""
    return copy_source(ctx, copy)()


def copy_raw(ctx: Context, copy: Copy) -> Iterator[bytes]:
    """The copy's bytes as kept (raw deflate where its content says so)."""
    return raw_chunks(ctx.get(Vault), str(copy.key_id), _blob(copy))


def _blob(copy: Copy) -> SealedBlob:
    return msgspec.convert(copy.blob, SealedBlob)


def record_set_view(ctx: Context, row: RecordSet, *, with_fields: bool = True) -> RecordSetView:
    facts = facts_of(ctx, row)
    readable = facts is not None
    return RecordSetView(
        id=str(row.id),
        version=row.version,
        case_id=str(row.case_id),
        number=row.number,
        kind=row.kind,
        state=row.state,
        title=facts.title if facts else None,
        filename=facts.filename if facts else None,
        source_statement=facts.source_statement if facts else None,
        period=facts.period if facts else None,
        system=facts.system if facts else None,
        subject_field=facts.subject_field if facts else None,
        format=row.format,
        encoding=row.encoding,
        size=row.size,
        records=row.records,
        persons=row.persons,
        persons_method=row.persons_method,
        minors=row.minors,
        level=row.level,
        blocked=row.blocked,
        fields=[field_view(ctx, f) for f in fields_of(ctx, row.id)] if with_fields and readable else [],
    )


def field_view(ctx: Context, field: Field) -> FieldView:
    reason = field.reason_sealed and ctx.get(Vault).open_text(
        case_key(field.case_id), field.reason_sealed, field="fields.reason", row=field.id
    )
    return FieldView(
        id=str(field.id),
        version=field.version,
        position=field.position,
        name=field_name(ctx, field),
        kinds=field.kinds,
        proposed_level=field.proposed_level,
        level=field.level,
        need=field.need,
        reason=reason or None,
    )


def copy_view(copy: Copy) -> CopyView:
    blob: dict[str, Any] = copy.blob or {}
    return CopyView(
        id=str(copy.id),
        version=copy.version,
        case_id=str(copy.case_id),
        kind=copy.kind,
        record_set_id=str(copy.record_set_id) if copy.record_set_id else None,
        package_id=str(copy.package_id) if copy.package_id else None,
        holder_party_id=str(copy.holder_party_id) if copy.holder_party_id else None,
        place=copy.place,
        level=copy.level,
        state=copy.state,
        size=blob.get("size"),
        retained_until=copy.retained_until,
        made_at=copy.created_at,
        ended_at=copy.ended_at,
    )


def upload_view(ctx: Context, row: Upload) -> UploadView:
    vault, key = ctx.get(Vault), case_key(row.case_id)
    name = vault.open_text(key, row.filename_sealed, field="uploads.filename", row=row.id) if vault.has(key) else None
    return UploadView(
        id=str(row.id),
        version=row.version,
        case_id=str(row.case_id),
        filename=name,
        size=row.size,
        offset=row.offset,
        state=row.state,
        expires_at=row.expires_at,
    )


def require_inside_role(ctx: Context, case_id: uuid.UUID, *roles: str) -> None:
    """Like `require_role`, for actors who may know that record sets exist."""
    inside(ctx, case_id)
    require_role(ctx, case_id, *roles)

"""Reads of issued documents."""

import datetime as dt
import uuid
from hashlib import sha256
from typing import Any, BinaryIO

import msgspec
from sqlalchemy import select

from handover.attestations.models import IssuedDocument
from handover.cases.queries import bidder_party, visible_case
from handover.context import Context
from handover.crypto.trust import CA_PEM
from handover.documents.errors import DocumentVerificationError
from handover.documents.verify import verify_pdf
from handover.errors import NotFoundError
from handover.settings import Settings
from handover.vault import SealedBlob, Vault


class DocumentView(msgspec.Struct, frozen=True, kw_only=True):
    """An issued document without its content."""

    id: str
    case_id: str
    kind: str
    number: str
    title: dict[str, str]
    sha256: str
    twin_sha256: str
    size: int
    level: str
    issued_at: dt.datetime
    supersedes: str | None


class NumberCheck(msgspec.Struct, frozen=True, kw_only=True):
    """What may be said to anybody who asks about a number: no parties, no case."""

    number: str
    result: str


class StoredCheck(msgspec.Struct, frozen=True, kw_only=True):
    """A kept document that was verified again; `problem` is None when seal, content and facts hold."""

    number: str
    signer: str | None
    level: str | None
    timestamp: dict[str, str] | None
    problem: str | None


def visible_document(ctx: Context, document_id: uuid.UUID) -> IssuedDocument:
    """A document of a case that the actor works on; a bidder sees those about itself.

    Raises:
        NotFoundError: missing or not the actor's to see.
    """
    row = ctx.session.get(IssuedDocument, document_id)
    if row is None:
        raise NotFoundError("there is no such document")
    visible_case(ctx, row.case_id)
    own = bidder_party(ctx, row.case_id)
    if own is not None and row.party_id != own:
        raise NotFoundError("there is no such document")
    return row


def documents_of(ctx: Context, case_id: uuid.UUID) -> list[IssuedDocument]:
    visible_case(ctx, case_id)
    own = bidder_party(ctx, case_id)
    query = select(IssuedDocument).where(IssuedDocument.case_id == case_id).order_by(IssuedDocument.id)
    return [row for row in ctx.session.scalars(query) if own is None or row.party_id == own]


def newest(ctx: Context, kind: str, entity_id: uuid.UUID) -> IssuedDocument | None:
    query = (
        select(IssuedDocument)
        .where(IssuedDocument.kind == kind, IssuedDocument.entity_id == entity_id)
        .order_by(IssuedDocument.issue.desc())
    )
    return ctx.session.scalars(query).first()


def check_number(ctx: Context, number: str, digest: str | None) -> NumberCheck:
    """valid when number and digest belong together, superseded when there is a newer issue, unknown otherwise."""
    row = ctx.session.scalars(select(IssuedDocument).where(IssuedDocument.number == number)).one_or_none()
    if row is None or (digest is not None and digest not in {row.sha256, row.twin_sha256}):
        return NumberCheck(number=number, result="unknown")
    latest = newest(ctx, row.kind, row.entity_id)
    superseded = latest is not None and latest.id != row.id
    return NumberCheck(number=number, result="superseded" if superseded else "valid")


def is_digest(text: str) -> bool:
    """Whether a text is a SHA-256 in lower-case hex."""
    return len(text) == 64 and not set(text) - set("0123456789abcdef")


def verify_stored(ctx: Context, row: IssuedDocument) -> StoredCheck:
    """Verifies a kept document now, as a stranger would with the published authority, and against its row."""
    data, authority = read_pdf(ctx, row), (ctx.get(Settings).trust_dir / CA_PEM).read_bytes()
    try:
        found = verify_pdf(data, ca_pem=authority)
    except DocumentVerificationError as error:
        return StoredCheck(number=row.number, signer=None, level=None, timestamp=None, problem=error.message)
    same = (found.number, sha256(data).hexdigest(), sha256(found.twin).hexdigest())
    problem = None if same == (row.number, row.sha256, row.twin_sha256) else "the file is not the one that was issued"
    return StoredCheck(
        number=row.number, signer=found.signer, level=found.level, timestamp=found.timestamp, problem=problem
    )


def read_pdf(ctx: Context, row: IssuedDocument) -> bytes:
    return _read(ctx, row.blob)


def read_twin(ctx: Context, row: IssuedDocument) -> bytes:
    return _read(ctx, row.twin_blob)


def document_view(row: IssuedDocument) -> DocumentView:
    return DocumentView(
        id=str(row.id),
        case_id=str(row.case_id),
        kind=row.kind,
        number=row.number,
        title=row.title,
        sha256=row.sha256,
        twin_sha256=row.twin_sha256,
        size=row.size,
        level=row.level,
        issued_at=row.issued_at,
        supersedes=row.supersedes,
    )


def _read(ctx: Context, blob: dict[str, Any]) -> bytes:
    source: BinaryIO
    with ctx.get(Vault).reader("evidence", msgspec.convert(blob, SealedBlob)) as source:
        return source.read()

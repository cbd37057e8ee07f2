"""Writes about agreements: drafting, freezing the text, signing it, and what an edit does to signatures."""

import datetime as dt
import hashlib
import secrets
import unicodedata
import uuid
from collections.abc import Mapping, Sequence
from typing import Any

import msgspec
from sqlalchemy import select

from handover.accounts.queries import person_name
from handover.accounts.service import require_recent_second_factor, signing_method
from handover.agreements.models import Agreement, PaperScan, Signer
from handover.agreements.queries import OPEN, signers_of
from handover.agreements.texts import fill, template, text_digest
from handover.audit import AuditLog
from handover.cases.queries import case_key, member_roles, party, party_name, require_role, visible_case
from handover.context import Context
from handover.db import new_id
from handover.errors import ConflictError, ForbiddenError, InvalidInputError, NotFoundError
from handover.vault import Vault
from handover.workflow import Workflow

#: A scan of some pages; more is not a mandate.
MAX_SCAN_BYTES = 10 << 20
_MAGIC = {b"%PDF-": "application/pdf", b"\x89PNG\r\n\x1a\n": "image/png", b"\xff\xd8\xff": "image/jpeg"}

_APOSTROPHES = str.maketrans(dict.fromkeys("\u2018\u2019\u02bc\uff07", "'"))


class NewSigner(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """Who is to sign, for whom."""

    person_id: uuid.UUID
    party_id: uuid.UUID | None = None
    capacity: str = "person"


def draft(
    ctx: Context,
    case_id: uuid.UUID,
    *,
    kind: str,
    party_id: uuid.UUID,
    counterparty_id: uuid.UUID | None,
    fields: dict[str, str],
    levels: list[str],
    years: int,
    signers: Sequence[NewSigner],
) -> Agreement:
    """Drafts an agreement from its template.

    Raises:
        InvalidInputError: no signers, or one who takes no part in the case.
    """
    visible_case(ctx, case_id)
    require_role(ctx, case_id, "consultant", "lead_consultant", "legal")
    chosen = template(kind)
    if not signers or len({s.person_id for s in signers}) != len(signers):
        raise InvalidInputError("an agreement has signers, each named once", field="signers")
    for signer in signers:
        if not member_roles(ctx, case_id, signer.person_id) or signer.capacity not in {"person", "company"}:
            raise InvalidInputError("a signer takes part in the case, as person or for a company", field="signers")
        if signer.party_id is not None:
            party(ctx, case_id, signer.party_id)
    row = Agreement(
        id=new_id(),
        case_id=case_id,
        kind=kind,
        state=ctx.get(Workflow).initial(Agreement.MACHINE),
        party_id=party(ctx, case_id, party_id).id,
        counterparty_id=party(ctx, case_id, counterparty_id).id if counterparty_id else None,
        template_version=chosen.version,
        fields_sealed=b"",
        text_sealed=b"",
        text_sha256="",
        levels=levels,
        years=years,
        created_by=ctx.person(),
    )
    _write_text(ctx, row, fields)
    ctx.session.add(row)
    ctx.session.flush()
    for signer in signers:
        ctx.session.add(
            Signer(
                case_id=case_id,
                agreement_id=row.id,
                person_id=signer.person_id,
                party_id=signer.party_id,
                capacity=signer.capacity,
            )
        )
    ctx.session.flush()
    _log(ctx, "agreement.drafted", row, kind=kind, signers=len(signers))
    return row


def change(ctx: Context, row: Agreement, fields: dict[str, str]) -> Agreement:
    """Changes the merge fields of a draft; a sent text is amended first, which voids its signatures."""
    require_role(ctx, row.case_id, "consultant", "lead_consultant", "legal")
    if row.state != "draft":
        raise ConflictError(
            f"the text is fixed while the agreement is {row.state}; amend it, which voids its signatures"
        )
    _write_text(ctx, row, fields)
    ctx.session.flush()
    _log(ctx, "agreement.text_changed", row, text_sha256=row.text_sha256)
    return row


def keep_scan(ctx: Context, case_id: uuid.UUID, purpose: str, data: bytes) -> PaperScan:
    """Keeps a mandate or a stamped page as sealed evidence.

    Raises:
        InvalidInputError: neither PDF, PNG nor JPEG by content, or too large.
    """
    visible_case(ctx, case_id)
    if purpose not in {"mandate", "signature"}:
        raise InvalidInputError("purpose is mandate or signature", field="purpose")
    media_type = next((kind for magic, kind in _MAGIC.items() if data.startswith(magic)), None)
    if media_type is None or not 0 < len(data) <= MAX_SCAN_BYTES:
        raise InvalidInputError("send a PDF, PNG or JPEG of at most 10 MiB", field="body")
    with ctx.get(Vault).writer("evidence") as sink:
        sink.write(data)
    salt = secrets.token_hex(16)
    row = PaperScan(
        case_id=case_id,
        purpose=purpose,
        media_type=media_type,
        size=len(data),
        salt=salt,
        salted_sha256=hashlib.sha256(bytes.fromhex(salt) + data).hexdigest(),
        blob=msgspec.to_builtins(sink.blob),
        uploaded_by=ctx.person(),
    )
    ctx.session.add(row)
    ctx.session.flush()
    ctx.get(AuditLog).append(
        ctx,
        "scan.kept",
        entity="paper_scan",
        entity_id=row.id,
        case_id=case_id,
        details={"purpose": purpose, "salted_sha256": row.salted_sha256},
    )
    return row


def sign(
    ctx: Context, row: Agreement, *, text_sha256: str, typed_name: str, intent: bool, mandate_id: uuid.UUID | None
) -> Agreement:
    """The acting person signs the text that was shown to them.

    Raises:
        ConflictError: the text changed since it was shown, or they signed already.
        InvalidInputError: the typed name is not theirs, the intent is missing, or a company's mandate is.
        SecondFactorRequiredError: no recent second factor.
    """
    signer = next((s for s in signers_of(ctx, row.id) if s.person_id == ctx.actor.person_id), None)
    if signer is None:
        raise ForbiddenError("you are not a signer of this agreement")
    require_recent_second_factor(ctx)
    if row.state not in OPEN or signer.state != "pending":
        raise ConflictError(f"there is nothing for you to sign: the agreement is {row.state}, you are {signer.state}")
    if text_sha256 != row.text_sha256:
        raise ConflictError("the text changed since it was shown to you; read it again")
    if not intent:
        raise InvalidInputError("confirm that you want to sign", field="intent")
    if _plain(typed_name) != _plain(person_name(ctx, ctx.person())):
        raise InvalidInputError("type your name exactly as it is in your account", field="typed_name")
    if signer.capacity == "company":
        signer.mandate_id = _scan(ctx, row.case_id, mandate_id, "mandate").id
    method = signing_method(ctx)
    signer.typed_name_sealed = ctx.get(Vault).seal_text(
        case_key(row.case_id), typed_name, field="signers.typed_name", row=signer.id
    )
    _mark_signed(ctx, row, signer, method=method, level="agreed_reliable" if row.kind == "nda" else "ordinary")
    return row


def upload_wet_ink(ctx: Context, row: Agreement, signer_id: uuid.UUID, scan_id: uuid.UUID) -> Agreement:
    """A consultant attaches the stamped paper page of a signer; it counts once legal confirmed it."""
    require_role(ctx, row.case_id, "consultant", "lead_consultant")
    signer = _signer(ctx, row, signer_id)
    if row.state not in OPEN or signer.state == "signed":
        raise ConflictError(f"this signature takes no scan now: the agreement is {row.state}")
    signer.scan_id, signer.state = _scan(ctx, row.case_id, scan_id, "signature").id, "scan_uploaded"
    ctx.session.flush()
    _log(ctx, "agreement.scan_uploaded", row, signer=str(signer.id))
    return row


def confirm_wet_ink(ctx: Context, row: Agreement, signer_id: uuid.UUID) -> Agreement:
    """Legal confirms that the stamped page carries this text and this signature."""
    require_role(ctx, row.case_id, "legal")
    require_recent_second_factor(ctx)
    signer = _signer(ctx, row, signer_id)
    if row.state not in OPEN or signer.state != "scan_uploaded":
        raise ConflictError("there is no scan of this signature to confirm")
    signer.confirmed_by = ctx.person()
    _mark_signed(ctx, row, signer, method="wet_ink", level="wet_ink_scanned")
    return row


def on_send(ctx: Context, row: Agreement, _details: Mapping[str, Any]) -> None:
    row.sent_at = ctx.now()


def on_amend(ctx: Context, row: Agreement, _details: Mapping[str, Any]) -> None:
    """Effect of `amend`: a changed text has no signatures."""
    for signer in signers_of(ctx, row.id):
        signer.state, signer.signed_at, signer.method, signer.level = "pending", None, None, None
        signer.text_sha256, signer.evidence, signer.scan_id = None, None, None
    row.sent_at = None


def on_in_force(ctx: Context, row: Agreement, _details: Mapping[str, Any]) -> None:
    row.in_force_at = ctx.now()
    row.expires_at = ctx.now() + dt.timedelta(days=365 * row.years) if row.years else None


def expire_due(ctx: Context) -> int:
    """Expires agreements whose term is over; called by the sweeper. Returns how many."""
    query = select(Agreement).where(Agreement.state == "in_force", Agreement.expires_at < ctx.now())
    found = list(ctx.session.scalars(query))
    for row in found:
        ctx.get(Workflow).fire(ctx, row, "expire")
    return len(found)


def _mark_signed(ctx: Context, row: Agreement, signer: Signer, *, method: str, level: str) -> None:
    signer.state, signer.signed_at, signer.method, signer.level = "signed", ctx.now(), method, level
    signer.text_sha256 = row.text_sha256
    signer.evidence = {
        "text_sha256": row.text_sha256,
        "signed_at": ctx.now().isoformat(),
        "method": method,
        "level": level,
        "request": ctx.request_id,
        "second_factor_at": ctx.actor.second_factor_at.isoformat() if ctx.actor.second_factor_at else "",
        "rests_on": "the server's record" if method != "wet_ink" else "a stamped page confirmed by legal",
    }
    ctx.session.flush()
    _log(ctx, "agreement.signed", row, signer=str(signer.id), method=method, level=level, text_sha256=row.text_sha256)
    workflow = ctx.get(Workflow)
    with ctx.as_system():
        if all(s.state == "signed" for s in signers_of(ctx, row.id)):
            workflow.fire(ctx, row, "sign_fully")
            workflow.fire(ctx, row, "enter_force")
        elif row.state == "sent":
            workflow.fire(ctx, row, "sign_partially")


def _write_text(ctx: Context, row: Agreement, fields: dict[str, str]) -> None:
    names = [party_name(ctx, party(ctx, row.case_id, i)) or "" for i in (row.party_id, row.counterparty_id) if i]
    text = fill(row.kind, fields, levels=row.levels, years=row.years, parties=names)
    vault, key = ctx.get(Vault), case_key(row.case_id)
    row.text_sha256 = text_digest(text)
    row.text_sealed = vault.seal_json(key, text, field="agreements.text", row=row.id)
    row.fields_sealed = vault.seal_json(key, fields, field="agreements.fields", row=row.id)


def _scan(ctx: Context, case_id: uuid.UUID, scan_id: uuid.UUID | None, purpose: str) -> PaperScan:
    row = ctx.session.get(PaperScan, scan_id) if scan_id else None
    if row is None or row.case_id != case_id or row.purpose != purpose:
        raise InvalidInputError(f"upload the {purpose} first and name it here", field=f"{purpose}_id")
    return row


def _signer(ctx: Context, row: Agreement, signer_id: uuid.UUID) -> Signer:
    for signer in signers_of(ctx, row.id):
        if signer.id == signer_id:
            return signer
    raise NotFoundError("there is no such signer of this agreement")


def _plain(name: str) -> str:
    """Telephones turn a typed apostrophe into a curly one by themselves; it is the same name."""
    return " ".join(unicodedata.normalize("NFC", name).translate(_APOSTROPHES).split())


def _log(ctx: Context, event: str, row: Agreement, **details: str | int) -> None:
    ctx.get(AuditLog).append(ctx, event, entity="agreement", entity_id=row.id, case_id=row.case_id, details=details)

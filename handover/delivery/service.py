"""Writes about deliveries: opening, the receipt, acceptance, and custody handover."""

import datetime as dt
import hashlib
import uuid
from collections.abc import Mapping
from typing import Any

import msgspec
from sqlalchemy import select

from handover.archive.receipt import verify_receipt
from handover.audit import AuditLog
from handover.cases.queries import case_key, member_roles, parties, require_role, visible_case
from handover.context import Context
from handover.crypto import canonical
from handover.db import new_id
from handover.delivery.downloads import budget
from handover.delivery.models import CustodyItem, Delivery, Receipt
from handover.delivery.queries import deliveries_of, is_recipient, items_of, receipt_of, visible_delivery
from handover.errors import ConflictError, ForbiddenError, InvalidInputError
from handover.inventory.models import Copy, RecordSet
from handover.packages.models import Package
from handover.settings import Settings
from handover.vault import Vault
from handover.workflow import Workflow

CUSTODY_KINDS = (
    "account",
    "permission",
    "key",
    "archive",
    "device",
    "paper",
    "seal",
    "licence",
    "domain",
    "phone_number",
    "other",
)


def open_for(ctx: Context, package: Package) -> Delivery:
    """Makes the delivery of a released package available; a second call finds the first's."""
    for row in deliveries_of(ctx, package.case_id):
        if row.package_id == package.id:
            return row
    policy = ctx.get(Settings).policy
    row = Delivery(
        id=new_id(),
        case_id=package.case_id,
        state=ctx.get(Workflow).initial(Delivery.MACHINE),
        kind="download",
        package_id=package.id,
        recipient_id=package.recipient_id,
        party_id=package.party_id,
        expires_at=ctx.now() + dt.timedelta(hours=policy.download_link_hours),
        byte_budget=budget(package.size or 0, policy.download_limit),
    )
    ctx.session.add(row)
    ctx.session.flush()
    ctx.get(Workflow).fire(ctx, row, "issue_link")
    return row


def take_receipt(ctx: Context, delivery_id: uuid.UUID, text: str) -> Receipt:
    """Verifies a receipt against the released package and stores it.

    Raises:
        ReceiptError: not signed by the key inside this package, or about another manifest.
        ConflictError: a receipt is there already.
    """
    row = visible_delivery(ctx, delivery_id)
    if not is_recipient(ctx, row):
        raise ForbiddenError("the recipient who opened the package sends its receipt")
    if row.state not in {"link_issued", "downloading", "downloaded"} or receipt_of(ctx, row.id) is not None:
        raise ConflictError(f"this delivery takes no receipt now, it is {row.state}")
    package = ctx.session.get_one(Package, row.package_id)
    data = text.encode()
    statement = verify_receipt(data, receipt_key=str(package.receipt_key), manifest_sha256=str(package.manifest_sha256))
    identifier = new_id()
    receipt = Receipt(
        id=identifier,
        case_id=row.case_id,
        delivery_id=row.id,
        package_id=package.id,
        person_id=ctx.person(),
        sha256=hashlib.sha256(data).hexdigest(),
        # The text of a defect may name a file, so only how many there are stays clear.
        statement={
            "package": statement.package,
            "manifest_sha256": statement.manifest_sha256,
            "counts": msgspec.to_builtins(statement.counts),
            "verified_at": statement.verified_at,
            "defects": len(statement.defects),
        },
        text_sealed=ctx.get(Vault).seal_text("server", text, field="receipts.text", row=identifier),
    )
    ctx.session.add(receipt)
    row.opened_manifest_sha256, row.identified_at = statement.manifest_sha256, ctx.now()
    row.entered_at = row.entered_at or ctx.now()
    ctx.session.flush()
    ctx.get(AuditLog).append(
        ctx,
        "receipt.verified",
        entity="receipt",
        entity_id=receipt.id,
        case_id=row.case_id,
        details={
            "sha256": receipt.sha256,
            "manifest_sha256": statement.manifest_sha256,
            "defects": len(statement.defects),
        },
    )
    with ctx.as_system():
        ctx.get(Workflow).fire(ctx, row, "acknowledge")
        ctx.get(Workflow).fire(ctx, package, "deliver")
    return receipt


def on_accept(ctx: Context, row: Delivery, _details: Mapping[str, Any]) -> None:
    """Effect of `accept`: the package is accepted, its record sets have moved, the buyer's copy is on the register."""
    row.accepted_at = ctx.now()
    workflow = ctx.get(Workflow)
    package = ctx.session.get_one(Package, row.package_id)
    with ctx.as_system():
        workflow.fire(ctx, package, "accept")
        if package.purpose == "closing":
            for identifier in package.record_set_ids:
                record_set = ctx.session.get_one(RecordSet, uuid.UUID(identifier))
                if record_set.state == "packaged":
                    workflow.fire(ctx, record_set, "transfer")
    ctx.session.add(
        Copy(
            case_id=row.case_id,
            kind="recipient_copy",
            package_id=package.id,
            holder_party_id=row.party_id,
            controller_party_id=row.party_id,
            state="declared",
        )
    )


def on_accept_custody(ctx: Context, row: Delivery, _details: Mapping[str, Any]) -> None:
    row.accepted_at = ctx.now()


def on_reinstate(ctx: Context, row: Delivery, _details: Mapping[str, Any]) -> None:
    """Effect of `reinstate`: a new period and as many downloads as the policy gives."""
    policy = ctx.get(Settings).policy
    row.expires_at = ctx.now() + dt.timedelta(hours=policy.download_link_hours)
    package = ctx.session.get_one(Package, row.package_id)
    row.byte_budget = row.bytes_reserved + budget(package.size or 0, policy.download_limit)


def suspend_all(ctx: Context, case_id: uuid.UUID) -> None:
    """The case was held, frozen or cancelled: nothing is downloaded until it goes on."""
    for row in deliveries_of(ctx, case_id):
        if row.state in {"link_issued", "downloading", "downloaded"}:
            ctx.get(Workflow).fire(ctx, row, "suspend")


def revoke_for(ctx: Context, package_id: uuid.UUID) -> None:
    """A released package was revoked: its delivery ends. Copies that left cannot be called back."""
    package = ctx.session.get_one(Package, package_id)
    for row in deliveries_of(ctx, package.case_id):
        if row.package_id == package_id and row.state not in {"accepted", "revoked"}:
            ctx.get(Workflow).fire(ctx, row, "revoke")


def expire_due(ctx: Context) -> int:
    """Expires deliveries whose time is over; called by the sweeper. Returns how many."""
    query = select(Delivery).where(Delivery.state.in_(("link_issued", "downloading")), Delivery.expires_at < ctx.now())
    found = list(ctx.session.scalars(query))
    for row in found:
        ctx.get(Workflow).fire(ctx, row, "expire")
    return len(found)


def begin_custody(ctx: Context, case_id: uuid.UUID) -> Delivery:
    """Starts the custody handover of an equity deal: no records move, people and keys change.

    Raises:
        InvalidInputError: the structure of the deal hands records over in a package.
        ConflictError: there is one already.
    """
    require_role(ctx, case_id, "consultant", "lead_consultant")
    if visible_case(ctx, case_id).structure != "equity_transfer":
        raise InvalidInputError("a custody handover belongs to an equity transfer", field="kind")
    if any(row.kind == "custody" for row in deliveries_of(ctx, case_id)):
        raise ConflictError("this case has its custody handover already")
    won = next((p for p in parties(ctx, case_id) if p.side == "buyer" and p.standing == "won"), None)
    if won is None:
        raise ConflictError("mark the winning bidder first: custody is handed over to them")
    row = Delivery(
        id=new_id(),
        case_id=case_id,
        state=ctx.get(Workflow).initial(Delivery.MACHINE),
        kind="custody",
        party_id=won.id,
    )
    ctx.session.add(row)
    ctx.session.flush()
    ctx.get(AuditLog).append(ctx, "delivery.custody_started", entity="delivery", entity_id=row.id, case_id=case_id)
    return row


def add_custody_item(
    ctx: Context,
    row: Delivery,
    *,
    kind: str,
    what: str,
    note: str | None,
    handed_by: uuid.UUID,
    received_by: uuid.UUID,
    witness: uuid.UUID,
    at: dt.datetime,
) -> CustodyItem:
    """Adds a row: three different people of the case, each of whom confirms it later."""
    require_role(ctx, row.case_id, "consultant", "lead_consultant")
    if row.kind != "custody" or row.state != "created":
        raise ConflictError("rows are added to a custody handover before it is recorded")
    if kind not in CUSTODY_KINDS:
        raise InvalidInputError(f"kind is one of: {', '.join(CUSTODY_KINDS)}", field="kind")
    if len({handed_by, received_by, witness}) != 3:
        raise InvalidInputError("who hands over, who receives and the witness are three people", field="witness")
    for name, person in (("handed_by", handed_by), ("received_by", received_by), ("witness", witness)):
        if not member_roles(ctx, row.case_id, person):
            raise InvalidInputError("this person takes no part in the case", field=name)
    identifier, vault, key = new_id(), ctx.get(Vault), case_key(row.case_id)
    item = CustodyItem(
        id=identifier,
        case_id=row.case_id,
        delivery_id=row.id,
        kind=kind,
        what_sealed=vault.seal_text(key, what, field="custody_items.what", row=identifier),
        note_sealed=vault.seal_text(key, note, field="custody_items.note", row=identifier) if note else None,
        handed_by=handed_by,
        received_by=received_by,
        witness=witness,
        at=at,
        confirmations={},
    )
    ctx.session.add(item)
    ctx.session.flush()
    ctx.get(AuditLog).append(
        ctx, "custody.item_added", entity="custody_item", entity_id=item.id, case_id=row.case_id, details={"kind": kind}
    )
    return item


def confirm_custody_item(ctx: Context, row: Delivery, item_id: uuid.UUID) -> CustodyItem:
    """The acting person confirms a row that names them."""
    item = ctx.session.get(CustodyItem, item_id)
    if item is None or item.delivery_id != row.id:
        raise InvalidInputError("there is no such row in this handover", field="item_id")
    person = ctx.person()
    if person not in {item.handed_by, item.received_by, item.witness}:
        raise ForbiddenError("only the people named in the row confirm it")
    item.confirmations = {**item.confirmations, str(person): ctx.now().isoformat()}
    ctx.session.flush()
    ctx.get(AuditLog).append(
        ctx, "custody.item_confirmed", entity="custody_item", entity_id=item.id, case_id=row.case_id
    )
    return item


def acceptance_subject(ctx: Context, row: Delivery) -> str:
    """What the two signatories accept: this receipt, or exactly these custody rows."""
    if row.kind == "custody":
        rows = [
            [str(i.id), i.version, str(i.handed_by), str(i.received_by), str(i.witness)] for i in items_of(ctx, row.id)
        ]
        return canonical.encode(rows).decode()
    receipt = receipt_of(ctx, row.id)
    return receipt.sha256 if receipt else ""

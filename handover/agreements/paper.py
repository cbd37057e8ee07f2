"""Looking at stamped paper before it is confirmed; who looked is in the log."""

import uuid

import msgspec

from handover.agreements.models import Agreement, PaperScan
from handover.agreements.queries import signers_of
from handover.audit import AuditLog
from handover.cases.queries import require_role
from handover.context import Context
from handover.errors import NotFoundError
from handover.vault import SealedBlob, Vault


def read_paper(ctx: Context, row: Agreement, signer_id: uuid.UUID) -> tuple[bytes, str]:
    """The stamped page of a signer and its media type, for those who upload and confirm it.

    Raises:
        NotFoundError: there is none.
    """
    require_role(ctx, row.case_id, "consultant", "lead_consultant", "legal")
    scan_id = next((signer.scan_id for signer in signers_of(ctx, row.id) if signer.id == signer_id), None)
    if scan_id is None:
        raise NotFoundError("there is no stamped page of this signer")
    scan = ctx.session.get_one(PaperScan, scan_id)
    with ctx.get(Vault).reader("evidence", msgspec.convert(scan.blob, SealedBlob)) as source:
        data = source.read()
    ctx.get(AuditLog).append(
        ctx,
        "agreement.scan_read",
        entity="agreement",
        entity_id=row.id,
        case_id=row.case_id,
        details={"signer": str(signer_id), "size": len(data)},
    )
    return data, scan.media_type

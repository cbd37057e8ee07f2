"""What a reviewer is shown of a run: records that the run itself drew while it had both sides in memory.

They lie in the vault as a copy of their own, so they are on the register and end with the rest.
"""

import heapq
import uuid

import msgspec

from handover.audit import AuditLog
from handover.cases.queries import require_role
from handover.context import Context
from handover.errors import ConflictError, NotFoundError
from handover.inventory.models import Copy
from handover.inventory.queries import copy_plain
from handover.masking import SampledRecord
from handover.redaction.models import Redaction
from handover.redaction.queries import items_of
from handover.vault import Vault

SAMPLES_FORMAT = "samples"


def read(ctx: Context, row: Redaction, record_set_id: uuid.UUID, limit: int) -> list[SampledRecord]:
    """The first `limit` records of the sample, noted in the log.

    Raises:
        ForbiddenError: the actor neither reviews nor leads. NotFoundError: the run has no result for this record set.
        ConflictError: the sample is destroyed.
    """
    require_role(ctx, row.case_id, "legal", "dpo", "custodian", "lead_consultant")
    item = next((i for i in items_of(ctx, row.id) if i.record_set_id == record_set_id), None)
    if item is None:
        raise NotFoundError("this run has no result for such a record set")
    shown = heapq.nsmallest(limit, _records(ctx, item.sample_copy_id), key=lambda record: record.position)
    ctx.get(AuditLog).append(
        ctx,
        "redaction.sample_read",
        entity="redaction",
        entity_id=row.id,
        case_id=row.case_id,
        details={"record_set": str(record_set_id), "records": len(shown)},
    )
    return shown


def _records(ctx: Context, copy_id: uuid.UUID) -> list[SampledRecord]:
    copy, vault = ctx.session.get_one(Copy, copy_id), ctx.get(Vault)
    if copy.key_id is None or not vault.has(copy.key_id):
        raise ConflictError("the records of this run are destroyed, and the sample with them")
    lines = b"".join(copy_plain(ctx, copy)).splitlines()
    return [msgspec.json.decode(line, type=SampledRecord) for line in lines]

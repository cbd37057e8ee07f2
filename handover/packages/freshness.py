"""Whether a built package still holds what it would hold if it were built now."""

import uuid

from handover.compliance.queries import basis_of, lost_since
from handover.context import Context
from handover.inventory.models import RecordSet
from handover.packages.models import Package
from handover.redaction.models import Redaction


def why_stale(ctx: Context, row: Package) -> str | None:
    """A word for what changed since the package's facts were read; None when nothing did."""
    if row.facts_at is None:
        return None
    if row.purpose == "closing" and lost_since(ctx, row.case_id, row.facts_at):
        return "consent_or_restriction_changed"
    for identifier in row.record_set_ids:
        record_set = ctx.session.get(RecordSet, uuid.UUID(identifier))
        if record_set is None or record_set.state not in {"approved", "packaged", "transferred"}:
            return "record_set_changed"
        if record_set.approved_at is not None and record_set.approved_at > row.facts_at:
            return "record_set_changed"
        basis = basis_of(ctx, record_set.id)
        if basis is None or basis.approved_at > row.facts_at:
            return "legal_basis_changed"
    if row.redaction_id is not None and ctx.session.get_one(Redaction, row.redaction_id).state != "approved":
        return "redaction_withdrawn"
    return None

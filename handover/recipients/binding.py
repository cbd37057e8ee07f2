"""The machine `recipient`, tied to its table."""

from handover.context import Context
from handover.recipients import service
from handover.recipients.models import Recipient
from handover.recipients.queries import current_key, visible_recipient
from handover.workflow import MachineBinding


def _shown(ctx: Context, row: Recipient) -> str:
    """Approvals of an identity are for what was shown when it was given."""
    key = current_key(ctx, row.id)
    return f"{row.identity_at} {row.mandate_id} {key.sha256 if key else ''}"


MACHINES = (
    MachineBinding(
        machine=Recipient.MACHINE,
        model=Recipient,
        collection="recipients",
        load=visible_recipient,
        effects={"replace_key": service.key_replaced, "revoke": service.key_replaced},
        approval_subject=_shown,
        second_factor=frozenset({"replace_key", "revoke"}),
    ),
)

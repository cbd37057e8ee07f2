"""The machine `redaction`, tied to its table."""

from handover.redaction import service
from handover.redaction.models import Redaction
from handover.redaction.queries import visible_redaction
from handover.workflow import MachineBinding

MACHINES = (
    MachineBinding(
        machine=Redaction.MACHINE,
        model=Redaction,
        collection="redactions",
        load=visible_redaction,
        effects={"accept_review": service.on_accept_review, "approve": service.on_approve},
    ),
)

"""The machine `agreement`, tied to its table."""

from handover.agreements import service
from handover.agreements.models import Agreement
from handover.agreements.queries import visible_agreement
from handover.workflow import MachineBinding

MACHINES = (
    MachineBinding(
        machine=Agreement.MACHINE,
        model=Agreement,
        collection="agreements",
        load=visible_agreement,
        effects={"send": service.on_send, "amend": service.on_amend, "enter_force": service.on_in_force},
        approval_subject=lambda _ctx, row: row.text_sha256,
    ),
)

"""The machine `destruction`, tied to its table."""

from handover.destruction import service
from handover.destruction.models import DestructionOrder
from handover.destruction.queries import items_subject, visible_order
from handover.workflow import MachineBinding

MACHINES = (
    MachineBinding(
        machine=DestructionOrder.MACHINE,
        model=DestructionOrder,
        collection="destruction-orders",
        load=visible_order,
        effects={"approve": service.on_approve, "execute": service.on_execute, "verify": service.on_verify},
        approval_subject=items_subject,
        second_factor=frozenset({"execute", "verify"}),
    ),
)

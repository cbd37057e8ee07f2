"""The machine `delivery`, tied to its table."""

from handover.delivery import service
from handover.delivery.models import Delivery
from handover.delivery.queries import visible_delivery
from handover.workflow import MachineBinding

MACHINES = (
    MachineBinding(
        machine=Delivery.MACHINE,
        model=Delivery,
        collection="deliveries",
        load=visible_delivery,
        effects={
            "accept": service.on_accept,
            "accept_custody": service.on_accept_custody,
            "reinstate": service.on_reinstate,
        },
        approval_subject=service.acceptance_subject,
        second_factor=frozenset({"accept", "accept_custody"}),
    ),
)

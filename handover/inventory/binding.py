"""The machine `record_set`, tied to its table."""

from handover.context import Context
from handover.inventory import service
from handover.inventory.models import RecordSet
from handover.inventory.queries import fields_of, visible_record_set
from handover.workflow import MachineBinding


def _decisions(ctx: Context, row: RecordSet) -> str:
    return " ".join(f"{f.position}:{f.need}:{f.level}" for f in fields_of(ctx, row.id))


MACHINES = (
    MachineBinding(
        machine=RecordSet.MACHINE,
        model=RecordSet,
        collection="record-sets",
        load=visible_record_set,
        effects={"review": service.on_review, "approve": service.on_approve, "reopen": service.on_reopen},
        approval_subject=_decisions,
    ),
)

"""The machines `case` and `legal_hold`, tied to their tables."""

from handover.cases import service
from handover.cases.models import Case, LegalHold
from handover.cases.queries import visible_case, visible_hold
from handover.context import Context
from handover.workflow import MachineBinding


def _state_entered(_ctx: Context, row: Case) -> str:
    """Approvals of a case's step are for the case as it is: any change of the case makes another subject."""
    return f"{row.state} {row.structure}"


MACHINES = (
    MachineBinding(
        machine=Case.MACHINE,
        model=Case,
        collection="cases",
        load=visible_case,
        effects={
            "hold": service.on_pause,
            "freeze": service.on_pause,
            "resume": service.on_resume,
            "unfreeze": service.on_resume,
            "close": service.on_close,
        },
        approval_subject=_state_entered,
    ),
    MachineBinding(machine=LegalHold.MACHINE, model=LegalHold, collection="legal-holds", load=visible_hold),
)

"""The end of a closed case: its metadata key dies, and with it every name, note, file name and reason in clear.

Issued documents, the log and receipts stay readable: their keys are the evidence's, not the case's.
"""

from sqlalchemy import select

from handover.audit import AuditLog
from handover.cases.queries import case_key
from handover.errors import HandoverError, Kind
from handover.jobs import JobRun
from handover.jobs.models import OPEN_STATES, Job
from handover.vault import Vault


class NotYetError(HandoverError):
    """Documents of the case are still being issued; tried again later."""

    code = "case_documents_open"
    kind = Kind.UNAVAILABLE


def forget_case(run: JobRun) -> None:
    """Destroys the case's metadata key once no document job of the case is open."""
    case_id = run.entity_id
    with run.unit_of_work(write=False) as ctx:
        query = select(Job.id).where(Job.case_id == case_id, Job.state.in_(OPEN_STATES), Job.id != run.id)
        if ctx.session.scalars(query).first() is not None:
            raise NotYetError("other work of this case is still open")
    # Repeating a destruction answers as the first time, so a killed worker's next run logs it all the same.
    done = run.installation.get(Vault).destroy([case_key(case_id)])
    with run.finish() as ctx:
        ctx.get(AuditLog).append(
            ctx,
            "case.names_destroyed",
            entity="case",
            entity_id=case_id,
            case_id=case_id,
            details={"generation_before": done.generation_before, "generation_after": done.generation_after},
        )

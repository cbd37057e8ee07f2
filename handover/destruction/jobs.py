"""Background work of destruction."""

from handover.destruction.execute import execute
from handover.destruction.forget import forget_case
from handover.destruction.service import draft_for_case
from handover.jobs import JobHandler, JobRun


def _draft(run: JobRun) -> None:
    with run.finish() as ctx:
        draft_for_case(ctx, run.entity_id)


JOBS = {
    "destruction.draft_orders": JobHandler(_draft),
    "destruction.execute": JobHandler(execute),
    "destruction.forget_case": JobHandler(forget_case),
}

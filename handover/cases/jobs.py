"""Background work of cases."""

from handover.cases.models import Case
from handover.jobs import JobHandler, JobRun
from handover.workflow import Workflow


def _wind_down(run: JobRun) -> None:
    with run.finish() as ctx:
        row = ctx.session.get_one(Case, run.entity_id)
        if row.state == "cancelled":
            ctx.get(Workflow).fire(ctx, row, "wind_down")


JOBS = {"cases.wind_down": JobHandler(_wind_down)}

"""Background work of compliance."""

from handover.compliance.service import demand_returns
from handover.jobs import JobHandler, JobRun


def _demand(run: JobRun) -> None:
    with run.finish() as ctx:
        demand_returns(ctx, run.entity_id)


JOBS = {"compliance.demand_returns": JobHandler(_demand)}

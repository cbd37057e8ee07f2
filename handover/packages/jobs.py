"""Background work of packages."""

from handover.jobs import JobHandler, JobRun
from handover.packages import service
from handover.packages.build import build, on_end


def _mark_stale(run: JobRun) -> None:
    with run.finish() as ctx:
        service.mark_stale(ctx, run.case_id or run.entity_id)


def _release_closing(run: JobRun) -> None:
    with run.finish() as ctx:
        service.release_closing(ctx, run.entity_id)


def _retire(run: JobRun) -> None:
    with run.finish() as ctx:
        service.retire_for_recipient(ctx, run.entity_id)


JOBS = {
    "packages.build": JobHandler(build, on_end),
    "packages.mark_stale": JobHandler(_mark_stale),
    "packages.release_closing": JobHandler(_release_closing),
    "packages.retire_for_recipient": JobHandler(_retire),
}

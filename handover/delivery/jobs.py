"""Background work of delivery."""

from handover.delivery import service
from handover.jobs import JobHandler, JobRun
from handover.packages.models import Package


def _open(run: JobRun) -> None:
    with run.finish() as ctx:
        package = ctx.session.get_one(Package, run.entity_id)
        if package.state == "released":
            service.open_for(ctx, package)


def _suspend(run: JobRun) -> None:
    with run.finish() as ctx:
        service.suspend_all(ctx, run.entity_id)


def _revoke(run: JobRun) -> None:
    with run.finish() as ctx:
        service.revoke_for(ctx, run.entity_id)


JOBS = {
    "delivery.open": JobHandler(_open),
    "delivery.suspend": JobHandler(_suspend),
    "delivery.revoke": JobHandler(_revoke),
}

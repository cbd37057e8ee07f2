"""Runs a leased job and decides what a failure means: try again later, end dead, or cancelled."""

import datetime as dt
import logging
import threading
import uuid
from collections.abc import Mapping

from handover.audit import AuditLog
from handover.context import SYSTEM, Context, Installation
from handover.errors import HandoverError, Kind
from handover.jobs import leases
from handover.jobs.models import Job
from handover.jobs.queue import error_key
from handover.jobs.run import JobCancelledError, JobHandler, JobRun, LeaseLostError
from handover.settings import Settings
from handover.vault import Vault

logger = logging.getLogger("handover.jobs")

#: Faults of the surroundings: they pass, so the job waits for that however long it takes.
_PATIENT = {Kind.UNAVAILABLE, Kind.STORAGE_FULL}
#: Faults of the input or of the moment that trying again cannot mend.
_FINAL = {
    Kind.INVALID,
    Kind.BLOCKED,
    Kind.FORBIDDEN,
    Kind.NOT_FOUND,
    Kind.UNSUPPORTED,
    Kind.TOO_LARGE,
    Kind.VERIFICATION,
}
MAX_BACKOFF_SECONDS = 60


class Executor:
    """Executes leased rows with the handlers that the rooms bound."""

    def __init__(self, installation: Installation, handlers: Mapping[str, JobHandler]) -> None:
        self.installation = installation
        self.handlers = handlers
        self.policy = installation.get(Settings).policy

    def execute(self, job_id: uuid.UUID, lease: str) -> None:
        """One run, with its lease kept alive; returns when the row is closed or given back."""
        with self.installation.unit_of_work(SYSTEM, write=False) as ctx:
            job = ctx.session.get(Job, job_id)
        if job is None or job.lease != lease:
            return
        if job.cancel_requested:
            self._end(job, lease, JobCancelledError("the job was cancelled"), "cancelled")
            return
        stop = threading.Event()
        keeper = threading.Thread(target=self._keep_alive, args=(job_id, lease, stop), daemon=True)
        keeper.start()
        try:
            self._attempt(job, lease)
        finally:
            stop.set()
            keeper.join()

    def _attempt(self, job: Job, lease: str) -> None:
        run = JobRun(self.installation, job, lease)
        try:
            handler = self.handlers.get(job.kind)
            if handler is None:
                raise _UnknownJobError(f"no room handles jobs of kind {job.kind!r}")
            handler.run(run)
            if not run.finished:
                with run.finish():
                    pass
        except LeaseLostError:
            logger.warning("job %s was taken over by another worker", job.id)
        except JobCancelledError as error:
            self._end(job, lease, error, "cancelled")
        except HandoverError as error:
            self._failed(job, lease, error)
        except Exception as error:
            logger.exception("job %s (%s) failed", job.id, job.kind)
            self._failed(job, lease, _UnexpectedError(f"{type(error).__name__}"))

    def _failed(self, job: Job, lease: str, error: HandoverError) -> None:
        spent = job.attempts >= self.policy.job_attempts and error.kind not in _PATIENT
        if error.kind in _FINAL or spent:
            self._end(job, lease, error, "dead")
            return
        delay = min(MAX_BACKOFF_SECONDS, self.policy.job_backoff_seconds * 2 ** min(job.attempts - 1, 10))
        logger.warning("job %s (%s) will be tried again in %s s: %s", job.id, job.kind, delay, error.code)
        with self.installation.unit_of_work(SYSTEM, request_id=f"job-{job.id}") as ctx:
            run_after = ctx.now() + dt.timedelta(seconds=delay)
            leases.release(ctx, job.id, lease, run_after=run_after, **self._error(ctx, job, error))

    def _end(self, job: Job, lease: str, error: HandoverError, state: str) -> None:
        with self.installation.unit_of_work(SYSTEM, request_id=f"job-{job.id}") as ctx:
            if not leases.close(ctx, job.id, lease, state, **self._error(ctx, job, error)):
                return
            handler = self.handlers.get(job.kind)
            if handler is not None and handler.on_end is not None:
                handler.on_end(ctx, job, error.code)
            ctx.get(AuditLog).append(
                ctx,
                f"job.{state}",
                entity="job",
                entity_id=job.id,
                case_id=job.case_id,
                details={"kind": job.kind, "code": error.code, "attempts": job.attempts},
            )
        logger.error("job %s (%s) ended %s: %s", job.id, job.kind, state, error.code)

    def _error(self, ctx: Context, job: Job, error: HandoverError) -> dict[str, object]:
        key = error_key(ctx, job.case_id)
        sealed = ctx.get(Vault).seal_text(key, error.message, field="jobs.error", row=job.id)
        return {"error_code": error.code, "error_sealed": sealed}

    def _keep_alive(self, job_id: uuid.UUID, lease: str, stop: threading.Event) -> None:
        seconds = self.policy.job_lease_seconds
        while not stop.wait(seconds / 4):
            try:
                if not leases.extend(self.installation, job_id, lease, lease_seconds=seconds):
                    return
            except HandoverError as error:
                logger.warning("the lease of job %s could not be extended: %s", job_id, error.code)


class _UnexpectedError(HandoverError):
    code = "unexpected"


class _UnknownJobError(HandoverError):
    code = "unknown_job"
    kind = Kind.NOT_FOUND

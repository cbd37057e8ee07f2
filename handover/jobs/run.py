"""One run of one job, as its handler sees it."""

import contextlib
import time
import uuid
from collections.abc import Callable, Iterator
from dataclasses import dataclass

from handover.context import SYSTEM, Context, Installation
from handover.errors import HandoverError, Kind
from handover.jobs import leases
from handover.jobs.models import Job

#: Progress is written at most this often, so that reporting costs nothing beside the work.
PROGRESS_SECONDS = 0.5


class JobCancelledError(HandoverError):
    """Somebody asked the job to stop."""

    code = "job_cancelled"
    kind = Kind.CONFLICT


class LeaseLostError(HandoverError):
    """The lease ran out and another worker has the job; this run must write nothing more."""

    code = "lease_lost"
    kind = Kind.CONFLICT


@dataclass(frozen=True, slots=True)
class JobHandler:
    """What a room binds to a job kind. `run` looks first whether the work is done already.

    `on_end` runs in the transaction that ends a job without success (dead or cancelled), to move its row's state.
    """

    run: Callable[["JobRun"], None]
    on_end: Callable[[Context, Job, str], None] | None = None


class JobRun:
    """The handle of a running job."""

    def __init__(self, installation: Installation, job: Job, lease: str) -> None:
        self.installation = installation
        self.id = job.id
        self.kind = job.kind
        self.case_id = job.case_id
        self.arguments: dict[str, str] = dict(job.arguments)
        self.attempt = job.attempts
        self.temporary = job.temporary
        self.finished = False
        self._lease = lease
        self._reported = 0.0

    @property
    def entity_id(self) -> uuid.UUID:
        return uuid.UUID(self.arguments["entity_id"])

    @contextlib.contextmanager
    def unit_of_work(self, *, write: bool = True) -> Iterator[Context]:
        """A transaction of the system's, on behalf of this job."""
        with self.installation.unit_of_work(SYSTEM, request_id=f"job-{self.id}", write=write) as ctx:
            yield ctx

    @contextlib.contextmanager
    def step(self) -> Iterator[Context]:
        """A transaction on the way, for what a later run goes on from.

        Raises:
            LeaseLostError: another worker has the job; nothing is stored.
        """
        with self.unit_of_work() as ctx:
            yield ctx
            self._report(ctx, temporary=self.temporary)

    @contextlib.contextmanager
    def finish(self) -> Iterator[Context]:
        """The last transaction: stores the result and closes the row, both or neither.

        Raises:
            LeaseLostError: another worker has the job; nothing is stored.
        """
        with self.unit_of_work() as ctx:
            yield ctx
            if not leases.close(ctx, self.id, self._lease, "done"):
                raise LeaseLostError(f"job {self.id} was taken over by another worker")
        self.finished = True

    def reserve(self, temporary: str) -> None:
        """Notes the name under which bytes are about to be written, so that the next run can remove them."""
        self._write(temporary=temporary)
        self.temporary = temporary

    def progress(self, done: int, total: int) -> None:
        """Reports how far the work is, and stops it when somebody asked.

        Raises:
            JobCancelledError: the job was cancelled.
            LeaseLostError: another worker has the job.
        """
        now = time.monotonic()
        if now - self._reported < PROGRESS_SECONDS:
            return
        self._reported = now
        self._write(done_units=done, total_units=total)
        with self.unit_of_work(write=False) as ctx:
            job = ctx.session.get(Job, self.id)
            if job is not None and job.cancel_requested:
                raise JobCancelledError("the job was cancelled")

    def _write(self, **values: object) -> None:
        with self.unit_of_work() as ctx:
            self._report(ctx, **values)

    def _report(self, ctx: Context, **values: object) -> None:
        if not leases.report(ctx, self.id, self._lease, **values):
            raise LeaseLostError(f"job {self.id} was taken over by another worker")

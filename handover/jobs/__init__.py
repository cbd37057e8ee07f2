"""Background work: rows with leases, which are also the transactional outbox.

`put` adds a row to the caller's unit of work, so a job exists exactly when the change that wants it does. Workers lease
rows, keep the lease alive, and close the row in the same commit as the job's result; a dead worker's lease runs out and
another goes on. Jobs carry ids, never data.
"""

from handover.jobs.models import Job
from handover.jobs.queue import cancel, job_view, newest_for, open_about, put
from handover.jobs.run import JobCancelledError, JobHandler, JobRun, LeaseLostError
from handover.jobs.views import JobView

__all__ = [
    "Job",
    "JobCancelledError",
    "JobHandler",
    "JobRun",
    "JobView",
    "LeaseLostError",
    "cancel",
    "job_view",
    "newest_for",
    "open_about",
    "put",
]

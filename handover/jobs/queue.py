"""Putting, reading and cancelling jobs, inside the caller's unit of work."""

import uuid
from collections.abc import Collection

from sqlalchemy import select

from handover.audit import AuditLog
from handover.context import Context
from handover.errors import ConflictError, NotFoundError
from handover.jobs.models import OPEN_STATES, Job
from handover.jobs.views import JobView
from handover.vault import Vault


def put(ctx: Context, kind: str, *, case_id: uuid.UUID | None = None, **ids: object) -> uuid.UUID:
    """Adds a job to this unit of work; `ids` are identifiers and names of kinds, never data. Returns its id."""
    job = Job(
        case_id=case_id,
        kind=kind,
        arguments={name: str(value) for name, value in ids.items()},
        run_after=ctx.now(),
        created_by=ctx.actor.person_id,
        request_id=ctx.request_id,
    )
    ctx.session.add(job)
    ctx.session.flush()
    return job.id


def cancel(ctx: Context, job_id: uuid.UUID) -> JobView:
    """Asks a job to stop; a queued one ends at once, a running one at its next report of progress.

    Raises:
        ConflictError: it has ended already.
    """
    job = ctx.session.get(Job, job_id)
    if job is None:
        raise NotFoundError("there is no such job")
    if job.state not in OPEN_STATES:
        raise ConflictError(f"the job has ended already ({job.state})")
    job.cancel_requested = True
    ctx.get(AuditLog).append(ctx, "job.cancel_requested", entity="job", entity_id=job.id, case_id=job.case_id)
    ctx.session.flush()
    return job_view(ctx, job)


def job_view(ctx: Context, job: Job) -> JobView:
    return JobView(
        id=str(job.id),
        case_id=str(job.case_id) if job.case_id else None,
        kind=job.kind,
        state=job.state,
        done=job.done_units,
        total=job.total_units,
        attempts=job.attempts,
        cancel_requested=job.cancel_requested,
        error_code=job.error_code,
        error=open_error(ctx, job),
        created_at=job.created_at,
        started_at=job.started_at,
        ended_at=job.ended_at,
    )


def newest_for(ctx: Context, kind: str, case_id: uuid.UUID, **ids: object) -> JobView | None:
    """The latest job of this kind in a case that was put with these ids."""
    wanted = {name: str(value) for name, value in ids.items()}.items()
    query = select(Job).where(Job.case_id == case_id, Job.kind == kind).order_by(Job.id.desc())
    found = next((job for job in ctx.session.scalars(query) if wanted <= job.arguments.items()), None)
    return job_view(ctx, found) if found else None


def open_about(ctx: Context, case_id: uuid.UUID, entity_id: uuid.UUID | None, kinds: Collection[str]) -> list[JobView]:
    """Jobs of these kinds that wait or run and name the entity (any, for None), oldest first."""
    query = select(Job).where(Job.case_id == case_id, Job.kind.in_(kinds), Job.state.in_(OPEN_STATES))
    found = ctx.session.scalars(query.order_by(Job.id))
    return [job_view(ctx, job) for job in found if entity_id is None or str(entity_id) in job.arguments.values()]


def error_key(ctx: Context, case_id: uuid.UUID | None) -> str:
    """Messages may name a file or a field, so they are sealed with the case and die with it."""
    key = f"case:{case_id}:metadata"
    return key if case_id is not None and ctx.get(Vault).has(key) else "server"


def open_error(ctx: Context, job: Job) -> str | None:
    vault, key = ctx.get(Vault), error_key(ctx, job.case_id)
    if job.error_sealed is None or (job.case_id is not None and key == "server" and job.error_code != "case_destroyed"):
        return None
    return vault.open_text(key, job.error_sealed, field="jobs.error", row=job.id)

"""Leasing rows: claim, keep alive, close. Every change compares the lease, so a worker that lost it changes nothing."""

import datetime as dt
import secrets
import uuid
from collections.abc import Sequence

import sqlalchemy as sa
from sqlalchemy import or_, select, update

from handover.context import SYSTEM, Context, Installation
from handover.jobs.models import Job


def due(installation: Installation, *, limit: int) -> bool:
    """Whether a row waits; a cheap read, so that an idle worker never takes the write lock."""
    with installation.unit_of_work(SYSTEM, write=False) as ctx:
        return ctx.session.scalars(_claimable(ctx.now()).limit(limit)).first() is not None


def claim(installation: Installation, *, lease_seconds: int, limit: int) -> Sequence[tuple[uuid.UUID, str]]:
    """Leases up to `limit` due rows; returns their ids with the lease's token."""
    with installation.unit_of_work(SYSTEM) as ctx:
        query = _claimable(ctx.now()).limit(limit).with_for_update(skip_locked=True)
        claimed = []
        for job_id in list(ctx.session.scalars(query)):
            token = secrets.token_hex(16)
            ctx.session.execute(
                update(Job)
                .where(Job.id == job_id)
                .values(
                    state="leased",
                    lease=token,
                    leased_until=ctx.now() + dt.timedelta(seconds=lease_seconds),
                    attempts=Job.attempts + 1,
                    started_at=sa.func.coalesce(Job.started_at, ctx.now()),
                )
            )
            claimed.append((job_id, token))
        return claimed


def extend(installation: Installation, job_id: uuid.UUID, lease: str, *, lease_seconds: int) -> bool:
    """Keeps a lease alive; False when it was lost."""
    with installation.unit_of_work(SYSTEM) as ctx:
        return _update(ctx, job_id, lease, leased_until=ctx.now() + dt.timedelta(seconds=lease_seconds))


def close(ctx: Context, job_id: uuid.UUID, lease: str, state: str, **values: object) -> bool:
    """Ends the row within the caller's unit of work; False when the lease was lost."""
    return _update(ctx, job_id, lease, state=state, lease=None, leased_until=None, ended_at=ctx.now(), **values)


def release(ctx: Context, job_id: uuid.UUID, lease: str, *, run_after: dt.datetime, **values: object) -> bool:
    """Gives the row back, to be tried again from `run_after` on."""
    return _update(ctx, job_id, lease, state="queued", lease=None, leased_until=None, run_after=run_after, **values)


def give_back(installation: Installation, job_id: uuid.UUID, lease: str) -> None:
    """Returns a row that was leased and not started."""
    with installation.unit_of_work(SYSTEM) as ctx:
        release(ctx, job_id, lease, run_after=ctx.now())


def report(ctx: Context, job_id: uuid.UUID, lease: str, **values: object) -> bool:
    return _update(ctx, job_id, lease, **values)


def _update(ctx: Context, job_id: uuid.UUID, held: str, **values: object) -> bool:
    statement = update(Job).where(Job.id == job_id, Job.lease == held).values(**values)
    result = ctx.session.execute(statement, execution_options={"synchronize_session": False})
    return bool(getattr(result, "rowcount", 0) == 1)


def _claimable(now: dt.datetime) -> sa.Select[uuid.UUID]:
    waiting = (Job.state == "queued") & (Job.run_after <= now)
    abandoned = (Job.state == "leased") & (Job.leased_until < now)
    return select(Job.id).where(or_(waiting, abandoned)).order_by(Job.run_after, Job.id)

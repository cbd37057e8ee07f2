"""HTTP routes that watch a case: its jobs with their progress, and its part of the audit log."""

import asyncio
import uuid
from collections.abc import AsyncIterator
from typing import Annotated, Any

import msgspec
from anyio import to_thread
from litestar import MediaType, Request, Response, get, post
from litestar.params import Parameter
from litestar.response import ServerSentEvent, ServerSentEventMessage
from sqlalchemy import select

from handover.audit import AuditLog
from handover.audit import queries as audit_queries
from handover.audit.proofs import encode_proof
from handover.cases.queries import bidder_party, visible_case
from handover.context import Context
from handover.errors import NotFoundError
from handover.jobs import Job, JobView, cancel, job_view
from handover.web import reading, writing
from handover.web.examples import problems

Req = Request[Any, Any, Any]
#: How often progress is looked up for a listener.
_TICK_SECONDS = 0.5
#: A listener that stays longer asks again.
_MAX_TICKS = 7200
_ENDED = ("done", "dead", "cancelled")


class CheckpointView(msgspec.Struct, frozen=True):
    """The newest signed checkpoint (C2SP note); keep it somewhere else."""

    checkpoint: str


def visible_job(ctx: Context, job_id: uuid.UUID) -> Job:
    """A job of a case that the actor works on; bidders see none."""
    job = ctx.session.get(Job, job_id)
    if job is None or job.case_id is None:
        raise NotFoundError("there is no such job")
    visible_case(ctx, job.case_id)
    if bidder_party(ctx, job.case_id) is not None:
        raise NotFoundError("there is no such job")
    return job


@get("/api/v1/jobs", sync_to_thread=True, tags=["jobs"], responses=problems(400, 401, 404))
def list_jobs(request: Req, case_id: uuid.UUID) -> list[JobView]:
    """The latest jobs of a case, newest first."""
    with reading(request) as ctx:
        visible_case(ctx, case_id)
        if bidder_party(ctx, case_id) is not None:
            return []
        query = select(Job).where(Job.case_id == case_id).order_by(Job.id.desc()).limit(200)
        return [job_view(ctx, job) for job in ctx.session.scalars(query)]


@get("/api/v1/jobs/{job_id:uuid}", sync_to_thread=True, tags=["jobs"], responses=problems(401, 404))
def read_job(request: Req, job_id: uuid.UUID) -> JobView:
    """One job with its progress."""
    with reading(request) as ctx:
        return job_view(ctx, visible_job(ctx, job_id))


@post(
    "/api/v1/jobs/{job_id:uuid}/cancel",
    sync_to_thread=True,
    tags=["jobs"],
    status_code=200,
    responses=problems(401, 403, 404, 409),
)
def cancel_job(request: Req, job_id: uuid.UUID) -> JobView:
    """Asks a job to stop."""
    with writing(request) as ctx:
        visible_job(ctx, job_id)
        return cancel(ctx, job_id)


@get("/api/v1/jobs/{job_id:uuid}/events", tags=["jobs"], responses=problems(401, 404))
async def watch_job(request: Req, job_id: uuid.UUID) -> ServerSentEvent:
    """Progress as server-sent events, until the job ends."""

    def look() -> JobView:
        with reading(request) as ctx:
            return job_view(ctx, visible_job(ctx, job_id))

    first = await to_thread.run_sync(look)

    async def events() -> AsyncIterator[ServerSentEventMessage]:
        seen, view = b"", first
        for _ in range(_MAX_TICKS):
            data = msgspec.json.encode(view)
            if data != seen:
                seen = data
                yield ServerSentEventMessage(data=data.decode(), event="job")
            if view.state in _ENDED:
                return
            await asyncio.sleep(_TICK_SECONDS)
            view = await to_thread.run_sync(look)

    return ServerSentEvent(events())


@get("/api/v1/audit", sync_to_thread=True, tags=["audit"], responses=problems(400, 401, 404))
def read_audit(
    request: Req,
    case_id: uuid.UUID,
    cursor: Annotated[str | None, Parameter(max_length=64)] = None,
    limit: Annotated[int, Parameter(ge=1, le=200)] = 50,
) -> audit_queries.EntryPage:
    """The entries of a case; the parties of a case may read its log, bidders their own part through their documents."""
    with reading(request) as ctx:
        _inside(ctx, case_id)
        return audit_queries.entries(ctx, case_id=case_id, cursor=cursor, limit=limit)


@get("/api/v1/audit/checkpoint", sync_to_thread=True, tags=["audit"], responses=problems(401))
def read_checkpoint(request: Req) -> CheckpointView:
    """A checkpoint over everything that is committed; whoever keeps it is a witness."""
    with writing(request) as ctx:
        return CheckpointView(ctx.get(AuditLog).checkpoint(ctx))


@get(
    "/api/v1/audit/export",
    sync_to_thread=True,
    tags=["audit"],
    media_type=MediaType.TEXT,
    responses=problems(400, 401, 404),
)
def export_audit(request: Req, case_id: uuid.UUID) -> Response[bytes]:
    """The log for offline verification; entries of other cases are leaf hashes."""
    with writing(request) as ctx:
        _inside(ctx, case_id)
        ctx.get(AuditLog).checkpoint(ctx)
    with reading(request) as ctx:
        data = b"".join(ctx.get(AuditLog).export(ctx, case_id))
    return Response(data, media_type="application/x-ndjson")


@get(
    "/api/v1/audit/proof",
    sync_to_thread=True,
    tags=["audit"],
    media_type=MediaType.TEXT,
    responses=problems(400, 401, 404),
)
def prove(
    request: Req,
    index: Annotated[int, Parameter(ge=0, le=2**62)],
    size: Annotated[int, Parameter(ge=1, le=2**62)],
) -> Response[bytes]:
    """The inclusion proof of an entry in the tree of a checkpoint's size."""
    with reading(request) as ctx:
        proof = ctx.get(AuditLog).prove_inclusion(ctx, index, size)
    return Response(encode_proof(proof), media_type="text/plain; charset=utf-8")


def _inside(ctx: Context, case_id: uuid.UUID) -> None:
    visible_case(ctx, case_id)
    if bidder_party(ctx, case_id) is not None:
        raise NotFoundError("there is no such case")


ROUTES = [
    list_jobs,
    read_job,
    cancel_job,
    watch_job,
    read_audit,
    read_checkpoint,
    export_audit,
    prove,
]

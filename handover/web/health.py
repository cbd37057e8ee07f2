"""Liveness, readiness and metrics. Readiness names what is not ready; liveness says only that the process answers."""

from typing import Any

import msgspec
from litestar import MediaType, Request, Response, get
from prometheus_client import CONTENT_TYPE_LATEST, CollectorRegistry, Counter, Gauge, Histogram, generate_latest
from sqlalchemy import func, select

from handover.context import SYSTEM
from handover.errors import HandoverError
from handover.jobs.models import Job
from handover.storage import Storage
from handover.vault import Vault
from handover.web.edge import installation_of
from handover.workflow import Workflow

REGISTRY = CollectorRegistry()
REQUESTS = Counter("handover_requests", "Requests by route", ["method", "route", "status"], registry=REGISTRY)
SECONDS = Histogram("handover_request_seconds", "Time until the answer begins", ["route"], registry=REGISTRY)
JOBS = Gauge("handover_jobs", "Rows of the job table by state", ["state"], registry=REGISTRY)
#: Answered by threads of their own, so that they are answered while everything else is busy.
_LANE = {"lane": "health"}


class Alive(msgspec.Struct, frozen=True):
    """The process answers."""

    status: str


class Ready(msgspec.Struct, frozen=True):
    """Whether requests can be served, part by part."""

    ready: bool
    parts: dict[str, str]


@get("/healthz", tags=["operation"], security=[])
async def healthz() -> Alive:
    """Alive."""
    return Alive("ok")


@get("/readyz", sync_to_thread=True, opt=_LANE, tags=["operation"], security=[])
def readyz(request: Request[Any, Any, Any]) -> Response[Ready]:
    """Ready, or 503 with the part that is not."""
    installation = installation_of(request)
    parts: dict[str, str] = {}
    try:
        with installation.unit_of_work(SYSTEM, write=False) as ctx:
            ctx.session.execute(select(func.count()).select_from(Job))
        parts["database"] = "ok"
    except HandoverError as error:
        parts["database"] = error.code
    try:
        installation.get(Vault).check()
        parts["vault"] = "ok"
    except HandoverError as error:
        parts["vault"] = error.code
    try:
        installation.get(Storage).ping()  # type: ignore[type-abstract]
        parts["storage"] = "ok"
    except HandoverError:
        parts["storage"] = "unreachable"
    parts["workflows"] = "ok" if Workflow in installation.services else "not loaded"
    ready = all(state == "ok" for state in parts.values())
    return Response(Ready(ready, parts), status_code=200 if ready else 503)


@get("/metrics", sync_to_thread=True, opt=_LANE, media_type=MediaType.TEXT, tags=["operation"], security=[])
def metrics(request: Request[Any, Any, Any]) -> Response[bytes]:
    """Counters in the Prometheus text format; no names, no ids."""
    with installation_of(request).unit_of_work(SYSTEM, write=False) as ctx:
        for state, count in ctx.session.execute(select(Job.state, func.count()).group_by(Job.state)):
            JOBS.labels(state=state).set(count)
    return Response(generate_latest(REGISTRY), media_type=CONTENT_TYPE_LATEST)


ROUTES = [healthz, readyz, metrics]

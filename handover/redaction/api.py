"""HTTP routes of redaction runs."""

import uuid
from typing import Annotated, Any

from litestar import Request, Response, get, post, put
from msgspec import Meta

from handover.inventory.queries import inside
from handover.masking import SampledRecord
from handover.redaction import queries, samples, service
from handover.redaction.binding import MACHINES
from handover.web import changing, creating, fresh, reading, writing
from handover.web.examples import problems
from handover.web.forms import Form, Prose
from handover.web.transitions import transition_routes

Req = Request[Any, Any, Any]


SampleLimit = Annotated[int, Meta(ge=1, le=1_000)]


class NewRedaction(Form):
    """For which bidder records are redacted."""

    case_id: uuid.UUID
    party_id: uuid.UUID


class Plan(Form):
    """A policy for every record set of the run."""

    plan: dict[str, Any]


class Review(Form):
    """What a reviewer looked at."""

    record_set_id: uuid.UUID
    sampled: Annotated[int, Meta(ge=1, le=10_000_000)]
    errors: Annotated[int, Meta(ge=0, le=10_000_000)] = 0
    note: Prose | None = None


@post("/api/v1/redactions", sync_to_thread=True, tags=["redactions"], responses=problems(400, 401, 403, 404, 409, 422))
def propose(request: Req, data: NewRedaction) -> Response[queries.RedactionView]:
    """Starts a run with a plan proposed from the classification."""

    def work(ctx: Any) -> queries.RedactionView:
        return queries.redaction_view(ctx, service.propose(ctx, data.case_id, data.party_id))

    return creating(request, work, location="/api/v1/redactions")


@get("/api/v1/redactions", sync_to_thread=True, tags=["redactions"], responses=problems(400, 401, 404))
def list_redactions(request: Req, case_id: uuid.UUID) -> list[queries.RedactionView]:
    """The redaction runs of a case."""
    with reading(request) as ctx:
        inside(ctx, case_id)
        return [queries.redaction_view(ctx, row) for row in queries.redactions_of(ctx, case_id)]


@get("/api/v1/redactions/{redaction_id:uuid}", sync_to_thread=True, tags=["redactions"], responses=problems(401, 404))
def read(request: Req, redaction_id: uuid.UUID) -> Response[queries.RedactionView]:
    """One run with its plan and counts."""
    with reading(request) as ctx:
        return fresh(queries.redaction_view(ctx, queries.visible_redaction(ctx, redaction_id)))


@put(
    "/api/v1/redactions/{redaction_id:uuid}/plan",
    sync_to_thread=True,
    tags=["redactions"],
    responses=problems(400, 401, 403, 404, 409, 412, 428),
)
def change_plan(request: Req, redaction_id: uuid.UUID, data: Plan) -> Response[queries.RedactionView]:
    """Replaces the plan of a run that has not started."""
    with writing(request) as ctx:
        row = queries.visible_redaction(ctx, redaction_id)
        changing(request, row)
        return fresh(queries.redaction_view(ctx, service.change_plan(ctx, row, data.plan)))


@post(
    "/api/v1/redactions/{redaction_id:uuid}/review",
    sync_to_thread=True,
    tags=["redactions"],
    responses=problems(400, 401, 403, 404, 409),
)
def review(request: Req, redaction_id: uuid.UUID, data: Review) -> queries.RedactionView:
    """Notes a sample that the caller looked at."""
    with writing(request) as ctx:
        row = queries.visible_redaction(ctx, redaction_id)
        service.review(ctx, row, data.record_set_id, sampled=data.sampled, errors=data.errors, note=data.note)
        return queries.redaction_view(ctx, row)


@get(
    "/api/v1/redactions/{redaction_id:uuid}/samples",
    sync_to_thread=True,
    tags=["redactions"],
    responses=problems(400, 401, 403, 404, 409),
)
def read_samples(
    request: Req, redaction_id: uuid.UUID, record_set_id: uuid.UUID, limit: SampleLimit = 20
) -> list[SampledRecord]:
    """Records of the output, drawn pseudo-randomly: each field after, beside the mere shape of what it was before.

    Reading is noted in the audit log.
    """
    with writing(request) as ctx:
        row = queries.visible_redaction(ctx, redaction_id)
        return samples.read(ctx, row, record_set_id, limit)


ROUTES = [
    propose,
    list_redactions,
    read,
    change_plan,
    review,
    read_samples,
    *(route for binding in MACHINES for route in transition_routes(binding)),
]

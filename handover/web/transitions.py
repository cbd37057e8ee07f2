"""The two routes that every stateful collection has: what is possible, and moving it."""

import uuid
from typing import Annotated, Any

import msgspec
from litestar import Request, Response, get, post
from litestar.params import Body
from msgspec import Meta

from handover.web.edge import reading, writing
from handover.web.examples import problems
from handover.workflow import Fired, MachineBinding, Option, Workflow


class Move(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """Why the state is moved; some transitions need it."""

    reason: Annotated[str, Meta(max_length=2000)] | None = None


def transition_routes(binding: MachineBinding) -> list[Any]:
    """Routes for one machine."""
    base, tag = f"/api/v1/{binding.collection}/{{row_id:uuid}}/transitions", binding.collection

    @get(base, sync_to_thread=True, tags=[tag], operation_id=f"{binding.machine}_options", responses=problems(401, 404))
    def options(request: Request[Any, Any, Any], row_id: uuid.UUID) -> list[Option]:
        """What can happen next, what blocks it, and who must act."""
        with reading(request) as ctx:
            return ctx.get(Workflow).options(ctx, binding.load(ctx, row_id))

    @post(
        base + "/{trigger:str}",
        sync_to_thread=True,
        tags=[tag],
        operation_id=f"{binding.machine}_fire",
        status_code=200,
        responses=problems(400, 401, 403, 404, 409, 422, 503),
    )
    def fire(
        request: Request[Any, Any, Any],
        row_id: uuid.UUID,
        trigger: str,
        data: Annotated[Move, Body(description="A reason where one is needed; {} otherwise")],
    ) -> Response[Fired]:
        """Moves the state, or records an approval while others are awaited (202)."""
        with writing(request) as ctx:
            fired = ctx.get(Workflow).fire(ctx, binding.load(ctx, row_id), trigger, reason=data.reason)
        return Response(fired, status_code=202 if fired.pending else 200)

    return [options, fire]

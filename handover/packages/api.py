"""HTTP routes of packages."""

import uuid
from typing import Any

from litestar import Request, Response, get, post

from handover.cases.queries import visible_case
from handover.packages import queries, service
from handover.packages.binding import MACHINES
from handover.web import creating, fresh, reading
from handover.web.examples import problems
from handover.web.forms import Form, Word
from handover.web.transitions import transition_routes

Req = Request[Any, Any, Any]


class NewPackage(Form):
    """For whom and what for; a due-diligence package names its redaction."""

    case_id: uuid.UUID
    purpose: Word
    recipient_id: uuid.UUID
    redaction_id: uuid.UUID | None = None


@post("/api/v1/packages", sync_to_thread=True, tags=["packages"], responses=problems(400, 401, 403, 404, 409, 422))
def draft(request: Req, data: NewPackage) -> Response[queries.PackageView]:
    """Drafts a package; `build` starts the work."""

    def work(ctx: Any) -> queries.PackageView:
        row = service.draft(ctx, data.case_id, data.purpose, data.recipient_id, data.redaction_id)
        return queries.package_view(row)

    return creating(request, work, location="/api/v1/packages")


@get("/api/v1/packages", sync_to_thread=True, tags=["packages"], responses=problems(400, 401, 404))
def list_packages(request: Req, case_id: uuid.UUID) -> list[queries.PackageView]:
    """The packages of a case that the caller may see."""
    with reading(request) as ctx:
        visible_case(ctx, case_id)
        return [queries.package_view(row) for row in queries.packages_of(ctx, case_id)]


@get("/api/v1/packages/{package_id:uuid}", sync_to_thread=True, tags=["packages"], responses=problems(401, 404))
def read(request: Req, package_id: uuid.UUID) -> Response[queries.PackageView]:
    """One package with the facts of its manifest."""
    with reading(request) as ctx:
        return fresh(queries.package_view(queries.visible_package(ctx, package_id)))


ROUTES = [
    draft,
    list_packages,
    read,
    *(route for binding in MACHINES for route in transition_routes(binding)),
]

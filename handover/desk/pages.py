"""Pages of the desk."""

from typing import Any

from litestar import Request, Response, get

from handover.cases.frame import reader
from handover.web.edge import reading
from handover.web.html import Done, redirect

Req = Request[Any, Any, Any]


@get("/", sync_to_thread=True, include_in_schema=False)
def start(request: Req) -> Response[Any]:
    """Everyone begins where their work is."""
    with reading(request) as ctx:
        known = reader(ctx)
    if "platform_admin" in known.roles:
        return redirect(request, Done("/admin"))
    if "auditor" in known.roles:
        return redirect(request, Done("/cases"))
    return redirect(request, Done("/todo" if known.inside else "/my"))


ROUTES = [start]

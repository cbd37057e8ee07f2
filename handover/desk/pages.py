"""Pages of the desk."""

from typing import Any

from litestar import Request, Response, get

from handover.accounts.queries import me
from handover.web.edge import reading
from handover.web.html import Done, redirect

Req = Request[Any, Any, Any]


@get("/", sync_to_thread=True, include_in_schema=False)
def start(request: Req) -> Response[Any]:
    """Everyone begins where their work is."""
    with reading(request) as ctx:
        roles = me(ctx).roles
    if "platform_admin" in roles:
        return redirect(request, Done("/admin"))
    return redirect(request, Done("/todo" if "consultant" in roles else "/cases" if "auditor" in roles else "/my"))


ROUTES = [start]

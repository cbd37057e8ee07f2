"""Builds the ASGI application from the routes of the rooms."""

import time
from collections.abc import Sequence
from typing import Any

from litestar import Litestar
from litestar.datastructures import State
from litestar.exceptions import HTTPException
from litestar.types import ASGIApp, Message, Receive, Send

from handover.context import Installation
from handover.errors import HandoverError
from handover.web import errors, health
from handover.web.declared import declared, lanes
from handover.web.description import description
from handover.web.edge import Authentication
from handover.web.headers import before_send, head_as_get, with_request_id
from handover.web.html.answers import error_answer, wants_page
from handover.web.html.move import ROUTES as MOVES
from handover.web.html.static import static_file
from handover.web.strict_json import StrictRequest

#: JSON bodies are small; uploads lift this for their own route.
MAX_BODY = 1 << 20
#: What is counted by name; anything else a client may invent is counted together.
_METHODS = frozenset({"GET", "HEAD", "POST", "PUT", "PATCH", "DELETE", "OPTIONS"})


def make_app(routes: Sequence[Any], authentication: Authentication) -> ASGIApp:
    """The application, with headers on every answer and problem details for every error; serves any installation."""
    threads = lanes()
    app = Litestar(
        route_handlers=[declared(handler, threads) for handler in (*health.ROUTES, static_file, *MOVES, *routes)],
        state=State({"authentication": authentication}),
        openapi_config=description(),
        request_class=StrictRequest,
        exception_handlers={
            HandoverError: _for_reader(errors.of_product),
            HTTPException: _for_reader(errors.of_framework),
            Exception: _for_reader(errors.of_anything),
        },
        before_send=[before_send],
        request_max_body_size=MAX_BODY,
        logging_config=None,
        debug=False,
    )
    return with_request_id(_measured(head_as_get(app)))


def serving(app: ASGIApp, installation: Installation) -> ASGIApp:
    """The application of `make_app` over one installation."""

    async def wrapped(scope: Any, receive: Receive, send: Send) -> None:
        scope["state"] = {**scope.get("state", {}), "installation": installation}
        await app(scope, receive, send)

    return wrapped


def _for_reader(problem: Any) -> Any:
    """An error as a page for people with browsers, and as problem details for programs."""

    def answered(request: Any, error: Any) -> Any:
        return error_answer(request, error) if wants_page(request) else problem(request, error)

    return answered


def _measured(app: ASGIApp) -> ASGIApp:
    """Counts by route as it is declared, never by address: addresses hold ids."""

    async def wrapped(scope: Any, receive: Receive, send: Send) -> None:
        if scope["type"] != "http":
            await app(scope, receive, send)
            return
        started, method = time.perf_counter(), scope["method"]

        async def counted(message: Message) -> None:
            if message["type"] == "http.response.start":
                known = method if method in _METHODS else "other"
                route = scope["state"].get("route", "none")
                health.REQUESTS.labels(method=known, route=route, status=str(message["status"])).inc()
                health.SECONDS.labels(route=route).observe(time.perf_counter() - started)
            await send(message)

        await app(scope, receive, counted)

    return wrapped

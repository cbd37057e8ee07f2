"""Builds the ASGI application from the routes of the rooms."""

import functools
import time
from collections.abc import Sequence
from typing import Any

from anyio import to_thread
from litestar import Litestar
from litestar.datastructures import State
from litestar.exceptions import HTTPException
from litestar.handlers import HTTPRouteHandler
from litestar.openapi import OpenAPIConfig
from litestar.openapi.plugins import JsonRenderPlugin
from litestar.openapi.spec import Components, SecurityScheme
from litestar.types import ASGIApp, Message, Receive, Send

from handover import __version__
from handover.context import Installation
from handover.errors import HandoverError
from handover.web import errors, health
from handover.web.edge import Authentication
from handover.web.headers import EdgeMiddleware, before_send, head_as_get

#: JSON bodies are small; uploads lift this for their own route.
MAX_BODY = 1 << 20


def make_app(installation: Installation, routes: Sequence[Any], authentication: Authentication) -> ASGIApp:
    """The application, with headers on every answer and problem details for every error."""
    app = Litestar(
        route_handlers=[_threaded(handler) for handler in (*health.ROUTES, *routes)],
        state=State({"installation": installation, "authentication": authentication}),
        openapi_config=OpenAPIConfig(
            title="handover",
            version=__version__,
            path="/schema",
            render_plugins=[JsonRenderPlugin()],
            components=Components(
                security_schemes={
                    "session": SecurityScheme(type="http", scheme="bearer", description="A session or API token")
                }
            ),
            security=[{"session": []}],
        ),
        exception_handlers={
            HandoverError: errors.of_product,
            HTTPException: errors.of_framework,
            Exception: errors.of_anything,
        },
        before_send=[before_send],
        middleware=[EdgeMiddleware],
        request_max_body_size=MAX_BODY,
        logging_config=None,
        debug=False,
    )
    return _measured(head_as_get(app))


def _threaded(handler: Any) -> Any:
    """Makes a synchronous handler run in a worker thread.

    The framework would do this itself, but wraps a handler anew for each method of its path, so that the second one
    answers with a coroutine.
    """
    if isinstance(handler, HTTPRouteHandler) and handler.sync_to_thread:
        work = handler.fn

        @functools.wraps(work)
        async def threaded(*args: Any, **kwargs: Any) -> Any:
            return await to_thread.run_sync(functools.partial(work, *args, **kwargs))

        handler._fn = threaded  # noqa: SLF001  (there is no public way to set it)
        handler.sync_to_thread = None
    return handler


def _measured(app: ASGIApp) -> ASGIApp:
    async def wrapped(scope: Any, receive: Receive, send: Send) -> None:
        if scope["type"] != "http":
            await app(scope, receive, send)
            return
        started, method = time.perf_counter(), scope["method"]

        async def counted(message: Message) -> None:
            if message["type"] == "http.response.start":
                health.REQUESTS.labels(method=method, status=str(message["status"])).inc()
                health.SECONDS.observe(time.perf_counter() - started)
            await send(message)

        await app(scope, receive, counted)

    return wrapped

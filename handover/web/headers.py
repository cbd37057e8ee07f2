"""What every response carries, whatever produced it: security headers and the request id. HEAD is answered as GET."""

import re
from typing import Any

from litestar.datastructures import MutableScopeHeaders
from litestar.types import ASGIApp, Message, Receive, Send

from handover.context import new_request_id

_HEADERS = {
    "Content-Security-Policy": (
        "default-src 'none'; base-uri 'none'; form-action 'self'; frame-ancestors 'none'; sandbox"
    ),
    "X-Content-Type-Options": "nosniff",
    "X-Frame-Options": "DENY",
    "Referrer-Policy": "no-referrer",
    "Strict-Transport-Security": "max-age=31536000; includeSubDomains",
    "Cross-Origin-Opener-Policy": "same-origin",
    "Cross-Origin-Resource-Policy": "same-origin",
    "Permissions-Policy": "camera=(), geolocation=(), microphone=(), payment=(), usb=()",
}
_REQUEST_ID = re.compile(r"[A-Za-z0-9._-]{1,40}")


async def before_send(message: Message, scope: Any) -> None:
    """Adds what is missing to every response, errors and unknown routes included."""
    if message["type"] != "http.response.start":
        return
    headers = MutableScopeHeaders.from_message(message)
    for name, value in _HEADERS.items():
        headers.setdefault(name, value)
    headers.setdefault("Cache-Control", "no-store")
    state = scope.get("state", {})
    headers["X-Request-ID"] = str(state.get("request_id", ""))
    if "path_template" in scope:
        state["route"] = scope["path_template"]


def with_request_id(app: ASGIApp) -> ASGIApp:
    """Gives every request an id, those without a route included; a caller's own is kept beside ours, never instead."""

    async def wrapped(scope: Any, receive: Receive, send: Send) -> None:
        if scope["type"] == "http":
            given = dict(scope["headers"]).get(b"x-request-id", b"").decode("latin-1")
            own = new_request_id()
            known = f"{own}.{given}" if _REQUEST_ID.fullmatch(given) else own
            scope["state"] = {**scope.get("state", {}), "request_id": known}
        await app(scope, receive, send)

    return wrapped


def head_as_get(app: ASGIApp) -> ASGIApp:
    """Answers HEAD from GET routes; the framework itself says 405."""

    async def wrapped(scope: Any, receive: Receive, send: Send) -> None:
        if scope["type"] != "http" or scope["method"] != "HEAD":
            await app(scope, receive, send)
            return
        # A copy: the server itself still sees HEAD and sends no body.
        asked: Any = {**scope, "method": "GET"}
        asked.setdefault("state", {})["head"] = True
        await app(asked, receive, send)

    return wrapped

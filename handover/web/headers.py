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
    headers["X-Request-ID"] = str(scope.get("state", {}).get("request_id", ""))


class EdgeMiddleware:
    """Gives each request its id and lets GET handlers answer HEAD without their bodies."""

    def __init__(self, app: ASGIApp) -> None:
        self.app = app

    async def __call__(self, scope: Any, receive: Receive, send: Send) -> None:
        if scope["type"] != "http":
            await self.app(scope, receive, send)
            return
        state: dict[str, Any] = scope.setdefault("state", {})
        given = dict(scope["headers"]).get(b"x-request-id", b"").decode("latin-1")
        own = new_request_id()
        # A caller's id is kept beside ours, never instead: ids in the log are unique.
        state["request_id"] = f"{own}.{given}" if _REQUEST_ID.fullmatch(given) else own
        await self.app(scope, receive, send)


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

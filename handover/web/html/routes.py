"""How a page and its form are routed: in a thread, and no part of the API's description. Said once for all rooms."""

from collections.abc import Callable
from typing import Any

from litestar import get, post
from litestar.handlers import HTTPRouteHandler

Declared = Callable[[Callable[..., Any]], HTTPRouteHandler]


def get_page(path: str | list[str], **more: Any) -> Declared:
    """The route of a page."""
    return get(path, sync_to_thread=True, include_in_schema=False, **more)


def post_form(path: str | list[str], **more: Any) -> Declared:
    """The route of a form: it redirects when its work is done, and shows the page again when it is not."""
    return post(path, sync_to_thread=True, include_in_schema=False, status_code=200, **more)

"""What the pages share on which somebody comes in: the answer after a login, and the page's own address to go on elsewhere."""

from typing import Annotated, Any

from litestar import Request, Response
from msgspec import Meta

from handover.accounts.sessions import LoggedIn
from handover.context import Context
from handover.settings import Settings
from handover.web.edge import session_cookie
from handover.web.html import Done, redirect
from handover.web.html.answers import LANGUAGE, language_cookie, local_path

#: A browser's answer about a passkey, as JSON.
Credential = Annotated[str, Meta(min_length=2, max_length=20_000)]


def entered(request: Request[Any, Any, Any], made: LoggedIn, path: str, said: str = "") -> Response[Any]:
    """On after a login; a browser that has no language yet takes the person's."""
    answer = redirect(request, Done(local_path(path), said))
    answer.set_cookie(session_cookie(made.token))
    if LANGUAGE not in request.cookies:
        answer.set_cookie(language_cookie(made.person.language))
    return answer


def here(request: Request[Any, Any, Any], ctx: Context) -> str:
    """This page's address, to be opened on another device."""
    return ctx.get(Settings).public_url + request.url.path

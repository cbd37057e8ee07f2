"""Where a person is logged in, and what programs may do in their name."""

import uuid
from typing import Annotated, Any

from litestar import Request, Response
from msgspec import Meta

from handover.accounts import sessions, tokens
from handover.accounts.pages_account import account_frame
from handover.context import Context
from handover.i18n.catalogue import catalogue
from handover.web.forms import Form, Line
from handover.web.html import FORM, Done, FilledForm, page, submit
from handover.web.html.routes import get_page, post_form

Req = Request[Any, Any, Any]


class NewToken(Form):
    """A token for a program."""

    name: Line
    scopes: list[str]
    days: Annotated[int, Meta(ge=1, le=tokens.MAX_DAYS)] = 30


@get_page("/account/sessions")
def sessions_page(request: Req) -> Response[Any]:
    """My open sessions."""
    return _sessions(request, FilledForm())


@post_form("/account/sessions/{session_id:uuid}/end")
def end_session(request: Req, session_id: uuid.UUID, data: FORM) -> Response[Any]:
    """Ends one session, on whatever device it is."""

    def work(ctx: Context, _form: Form) -> Done:
        sessions.end(ctx, session_id)
        return Done("/account/sessions", catalogue(ctx.language).gettext("The session has ended."))

    return submit(request, data, Form, work, lambda form: _sessions(request, form))


@post_form("/account/sessions/end-others")
def end_others(request: Req, data: FORM) -> Response[Any]:
    """Ends every session but this one."""

    def work(ctx: Context, _form: Form) -> Done:
        sessions.end_others(ctx)
        return Done("/account/sessions", catalogue(ctx.language).gettext("All your other sessions have ended."))

    return submit(request, data, Form, work, lambda form: _sessions(request, form))


@get_page("/account/tokens")
def tokens_page(request: Req) -> Response[Any]:
    """My API tokens."""
    return _tokens(request, FilledForm())


@post_form("/account/tokens")
def create_token(request: Req, data: FORM) -> Response[Any]:
    """Makes a token, and shows it in this one answer."""
    made: list[tokens.NewToken] = []

    def work(ctx: Context, form: NewToken) -> Done:
        made.append(tokens.create(ctx, name=form.name, scopes=form.scopes, days=form.days))
        return Done("/account/tokens")

    answer = submit(request, data, NewToken, work, lambda form: _tokens(request, form))
    if answer.status_code != 303:
        return answer
    return page(request, "accounts/token.html", lambda ctx: {**account_frame(ctx, "tokens"), "token": made[0]})


@post_form("/account/tokens/{token_id:uuid}/revoke")
def revoke_token(request: Req, token_id: uuid.UUID, data: FORM) -> Response[Any]:
    """Revokes a token at once."""

    def work(ctx: Context, _form: Form) -> Done:
        tokens.revoke(ctx, token_id)
        return Done("/account/tokens", catalogue(ctx.language).gettext("The token works no more."))

    return submit(request, data, Form, work, lambda form: _tokens(request, form))


def _sessions(request: Req, form: FilledForm) -> Response[Any]:
    def gather(ctx: Context) -> dict[str, Any]:
        return {**account_frame(ctx, "sessions"), "sessions": sessions.own(ctx)}

    return page(request, "accounts/sessions.html", gather, form=form)


def _tokens(request: Req, form: FilledForm) -> Response[Any]:
    def gather(ctx: Context) -> dict[str, Any]:
        return {
            **account_frame(ctx, "tokens"),
            "tokens": tokens.own(ctx),
            "now": ctx.now(),
            "max_days": tokens.MAX_DAYS,
        }

    return page(request, "accounts/tokens.html", gather, form=form)


ROUTES = [sessions_page, end_session, end_others, tokens_page, create_token, revoke_token]

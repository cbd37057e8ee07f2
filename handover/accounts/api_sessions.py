"""HTTP routes of logins and sessions, and of what a person changes about their own."""

import uuid
from typing import Annotated, Any

from litestar import Request, Response, delete, get, post
from msgspec import Meta

from handover.accounts import credentials, queries, sessions
from handover.web import reading, writing
from handover.web.declared import HASHING, OWN_TRANSACTIONS
from handover.web.edge import installation_of, language_of, session_cookie
from handover.web.errors import request_id
from handover.web.examples import problems
from handover.web.forms import Form, Line

Req = Request[Any, Any, Any]
Secret = Annotated[str, Meta(min_length=1, max_length=512)]
Code = Annotated[str, Meta(pattern=r"^[0-9]{6,8}$")]


class Login(Form):
    """E-mail, password and one of the two second factors."""

    email: Line
    password: Secret
    totp: Code | None = None
    telephone_code: Code | None = None


class SecondFactor(Form):
    """One of the two second factors."""

    totp: Code | None = None
    telephone_code: Code | None = None


class NewPassword(Form):
    """The old and the new password."""

    old: Secret
    new: Secret


@post(
    "/api/v1/sessions",
    sync_to_thread=True,
    tags=["sessions"],
    security=[],
    opt=HASHING,
    responses=problems(400, 401, 429),
)
def log_in(request: Req, data: Login) -> Response[sessions.LoggedIn]:
    """Logs in; the token is returned once and set as a cookie."""
    made = sessions.log_in(
        installation_of(request),
        email=data.email,
        password=data.password,
        totp=data.totp,
        telephone_code=data.telephone_code,
        language=language_of(request),
        request_id=request_id(request),
    )
    return _with_cookie(made, 201)


@get("/api/v1/sessions/current", sync_to_thread=True, tags=["sessions"], responses=problems(401))
def who_am_i(request: Req) -> queries.PersonView:
    """The person behind the session or token."""
    with reading(request) as ctx:
        return queries.require_person(ctx, ctx.person())


@delete("/api/v1/sessions/current", sync_to_thread=True, tags=["sessions"], responses=problems(401))
def log_out(request: Req) -> Response[None]:
    """Ends the session on the server, and takes back its cookie."""
    with writing(request) as ctx:
        sessions.log_out(ctx)
    return Response(None, status_code=204, cookies=[session_cookie("", max_age=0)])


@get("/api/v1/sessions", sync_to_thread=True, tags=["sessions"], responses=problems(401))
def list_sessions(request: Req) -> list[sessions.SessionView]:
    """The caller's open sessions."""
    with reading(request) as ctx:
        return sessions.own(ctx)


@delete("/api/v1/sessions/{session_id:uuid}", sync_to_thread=True, tags=["sessions"], responses=problems(401, 404))
def end_session(request: Req, session_id: uuid.UUID) -> None:
    """Ends one of the caller's sessions, on whatever device it is."""
    with writing(request) as ctx:
        sessions.end(ctx, session_id)


@post(
    "/api/v1/sessions/current/second-factor",
    sync_to_thread=True,
    tags=["sessions"],
    status_code=200,
    opt=OWN_TRANSACTIONS,
    responses=problems(400, 401, 429),
)
def step_up(request: Req, data: SecondFactor) -> Response[sessions.LoggedIn]:
    """Proves the second factor again, for acts that need a fresh one; the session gets a new token."""
    with writing(request) as ctx:
        sessions.current(ctx)
        actor = ctx.actor
    made = credentials.step_up(
        installation_of(request),
        actor,
        totp=data.totp,
        telephone_code=data.telephone_code,
        request_id=request_id(request),
    )
    return _with_cookie(made, 200)


@post(
    "/api/v1/people/me/password",
    sync_to_thread=True,
    tags=["people"],
    status_code=204,
    opt=HASHING,
    responses=problems(400, 401, 403, 409, 429),
)
def change_password(request: Req, data: NewPassword) -> None:
    """Changes the password and ends all other sessions."""
    with writing(request) as ctx:
        sessions.current(ctx)
        actor = ctx.actor
    credentials.change_password(
        installation_of(request), actor, old=data.old, new=data.new, request_id=request_id(request)
    )


def _with_cookie(made: sessions.LoggedIn, status: int) -> Response[sessions.LoggedIn]:
    return Response(made, status_code=status, cookies=[session_cookie(made.token)])


ROUTES = [log_in, who_am_i, list_sessions, log_out, end_session, step_up, change_password]

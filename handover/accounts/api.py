"""HTTP routes of accounts."""

import uuid
from typing import Annotated, Any

import msgspec
from litestar import Request, Response, delete, get, post
from litestar.datastructures import Cookie
from msgspec import Meta

from handover.accounts import factors, people, queries, sessions, tokens
from handover.web import Page, creating, page_after, reading, writing
from handover.web.edge import COOKIE, installation_of, language_of
from handover.web.errors import request_id
from handover.web.examples import problems
from handover.web.forms import Form, Line
from handover.web.pagination import Cursor, Limit, page

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


class NewInvitation(Form):
    """Who is invited; roles in the installation are given by administrators only."""

    email: Line
    name: Line
    language: Annotated[str, Meta(pattern="^(zh|en)$")] = "zh"
    organisation_roles: tuple[str, ...] = ()


class Acceptance(Form):
    """The code came over another channel than the link."""

    code: Code
    password: Secret
    second_factor: str


class NewPassword(Form):
    """The old and the new password."""

    old: Secret
    new: Secret


class NewApiToken(Form):
    """A token for a program."""

    name: Line
    scopes: list[str]
    days: int = 30


class IssuedCode(msgspec.Struct, frozen=True):
    """A code to read out on the telephone, shown this once."""

    code: str
    expires_at: Any


class OpenInvitation(msgspec.Struct, frozen=True):
    """An invitation that can still be accepted; looking consumes nothing."""

    expires_at: Any
    language: str


@post("/api/v1/sessions", sync_to_thread=True, tags=["sessions"], security=[], responses=problems(400, 401, 429))
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
def log_out(request: Req) -> None:
    """Ends the session on the server."""
    with writing(request) as ctx:
        sessions.log_out(ctx)


@post(
    "/api/v1/sessions/current/second-factor",
    sync_to_thread=True,
    tags=["sessions"],
    status_code=200,
    responses=problems(400, 401),
)
def step_up(request: Req, data: SecondFactor) -> Response[sessions.LoggedIn]:
    """Proves the second factor again, for acts that need a fresh one; the session gets a new token."""
    with writing(request) as ctx:
        made = sessions.step_up(ctx, totp=data.totp, telephone_code=data.telephone_code)
    return _with_cookie(made, 200)


@post("/api/v1/invitations", sync_to_thread=True, tags=["invitations"], responses=problems(400, 401, 403, 409, 422))
def invite(request: Req, data: NewInvitation) -> Response[people.Invited]:
    """Invites a person; link and code are shown this once, to be sent over two channels."""
    return creating(
        request,
        data,
        lambda ctx: people.invite(
            ctx,
            email=data.email,
            name=data.name,
            language=data.language,
            organisation_roles=list(data.organisation_roles),
        ),
    )


@get(
    "/api/v1/invitations/open/{token:str}",
    sync_to_thread=True,
    tags=["invitations"],
    security=[],
    responses=problems(410),
)
def look_at_invitation(request: Req, token: str) -> OpenInvitation:
    """Whether a link can still be used; mail scanners that follow it consume nothing."""
    with reading(request, anonymous=True) as ctx:
        row, person = people.find(ctx, token)
        return OpenInvitation(row.expires_at, person.language)


@post(
    "/api/v1/invitations/open/{token:str}",
    sync_to_thread=True,
    tags=["invitations"],
    security=[],
    status_code=200,
    responses=problems(400, 410),
)
def accept_invitation(request: Req, token: str, data: Acceptance) -> people.Enrolled:
    """Enrols: link, code, password and second factor together."""
    with writing(request, anonymous=True) as ctx:
        people.count_attempt(ctx, token)
    with writing(request, anonymous=True) as ctx:
        return people.accept(ctx, token, code=data.code, password=data.password, second_factor=data.second_factor)


@get("/api/v1/people", sync_to_thread=True, tags=["people"], responses=problems(400, 401, 403))
def list_people(request: Req, cursor: Cursor = None, limit: Limit = 50) -> Page[queries.PersonView]:
    """People with accounts, for administrators and consultants."""
    with reading(request) as ctx:
        queries.require_staff(ctx)
        rows = queries.people(ctx, page_after(cursor), limit + 1)
        return page(rows, limit, lambda row: queries.person_view(ctx, row))


@post(
    "/api/v1/people/{person_id:uuid}/telephone-codes",
    sync_to_thread=True,
    tags=["people"],
    responses=problems(401, 403, 404),
)
def issue_code(request: Req, person_id: uuid.UUID) -> IssuedCode:
    """A one-time code for somebody else, to read out on the telephone."""
    with writing(request) as ctx:
        return IssuedCode(*factors.issue_code(ctx, person_id))


@post(
    "/api/v1/people/{person_id:uuid}/suspend",
    sync_to_thread=True,
    tags=["people"],
    status_code=200,
    responses=problems(401, 403, 404),
)
def suspend(request: Req, person_id: uuid.UUID) -> queries.PersonView:
    """Ends a person's access at once."""
    with writing(request) as ctx:
        return queries.person_view(ctx, people.suspend(ctx, person_id))


@post(
    "/api/v1/people/me/password",
    sync_to_thread=True,
    tags=["people"],
    status_code=204,
    responses=problems(400, 401, 403),
)
def change_password(request: Req, data: NewPassword) -> None:
    """Changes the password and ends all other sessions."""
    with writing(request) as ctx:
        sessions.change_password(ctx, old=data.old, new=data.new)


@get("/api/v1/tokens", sync_to_thread=True, tags=["tokens"], responses=problems(401))
def list_tokens(request: Req) -> list[tokens.TokenView]:
    """The caller's API tokens."""
    with reading(request) as ctx:
        return tokens.own(ctx)


@post("/api/v1/tokens", sync_to_thread=True, tags=["tokens"], responses=problems(400, 401, 403, 409, 422))
def create_token(request: Req, data: NewApiToken) -> Response[tokens.NewToken]:
    """Makes an API token; it is shown this once."""
    return creating(request, data, lambda ctx: tokens.create(ctx, name=data.name, scopes=data.scopes, days=data.days))


@delete("/api/v1/tokens/{token_id:uuid}", sync_to_thread=True, tags=["tokens"], responses=problems(401, 404))
def revoke_token(request: Req, token_id: uuid.UUID) -> None:
    """Revokes an API token."""
    with writing(request) as ctx:
        tokens.revoke(ctx, token_id)


def _with_cookie(made: sessions.LoggedIn, status: int) -> Response[sessions.LoggedIn]:
    cookie = Cookie(key=COOKIE, value=made.token, path="/", secure=True, httponly=True, samesite="lax")
    return Response(made, status_code=status, cookies=[cookie])


ROUTES = [
    log_in,
    who_am_i,
    log_out,
    step_up,
    invite,
    look_at_invitation,
    accept_invitation,
    list_people,
    issue_code,
    suspend,
    change_password,
    list_tokens,
    create_token,
    revoke_token,
]

"""HTTP routes of invitations, people and API tokens."""

import uuid
from collections.abc import Callable
from typing import Any

import msgspec
from litestar import Request, Response, delete, get, post

from handover.accounts import api_sessions, factors, people, queries, tokens
from handover.accounts.api_sessions import Code, Secret
from handover.context import Context
from handover.web import Page, creating, page_after, reading, writing
from handover.web.declared import HASHING
from handover.web.edge import installation_of, once_in_parts
from handover.web.errors import request_id
from handover.web.examples import problems
from handover.web.forms import Form, Line
from handover.web.pagination import Cursor, Limit, page

Req = Request[Any, Any, Any]


class Acceptance(Form):
    """The code came over another channel than the link."""

    code: Code
    password: Secret
    second_factor: str


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
    opt=HASHING,
    responses=problems(400, 409, 410, 422),
)
def accept_invitation(request: Req, token: str, data: Acceptance) -> people.Enrolled:
    """Enrols: link, code, password and second factor together."""

    def work(keep: Callable[[Context, Any], None]) -> people.Enrolled:
        return people.accept(
            installation_of(request),
            token,
            code=data.code,
            password=data.password,
            second_factor=data.second_factor,
            request_id=request_id(request),
            keep=keep,
        )

    enrolled: people.Enrolled = once_in_parts(request, data, work)
    return enrolled


@get("/api/v1/people", sync_to_thread=True, tags=["people"], responses=problems(400, 401, 403))
def list_people(request: Req, cursor: Cursor = None, limit: Limit = 50) -> Page[queries.PersonView]:
    """People with accounts, for administrators and consultants."""
    with reading(request) as ctx:
        queries.require_staff(ctx)
        rows = queries.people(ctx, page_after(cursor), limit + 1)
        return page(rows, limit, lambda row: queries.person_view(ctx, row))


@get("/api/v1/people/me", sync_to_thread=True, tags=["people"], responses=problems(401))
def read_me(request: Req) -> queries.PersonView:
    """The caller."""
    with reading(request) as ctx:
        return queries.require_person(ctx, ctx.person())


@post(
    "/api/v1/people/{person_id:uuid}/telephone-codes",
    sync_to_thread=True,
    tags=["people"],
    responses=problems(401, 403, 404, 409, 422),
)
def issue_code(request: Req, person_id: uuid.UUID) -> Response[IssuedCode]:
    """A one-time code for somebody else, to read out on the telephone."""
    return creating(request, lambda ctx: IssuedCode(*factors.issue_code(ctx, person_id)))


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


@get("/api/v1/tokens", sync_to_thread=True, tags=["tokens"], responses=problems(401))
def list_tokens(request: Req) -> list[tokens.TokenView]:
    """The caller's API tokens."""
    with reading(request) as ctx:
        return tokens.own(ctx)


@post("/api/v1/tokens", sync_to_thread=True, tags=["tokens"], responses=problems(400, 401, 403, 409, 422))
def create_token(request: Req, data: NewApiToken) -> Response[tokens.NewToken]:
    """Makes an API token; it is shown this once."""
    return creating(request, lambda ctx: tokens.create(ctx, name=data.name, scopes=data.scopes, days=data.days))


@delete("/api/v1/tokens/{token_id:uuid}", sync_to_thread=True, tags=["tokens"], responses=problems(401, 404))
def revoke_token(request: Req, token_id: uuid.UUID) -> None:
    """Revokes an API token."""
    with writing(request) as ctx:
        tokens.revoke(ctx, token_id)


ROUTES = [
    *api_sessions.ROUTES,
    look_at_invitation,
    accept_invitation,
    list_people,
    read_me,
    issue_code,
    suspend,
    list_tokens,
    create_token,
    revoke_token,
]

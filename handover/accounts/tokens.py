"""API tokens for programs: scoped, expiring, revocable, without a second factor."""

import datetime as dt
import secrets
import uuid
from hashlib import sha256

import msgspec
from sqlalchemy import select

from handover.accounts.factors import require_recent
from handover.accounts.models import ApiToken
from handover.accounts.sessions import TOKEN_PREFIX
from handover.audit import AuditLog
from handover.context import Context
from handover.db import new_id
from handover.errors import InvalidInputError, NotFoundError
from handover.vault import Vault

SCOPES = ("read", "write")
#: A token that lives longer is forgotten somewhere.
MAX_DAYS = 365


class TokenView(msgspec.Struct, frozen=True, kw_only=True):
    """A token without its secret."""

    id: str
    name: str
    scopes: list[str]
    expires_at: dt.datetime
    revoked: bool


class NewToken(msgspec.Struct, frozen=True, kw_only=True):
    """A token with its secret, shown this once."""

    id: str
    token: str
    expires_at: dt.datetime


def create(ctx: Context, *, name: str, scopes: list[str], days: int) -> NewToken:
    """Makes a token for the acting person."""
    require_recent(ctx)
    if not scopes or set(scopes) - set(SCOPES):
        raise InvalidInputError(f"scopes are: {', '.join(SCOPES)}", field="scopes")
    if not 1 <= days <= MAX_DAYS:
        raise InvalidInputError(f"a token lives 1 to {MAX_DAYS} days", field="days")
    token, identifier = TOKEN_PREFIX + secrets.token_urlsafe(32), new_id()
    row = ApiToken(
        id=identifier,
        person_id=ctx.person(),
        token_sha256=sha256(token.encode()).hexdigest(),
        name_sealed=ctx.get(Vault).seal_text("accounts", name, field="api_tokens.name", row=identifier),
        scopes=sorted(set(scopes)),
        expires_at=ctx.now() + dt.timedelta(days=days),
    )
    ctx.session.add(row)
    ctx.session.flush()
    ctx.get(AuditLog).append(ctx, "account.token_created", entity="api_token", entity_id=row.id)
    return NewToken(id=str(row.id), token=token, expires_at=row.expires_at)


def revoke(ctx: Context, token_id: uuid.UUID) -> None:
    row = ctx.session.get(ApiToken, token_id)
    if row is None or row.person_id != ctx.person():
        raise NotFoundError("there is no such token")
    row.revoked_at = row.revoked_at or ctx.now()
    ctx.get(AuditLog).append(ctx, "account.token_revoked", entity="api_token", entity_id=row.id)


def own(ctx: Context) -> list[TokenView]:
    query = select(ApiToken).where(ApiToken.person_id == ctx.person()).order_by(ApiToken.id)
    return [
        TokenView(
            id=str(row.id),
            name=ctx.get(Vault).open_text("accounts", row.name_sealed, field="api_tokens.name", row=row.id),
            scopes=list(row.scopes),
            expires_at=row.expires_at,
            revoked=row.revoked_at is not None,
        )
        for row in ctx.session.scalars(query)
    ]

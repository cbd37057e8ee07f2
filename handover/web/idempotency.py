"""Idempotency keys: one effect and one answer for all requests of one person under one key, for a day.

The answer is kept in the transaction of the effect: there is never one without the other. Of requests at the same time
one has the effect; the others get its answer, or a conflict and get it when they ask again.
"""

import datetime as dt
from hashlib import sha256
from typing import Any, cast

import msgspec
from litestar import Response
from sqlalchemy import CursorResult, delete, select

from handover.context import Context
from handover.db import new_id
from handover.errors import HandoverError, InvalidInputError, Kind
from handover.vault import Vault
from handover.web.models import IdempotentAnswer

#: Longer than any client goes on repeating a request.
KEPT_HOURS = 24
KEY_MAX = 128
_FIELD = "idempotent_answers.answer"


class KeyReusedError(HandoverError):
    """The key was used for another request."""

    code = "idempotency_key_reused"
    kind = Kind.VERIFICATION


class Answer(msgspec.Struct, frozen=True, kw_only=True):
    """An answer as it is kept; what it leaves open (None) the route decides, as it did the first time."""

    status: int | None
    media_type: str | None
    headers: dict[str, str]
    body: msgspec.Raw

    @classmethod
    def of(cls, made: Any) -> "Answer":
        """Of what a handler returned: a response, or what becomes its body."""
        answer = made if isinstance(made, Response) else Response(made)
        return cls(
            status=answer.status_code,
            media_type=answer.media_type and str(answer.media_type),
            headers={name: str(value) for name, value in answer.headers.items()},
            body=msgspec.Raw(msgspec.json.encode(answer.content)),
        )

    def response(self) -> Response[Any]:
        """The same answer again."""
        body = None if bytes(self.body) == b"null" else self.body
        return Response(body, status_code=self.status, media_type=self.media_type, headers=self.headers)


def checked_key(key: str | None) -> str | None:
    """The key that came with a request.

    Raises:
        InvalidInputError: empty, too long, or not printable ASCII.
    """
    if key is not None and not (0 < len(key) <= KEY_MAX and key.isascii() and key.isprintable()):
        raise InvalidInputError(f"Idempotency-Key has 1 to {KEY_MAX} printable characters", field="Idempotency-Key")
    return key


def digest(asked: str, data: Any) -> str:
    """What makes two requests the same: method, address, and the body as it was understood."""
    return sha256(asked.encode() + b"\n" + msgspec.json.encode(data)).hexdigest()


def answered(ctx: Context, key: str, request_sha256: str) -> Answer | None:
    """The answer that a request under this key got.

    Raises:
        KeyReusedError: it was another request.
    """
    query = select(IdempotentAnswer).where(IdempotentAnswer.actor == _actor(ctx), IdempotentAnswer.key == key)
    row = ctx.session.scalars(query).one_or_none()
    if row is not None and row.expires_at <= ctx.now():
        ctx.session.delete(row)
        ctx.session.flush()
        row = None
    if row is None:
        return None
    if row.request_sha256 != request_sha256:
        raise KeyReusedError("this Idempotency-Key was used for another request; take a new one")
    kept = ctx.get(Vault).open_text("server", row.answer_sealed, field=_FIELD, row=row.id)
    return msgspec.json.decode(kept, type=Answer)


def remember(ctx: Context, key: str, request_sha256: str, answer: Answer) -> None:
    """Keeps an answer, sealed: answers hold links and names."""
    identifier = new_id()
    ctx.session.add(
        IdempotentAnswer(
            id=identifier,
            actor=_actor(ctx),
            key=key,
            request_sha256=request_sha256,
            answer_sealed=ctx.get(Vault).seal_text(
                "server", msgspec.json.encode(answer).decode(), field=_FIELD, row=identifier
            ),
            expires_at=ctx.now() + dt.timedelta(hours=KEPT_HOURS),
        )
    )


def expire(ctx: Context) -> int:
    """Forgets answers whose day is over; returns how many."""
    done = ctx.session.execute(delete(IdempotentAnswer).where(IdempotentAnswer.expires_at <= ctx.now()))
    return cast("CursorResult[Any]", done).rowcount


def _actor(ctx: Context) -> str:
    return str(ctx.actor.person_id or ctx.actor.kind)

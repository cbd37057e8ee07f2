"""HTTP routes of recipients."""

import datetime as dt
import uuid
from typing import Annotated, Any, cast

import msgspec
from litestar import Request, Response, get, post
from msgspec import Meta

from handover.cases.queries import visible_case
from handover.errors import NotFoundError
from handover.recipients import comparison, queries, service
from handover.recipients.binding import MACHINES
from handover.recipients.models import RecipientKey
from handover.web import creating, fresh, reading, writing
from handover.web.errors import of_product
from handover.web.examples import problems
from handover.web.forms import Form, Hex64, Line, Place
from handover.web.transitions import transition_routes

Req = Request[Any, Any, Any]


class NewRecipient(Form):
    """A person of a party who will open packages."""

    case_id: uuid.UUID
    party_id: uuid.UUID
    person_id: uuid.UUID
    place: Place = "CN"


class Identity(Form):
    """What was shown, and against what it was checked."""

    document: Line
    employer: Line
    checked_against: Line
    mandate_id: uuid.UUID | None = None


class NewKey(Form):
    """A public key in the form of age."""

    recipient: Annotated[str, Meta(min_length=10, max_length=4000)]


class Proof(Form):
    """HMAC-SHA-256(secret, context) in hex."""

    answer: Hex64


class Comparison(Form):
    """All six groups of the safety number, computed by the verifier's own tool, and the channel it was read over."""

    groups: Annotated[str, Meta(min_length=1, max_length=64)]
    channel: Line


class KeyChallengeView(msgspec.Struct, frozen=True):
    """Decrypt the challenge with the key, then answer."""

    key_id: str
    challenge: str
    context: str
    expires_at: dt.datetime


@post("/api/v1/recipients", sync_to_thread=True, tags=["recipients"], responses=problems(400, 401, 403, 404, 409, 422))
def nominate(request: Req, data: NewRecipient) -> Response[queries.RecipientView]:
    """Names a recipient."""

    def work(ctx: Any) -> queries.RecipientView:
        row = service.nominate(ctx, data.case_id, data.party_id, data.person_id, data.place)
        return queries.recipient_view(ctx, row)

    return creating(request, work, location="/api/v1/recipients")


@get("/api/v1/recipients", sync_to_thread=True, tags=["recipients"], responses=problems(400, 401, 404))
def list_recipients(request: Req, case_id: uuid.UUID) -> list[queries.RecipientView]:
    """The recipients of a case that the caller may see."""
    with reading(request) as ctx:
        visible_case(ctx, case_id)
        return [queries.recipient_view(ctx, row) for row in queries.recipients_of(ctx, case_id)]


@get("/api/v1/recipients/{recipient_id:uuid}", sync_to_thread=True, tags=["recipients"], responses=problems(401, 404))
def read(request: Req, recipient_id: uuid.UUID) -> Response[queries.RecipientView]:
    """One recipient with the current key."""
    with reading(request) as ctx:
        return fresh(queries.recipient_view(ctx, queries.visible_recipient(ctx, recipient_id)))


@post(
    "/api/v1/recipients/{recipient_id:uuid}/identity",
    sync_to_thread=True,
    tags=["recipients"],
    status_code=200,
    responses=problems(400, 401, 403, 404, 409),
)
def give_identity(request: Req, recipient_id: uuid.UUID, data: Identity) -> queries.RecipientView:
    """Records what the recipient showed."""
    with writing(request) as ctx:
        row = service.give_identity(
            ctx,
            queries.visible_recipient(ctx, recipient_id),
            document=data.document,
            employer=data.employer,
            checked_against=data.checked_against,
            mandate_id=data.mandate_id,
        )
        return queries.recipient_view(ctx, row)


@post(
    "/api/v1/recipients/{recipient_id:uuid}/keys",
    sync_to_thread=True,
    tags=["recipients"],
    responses=problems(400, 401, 403, 404, 409),
)
def submit_key(request: Req, recipient_id: uuid.UUID, data: NewKey) -> KeyChallengeView:
    """Registers a public key; the answer is a challenge that only its holder can decrypt."""
    with writing(request) as ctx:
        row = queries.visible_recipient(ctx, recipient_id)
        key, asked, file = service.submit_key(ctx, row, data.recipient)
        return KeyChallengeView(str(key.id), file, asked.context, asked.expires_at)


@post(
    "/api/v1/recipients/{recipient_id:uuid}/keys/{key_id:uuid}/challenges",
    sync_to_thread=True,
    tags=["recipients"],
    responses=problems(401, 403, 404, 409),
)
def challenge(request: Req, recipient_id: uuid.UUID, key_id: uuid.UUID) -> KeyChallengeView:
    """A fresh challenge for a key that is not proven yet."""
    with writing(request) as ctx:
        row = queries.visible_recipient(ctx, recipient_id)
        key = _key(ctx, row.id, key_id)
        asked, file = service.challenge(ctx, row, key)
        return KeyChallengeView(str(key.id), file, asked.context, asked.expires_at)


@post(
    "/api/v1/recipients/{recipient_id:uuid}/keys/{key_id:uuid}/proof",
    sync_to_thread=True,
    tags=["recipients"],
    status_code=200,
    responses=problems(400, 401, 403, 404, 409),
)
def prove(request: Req, recipient_id: uuid.UUID, key_id: uuid.UUID, data: Proof) -> queries.RecipientView:
    """Proves possession of the private key."""
    with writing(request) as ctx:
        row = queries.visible_recipient(ctx, recipient_id)
        service.prove(ctx, row, _key(ctx, row.id, key_id), data.answer)
        return queries.recipient_view(ctx, row)


@post(
    "/api/v1/recipients/{recipient_id:uuid}/verifications",
    sync_to_thread=True,
    tags=["recipients"],
    status_code=200,
    responses=problems(400, 401, 403, 404, 409),
)
def verify(request: Req, recipient_id: uuid.UUID, data: Comparison) -> Response[queries.RecipientView]:
    """Compares the safety number; a mismatch rejects the key and is recorded before it is answered."""
    with writing(request) as ctx:
        row = queries.visible_recipient(ctx, recipient_id)
        key = comparison.verify_number(ctx, row, data.groups, data.channel)
        view = queries.recipient_view(ctx, row)
    refused = comparison.mismatch(key)
    if refused is None:
        return Response(view)
    # Answered, not raised: an exception would roll back the rejection of the key.
    return cast("Response[queries.RecipientView]", of_product(request, refused))


def _key(ctx: Any, recipient_id: uuid.UUID, key_id: uuid.UUID) -> RecipientKey:
    key = ctx.session.get(RecipientKey, key_id)
    if key is None or key.recipient_id != recipient_id:
        raise NotFoundError("there is no such key of this recipient")
    found: RecipientKey = key
    return found


ROUTES = [
    nominate,
    list_recipients,
    read,
    give_identity,
    submit_key,
    challenge,
    prove,
    verify,
    *(route for binding in MACHINES for route in transition_routes(binding)),
]

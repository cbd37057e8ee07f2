"""From a request to a unit of work: who acts, in which language, under which request id; and back to an answer.

Handlers are synchronous and run in worker threads; the unit of work commits before the answer leaves.
"""

import contextlib
import hmac
import uuid
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Any, TypeVar
from urllib.parse import urlsplit

import msgspec
from litestar import Request, Response
from litestar.datastructures import Cookie

from handover.context import ANONYMOUS, Actor, Context, Installation
from handover.errors import ForbiddenError, HandoverError, InvalidInputError, Kind
from handover.i18n import Language
from handover.settings import Settings
from handover.web import idempotency
from handover.web.errors import request_id

T = TypeVar("T")
Req = Request[Any, Any, Any]

#: `__Host-` binds the cookie to this very host, its root path, and TLS.
COOKIE = "__Host-handover"
_SAFE = frozenset({"GET", "HEAD", "OPTIONS"})
#: In a request's state: the unit of work that its whole handler runs in, because its answer is kept.
_JOINED = "unit_of_work"
#: As much of Accept-Language as anyone means.
_LANGUAGES_MAX = 200


@dataclass(frozen=True, slots=True)
class Authentication:
    """What the edge needs of accounts, bound where the application is assembled."""

    authenticate: Callable[[Context, str], Actor]
    touch: Callable[[Context, uuid.UUID], None]
    touch_is_due: Callable[[Context, uuid.UUID], bool]
    csrf_token: Callable[[str], str]
    #: The acting person as the frame of a page shows them.
    me: Callable[[Context], Any]
    #: Proves the second factor with a code or a passkey's answer, and returns the session's new token.
    step_up: Callable[[Installation, Actor, str, str], str]
    #: What a browser is asked for a passkey, as JSON; empty for a person without one.
    passkey_options: Callable[[Context], str]


class PreconditionFailedError(HandoverError):
    """The thing changed since it was read; load it again."""

    code = "precondition_failed"
    kind = Kind.PRECONDITION_FAILED


class PreconditionRequiredError(HandoverError):
    """A change names the version it was made from, in If-Match."""

    code = "precondition_required"
    kind = Kind.PRECONDITION_REQUIRED


@contextlib.contextmanager
def reading(request: Req, *, anonymous: bool = False) -> Iterator[Context]:
    """A unit of work that changes nothing."""
    with _unit_of_work(request, write=False, anonymous=anonymous) as ctx:
        yield ctx


@contextlib.contextmanager
def writing(request: Req, *, anonymous: bool = False) -> Iterator[Context]:
    """A unit of work that commits when the block ends; within `once` the block joins that unit of work."""
    joined = request.scope["state"].get(_JOINED)
    if joined is not None:
        yield joined
        return
    with _unit_of_work(request, write=True, anonymous=anonymous) as ctx:
        yield ctx


def installation_of(request: Req) -> Installation:
    found: Installation = request.scope["state"]["installation"]
    return found


def once(request: Req, said: Any, work: Callable[[], Any]) -> Any:
    """Runs `work` once per Idempotency-Key; the same key and request get the same answer again, errors excepted.

    The answer is kept by the transaction in which everything that `work` writes is committed.

    Raises:
        idempotency.KeyReusedError: the key came with another request before.
    """
    key = idempotency.checked_key(request.headers.get("idempotency-key"))
    if key is None:
        return work()
    with writing(request) as ctx:
        digest = idempotency.digest(_asked(request), said)
        stored = idempotency.answered(ctx, key, digest)
        if stored is not None:
            return stored.response()
        request.scope["state"][_JOINED] = ctx
        try:
            made = work()
        finally:
            del request.scope["state"][_JOINED]
        idempotency.remember(ctx, key, digest, idempotency.Answer.of(made))
    return made


def once_in_parts(request: Req, said: Any, work: Callable[[Callable[[Context, Any], None]], Any]) -> Any:
    """As `once`, for nobody's requests whose work commits more than once: it gets a function to call with its answer
    inside the transaction that the answer is about."""
    key = idempotency.checked_key(request.headers.get("idempotency-key"))
    if key is None:
        return work(lambda _ctx, _made: None)
    digest = idempotency.digest(_asked(request), said)
    with installation_of(request).unit_of_work(ANONYMOUS) as ctx:
        stored = idempotency.answered(ctx, key, digest)
    if stored is not None:
        return stored.response()
    return work(lambda ctx, made: idempotency.remember(ctx, key, digest, idempotency.Answer.of(made)))


def creating(request: Req, work: Callable[[Context], T], *, location: str = "") -> Response[T]:
    """Runs `work` and answers 201 with the place and the version of what was made."""
    with writing(request) as ctx:
        view = work(ctx)
    return Response(view, status_code=201, headers=_place(view, location))


def changing(request: Req, row: Any) -> None:
    """Checks If-Match against the row's version.

    Raises:
        PreconditionRequiredError: without If-Match. PreconditionFailedError: it names another version.
    """
    given = request.headers.get("if-match")
    if given is None:
        raise PreconditionRequiredError('send If-Match with the version you read, for example If-Match: "3"')
    if given.strip() not in {f'"{row.version}"', "*"}:
        raise PreconditionFailedError("it changed since you read it; load it again and repeat", version=row.version)


def fresh(view: T) -> Response[T]:
    """A view with its ETag."""
    return Response(view, headers={"ETag": f'"{view.version}"'})  # type: ignore[attr-defined]


def json_response(view: T, status: int = 200) -> Response[T]:
    return Response(view, status_code=status)


def page_after(cursor: str | None) -> uuid.UUID | None:
    """The id after which a page begins.

    Raises:
        InvalidInputError: not a cursor of ours.
    """
    if cursor is None:
        return None
    try:
        return uuid.UUID(cursor)
    except ValueError as error:
        raise InvalidInputError("the cursor is not one that a page gave", field="cursor") from error


def session_token(request: Req) -> str | None:
    """The token that came with the request, from the header or the cookie, or that it got since."""
    renewed: str | None = request.scope["state"].get("session_token")
    return renewed or _bearer(request) or request.cookies.get(COOKIE)


def session_cookie(token: str, max_age: int | None = None) -> Cookie:
    """The cookie that carries a session; `max_age` 0 takes it back."""
    return Cookie(key=COOKIE, value=token, max_age=max_age, path="/", secure=True, httponly=True, samesite="lax")


def step_up(request: Req, code: str) -> None:
    """Proves the second factor that came with a form; the session goes on under a new token.

    Raises:
        LoginError: the code is wrong or was used. TooManyAttemptsError: it was tried too often.
    """
    with reading(request) as ctx:
        actor = ctx.actor
    binding = request.app.state.authentication
    renewed = binding.step_up(installation_of(request), actor, code, request_id(request))
    state = request.scope["state"]
    state["session_token"], state["form_csrf"] = renewed, binding.csrf_token(renewed)


def refuse_foreign_site(request: Req) -> None:
    """For forms without a session: they come from our own pages (a foreign one could log somebody in as somebody else).

    Raises:
        ForbiddenError: they do not.
    """
    site = request.headers.get("sec-fetch-site", "same-origin")
    if site not in {"same-origin", "none"} or not _own_origin(request, installation_of(request).get(Settings)):
        raise ForbiddenError("this request comes from another site")


def _bearer(request: Req) -> str | None:
    """Only this scheme is ours: a page elsewhere can make a browser send Basic credentials beside the cookie."""
    scheme, _, value = request.headers.get("authorization", "").partition(" ")
    return value.strip() or None if scheme.lower() == "bearer" else None


def language_of(request: Req) -> Language:
    """`?lang=`, then the choice that was kept, then Accept-Language, then Chinese."""
    chosen = request.query_params.get("lang") or request.cookies.get("handover-lang")
    asked = str(chosen or request.headers.get("accept-language", ""))
    for wanted in asked[:_LANGUAGES_MAX].lower().split(","):
        match wanted.strip()[:2]:
            case "en":
                return "en"
            case "zh":
                return "zh"
    return "zh"


@contextlib.contextmanager
def _unit_of_work(request: Req, *, write: bool, anonymous: bool) -> Iterator[Context]:
    installation, binding = installation_of(request), request.app.state.authentication
    seen: uuid.UUID | None = None
    with installation.unit_of_work(
        ANONYMOUS, language=language_of(request), request_id=request_id(request), write=write
    ) as ctx:
        token = session_token(request)
        if token is not None and not anonymous:
            ctx.actor = binding.authenticate(ctx, token)
            _check_scope(ctx.actor, write=request.method not in _SAFE)
            _check_csrf(request, token, binding, ctx.get(Settings))
            if ctx.actor.session_id is not None and binding.touch_is_due(ctx, ctx.actor.session_id):
                seen = ctx.actor.session_id
            if write and seen is not None:
                binding.touch(ctx, seen)
        elif not anonymous:
            binding.authenticate(ctx, "")
        yield ctx
    if not write and seen is not None:
        _touch_apart(installation, binding, seen)


def _touch_apart(installation: Installation, binding: Authentication, session_id: uuid.UUID) -> None:
    """A read stays a read: that it happened is noted in a short transaction of its own, and must not make it fail."""
    with contextlib.suppress(HandoverError), installation.unit_of_work(ANONYMOUS) as ctx:
        binding.touch(ctx, session_id)


def _check_scope(actor: Actor, *, write: bool) -> None:
    if actor.scopes is not None and ("write" if write else "read") not in actor.scopes:
        raise ForbiddenError(f"this token has the scopes {', '.join(sorted(actor.scopes))} only")


def _check_csrf(request: Req, token: str, binding: Authentication, settings: Settings) -> None:
    """A cookie travels by itself, so an unsafe request by cookie also carries a token that a foreign page cannot read."""
    if request.method in _SAFE or _bearer(request) is not None:
        return
    if not _own_origin(request, settings):
        raise ForbiddenError("this request comes from another site")
    given = request.headers.get("x-csrf-token") or request.scope["state"].get("form_csrf", "")
    if not hmac.compare_digest(given.encode(), binding.csrf_token(token).encode()):
        raise ForbiddenError(
            "the X-CSRF-Token header or csrf_token field does not fit the session; load the page again"
        )


def _own_origin(request: Req, settings: Settings) -> bool:
    origin = request.headers.get("origin")
    own = {urlsplit(settings.public_url).netloc, request.headers.get("host", "")}
    return origin is None or urlsplit(origin).netloc in own


def _asked(request: Req) -> str:
    """What is asked, apart from the body; an upload says in headers what it will be."""
    upload = [f"{name}: {value}" for name, value in request.headers.items() if name.startswith("upload-")]
    return "\n".join((request.method, request.url.path, request.url.query, *sorted(upload)))


def _place(view: Any, location: str) -> dict[str, str]:
    fields = msgspec.to_builtins(view)
    headers = {}
    if location and isinstance(fields, dict) and "id" in fields:
        headers["Location"] = f"{location}/{fields['id']}"
    if isinstance(fields, dict) and "version" in fields:
        headers["ETag"] = f'"{fields["version"]}"'
    return headers

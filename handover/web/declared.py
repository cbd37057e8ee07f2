"""What a handler's parameters are, said once for all rooms: named in the path, a JSON body, or asked in the query.

Rooms write plain typed functions. The framework guesses the same today and will stop guessing in its next major
version; the answers that any route can give are added to its description here too.
"""

import copy
import functools
import inspect
import re
from collections.abc import Callable, Sequence
from dataclasses import fields
from typing import Annotated, Any, get_args, get_origin, get_type_hints

from anyio import CapacityLimiter, to_thread
from litestar.enums import RequestEncodingType
from litestar.handlers import HTTPRouteHandler
from litestar.params import Body, BodyKwarg, ParameterKwarg, PathParameter, QueryParameter

from handover.web.edge import once
from handover.web.examples import problems

#: What the edge itself may answer: form, session, token's scope or site, size, media type, database busy.
ANY_ROUTE = (400, 401, 403, 413, 503)
WITH_BODY = (415,)
OPEN_ROUTE = (400, 413, 503)
_PATH_NAME = re.compile(r"\{(\w+):\w+\}")
_UNSAFE = frozenset({"POST", "PUT", "PATCH", "DELETE"})

#: Threads for requests at once; fewer than the database has connections.
_THREADS = 40
#: Requests that hash a password take a core each; a flood of them must not take every thread.
_HASHING_THREADS = 4
#: Health is looked up even while everything else is busy.
_HEALTH_THREADS = 2
#: Reading and drawing records takes a process each.
_RENDERING_THREADS = 2
#: For a handler's `opt`: its thread comes from the lane of those that hash passwords.
HASHING = {"lane": "hashing", "own_transactions": True}
#: For a handler's `opt`: it commits more than once, so its answer cannot be kept with its effect.
OWN_TRANSACTIONS = {"own_transactions": True}
#: The same for those that have a child read a file.
RENDERING = {"lane": "rendering"}


def lanes() -> dict[str, CapacityLimiter]:
    """The threads of an application, by what kind of work takes them; a handler names its own with `opt["lane"]`."""
    return {
        "usual": CapacityLimiter(_THREADS),
        "hashing": CapacityLimiter(_HASHING_THREADS),
        "rendering": CapacityLimiter(_RENDERING_THREADS),
        "health": CapacityLimiter(_HEALTH_THREADS),
    }


def declared(handler: Any, threads: dict[str, CapacityLimiter]) -> Any:
    """The handler with explicit parameters, its work in a thread of its lane, and its common answers described."""
    if not isinstance(handler, HTTPRouteHandler):
        return handler
    made, work = copy.copy(handler), handler.fn
    done = _once(work) if keeps_answers(handler) else work
    call = _in_thread(done, threads[handler.opt.get("lane", "usual")]) if handler.sync_to_thread else _awaited(work)
    # The framework reads the two attributes that say what a function takes, and follows no other than these.
    call.__signature__, call.__annotations__ = _marked(work, handler.paths)  # type: ignore[attr-defined]
    del call.__wrapped__  # type: ignore[attr-defined]
    made._fn = call  # noqa: SLF001  (there is no public way to set it)
    made.sync_to_thread = None
    _describe(made, has_body="data" in call.__annotations__, kept=keeps_answers(handler))
    return made


def keeps_answers(handler: HTTPRouteHandler) -> bool:
    """Whether a request to this route with an Idempotency-Key has one effect and one answer."""
    return handler.sync_to_thread is True and handler.http_methods <= _UNSAFE and "own_transactions" not in handler.opt


def _once(work: Callable[..., Any]) -> Callable[..., Any]:
    @functools.wraps(work)
    def kept(*args: Any, **kwargs: Any) -> Any:
        return once(kwargs["request"], kwargs.get("data"), functools.partial(work, *args, **kwargs))

    return kept


def _in_thread(work: Callable[..., Any], lane: CapacityLimiter) -> Callable[..., Any]:
    """The framework would do this itself, but wraps a handler anew for each method of its path, and badly."""

    @functools.wraps(work)
    async def threaded(*args: Any, **kwargs: Any) -> Any:
        return await to_thread.run_sync(functools.partial(work, *args, **kwargs), limiter=lane)

    return threaded


def _awaited(work: Callable[..., Any]) -> Callable[..., Any]:
    @functools.wraps(work)
    async def awaited(*args: Any, **kwargs: Any) -> Any:
        return await work(*args, **kwargs)

    return awaited


def _marked(work: Callable[..., Any], paths: Sequence[str] | set[str]) -> tuple[inspect.Signature, dict[str, Any]]:
    hints = get_type_hints(work, include_extras=True)
    in_path = {name for path in paths for name in _PATH_NAME.findall(path)}
    marked = {name: _mark(name, hint, in_path) for name, hint in hints.items()}
    signature = inspect.signature(work)
    parameters = [p.replace(annotation=marked.get(p.name, p.annotation)) for p in signature.parameters.values()]
    return signature.replace(parameters=parameters, return_annotation=marked.get("return")), marked


def _mark(name: str, hint: Any, in_path: set[str]) -> Any:
    if name in {"return", "request"}:
        return hint
    if name == "data":
        return hint if _has(hint, BodyKwarg) else Annotated[hint, Body(media_type=RequestEncodingType.JSON)]
    if name in in_path:
        return Annotated[hint, PathParameter()]
    for limit in get_args(hint)[1:] if get_origin(hint) is Annotated else ():
        if isinstance(limit, ParameterKwarg):
            return Annotated[get_args(hint)[0], _asked(limit)]
    return Annotated[hint, QueryParameter()]


def _asked(limit: ParameterKwarg) -> Any:
    return QueryParameter(**{field.name: getattr(limit, field.name) for field in fields(limit) if field.init})


def _has(hint: Any, kind: type) -> bool:
    return get_origin(hint) is Annotated and any(isinstance(extra, kind) for extra in get_args(hint)[1:])


def _describe(handler: HTTPRouteHandler, *, has_body: bool, kept: bool) -> None:
    statuses = set(OPEN_ROUTE if handler.security == [] else ANY_ROUTE)
    if has_body:
        statuses |= set(WITH_BODY)
    elif handler.http_methods <= _UNSAFE:
        statuses |= {413}
    if kept:
        statuses |= {422}  # the key came with another request
    common = problems(*sorted(statuses))
    handler.responses = {**common, **dict(handler.responses or {})}

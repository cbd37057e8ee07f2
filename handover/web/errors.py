"""One table from kinds of errors to HTTP status, and problem details (RFC 9457) for every answer that is none."""

import logging
import traceback
from pathlib import Path
from typing import Any

import msgspec
from litestar import Request, Response
from litestar.exceptions import HTTPException, ValidationException

from handover.errors import HandoverError, Kind

logger = logging.getLogger("handover.web")

#: The innermost frames that are logged of a defect.
_FRAMES = 12

STATUS: dict[Kind, int] = {
    Kind.INVALID: 400,
    Kind.UNAUTHENTICATED: 401,
    Kind.FORBIDDEN: 403,
    Kind.NOT_FOUND: 404,
    Kind.CONFLICT: 409,
    Kind.BLOCKED: 409,
    Kind.GONE: 410,
    Kind.PRECONDITION_FAILED: 412,
    Kind.TOO_LARGE: 413,
    Kind.UNSUPPORTED: 415,
    Kind.RANGE: 416,
    Kind.VERIFICATION: 422,
    Kind.PRECONDITION_REQUIRED: 428,
    Kind.THROTTLED: 429,
    Kind.INTERNAL: 500,
    Kind.NOT_INITIALISED: 503,
    Kind.UNAVAILABLE: 503,
    Kind.STORAGE_FULL: 507,
}
_TITLES = {
    400: "Invalid request",
    401: "Not logged in",
    403: "Not allowed",
    404: "Not found",
    405: "Method not allowed",
    409: "Conflict",
    410: "Gone",
    412: "Changed meanwhile",
    413: "Too large",
    415: "Unsupported media type",
    416: "Range not satisfiable",
    422: "Not acceptable as it is",
    428: "Precondition required",
    429: "Too many attempts",
    500: "Internal error",
    503: "Not available now",
    507: "Storage full",
}
#: Codes for errors that the framework raises before any of our code runs.
_CODES = {
    400: "invalid_request",
    404: "not_found",
    405: "method_not_allowed",
    413: "too_large",
    415: "unsupported_media_type",
}


class Problem(msgspec.Struct, kw_only=True, omit_defaults=True):
    """Problem details; `code` is stable, `detail` says what, where and what to do."""

    type: str = "about:blank"
    title: str
    status: int
    code: str
    detail: str
    instance: str = ""
    field: str | None = None
    gates: list[dict[str, Any]] | None = None
    details: dict[str, Any] | None = None


def of_product(request: Request[Any, Any, Any], error: HandoverError) -> Response[Problem]:
    """Any error of ours."""
    status = STATUS[error.kind]
    if status >= 500:
        logger.error("request failed: %s", error.code, extra={"request_id": request_id(request)})
    extra = dict(error.details)
    field, gates = extra.pop("field", None), extra.pop("gates", None)
    detail = error.message if status != 500 else "something went wrong here; the request id helps to find it"
    headers = {"Retry-After": str(extra.get("retry_after", 2))} if status in {429, 503} else {}
    if status == 401:
        headers["WWW-Authenticate"] = "Bearer"
    return _answer(request, status, error.code, detail, headers, field=field, gates=gates, details=_plain(extra))


def of_framework(request: Request[Any, Any, Any], error: HTTPException) -> Response[Problem]:
    """Errors of routing and decoding."""
    status = error.status_code
    detail = str(error.detail)
    details = None
    if isinstance(error, ValidationException):
        detail = "the request does not have the documented form"
        details = {"errors": _plain(error.extra)}
    headers = {k: v for k, v in (error.headers or {}).items() if k.lower() in {"allow", "retry-after"}}
    return _answer(request, status, _CODES.get(status, "http_error"), detail, headers, details=details)


def of_anything(request: Request[Any, Any, Any], error: Exception) -> Response[Problem]:
    """A defect: logged with its place and the request id, answered without either's content."""
    # Names of files and functions only: the text of a foreign exception may repeat what somebody sent.
    frames = traceback.extract_tb(error.__traceback__)[-_FRAMES:]
    places = " < ".join(f"{Path(frame.filename).name}:{frame.lineno} {frame.name}" for frame in reversed(frames))
    logger.error("unhandled %s at %s", type(error).__name__, places, extra={"request_id": request_id(request)})
    return _answer(request, 500, "internal_error", "something went wrong here; the request id helps to find it", {})


def request_id(request: Request[Any, Any, Any]) -> str:
    return str(request.scope.get("state", {}).get("request_id", ""))


def _answer(
    request: Request[Any, Any, Any], status: int, code: str, detail: str, headers: dict[str, str], **more: Any
) -> Response[Problem]:
    problem = Problem(
        title=_TITLES.get(status, "Error"),
        status=status,
        code=code,
        detail=detail,
        instance=request_id(request),
        **more,
    )
    return Response(problem, status_code=status, media_type="application/problem+json", headers=headers)


def _plain(value: Any) -> Any:
    """JSON types only; anything else becomes its text."""
    if not value:
        return None
    return msgspec.to_builtins(value, enc_hook=str, str_keys=True)

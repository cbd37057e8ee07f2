"""Answers of pages: rendered, redirected after a form, shown again with what is wrong, or an error that says what to do."""

import base64
from collections.abc import Callable
from typing import Any, NamedTuple, TypeVar
from urllib.parse import quote, urlsplit

from litestar import Request, Response
from litestar.datastructures import Cookie
from litestar.exceptions import HTTPException
from msgspec import Struct

from handover.context import Context
from handover.errors import ForbiddenError, HandoverError, Kind
from handover.i18n import Language
from handover.i18n.catalogue import catalogue
from handover.settings import Settings
from handover.web import edge
from handover.web.errors import STATUS, logger, of_anything, request_id
from handover.web.html.environment import environment
from handover.web.html.fields import Fields, FilledForm, decode
from handover.web.html.sayings import said_in

T = TypeVar("T", bound=Struct)
Req = Request[Any, Any, Any]
Answer = Response[Any]

#: Beside the session: the sentence that the next page shows once.
_SAID = "__Host-handover-said"
LANGUAGE = "handover-lang"
_POLICY = (
    "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self' data: blob:; font-src 'self'; "
    "connect-src 'self'; worker-src 'self'; manifest-src 'self'; base-uri 'none'; form-action 'self'; frame-ancestors 'none'"
)
#: Pages that hold keys, open packages, release or destroy. Starting a worker takes a TrustedScriptURL in Chromium, so one
#: policy can be made: the one of static/js/workers.js, which passes our own static addresses and nothing that it is given.
_STRICT = "; require-trusted-types-for 'script'; trusted-types handover-worker"
#: Fields of every form that belong to the edge.
_CSRF, _CODE = "csrf_token", "second_factor_code"


class Done(NamedTuple):
    """Where the browser goes next, and what the next page says once."""

    path: str
    said: str = ""


def page(
    request: Req,
    template: str,
    gather: Callable[[Context], dict[str, Any]],
    *,
    form: FilledForm | None = None,
    anonymous: bool = False,
    strict: bool = False,
) -> Answer:
    """Reads what the page shows in one unit of work, and renders it."""
    form = form or FilledForm()
    with edge.reading(request, anonymous=anonymous) as ctx:
        values = {**frame(request, ctx), **gather(ctx), "form": form, "strict": strict}
        text = environment(ctx.language).get_template(template).render(values)
    return _html(request, text, status=form.status, strict=strict, language=ctx.language)


def submit(
    request: Req,
    data: Fields,
    kind: type[T],
    work: Callable[[Context, T], Done],
    again: Callable[[FilledForm], Answer],
    *,
    anonymous: bool = False,
) -> Answer:
    """Decodes a form, does the work in one unit of work, and sends the browser on; or shows the form again with what is wrong.

    The form keeps what was typed. An act that takes a fresh second factor asks for it and goes on with the same fields.
    """
    language = edge.language_of(request)
    fields = {name: value for name, value in data.items() if name not in {_CSRF, _CODE}}
    remember_token(request, data)
    if anonymous:
        edge.refuse_foreign_site(request)
    try:
        if data.get(_CODE):
            edge.step_up(request, str(data[_CODE]))
        form = decode(fields, kind, language)
        if isinstance(form, dict):
            summary = catalogue(language).gettext("Some fields need another look")
            return again(FilledForm(values=fields, errors=form, summary=summary, status=422))
        with edge.writing(request, anonymous=anonymous) as ctx:
            done = work(ctx, form)
    except HandoverError as error:
        if error.code == "second_factor_required" or (error.code == "login_failed" and data.get(_CODE)):
            return _ask_second_factor(request, fields, error, language)
        if error.kind in {Kind.NOT_FOUND, Kind.INTERNAL, Kind.UNAUTHENTICATED} and not anonymous:
            raise
        return again(filled(fields, error, language))
    return redirect(request, done)


def answer_form(
    request: Req, data: Fields, template: str, gather: Callable[[Context], dict[str, Any]], **more: Any
) -> Answer:
    """For a form that asks and changes nothing, but is too long for an address: its answer is a page."""
    remember_token(request, data)
    form = FilledForm(values={name: value for name, value in data.items() if name not in {_CSRF, _CODE}})
    return page(request, template, gather, form=form, **more)


def filled(fields: Fields, error: HandoverError, language: Language) -> FilledForm:
    """A form with the error that stopped it, beside the field that it names."""
    sentence, field = said_in(error, language), error.details.get("field")
    errors = {str(field): sentence} if field else {}
    status = 422 if error.kind is Kind.INVALID else STATUS[error.kind]
    return FilledForm(
        values=fields, errors=errors, summary=sentence, gates=error.details.get("gates") or [], status=status
    )


def redirect(request: Req, done: Done) -> Answer:
    """Sends the browser on after a form; a reload then repeats nothing."""
    answer: Answer = Response(None, status_code=303, headers={"Location": local_path(done.path)})
    if done.said:
        cut = done.said.encode()[:1500].decode(errors="ignore")
        text = base64.urlsafe_b64encode(cut.encode()).decode()
        answer.set_cookie(_cookie(_SAID, text, max_age=60))
    return _with_choices(request, answer)


def local_path(path: str | None, default: str = "/") -> str:
    """An address on this site; anything else a link may carry is not followed."""
    if not path or not path.startswith("/") or path.startswith(("//", "/\\")) or any(ord(c) < 33 for c in path):
        return default
    return quote(path, safe="/?&=#%:+,;@-._~!$'()*")


def error_answer(request: Req, error: Exception) -> Answer:
    """Any error on a page: what happened, what to do, whom to ask; login where that is missing."""
    language = edge.language_of(request)
    if isinstance(error, HandoverError):
        if error.code == "not_logged_in" and request.method in {"GET", "HEAD"}:
            target = request.url.path + (f"?{request.url.query}" if request.url.query else "")
            to_login: Answer = Response(None, status_code=303)
            to_login.headers["Location"] = f"/login?next={quote(target, safe='/')}"
            return _with_choices(request, to_login)
        status, sentence, gates = STATUS[error.kind], said_in(error, language), error.details.get("gates") or []
        if status >= 500:
            logger.error("request failed: %s", error.code, extra={"request_id": request_id(request)})
    elif isinstance(error, HTTPException):
        status, sentence, gates = error.status_code, "", []
    else:
        of_anything(request, error)
        status, sentence, gates = 500, "", []
    values = {
        **_outside(request, language),
        "status": status,
        "sentence": sentence if status != 500 else "",
        "gates": gates,
        "request_id": request_id(request),
    }
    text = environment(language).get_template("error.html").render(values)
    headers = (
        {"Allow": error.headers["Allow"]}
        if isinstance(error, HTTPException) and error.headers and "Allow" in error.headers
        else {}
    )
    return _html(request, text, status=status, language=language, headers=headers)


def frame(request: Req, ctx: Context) -> dict[str, Any]:
    """What the frame of every page shows: who is logged in, the language switch, the sentence of the last form."""
    binding = request.app.state.authentication
    token = edge.session_token(request)
    known = ctx.actor.person_id is not None
    return {
        **_outside(request, ctx.language),
        "me": binding.me(ctx) if known else None,
        "csrf": binding.csrf_token(token) if known and token else "",
        "said": _said(request),
        "demo": ctx.get(Settings).demo,
    }


def _outside(request: Req, language: Language) -> dict[str, Any]:
    return {
        "me": None,
        "csrf": "",
        "said": "",
        "demo": False,
        "strict": False,
        "lang": language,
        "path": request.url.path,
        "form": FilledForm(),
        "in_wechat": "MicroMessenger" in request.headers.get("user-agent", ""),
        "switch": _switch(request, "en" if language == "zh" else "zh"),
    }


def _switch(request: Req, language: str) -> str:
    kept = [f"{quote(k)}={quote(str(v))}" for k, v in request.query_params.items() if k != "lang"]
    return f"{quote(request.url.path, safe='/')}?{'&'.join([*kept, f'lang={language}'])}"


def _ask_second_factor(request: Req, fields: Fields, error: HandoverError, language: Language) -> Answer:
    def gather(ctx: Context) -> dict[str, Any]:
        kept = [
            (name, item) for name, value in fields.items() for item in (value if isinstance(value, list) else [value])
        ]
        wrong = said_in(error, language) if error.code == "login_failed" else ""
        return {
            "action": request.url.path,
            "kept": [(n, v) for n, v in kept if isinstance(v, str)],
            "wrong": wrong,
            "passkey": request.app.state.authentication.passkey_options(ctx),
        }

    return page(request, "second_factor.html", gather, form=FilledForm(status=403), strict=True)


def remember_token(request: Req, data: Fields) -> None:
    """Where a form comes by POST, its token is in the body, and the edge looks for it here."""
    request.scope["state"]["form_csrf"] = str(data.get(_CSRF, ""))


def _said(request: Req) -> str:
    try:
        return base64.urlsafe_b64decode(request.cookies.get(_SAID, "")).decode()
    except ValueError:
        return ""


def _html(
    request: Req,
    text: str,
    *,
    status: int,
    language: Language,
    strict: bool = False,
    headers: dict[str, str] | None = None,
) -> Answer:
    answer: Answer = Response(
        text.encode(),
        status_code=status,
        media_type="text/html; charset=utf-8",
        headers={
            "Content-Security-Policy": _POLICY + (_STRICT if strict else ""),
            # With no-referrer, browsers send `Origin: null` with forms, which cannot be told from a foreign page's.
            "Referrer-Policy": "same-origin",
            "Content-Language": "zh-CN" if language == "zh" else "en",
            **(headers or {}),
        },
    )
    if _SAID in request.cookies:
        answer.set_cookie(_cookie(_SAID, "", max_age=0))
    return _with_choices(request, answer)


def language_cookie(language: str) -> Cookie:
    """Keeps the reader's choice of language in this browser."""
    return Cookie(key=LANGUAGE, value=language, max_age=31536000, path="/", secure=True, httponly=True, samesite="lax")


def _with_choices(request: Req, answer: Answer) -> Answer:
    """Keeps the language that was asked for, and takes along the new token that a session got during this request."""
    asked = request.query_params.get("lang")
    if asked in {"zh", "en"}:
        answer.set_cookie(language_cookie(str(asked)))
    renewed = request.scope["state"].get("session_token")
    if renewed is not None:
        answer.set_cookie(edge.session_cookie(renewed))
    return answer


def _cookie(name: str, value: str, *, max_age: int) -> Cookie:
    return Cookie(key=name, value=value, max_age=max_age, path="/", secure=True, httponly=True, samesite="lax")


def wants_page(request: Req) -> bool:
    """Whether an error is for a person with a browser rather than for a program."""
    path = urlsplit(str(request.url)).path
    return not path.startswith(("/api/", "/schema", "/static/")) and "text/html" in request.headers.get("accept", "")


def require_page_role(ctx: Context, *roles: str) -> None:
    """For pages of the installation: one of these roles in it.

    Raises:
        ForbiddenError: none of them.
    """
    if not ctx.actor.roles & set(roles):
        raise ForbiddenError(f"this takes one of the roles: {', '.join(roles)}", roles=list(roles))

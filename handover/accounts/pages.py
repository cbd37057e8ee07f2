"""Pages of logins."""

from typing import Annotated, Any

from litestar import Request, Response, get, post
from msgspec import Meta

from handover.accounts import sessions
from handover.accounts.factors import TOTP_DIGITS
from handover.context import Context
from handover.errors import HandoverError
from handover.web.declared import HASHING
from handover.web.edge import installation_of, language_of, refuse_foreign_site, session_cookie
from handover.web.errors import request_id
from handover.web.forms import Form, Line
from handover.web.html import FORM, Done, FilledForm, page, redirect, submit
from handover.web.html.answers import filled, local_path
from handover.web.html.fields import decode

Req = Request[Any, Any, Any]


class LogIn(Form):
    """The fields of the login page."""

    email: Line
    password: Annotated[str, Meta(min_length=1, max_length=512)]
    code: Annotated[str, Meta(pattern=r"^[0-9]{6,8}$")]
    next: Annotated[str, Meta(max_length=600)] = "/"


@get("/login", sync_to_thread=True, include_in_schema=False, security=[])
def login_page(request: Req) -> Response[Any]:
    """E-mail, password and second factor together."""
    return _login(request, FilledForm(values={"next": request.query_params.get("next", "/")}))


@post("/login", sync_to_thread=True, include_in_schema=False, security=[], opt=HASHING, status_code=200)
def log_in(request: Req, data: FORM) -> Response[Any]:
    """Logs in and goes on to where the person wanted to be."""
    language = language_of(request)
    shown = {name: value for name, value in data.items() if name not in {"password", "code"}}
    try:
        refuse_foreign_site(request)
        form = decode(data, LogIn, language)
        if isinstance(form, dict):
            return _login(request, FilledForm(values=shown, errors=form, status=422))
        is_totp = len(form.code) == TOTP_DIGITS
        made = sessions.log_in(
            installation_of(request),
            email=form.email,
            password=form.password,
            totp=form.code if is_totp else None,
            telephone_code=None if is_totp else form.code,
            language=language,
            request_id=request_id(request),
        )
    except HandoverError as error:
        return _login(request, filled(shown, error, language))
    answer = redirect(request, Done(local_path(form.next)))
    answer.set_cookie(session_cookie(made.token))
    return answer


@post("/logout", sync_to_thread=True, include_in_schema=False, status_code=200)
def log_out(request: Req, data: FORM) -> Response[Any]:
    """Ends the session on the server."""

    def work(ctx: Context, _form: Form) -> Done:
        sessions.log_out(ctx)
        return Done("/login")

    answer = submit(request, data, Form, work, lambda form: _login(request, form))
    answer.set_cookie(session_cookie("", max_age=0))
    return answer


def _login(request: Req, form: FilledForm) -> Response[Any]:
    return page(request, "accounts/login.html", lambda _ctx: {}, form=form, anonymous=True)


ROUTES = [login_page, log_in, log_out]

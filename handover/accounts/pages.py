"""Pages of logins, and of an installation that nobody has entered yet."""

from typing import Annotated, Any
from urllib.parse import urlsplit

from litestar import Request, Response
from msgspec import Meta

from handover.accounts import (
    pages_access,
    pages_account,
    pages_admin,
    pages_factors,
    pages_installation,
    pages_invitation,
    passkeys,
    people,
    queries,
    sessions,
)
from handover.accounts.entrance import Credential, entered, here
from handover.accounts.errors import InvitationError
from handover.accounts.factors import TOTP_DIGITS
from handover.context import Context
from handover.errors import HandoverError, InvalidInputError
from handover.web.declared import HASHING
from handover.web.edge import installation_of, language_of, reading, refuse_foreign_site, session_cookie
from handover.web.errors import request_id
from handover.web.forms import Form, Line
from handover.web.html import FORM, Done, FilledForm, page, redirect, submit
from handover.web.html.answers import filled
from handover.web.html.fields import decode
from handover.web.html.routes import get_page, post_form

Req = Request[Any, Any, Any]
Next = Annotated[str, Meta(max_length=600)]


class LogIn(Form):
    """The fields of the login page."""

    email: Line
    password: Annotated[str, Meta(min_length=1, max_length=512)]
    code: Annotated[str, Meta(pattern=r"^[0-9]{6,8}$")]
    next: Next = "/"


class PasskeyLogIn(Form):
    """A passkey alone."""

    credential: Credential
    next: Next = "/"


class Begin(Form):
    """The link that `handover init` or `handover serve` printed."""

    link: Line


@get_page(["/login", "/login/passkey"], security=[])
def login_page(request: Req) -> Response[Any]:
    """E-mail, password and second factor together, or a passkey."""
    if _waits_for_first(request):
        return redirect(request, Done("/setup"))
    return _login(request, FilledForm(values={"next": request.query_params.get("next", "/")}))


@post_form("/login", security=[], opt=HASHING)
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
    return entered(request, made, form.next)


@post_form("/login/passkey", security=[])
def log_in_with_passkey(request: Req, data: FORM) -> Response[Any]:
    """Logs in by a passkey alone."""
    language = language_of(request)
    shown = {"next": data.get("next", "/")}
    try:
        refuse_foreign_site(request)
        form = decode(data, PasskeyLogIn, language)
        if isinstance(form, dict):
            return _login(request, FilledForm(values=shown, errors=form, status=422))
        made = sessions.log_in_with_passkey(
            installation_of(request), form.credential, language=language, request_id=request_id(request)
        )
    except HandoverError as error:
        return _login(request, filled(shown, error, language))
    return entered(request, made, form.next)


@post_form("/logout")
def log_out(request: Req, data: FORM) -> Response[Any]:
    """Ends the session on the server."""

    def work(ctx: Context, _form: Form) -> Done:
        sessions.log_out(ctx)
        return Done("/login")

    answer = submit(request, data, Form, work, lambda form: _login(request, form))
    answer.set_cookie(session_cookie("", max_age=0))
    return answer


@get_page("/setup", security=[])
def setup_page(request: Req) -> Response[Any]:
    """What a fresh installation waits for: the link that only the operator's terminal shows."""
    if not _waits_for_first(request):
        return redirect(request, Done("/login"))
    return _setup(request, FilledForm())


@post_form("/setup", security=[])
def begin(request: Req, data: FORM) -> Response[Any]:
    """Goes on to the invitation behind a link; it consumes nothing."""

    def work(ctx: Context, form: Begin) -> Done:
        token = urlsplit(form.link).path.rsplit("/", 1)[-1]
        try:
            people.find(ctx, token)
        except InvitationError as error:
            raise InvalidInputError(error.message, field="link") from error
        return Done(f"/p/{token}")

    return submit(request, data, Begin, work, lambda form: _setup(request, form), anonymous=True)


def _waits_for_first(request: Req) -> bool:
    with reading(request, anonymous=True) as ctx:
        return not queries.anybody_enrolled(ctx)


def _login(request: Req, form: FilledForm) -> Response[Any]:
    def gather(ctx: Context) -> dict[str, Any]:
        return {"passkey": passkeys.login_options(ctx), "address": here(request, ctx)}

    return page(request, "accounts/login.html", gather, form=form, anonymous=True)


def _setup(request: Req, form: FilledForm) -> Response[Any]:
    return page(request, "accounts/setup.html", lambda _ctx: {}, form=form, anonymous=True)


ROUTES = [
    login_page,
    log_in,
    log_in_with_passkey,
    log_out,
    setup_page,
    begin,
    *pages_invitation.ROUTES,
    *pages_account.ROUTES,
    *pages_factors.ROUTES,
    *pages_access.ROUTES,
    *pages_admin.ROUTES,
    *pages_installation.ROUTES,
]

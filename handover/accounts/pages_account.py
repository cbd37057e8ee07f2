"""A person's own account: who they are here, their language and their password."""

from typing import Annotated, Any, Literal

from litestar import Request, Response
from msgspec import Meta

from handover.accounts import credentials, factors, passkeys, queries, sessions
from handover.context import Context
from handover.errors import HandoverError
from handover.i18n.catalogue import catalogue
from handover.settings import Settings
from handover.web.declared import HASHING
from handover.web.edge import installation_of, language_of, step_up, writing
from handover.web.errors import request_id
from handover.web.forms import Form
from handover.web.html import FORM, Done, FilledForm, page, redirect, submit
from handover.web.html.answers import filled, language_cookie
from handover.web.html.fields import decode
from handover.web.html.routes import get_page, post_form

Req = Request[Any, Any, Any]


class Language(Form):
    """The language of pages and mails."""

    language: Literal["zh", "en"]


class Password(Form):
    """The old and the new one; the code only where the session's second factor is not recent."""

    old: Annotated[str, Meta(min_length=1, max_length=512)]
    password: Annotated[str, Meta(min_length=1, max_length=512)]
    again: Annotated[str, Meta(min_length=1, max_length=512)]


def account_frame(ctx: Context, tab: str) -> dict[str, Any]:
    """What stands around each page of the account."""
    _ = catalogue(ctx.language).gettext
    tabs = [
        ("profile", "/account", _("Profile")),
        ("password", "/account/password", _("Password")),
        ("authenticator", "/account/authenticator", _("Authenticator app")),
        ("passkeys", "/account/passkeys", _("Passkeys")),
        ("sessions", "/account/sessions", _("Sessions")),
        ("tokens", "/account/tokens", _("API tokens")),
    ]
    return {"tabs": tabs, "tab": tab}


@get_page("/account")
def profile_page(request: Req) -> Response[Any]:
    """Who I am here."""
    return _profile(request, FilledForm())


@post_form("/account/language")
def choose_language(request: Req, data: FORM) -> Response[Any]:
    """Keeps the language with the account, and in this browser."""

    def work(ctx: Context, form: Language) -> Done:
        credentials.set_language(ctx, form.language)
        return Done("/account", catalogue(form.language).gettext("Your language is kept with your account."))

    answer = submit(request, data, Language, work, lambda form: _profile(request, form))
    if answer.status_code == 303:
        answer.set_cookie(language_cookie(str(data["language"])))
    return answer


@get_page("/account/password")
def password_page(request: Req) -> Response[Any]:
    """The form for another password."""
    return _password(request, FilledForm())


@post_form("/account/password", opt=HASHING)
def change_password(request: Req, data: FORM) -> Response[Any]:
    """Changes the password; every other session ends.

    Passwords are never sent back, so what the second factor needs stands in the same form.
    """
    language = language_of(request)
    fields = {name: value for name, value in data.items() if name not in {"csrf_token", "second_factor_code"}}
    request.scope["state"]["form_csrf"] = str(data.get("csrf_token", ""))
    form = decode(fields, Password, language)
    _ = catalogue(language).gettext
    if not isinstance(form, dict) and form.password != form.again:
        form = {"again": _("This is not the same password as above")}
    try:
        if isinstance(form, dict):
            return _password(request, FilledForm(errors=form, status=422))
        if data.get("second_factor_code"):
            step_up(request, str(data["second_factor_code"]))
        with writing(request) as ctx:
            sessions.current(ctx)
            actor = ctx.actor
        credentials.change_password(
            installation_of(request), actor, old=form.old, new=form.password, request_id=request_id(request)
        )
    except HandoverError as error:
        if error.code == "not_logged_in":
            raise
        return _password(request, filled({}, error, language))
    return redirect(request, Done("/account", _("Your password is changed. Your other sessions have ended.")))


def _profile(request: Req, form: FilledForm) -> Response[Any]:
    def gather(ctx: Context) -> dict[str, Any]:
        person = queries.me(ctx)
        return {**account_frame(ctx, "profile"), "person": person, "email": queries.own_email(ctx)}

    return page(request, "accounts/profile.html", gather, form=form)


def _password(request: Req, form: FilledForm) -> Response[Any]:
    def gather(ctx: Context) -> dict[str, Any]:
        recent = factors.is_recent(ctx)
        return {
            **account_frame(ctx, "password"),
            "recent": recent,
            "passkey": "" if recent else passkeys.step_up_options(ctx),
            "minimum": ctx.get(Settings).policy.password_min_length,
        }

    return page(request, "accounts/password.html", gather, form=form)


ROUTES = [profile_page, choose_language, password_page, change_password]

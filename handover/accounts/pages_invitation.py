"""Pages of an invitation: opening the link changes nothing, the form enrols, and the new second factor is tried once."""

from collections.abc import Callable
from typing import Annotated, Any

from litestar import Request, Response
from litestar.datastructures import Cookie
from msgspec import Meta

from handover.accounts import enrolment, people
from handover.accounts.entrance import Credential, entered, here
from handover.accounts.errors import InvitationError
from handover.accounts.sessions import LoggedIn
from handover.context import Context
from handover.errors import HandoverError
from handover.i18n.catalogue import catalogue
from handover.settings import Settings
from handover.web.declared import HASHING
from handover.web.edge import installation_of, language_of, reading, refuse_foreign_site, writing
from handover.web.errors import request_id
from handover.web.forms import Form, Line
from handover.web.html import FORM, Done, FilledForm, page, redirect
from handover.web.html.answers import filled
from handover.web.html.fields import Fields, decode
from handover.web.html.routes import get_page, post_form
from handover.web.html.sayings import said_in

Req = Request[Any, Any, Any]
#: What the browser that accepted holds until the first login.
_PROOF = "__Host-handover-first"


class Acceptance(Form):
    """The code came over another channel than the link."""

    code: Annotated[str, Meta(pattern=r"^[0-9]{8}$")]
    password: Annotated[str, Meta(min_length=1, max_length=512)]
    again: Annotated[str, Meta(min_length=1, max_length=512)]
    second_factor: str


class FirstCode(Form):
    """The first code of the new second factor."""

    code: Annotated[str, Meta(pattern=r"^[0-9]{6,8}$")]


class FirstPasskey(Form):
    """The passkey that was just made."""

    name: Line
    credential: Credential


@get_page("/p/{token:str}", security=[])
def invitation_page(request: Req, token: str) -> Response[Any]:
    """Who invites; mail scanners that follow the link consume nothing."""
    return _invitation(request, token, FilledForm())


@post_form("/p/{token:str}", security=[], opt=HASHING)
def accept(request: Req, token: str, data: FORM) -> Response[Any]:
    """Enrols, and goes on to try the second factor."""
    language = language_of(request)
    fields = {**data, "code": _digits(data.get("code"))}
    shown = {name: fields.get(name, "") for name in ("code", "second_factor")}
    try:
        refuse_foreign_site(request)
        form = decode(fields, Acceptance, language)
        if not isinstance(form, dict) and form.password != form.again:
            form = {"again": catalogue(language).gettext("This is not the same password as above")}
        if isinstance(form, dict):
            return _invitation(request, token, FilledForm(values=shown, errors=form, status=422))
        people.accept(
            installation_of(request),
            token,
            code=form.code,
            password=form.password,
            second_factor=form.second_factor,
            language=language,
            request_id=request_id(request),
        )
    except InvitationError as error:
        wrong = FilledForm(values=shown, errors={"code": said_in(error, language)}, status=422)
        return _invitation(request, token, wrong)
    except HandoverError as error:
        return _invitation(request, token, filled(shown, error, language))
    return _with_proof(request, token)


@get_page(["/p/{token:str}/first", "/p/{token:str}/passkey"], security=[])
def first_page(request: Req, token: str) -> Response[Any]:
    """The new second factor, to be set up and tried once; it may be loaded again until then."""
    return _first(request, token, FilledForm())


@post_form("/p/{token:str}/first", security=[])
def first_code(request: Req, token: str, data: FORM) -> Response[Any]:
    """The first login, by the first code."""

    def work(form: FirstCode) -> LoggedIn:
        return enrolment.log_in_with_code(
            installation_of(request),
            token,
            _proof(request),
            form.code,
            language=language_of(request),
            request_id=request_id(request),
        )

    return _first_login(request, token, {"code": _digits(data.get("code"))}, FirstCode, work)


@post_form("/p/{token:str}/passkey", security=[])
def first_passkey(request: Req, token: str, data: FORM) -> Response[Any]:
    """The first login, by the new passkey."""

    def work(form: FirstPasskey) -> LoggedIn:
        with writing(request, anonymous=True) as ctx:
            return enrolment.log_in_with_new_passkey(
                ctx,
                token,
                _proof(request),
                name=form.name,
                credential=form.credential,
                language=language_of(request),
            )

    return _first_login(request, token, data, FirstPasskey, work)


def _first_login(
    request: Req, token: str, data: Fields, kind: type[Any], work: Callable[[Any], LoggedIn]
) -> Response[Any]:
    language = language_of(request)
    fields = {name: value for name, value in data.items() if name != "credential"}
    try:
        refuse_foreign_site(request)
        form = decode(data, kind, language)
        if isinstance(form, dict):
            return _first(request, token, FilledForm(values=fields, errors=form, status=422))
        made = work(form)
    except HandoverError as error:
        return _first(request, token, filled(fields, error, language))
    said = catalogue(language).gettext("Your account is ready.")
    answer = entered(request, made, "/", said)
    answer.set_cookie(_proof_cookie("", 0))
    return answer


def _invitation(request: Req, token: str, form: FilledForm) -> Response[Any]:
    def gather(ctx: Context) -> dict[str, Any]:
        row, _person = people.find(ctx, token)
        return {
            "inviter": people.inviter(ctx, token),
            "until": row.expires_at,
            "minimum": ctx.get(Settings).policy.password_min_length,
            "address": here(request, ctx),
        }

    try:
        return page(request, "accounts/invitation.html", gather, form=form, anonymous=True)
    except InvitationError:
        return _gone(request, token)


def _first(request: Req, token: str, form: FilledForm) -> Response[Any]:
    def gather(ctx: Context) -> dict[str, Any]:
        return {"waiting": enrolment.waiting(ctx, token, _proof(request)), "token": token}

    try:
        return page(request, "accounts/first.html", gather, form=form, anonymous=True, strict=True)
    except InvitationError:
        return _gone(request, token)


def _gone(request: Req, token: str) -> Response[Any]:
    """Used, expired, replaced or wrong: whom to ask, as far as the link is one of ours."""

    def gather(ctx: Context) -> dict[str, Any]:
        return {"inviter": people.inviter(ctx, token)}

    return page(request, "accounts/link_gone.html", gather, form=FilledForm(status=410), anonymous=True)


def _with_proof(request: Req, token: str) -> Response[Any]:
    with reading(request, anonymous=True) as ctx:
        proof = enrolment.proof_of(ctx, token)
        minutes = ctx.get(Settings).policy.invitation_minutes
    answer = redirect(request, Done(f"/p/{token}/first"))
    answer.set_cookie(_proof_cookie(proof, minutes * 60))
    return answer


def _proof(request: Req) -> str:
    return request.cookies.get(_PROOF, "")


def _proof_cookie(value: str, max_age: int) -> Cookie:
    return Cookie(key=_PROOF, value=value, max_age=max_age, path="/", secure=True, httponly=True, samesite="lax")


def _digits(code: Any) -> str:
    """A code as it is read out, in groups, is a code too."""
    return "".join(str(code or "").split()).replace("-", "")


ROUTES = [invitation_page, accept, first_page, first_code, first_passkey]

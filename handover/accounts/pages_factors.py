"""A person's second factors: the authenticator app and passkeys."""

import uuid
from typing import Annotated, Any

from litestar import Request, Response
from msgspec import Meta

from handover.accounts import factors, passkeys
from handover.accounts.entrance import Credential
from handover.accounts.models import Person
from handover.accounts.pages_account import account_frame
from handover.context import Context
from handover.i18n.catalogue import catalogue
from handover.web.forms import Form, Line
from handover.web.html import FORM, Done, FilledForm, page, submit
from handover.web.html.routes import get_page, post_form

Req = Request[Any, Any, Any]


class Code(Form):
    """The first code of a new authenticator."""

    code: Annotated[str, Meta(pattern=r"^[0-9]{6}$")]


class NewPasskey(Form):
    """What the browser made, and a name by which its owner knows it again."""

    name: Line
    credential: Credential


@get_page("/account/authenticator")
def authenticator_page(request: Req) -> Response[Any]:
    """Whether there is one; and a new one that waits for its first code."""
    return _authenticator(request, FilledForm())


@post_form("/account/authenticator/new")
def begin_authenticator(request: Req, data: FORM) -> Response[Any]:
    """Makes a new secret; the old one counts until the new one was tried."""

    def work(ctx: Context, _form: Form) -> Done:
        factors.begin_totp(ctx)
        return Done("/account/authenticator")

    return submit(request, data, Form, work, lambda form: _authenticator(request, form))


@post_form("/account/authenticator")
def confirm_authenticator(request: Req, data: FORM) -> Response[Any]:
    """Puts the new secret in place, by a code of it."""

    def work(ctx: Context, form: Code) -> Done:
        factors.confirm_totp(ctx, form.code)
        said = catalogue(ctx.language).gettext("The new authenticator app counts from now on; the old one no more.")
        return Done("/account/authenticator", said)

    return submit(request, data, Code, work, lambda form: _authenticator(request, form))


@get_page("/account/passkeys")
def passkeys_page(request: Req) -> Response[Any]:
    """The passkeys, and one more."""
    return _passkeys(request, FilledForm())


@post_form("/account/passkeys")
def add_passkey(request: Req, data: FORM) -> Response[Any]:
    """Keeps a passkey that the browser made."""

    def work(ctx: Context, form: NewPasskey) -> Done:
        passkeys.add(ctx, name=form.name, credential=form.credential)
        return Done("/account/passkeys", catalogue(ctx.language).gettext("The passkey is registered."))

    return submit(request, data, NewPasskey, work, lambda form: _passkeys(request, form))


@post_form("/account/passkeys/{passkey_id:uuid}/remove")
def remove_passkey(request: Req, passkey_id: uuid.UUID, data: FORM) -> Response[Any]:
    """Takes a passkey out of use."""

    def work(ctx: Context, _form: Form) -> Done:
        passkeys.remove(ctx, passkey_id)
        return Done("/account/passkeys", catalogue(ctx.language).gettext("The passkey opens nothing here any more."))

    return submit(request, data, Form, work, lambda form: _passkeys(request, form))


def _authenticator(request: Req, form: FilledForm) -> Response[Any]:
    def gather(ctx: Context) -> dict[str, Any]:
        person = ctx.session.get_one(Person, ctx.person())
        secret = factors.pending_totp(ctx) if factors.is_recent(ctx) else None
        return {
            **account_frame(ctx, "authenticator"),
            "present": person.totp_sealed is not None,
            "secret": secret,
            "uri": factors.totp_uri(ctx, person, secret) if secret else "",
        }

    return page(request, "accounts/authenticator.html", gather, form=form)


def _passkeys(request: Req, form: FilledForm) -> Response[Any]:
    def gather(ctx: Context) -> dict[str, Any]:
        person = ctx.session.get_one(Person, ctx.person())
        return {
            **account_frame(ctx, "passkeys"),
            "passkeys": passkeys.own(ctx),
            "options": passkeys.registration_options(ctx, person),
        }

    return page(request, "accounts/passkeys.html", gather, form=form)


ROUTES = [
    authenticator_page,
    begin_authenticator,
    confirm_authenticator,
    passkeys_page,
    add_passkey,
    remove_passkey,
]

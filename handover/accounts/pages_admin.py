"""People, as administrators see them: invited, looked at, suspended; and telephone codes, which consultants issue too."""

import uuid
from typing import Annotated, Any, Literal

from litestar import Request, Response
from msgspec import Meta

from handover.accounts import factors, people, queries
from handover.accounts.models import Person
from handover.accounts.reminders import invitation_text
from handover.context import Context
from handover.errors import NotFoundError
from handover.i18n.catalogue import catalogue
from handover.settings import Settings
from handover.web.edge import page_after
from handover.web.forms import Form, Line
from handover.web.html import FORM, Done, FilledForm, page, redirect, submit
from handover.web.html.routes import get_page, post_form

Req = Request[Any, Any, Any]
_PAGE = 50
#: As many hits of a search are shown.
_HITS = 30


class Invitation(Form):
    """Who is invited; without a role in the installation a person takes part in cases only."""

    email: Line
    name: Line
    language: Literal["zh", "en"] = "zh"
    organisation_roles: tuple[str, ...] = ()


class Name(Form):
    """A corrected name."""

    name: Line


class Nothing(Form):
    """A button alone; `q` is the search that it stood under."""

    q: Annotated[str, Meta(max_length=300)] = ""


def admin_frame(ctx: Context, tab: str) -> dict[str, Any]:
    """What stands around each page of the administration."""
    _ = catalogue(ctx.language).gettext
    tabs = [("health", "/admin/health", _("Health"))]
    if "platform_admin" in ctx.actor.roles:
        tabs = [
            ("people", "/admin/people", _("People")),
            ("organisation", "/admin/organisation", _("Installation")),
            ("templates", "/admin/templates", _("Agreement texts")),
            ("policy", "/admin/policy", _("Policies")),
            ("mail", "/admin/mail", _("Mails")),
            *tabs,
        ]
    return {"tabs": tabs, "tab": tab}


@get_page("/admin")
def admin_page(request: Req) -> Response[Any]:
    """The administration begins with its people."""
    return redirect(request, Done("/admin/people"))


@get_page("/admin/people")
def people_page(request: Req, after: str | None = None, q: Annotated[str, Meta(max_length=300)] = "") -> Response[Any]:
    """Everybody with an account or an invitation."""

    def gather(ctx: Context) -> dict[str, Any]:
        queries.require_role(ctx, "platform_admin")
        rows = queries.sought(ctx, q, _HITS) if q.strip() else queries.people(ctx, page_after(after), _PAGE + 1)
        more = str(rows[_PAGE - 1].id) if len(rows) > _PAGE else ""
        shown = [queries.person_row(ctx, row) for row in rows[:_PAGE]]
        return {**admin_frame(ctx, "people"), "people": shown, "more": more, "q": q, "searched": queries.MAX_SEARCHED}

    return page(request, "accounts/people.html", gather)


@get_page("/admin/people/invite")
def invite_page(request: Req) -> Response[Any]:
    """The form of an invitation."""
    return _invite(request, FilledForm())


@post_form("/admin/people/invite")
def invite(request: Req, data: FORM) -> Response[Any]:
    """Invites, and shows link and code in this one answer."""
    made: list[people.Invited] = []

    def work(ctx: Context, form: Invitation) -> Done:
        queries.require_role(ctx, "platform_admin")
        made.append(
            people.invite(
                ctx,
                email=form.email,
                name=form.name,
                language=form.language,
                organisation_roles=list(form.organisation_roles),
            )
        )
        return Done("/admin/people")

    answer = submit(request, data, Invitation, work, lambda form: _invite(request, form))
    if answer.status_code != 303:
        return answer

    def gather(ctx: Context) -> dict[str, Any]:
        minutes = ctx.get(Settings).policy.invitation_minutes
        invited = made[0]
        return {
            **admin_frame(ctx, "people"),
            "invited": invited,
            "name": queries.person_name(ctx, uuid.UUID(invited.person_id)),
            "message": invitation_text(invited, minutes),
        }

    return page(request, "accounts/invited.html", gather)


@get_page("/admin/people/{person_id:uuid}")
def person_page(request: Req, person_id: uuid.UUID) -> Response[Any]:
    """One person, and what an administrator can do about them."""
    return _person(request, person_id, FilledForm())


@post_form("/admin/people/{person_id:uuid}/name")
def rename(request: Req, person_id: uuid.UUID, data: FORM) -> Response[Any]:
    """Corrects a person's name."""

    def work(ctx: Context, form: Name) -> Done:
        people.rename(ctx, person_id, form.name)
        return Done(f"/admin/people/{person_id}", catalogue(ctx.language).gettext("The name is corrected."))

    return submit(request, data, Name, work, lambda form: _person(request, person_id, form))


@post_form("/admin/people/{person_id:uuid}/suspend")
def suspend(request: Req, person_id: uuid.UUID, data: FORM) -> Response[Any]:
    """Ends a person's access at once."""

    def work(ctx: Context, _form: Nothing) -> Done:
        people.suspend(ctx, person_id)
        said = catalogue(ctx.language).gettext("The account is suspended; its sessions, tokens and links have ended.")
        return Done(f"/admin/people/{person_id}", said)

    return submit(request, data, Nothing, work, lambda form: _person(request, person_id, form))


@get_page("/telephone-codes")
def codes_page(request: Req, q: Annotated[str, Meta(max_length=300)] = "") -> Response[Any]:
    """Whom to read out a code to."""
    return _codes(request, q, FilledForm())


@post_form("/telephone-codes/{person_id:uuid}")
def issue_code(request: Req, person_id: uuid.UUID, data: FORM) -> Response[Any]:
    """Issues a code, and shows it in this one answer."""
    made: list[tuple[str, Any]] = []

    def work(ctx: Context, _form: Nothing) -> Done:
        made.append(factors.issue_code(ctx, person_id))
        return Done("/telephone-codes")

    answer = submit(request, data, Nothing, work, lambda form: _codes(request, str(data.get("q", "")), form))
    if answer.status_code != 303:
        return answer

    def gather(ctx: Context) -> dict[str, Any]:
        code, until = made[0]
        return {"code": code, "until": until, "name": queries.person_name(ctx, person_id)}

    return page(request, "accounts/code.html", gather)


def _invite(request: Req, form: FilledForm) -> Response[Any]:
    def gather(ctx: Context) -> dict[str, Any]:
        queries.require_role(ctx, "platform_admin")
        return {**admin_frame(ctx, "people"), "roles": people.ORGANISATION_ROLES}

    return page(request, "accounts/invite.html", gather, form=form)


def _person(request: Req, person_id: uuid.UUID, form: FilledForm) -> Response[Any]:
    def gather(ctx: Context) -> dict[str, Any]:
        queries.require_role(ctx, "platform_admin")
        row = ctx.session.get(Person, person_id)
        if row is None:
            raise NotFoundError("there is no such person")
        own = row.id == ctx.actor.person_id
        return {**admin_frame(ctx, "people"), "person": queries.person_row(ctx, row), "own": own}

    return page(request, "accounts/person.html", gather, form=form)


def _codes(request: Req, q: str, form: FilledForm) -> Response[Any]:
    def gather(ctx: Context) -> dict[str, Any]:
        queries.require_staff(ctx)
        rows = [queries.person_view(ctx, row) for row in queries.sought(ctx, q, _HITS)]
        own = str(ctx.person())
        found = [one for one in rows if one.enrolled and not one.suspended and one.id != own]
        return {"people": found, "q": q, "searched": queries.MAX_SEARCHED}

    return page(request, "accounts/codes.html", gather, form=form)


ROUTES = [
    admin_page,
    people_page,
    invite_page,
    invite,
    person_page,
    rename,
    suspend,
    codes_page,
    issue_code,
]

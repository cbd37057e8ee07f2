"""Pages of the desk: where everyone begins, the to-do list, the board, and a new case."""

from typing import Annotated, Any

from litestar import Request, Response
from litestar.params import Parameter, QueryParameter
from msgspec import Meta

from handover.cases import service
from handover.cases.frame import reader
from handover.cases.service import STRUCTURES
from handover.context import Context
from handover.desk import pages_case, pages_log, pages_mail, pages_my, pages_workflow
from handover.desk.board import Filters, board
from handover.desk.todo import todo
from handover.errors import NotFoundError
from handover.i18n.catalogue import catalogue
from handover.web.edge import reading
from handover.web.forms import Form, Line, Word
from handover.web.html import FORM, Done, FilledForm, page, redirect, submit
from handover.web.html.answers import require_page_role
from handover.web.html.routes import get_page, post_form

Req = Request[Any, Any, Any]
Sought = Annotated[str, Parameter(max_length=64)]


class NewCasePage(Form):
    """The fields of a new case; jurisdictions are ISO country codes in one line."""

    title: Line
    structure: Word
    key_policy: Annotated[str, Meta(pattern="^(classic|post_quantum)$")]
    jurisdictions: Annotated[str, Meta(pattern="^[A-Za-z]{2}([ ,，、]+[A-Za-z]{2}){0,19}$")] = "CN"


@get_page("/")
def start(request: Req) -> Response[Any]:
    """Everyone begins where their work is."""
    with reading(request) as ctx:
        known = reader(ctx)
    if "platform_admin" in known.roles:
        return redirect(request, Done("/admin"))
    if "auditor" in known.roles:
        return redirect(request, Done("/cases"))
    return redirect(request, Done("/todo" if known.inside else "/my"))


@get_page("/todo")
def todo_page(request: Req, number: Annotated[int, QueryParameter(name="page", ge=1, le=100_000)] = 1) -> Response[Any]:
    """What the reader can do now, and what others must do, over all cases."""

    def gather(ctx: Context) -> dict[str, Any]:
        _require_inside(ctx)
        return {"todo": todo(ctx, number)}

    return page(request, "desk/todo.html", gather)


@get_page("/cases")
def cases_page(
    request: Req,
    stage: Sought = "",
    owner: Sought = "",
    overdue: Sought = "",
    q: Sought = "",
    number: Annotated[int, QueryParameter(name="page", ge=1, le=100_000)] = 1,
) -> Response[Any]:
    """The board."""
    filters = Filters(stage=stage, owner=owner, overdue=overdue == "1", reference=q.strip())

    def gather(ctx: Context) -> dict[str, Any]:
        _require_inside(ctx)
        return {
            "board": board(ctx, filters, number),
            "filters": filters,
            "may_open": "consultant" in ctx.actor.roles,
        }

    return page(request, "desk/cases.html", gather)


@get_page("/cases/new")
def new_case_page(request: Req) -> Response[Any]:
    """The form of a new case."""
    return _new_case(request, FilledForm())


@post_form("/cases/new")
def new_case(request: Req, data: FORM) -> Response[Any]:
    """Opens a draft, and goes to its page."""

    def work(ctx: Context, form: NewCasePage) -> Done:
        codes = form.jurisdictions.upper().replace(",", " ").replace("，", " ").replace("、", " ").split()
        row = service.create(
            ctx, title=form.title, structure=form.structure, key_policy=form.key_policy, jurisdictions=codes
        )
        _ = catalogue(ctx.language).gettext
        return Done(f"/cases/{row.reference}", _("The case is created as a draft; now add its parties and people"))

    return submit(request, data, NewCasePage, work, lambda form: _new_case(request, form))


def _new_case(request: Req, form: FilledForm) -> Response[Any]:
    def gather(ctx: Context) -> dict[str, Any]:
        require_page_role(ctx, "consultant")
        return {"structures": STRUCTURES}

    return page(request, "desk/new_case.html", gather, form=form)


def _require_inside(ctx: Context) -> None:
    """For those who work on cases or audit them; parties have pages of their own.

    Raises:
        NotFoundError: the reader does neither.
    """
    if not reader(ctx).inside:
        raise NotFoundError("there is no such page")


ROUTES = [
    start,
    todo_page,
    cases_page,
    new_case_page,
    new_case,
    *pages_case.ROUTES,
    *pages_log.ROUTES,
    *pages_mail.ROUTES,
    *pages_my.ROUTES,
    *pages_workflow.ROUTES,
]

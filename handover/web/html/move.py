"""One route behind every button that moves a state: approve, release, advance; it works without JavaScript."""

import uuid
from typing import Annotated, Any

from litestar import Request, Response
from msgspec import Meta

from handover.context import Context
from handover.errors import NotFoundError
from handover.i18n.catalogue import catalogue
from handover.web.forms import Form
from handover.web.html.answers import Done, local_path, page, submit
from handover.web.html.fields import FORM, FilledForm
from handover.web.html.routes import post_form
from handover.workflow import Workflow


class Move(Form):
    """Why, where that is asked, and the page to return to."""

    reason: Annotated[str, Meta(max_length=2000)] | None = None
    next: Annotated[str, Meta(max_length=300)] = "/"


@post_form("/move/{machine:str}/{row_id:uuid}/{trigger:str}")
def move(request: Request[Any, Any, Any], machine: str, row_id: uuid.UUID, trigger: str, data: FORM) -> Response[Any]:
    """Fires a transition, or records an approval; where gates are closed, the page says what is missing and who must act."""

    def work(ctx: Context, form: Move) -> Done:
        workflow = ctx.get(Workflow)
        if machine not in workflow.machines():
            raise NotFoundError("there is no such page")
        row = workflow.binding(machine).load(ctx, row_id)
        label = next((o.label for o in workflow.leaving(ctx, row) if o.trigger == trigger), None)
        fired = workflow.fire(ctx, row, trigger, reason=form.reason)
        _ = catalogue(ctx.language).gettext
        said = _("Your approval is recorded; another person's is awaited: %s") if fired.pending else _("Done: %s")
        return Done(local_path(form.next), said % (label.in_language(ctx.language) if label else trigger))

    def again(form: FilledForm) -> Response[Any]:
        return page(request, "blocked.html", lambda _ctx: {"back": local_path(str(data.get("next", "/")))}, form=form)

    return submit(request, data, Move, work, again)


ROUTES = [move]

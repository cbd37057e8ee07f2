"""The page of a case, and cancelling a job from it."""

import uuid
from typing import Annotated, Any

from litestar import Request, Response
from litestar.params import Parameter

from handover import jobs
from handover.audit.queries import Wanted
from handover.cases.api_watch import visible_job
from handover.cases.frame import case_page
from handover.context import Context
from handover.desk.activity import activity
from handover.desk.overview import overview
from handover.desk.pictures import copies_by_place, sensitivity, timeline
from handover.errors import NotFoundError
from handover.i18n.catalogue import catalogue
from handover.web.forms import Form
from handover.web.html import FORM, Done, FilledForm, page, submit
from handover.web.html.routes import get_page, post_form

Req = Request[Any, Any, Any]


@get_page("/cases/{reference:str}")
def overview_page(
    request: Req, reference: str, before: Annotated[int | None, Parameter(ge=0, le=2**62)] = None
) -> Response[Any]:
    """Where the case stands and what is next."""
    return _overview(request, reference, before, FilledForm())


@post_form("/cases/{reference:str}/jobs/{job_id:uuid}/cancel")
def cancel_job(request: Req, reference: str, job_id: uuid.UUID, data: FORM) -> Response[Any]:
    """Asks a job to stop."""

    def work(ctx: Context, _form: Form) -> Done:
        row, _frame = case_page(ctx, reference, "overview")
        if visible_job(ctx, job_id).case_id != row.id:
            raise NotFoundError("there is no such job")
        jobs.cancel(ctx, job_id)
        _ = catalogue(ctx.language).gettext
        return Done(f"/cases/{row.reference}", _("The job stops as soon as it can"))

    return submit(request, data, Form, work, lambda form: _overview(request, reference, None, form))


def _overview(request: Req, reference: str, before: int | None, form: FilledForm) -> Response[Any]:
    def gather(ctx: Context) -> dict[str, Any]:
        row, frame = case_page(ctx, reference, "overview")
        return {
            **frame,
            "view": overview(ctx, row),
            "activity": activity(ctx, row.id, Wanted(), before=before),
            "timeline": timeline(ctx, row),
            "copies": copies_by_place(ctx, row.id),
            "sensitivity": sensitivity(ctx, row.id),
        }

    return page(request, "desk/overview.html", gather, form=form)


ROUTES = [overview_page, cancel_job]

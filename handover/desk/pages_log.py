"""Pages of the audit log: a case's part of it with proofs, and the check of the whole log for auditors."""

import datetime as dt
import uuid
from typing import Annotated, Any

from litestar import Request, Response
from litestar.params import Parameter

from handover.audit import AuditLog
from handover.audit.queries import Wanted, last_verification
from handover.cases.frame import case_page
from handover.context import Context
from handover.desk import logs
from handover.desk.activity import activity, days
from handover.desk.people import Named, People
from handover.desk.words import table
from handover.i18n.catalogue import catalogue
from handover.web.edge import reading, writing
from handover.web.forms import Form
from handover.web.html import FORM, Done, FilledForm, answer_form, page, submit
from handover.web.html.answers import remember_token, require_page_role
from handover.web.html.routes import get_page, post_form

Req = Request[Any, Any, Any]
_AUDITORS = ("auditor", "platform_admin")
#: Entries of one page of the log.
_PAGE = 50
Short = Annotated[str, Parameter(max_length=64)]
Index = Annotated[int | None, Parameter(ge=0, le=2**62)]


@get_page("/cases/{reference:str}/log")
def log_page(
    request: Req,
    reference: str,
    group: Short = "",
    person: Short = "",
    entity: Short = "",
    since: Short = "",
    until: Short = "",
    before: Index = None,
    check: Index = None,
) -> Response[Any]:
    """The entries of a case, newest first."""
    filters = {"group": group, "person": person, "entity": entity, "since": since, "until": until}

    def gather(ctx: Context) -> dict[str, Any]:
        row, frame = case_page(ctx, reference, "log")
        return {
            **frame,
            "activity": activity(ctx, row.id, _wanted(filters), before=before, limit=_PAGE),
            "filters": filters,
            "query": {name: value for name, value in filters.items() if value},
            "groups": table().groups,
            "entities": table().entities,
            "people": _everybody(ctx, row.id),
            "days": days(ctx, row.id),
            "tree": logs.tree(ctx),
            "checked": logs.check_entry(ctx, row.id, check) if check is not None else None,
        }

    return page(request, "desk/log.html", gather)


@post_form("/cases/{reference:str}/log/{index:int}/check")
def check_entry(request: Req, reference: str, index: int, data: FORM) -> Response[Any]:
    """Signs a checkpoint over everything there is, and shows the entry proven against it."""

    def work(ctx: Context, _form: Form) -> Done:
        row, _frame = case_page(ctx, reference, "log")
        ctx.get(AuditLog).checkpoint(ctx)
        return Done(f"/cases/{row.reference}/log?before={index + 1}&check={index}#checked")

    def again(form: FilledForm) -> Response[Any]:
        return page(request, "blocked.html", lambda _ctx: {"back": f"/cases/{reference}/log"}, form=form)

    return submit(request, data, Form, work, again)


@get_page("/cases/{reference:str}/log/checkpoint.txt")
def case_checkpoint(request: Req, reference: str) -> Response[bytes]:
    """A checkpoint over everything that is committed, for those who watch this case."""
    with writing(request) as ctx:
        case_page(ctx, reference, "log")
        return _checkpoint(ctx)


@get_page("/audit")
def audit_page(request: Req) -> Response[Any]:
    """The whole log: its size, its newest checkpoint, its last verification."""
    return page(request, "desk/audit.html", lambda ctx: _whole_log(ctx, None))


@get_page("/audit/checkpoint.txt")
def checkpoint_file(request: Req) -> Response[bytes]:
    """A checkpoint over everything that is committed, to keep elsewhere."""
    with writing(request) as ctx:
        require_page_role(ctx, *_AUDITORS)
        return _checkpoint(ctx)


@post_form("/audit/verify")
def verify_log(request: Req, data: FORM) -> Response[Any]:
    """Recomputes the whole log and keeps the outcome. Nobody who writes waits for it: it is read first, then kept."""

    def work(ctx: Context, _form: Form) -> Done:
        require_page_role(ctx, *_AUDITORS)
        ctx.session.add(outcome)
        _ = catalogue(ctx.language).gettext
        said = _("The log was verified and holds") if outcome.problem is None else _("The log does not hold")
        return Done("/audit", said)

    remember_token(request, data)
    with reading(request) as ctx:
        require_page_role(ctx, *_AUDITORS)
        outcome = ctx.get(AuditLog).recompute(ctx)
    again = lambda form: page(request, "desk/audit.html", lambda ctx: _whole_log(ctx, None), form=form)  # noqa: E731
    return submit(request, data, Form, work, again)


@post_form("/audit")
def compare_checkpoint(request: Req, data: FORM) -> Response[Any]:
    """Compares an earlier checkpoint with the log as it is now."""
    pasted = str(data.get("checkpoint", ""))[:20_000]
    return answer_form(request, data, "desk/audit.html", lambda ctx: _whole_log(ctx, pasted))


def _checkpoint(ctx: Context) -> Response[bytes]:
    note = ctx.get(AuditLog).checkpoint(ctx)
    headers = {"Content-Disposition": 'attachment; filename="checkpoint.txt"'}
    return Response(note.encode(), media_type="text/plain; charset=utf-8", headers=headers)


def _whole_log(ctx: Context, pasted: str | None) -> dict[str, Any]:
    require_page_role(ctx, *_AUDITORS)
    return {
        "tree": logs.tree(ctx),
        "last": last_verification(ctx),
        "compared": logs.compare(ctx, pasted) if pasted is not None else None,
    }


def _wanted(filters: dict[str, str]) -> Wanted:
    return Wanted(
        event=f"{filters['group']}." if filters["group"] else "",
        actor=filters["person"],
        entity=filters["entity"],
        since=_day(filters["since"]),
        until=_day(filters["until"]),
    )


def _day(text: str) -> dt.date | None:
    """A day as the browser sends it; what is none does not filter."""
    try:
        return dt.date.fromisoformat(text)
    except ValueError:
        return None


def _everybody(ctx: Context, case_id: uuid.UUID) -> list[Named]:
    return People(ctx, [case_id]).everybody(case_id)


ROUTES = [log_page, check_entry, case_checkpoint, audit_page, checkpoint_file, verify_log, compare_checkpoint]

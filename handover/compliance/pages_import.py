"""The page that takes files of notices and consents: read in memory, answered with counts and row numbers alone."""

from typing import Any, Literal

from anyio import to_thread
from litestar import Request, Response, post

from handover.cases.frame import case_page
from handover.cases.queries import parties, party_name
from handover.compliance import queries, service
from handover.compliance.imports import HEADER
from handover.context import Context
from handover.errors import InvalidInputError
from handover.i18n import Language
from handover.web.forms import Form
from handover.web.html import Done, Fields, FilledForm, page, submit
from handover.web.html.parts import FIELDS_BYTES, read_form
from handover.web.html.routes import get_page
from handover.web.html.sayings import said_in

Req = Request[Any, Any, Any]
#: Some two hundred thousand customers; larger files go through the API or in parts.
_FILE_BYTES = 16 << 20
_IMPORTING = frozenset({"legal", "dpo", "consultant", "lead_consultant"})


class Import(Form):
    """What the file tells, and its bytes."""

    kind: Literal["notices", "consents"]
    file: bytes


@get_page("/cases/{reference:str}/consent/import")
def import_page(request: Req, reference: str) -> Response[Any]:
    """The form, with the header that is expected."""
    return _page(request, reference, FilledForm())


@post(
    "/cases/{reference:str}/consent/import",
    include_in_schema=False,
    status_code=200,
    request_max_body_size=_FILE_BYTES + 2 * FIELDS_BYTES,
)
async def import_file(request: Req, reference: str) -> Response[Any]:
    """Takes the usable rows and lists the others by number and reason."""
    data = await read_form(request, _FILE_BYTES)
    return await to_thread.run_sync(_import, request, reference, data)


def _import(request: Req, reference: str, data: Fields) -> Response[Any]:
    made: list[service.ImportResult] = []

    def work(ctx: Context, form: Import) -> Done:
        case, _frame = case_page(ctx, reference, "consent")
        made.append(service.import_subjects(ctx, case.id, form.kind, form.file))
        return Done(f"/cases/{reference}/consent")

    answer = submit(request, data, Import, work, lambda form: _page(request, reference, form))
    return _page(request, reference, FilledForm(), made[0]) if made and answer.status_code == 303 else answer


def _page(request: Req, reference: str, form: FilledForm, result: service.ImportResult | None = None) -> Response[Any]:
    def gather(ctx: Context) -> dict[str, Any]:
        case, frame = case_page(ctx, reference, "consent")
        rejected = [(one.row, _reason(one.reason, ctx.language)) for one in result.rejected_rows] if result else []
        return {
            **frame,
            "header": HEADER,
            "result": result,
            "rejected": rejected,
            "notices": [queries.notice_view(row) for row in queries.notices_of(ctx, case.id)],
            "party_names": {str(p.id): party_name(ctx, p) or "—" for p in parties(ctx, case.id)},
            "may_import": bool(frame["my_roles"] & _IMPORTING),
        }

    form.values.pop("file", None)
    if "body" in form.errors:
        form.errors["file"] = form.errors.pop("body")
    return page(request, "compliance/import.html", gather, form=form)


def _reason(reason: str, language: Language) -> str:
    return said_in(InvalidInputError(reason), language)


ROUTES = [import_page, import_file]

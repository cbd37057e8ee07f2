"""Stamped paper: a consultant uploads the page of a signer, legal staff look at it and confirm it."""

import uuid
from typing import Any

from anyio import to_thread
from litestar import Request, Response, post

from handover.agreements import paper, queries, service
from handover.agreements.models import Agreement
from handover.cases.frame import case_page
from handover.context import Context
from handover.i18n.catalogue import catalogue
from handover.web import writing
from handover.web.forms import Form
from handover.web.html import FORM, Done, FilledForm, page, submit
from handover.web.html.parts import FIELDS_BYTES, read_form
from handover.web.html.routes import get_page, post_form

Req = Request[Any, Any, Any]
MAX_FORM = service.MAX_SCAN_BYTES + 2 * FIELDS_BYTES


class Scan(Form):
    """A scanned page."""

    scan: bytes


@post(
    "/cases/{reference:str}/nda/{agreement_id:uuid}/paper/{signer_id:uuid}",
    include_in_schema=False,
    request_max_body_size=MAX_FORM,
    status_code=200,
)
async def upload_paper(request: Req, reference: str, agreement_id: uuid.UUID, signer_id: uuid.UUID) -> Response[Any]:
    """Keeps the stamped page of a signer."""
    data = await read_form(request, service.MAX_SCAN_BYTES)
    address = f"/cases/{reference}/nda/{agreement_id}"

    def work(ctx: Context, form: Scan) -> Done:
        found = _agreement(ctx, reference, agreement_id)
        kept = service.keep_scan(ctx, found.case_id, "signature", form.scan)
        service.upload_wet_ink(ctx, found, signer_id, kept.id)
        return Done(address, catalogue(ctx.language).gettext("The page is kept; legal staff confirm it"))

    return await to_thread.run_sync(
        lambda: submit(request, data, Scan, work, lambda form: _blocked(request, address, form))
    )


@get_page("/cases/{reference:str}/nda/{agreement_id:uuid}/paper/{signer_id:uuid}")
def read_paper(request: Req, reference: str, agreement_id: uuid.UUID, signer_id: uuid.UUID) -> Response[bytes]:
    """The stamped page as a download, for whoever confirms it; the reading is logged."""
    with writing(request) as ctx:
        found = _agreement(ctx, reference, agreement_id)
        data, media_type = paper.read_paper(ctx, found, signer_id)
    name = f"scan-{signer_id}.{media_type.rpartition('/')[2]}"
    headers = {"Content-Disposition": f'attachment; filename="{name}"', "Content-Security-Policy": "sandbox"}
    return Response(data, media_type=media_type, headers=headers)


@post_form("/cases/{reference:str}/nda/{agreement_id:uuid}/confirm/{signer_id:uuid}")
def confirm_paper(
    request: Req, reference: str, agreement_id: uuid.UUID, signer_id: uuid.UUID, data: FORM
) -> Response[Any]:
    """Legal staff confirm the stamped page."""
    address = f"/cases/{reference}/nda/{agreement_id}"

    def work(ctx: Context, _form: Form) -> Done:
        service.confirm_wet_ink(ctx, _agreement(ctx, reference, agreement_id), signer_id)
        return Done(address, catalogue(ctx.language).gettext("The stamped page counts as this person's signature"))

    return submit(request, data, Form, work, lambda form: _blocked(request, address, form))


def _agreement(ctx: Context, reference: str, agreement_id: uuid.UUID) -> Agreement:
    row, _frame = case_page(ctx, reference, "nda")
    return queries.agreement_of(ctx, row.id, agreement_id)


def _blocked(request: Req, back: str, form: FilledForm) -> Response[Any]:
    return page(request, "blocked.html", lambda _ctx: {"back": back}, form=form)


ROUTES = [upload_paper, read_paper, confirm_paper]

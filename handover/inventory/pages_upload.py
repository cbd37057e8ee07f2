"""The seller's upload page: resumable with JavaScript, one plain form without; then what each upload is."""

import uuid
from collections.abc import AsyncIterator
from typing import Any

from anyio import to_thread
from litestar import Request, Response, post

from handover.cases.frame import party_page
from handover.cases.queries import parties, party_name
from handover.context import Context
from handover.errors import HandoverError, InvalidInputError, Kind
from handover.i18n.catalogue import catalogue
from handover.inventory import listing, queries, service, uploads
from handover.inventory.arriving import Arriving, receive
from handover.settings import Settings
from handover.web import reading, writing
from handover.web.edge import installation_of, language_of
from handover.web.forms import Form, Line, Prose, Word
from handover.web.html import FORM, Done, FilledForm, page, redirect, submit
from handover.web.html.answers import filled
from handover.web.html.parts import FIELDS_BYTES, FormTooLargeError, Part, parts
from handover.web.html.routes import get_page, post_form
from handover.workflow import Workflow

Req = Request[Any, Any, Any]
#: A plain form cannot be resumed; larger files take the page with JavaScript.
PLAIN_MAX = 100 << 20


class Description(Form):
    """What an upload is."""

    kind: Word
    title: Line
    owner_party_id: uuid.UUID
    source_statement: Prose
    period: Line
    system: Line
    subject_field: Line | None = None


@get_page("/my/{reference:str}/upload")
def upload_page(request: Req, reference: str) -> Response[Any]:
    """Where files are put, what is running, what is still to be described, and what is there."""
    return _upload(request, reference, FilledForm())


@post("/my/{reference:str}/upload", include_in_schema=False, request_max_body_size=None, status_code=200)
async def plain_upload(request: Req, reference: str) -> Response[Any]:
    """One file from a plain form, sealed piece by piece as it arrives."""
    language = language_of(request)
    try:
        upload_id = await _stream(request, reference)
    except HandoverError as error:
        if error.kind in {Kind.NOT_FOUND, Kind.UNAUTHENTICATED}:
            raise
        form = filled({}, error, language)
        return await to_thread.run_sync(lambda: _upload(request, reference, form))
    return redirect(request, Done(f"/my/{reference}/upload/{upload_id}"))


@get_page("/my/{reference:str}/upload/{upload_id:uuid}")
def describe_form(request: Req, reference: str, upload_id: uuid.UUID) -> Response[Any]:
    """The form that says what an upload is."""
    return _describe(request, reference, upload_id, FilledForm())


@post_form("/my/{reference:str}/upload/{upload_id:uuid}")
def describe(request: Req, reference: str, upload_id: uuid.UUID, data: FORM) -> Response[Any]:
    """Registers an upload as a record set; its inspection starts at once."""

    def work(ctx: Context, form: Description) -> Done:
        party_page(ctx, reference)
        facts = queries.RecordFacts(
            title=form.title,
            filename="",
            source_statement=form.source_statement,
            period=form.period,
            system=form.system,
            subject_field=form.subject_field,
        )
        row = service.register(ctx, upload_id, kind=form.kind, owner_party_id=form.owner_party_id, facts=facts)
        said = catalogue(ctx.language).gettext("%s is registered and being inspected")
        return Done(f"/my/{reference}/upload", said % row.number)

    return submit(request, data, Description, work, lambda form: _describe(request, reference, upload_id, form))


@post_form("/my/{reference:str}/upload/{upload_id:uuid}/remove")
def remove(request: Req, reference: str, upload_id: uuid.UUID, data: FORM) -> Response[Any]:
    """Removes an upload that is no record set yet."""

    def work(ctx: Context, _form: Form) -> Done:
        party_page(ctx, reference)
        uploads.remove(ctx, queries.visible_upload(ctx, upload_id))
        return Done(f"/my/{reference}/upload", catalogue(ctx.language).gettext("The upload is removed"))

    return submit(request, data, Form, work, lambda form: _upload(request, reference, form))


def _upload(request: Req, reference: str, form: FilledForm) -> Response[Any]:
    def gather(ctx: Context) -> dict[str, Any]:
        row, frame = party_page(ctx, reference)
        queries.inside(ctx, row.id)
        states = ctx.get(Workflow).definition(ctx, row.id, "record_set").states
        mine = [queries.upload_view(ctx, u) for u in listing.my_uploads(ctx, row.id)]
        sets = [queries.record_set_view(ctx, s, with_fields=False) for s in queries.record_sets_of(ctx, row.id)]
        return {
            **frame,
            "running": [u for u in mine if u.state == "open"],
            "finished": [u for u in mine if u.state == "complete"],
            "sets": [(s, states[s.state].label) for s in sets],
            "jobs": listing.inspections_of(ctx, row.id),
            "plain_max": PLAIN_MAX,
            "upload_max": ctx.get(Settings).policy.upload_max_mib << 20,
            "open": row.state == "inventory",
        }

    return page(request, "inventory/upload.html", gather, form=form)


def _describe(request: Req, reference: str, upload_id: uuid.UUID, form: FilledForm) -> Response[Any]:
    def gather(ctx: Context) -> dict[str, Any]:
        row, frame = party_page(ctx, reference)
        upload = queries.visible_upload(ctx, upload_id)
        owners = [(str(p.id), party_name(ctx, p) or p.side) for p in parties(ctx, row.id)]
        sides = {str(p.id) for p in parties(ctx, row.id) if p.side in {"seller", "target"}}
        return {
            **frame,
            "upload": queries.upload_view(ctx, upload),
            "owners": [owner for owner in owners if owner[0] in sides],
            "kinds": service.KINDS,
        }

    return page(request, "inventory/describe.html", gather, form=form)


async def _stream(request: Req, reference: str) -> uuid.UUID:
    """The token first, then the file straight into sealed segments; an upload that breaks off is removed."""
    arriving = parts(request)
    filename = await _until_file(request, arriving)
    announced = int(request.headers.get("content-length") or PLAIN_MAX)

    def begin() -> uuid.UUID:
        with writing(request) as ctx:
            row, _frame = party_page(ctx, reference)
            return uploads.begin(ctx, row.id, filename, min(announced, PLAIN_MAX)).id

    upload_id = await to_thread.run_sync(begin)
    try:
        await _fill(request, arriving, upload_id)
    except BaseException:
        await to_thread.run_sync(lambda: _drop(request, upload_id))
        raise
    return upload_id


async def _until_file(request: Req, arriving: AsyncIterator[Part | bytes]) -> str:
    """The file's name. The form's token stands before it, so that a foreign page's file is refused before its first byte."""
    token = bytearray()
    async for item in arriving:
        if isinstance(item, bytes):
            token += item[:FIELDS_BYTES]
        elif item.name == "csrf_token":
            token.clear()
        elif item.filename:
            request.scope["state"]["form_csrf"] = token.decode(errors="replace")
            return item.filename
    raise InvalidInputError("choose a file", field="file")


async def _fill(request: Req, arriving: AsyncIterator[Part | bytes], upload_id: uuid.UUID) -> None:
    installation = installation_of(request)

    def begins() -> Arriving:
        with reading(request) as ctx:
            return Arriving(installation, ctx, upload_id, 0)

    await receive(await to_thread.run_sync(begins), _of_file(arriving))

    def finish() -> None:
        with writing(request) as ctx:
            uploads.finish_short(ctx, queries.visible_upload(ctx, upload_id))

    await to_thread.run_sync(finish)


async def _of_file(arriving: AsyncIterator[Part | bytes]) -> AsyncIterator[bytes]:
    size = 0
    async for item in arriving:
        if isinstance(item, Part):
            return
        size += len(item)
        if size > PLAIN_MAX:
            raise FormTooLargeError(f"a file of this form may have {PLAIN_MAX >> 20} MiB")
        yield item


def _drop(request: Req, upload_id: uuid.UUID) -> None:
    with writing(request) as ctx:
        uploads.remove(ctx, queries.visible_upload(ctx, upload_id))


ROUTES = [upload_page, plain_upload, describe_form, describe, remove]

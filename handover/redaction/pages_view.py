"""The bidder's look at redacted material: pictures with a watermark, or the same records as text; never a file."""

import uuid
from typing import Any

from litestar import Request, Response

from handover.cases.frame import party_page
from handover.context import Context
from handover.errors import NotFoundError
from handover.redaction import excerpt, material
from handover.web.declared import RENDERING
from handover.web.edge import writing
from handover.web.html import page as html_page
from handover.web.html.routes import get_page

Req = Request[Any, Any, Any]


@get_page("/my/{reference:str}/view")
def view_page(request: Req, reference: str) -> Response[Any]:
    """What is released to the reader's party, by record set; or why nothing is open now."""

    def gather(ctx: Context) -> dict[str, Any]:
        case, frame = party_page(ctx, reference)
        return {
            **frame,
            "material": material.material_of(ctx, case),
            "records_max": material.RECORDS_MAX,
            "pages_max": material.PAGES_MAX,
        }

    return html_page(request, "redaction/view.html", gather)


@get_page("/my/{reference:str}/view/{record_set_id:uuid}/{number:int}")
def picture_page(request: Req, reference: str, record_set_id: uuid.UUID, number: int) -> Response[Any]:
    """One page of a record set; the picture in it is the look that is noted."""
    return html_page(request, "redaction/view_page.html", _gather(reference, record_set_id, number))


@get_page("/my/{reference:str}/view/{record_set_id:uuid}/{number:int}/text", opt=RENDERING)
def text_page(request: Req, reference: str, record_set_id: uuid.UUID, number: int) -> Response[Any]:
    """The same records as a table that can be read aloud."""
    with writing(request) as ctx:
        case, _frame = party_page(ctx, reference)
        look = material.look(ctx, case, record_set_id, number, "text")
    found = excerpt.read_text(look.source(), look.name, look.first, look.count, sheet=look.sheet)
    more = {"excerpt": found, "watermark": look.watermark}
    return html_page(request, "redaction/view_page.html", _gather(reference, record_set_id, number, more))


@get_page("/my/{reference:str}/view/{record_set_id:uuid}/{number:int}/picture", opt=RENDERING, media_type="image/png")
def picture(request: Req, reference: str, record_set_id: uuid.UUID, number: int) -> Response[bytes]:
    """The records, or the document's page, as a picture with the reader's name, the case and the time in its pixels."""
    with writing(request) as ctx:
        case, _frame = party_page(ctx, reference)
        look = material.look(ctx, case, record_set_id, number, "picture")
    drawn = excerpt.draw(look.source(), look.name, look.first, look.count, look.watermark, sheet=look.sheet)
    return Response(drawn, media_type="image/png", headers={"Cache-Control": "no-store"})


def _gather(reference: str, record_set_id: uuid.UUID, number: int, more: dict[str, Any] | None = None) -> Any:
    def gather(ctx: Context) -> dict[str, Any]:
        case, frame = party_page(ctx, reference)
        found = material.material_of(ctx, case)
        shown = next((s for s in found.sets if s.record_set_id == str(record_set_id)), None)
        if shown is None or not 1 <= number <= shown.pages:
            raise NotFoundError("there is no such page of the material")
        return {
            **frame,
            "shown": shown,
            "number": number,
            "first": (number - 1) * material.PAGE_RECORDS + 1,
            "last": min(number * material.PAGE_RECORDS, material.RECORDS_MAX, shown.records),
            "excerpt": None,
            **(more or {}),
        }

    return gather


ROUTES = [view_page, picture_page, text_page, picture]

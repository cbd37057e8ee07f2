"""Pages of the handover: downloads, receipts and their acceptance; custody rows are in `pages_custody`."""

import uuid
from typing import Annotated, Any

from anyio import to_thread
from litestar import Request, Response, post
from msgspec import Meta

from handover.accounts.queries import person_names
from handover.archive.receipt import MAX_RECEIPT
from handover.cases.frame import case_page, party_page
from handover.context import Context
from handover.delivery import queries, service
from handover.delivery.models import Delivery
from handover.delivery.pages_custody import ROUTES as CUSTODY_ROUTES
from handover.delivery.pages_custody import custody_values
from handover.delivery.pages_open import ROUTES as OPEN_ROUTES
from handover.errors import InvalidInputError
from handover.i18n.catalogue import catalogue
from handover.jobs import newest_for
from handover.packages.models import Package
from handover.packages.queries import addressee, package_view
from handover.web.forms import Form
from handover.web.html import Done, FilledForm, page, submit
from handover.web.html.parts import read_form
from handover.web.html.routes import get_page
from handover.workflow import Workflow

Req = Request[Any, Any, Any]
_TAKES_RECEIPT = ("link_issued", "downloading", "downloaded")


class GivenReceipt(Form):
    """A receipt that another tool made, as text or as its file."""

    receipt: Annotated[str, Meta(max_length=MAX_RECEIPT)] = ""
    receipt_file: bytes = b""

    @property
    def text(self) -> str:
        """The receipt; a text that was pasted lost its last line end on the way.

        Raises:
            InvalidInputError: there is none, or it is not text.
        """
        if not self.receipt_file and not self.receipt:
            raise InvalidInputError("paste the receipt or choose its file", field="receipt")
        try:
            return self.receipt_file.decode() or f"{self.receipt}\n"
        except UnicodeDecodeError as error:
            raise InvalidInputError("this file is no receipt", field="receipt_file") from error


@get_page("/cases/{reference:str}/handover")
def handover_page(request: Req, reference: str) -> Response[Any]:
    """Downloads, receipts and acceptances of a case, and the custody list of an equity deal."""

    def gather(ctx: Context) -> dict[str, Any]:
        case, frame = case_page(ctx, reference, "handover")
        rows = queries.deliveries_of(ctx, case.id)
        shown = [_shown(ctx, row) for row in rows if row.kind == "download"]
        return {
            **frame,
            "deliveries": shown,
            "names": person_names(ctx, _people(shown)),
            "states": ctx.get(Workflow).definition(ctx, case.id, Delivery.MACHINE).states,
            **custody_values(ctx, case, rows, frame["my_roles"]),
        }

    return page(request, "delivery/handover.html", gather)


@get_page("/my/{reference:str}/receipt")
def receipt_page(request: Req, reference: str) -> Response[Any]:
    """The receipt, and its acceptance by both signatories."""
    return _receipt(request, reference, FilledForm())


@post(
    "/my/{reference:str}/receipt/{delivery_id:uuid}",
    include_in_schema=False,
    status_code=200,
    request_max_body_size=2 * MAX_RECEIPT,
)
async def give_receipt(request: Req, reference: str, delivery_id: uuid.UUID) -> Response[Any]:
    """Takes a receipt that was made with another tool."""
    data = await read_form(request, MAX_RECEIPT)

    def work(ctx: Context, form: GivenReceipt) -> Done:
        party_page(ctx, reference)
        service.take_receipt(ctx, delivery_id, form.text)
        said = catalogue(ctx.language).gettext("The receipt holds: it was made with the key inside this package")
        return Done(f"/my/{reference}/receipt", said)

    def again(form: FilledForm) -> Response[Any]:
        return _receipt(request, reference, form)

    return await to_thread.run_sync(lambda: submit(request, data, GivenReceipt, work, again))


def _receipt(request: Req, reference: str, form: FilledForm) -> Response[Any]:
    def gather(ctx: Context) -> dict[str, Any]:
        case, frame = party_page(ctx, reference)
        rows = [row for row in queries.deliveries_of(ctx, case.id) if row.kind == "download" and row.state != "revoked"]
        shown = [_shown(ctx, row) for row in reversed(rows)]
        return {
            **frame,
            "deliveries": shown,
            "names": person_names(ctx, _people(shown)),
            "states": ctx.get(Workflow).definition(ctx, case.id, Delivery.MACHINE).states,
        }

    return page(request, "delivery/receipt.html", gather, form=form, strict=True)


def _shown(ctx: Context, row: Delivery) -> dict[str, Any]:
    receipt = queries.receipt_of(ctx, row.id)
    package = ctx.session.get_one(Package, row.package_id)
    return {
        "view": queries.delivery_view(ctx, row),
        "package": package_view(package),
        "to": addressee(ctx, package),
        "downloads": queries.downloads_of(ctx, row),
        "received": queries.received(ctx, receipt) if receipt else None,
        "takes_receipt": row.state in _TAKES_RECEIPT and queries.is_recipient(ctx, row),
        "options": ctx.get(Workflow).options(ctx, row),
        "document": newest_for(ctx, "attestations.issue", row.case_id, document="handover_receipt", entity_id=row.id),
    }


def _people(shown: list[dict[str, Any]]) -> list[str]:
    return [given.person_id for one in shown for option in one["options"] for given in option.given]


ROUTES = [*OPEN_ROUTES, handover_page, receipt_page, give_receipt, *CUSTODY_ROUTES]

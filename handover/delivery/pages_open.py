"""The page on which a recipient downloads, decrypts and checks a package in the browser, and sends its receipt.

What decides is served with the page: the keys that sign manifests, pinned in this installation's trust directory, and the
digests and counts that were attested and released. The package is opened by the reader's own computer alone.
"""

import base64
from typing import Any

import msgspec
from litestar import Request, Response

from handover.archive.manifest import NAMESPACE
from handover.cases.frame import party_page
from handover.context import Context
from handover.crypto.signers import keys_for
from handover.crypto.trust import load_trust
from handover.delivery import queries
from handover.delivery.models import Delivery
from handover.packages.models import Package
from handover.settings import Settings
from handover.web.html import page
from handover.web.html.routes import get_page

Req = Request[Any, Any, Any]
_OPEN = ("link_issued", "downloading", "downloaded")


class Offered(msgspec.Struct, frozen=True, kw_only=True):
    """A package that the reader can open now: what was attested about it."""

    id: str
    number: str
    purpose: str
    size: int
    sha256: str
    manifest: str
    files: int
    records: int
    persons: int
    downloads_left: int
    expires_at: str


class Pins(msgspec.Struct, frozen=True):
    """Raw public keys in base64: those that may sign manifests here."""

    ed25519: list[str]
    mldsa65: str


@get_page("/my/{reference:str}/open")
def open_page(request: Req, reference: str) -> Response[Any]:
    """The packages that wait for the reader, and all that the browser needs to check them."""

    def gather(ctx: Context) -> dict[str, Any]:
        case, frame = party_page(ctx, reference)
        mine = [row for row in queries.deliveries_of(ctx, case.id) if queries.is_recipient(ctx, row)]
        offers = [_offered(ctx, row) for row in mine if row.state in _OPEN]
        here = f"{ctx.get(Settings).public_url}/my/{case.reference}/open"
        return {
            **frame,
            "here": here,
            "offers": offers,
            "receipts": [found for row in mine if (found := queries.receipt_of(ctx, row.id))],
            "offers_json": msgspec.json.encode(offers).decode(),
            "pins_json": msgspec.json.encode(_pins(ctx)).decode(),
        }

    return page(request, "delivery/open.html", gather, strict=True)


def _offered(ctx: Context, row: Delivery) -> Offered:
    package = ctx.session.get_one(Package, row.package_id)
    size = package.size or 0
    return Offered(
        id=str(row.id),
        number=package.number,
        purpose=package.purpose,
        size=size,
        sha256=str(package.ciphertext_sha256),
        manifest=str(package.manifest_sha256),
        files=package.file_count,
        records=package.records,
        persons=package.persons,
        downloads_left=max(0, row.byte_budget - row.bytes_reserved) // size if size else 0,
        expires_at=row.expires_at.isoformat() if row.expires_at else "",
    )


def _pins(ctx: Context) -> Pins:
    trust = load_trust(ctx.get(Settings).trust_dir)
    keys = [base64.b64encode(key).decode() for key in keys_for(trust.signers, NAMESPACE)]
    return Pins(keys, base64.b64encode(trust.mldsa65.public_bytes_raw()).decode() if trust.mldsa65 else "")


ROUTES = [open_page]

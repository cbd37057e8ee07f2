"""The renderer: one HTML page of ours in, one PDF/A-3b out; runs in a child that can reach nothing.

Only `data:` addresses are fetched. The same request gives the same bytes: identifier and dates come from the caller.
"""

import os
import sys

import msgspec

from handover.documents.request import RenderRequest
from handover.resources import data_folder
from handover.sandbox.frames import FrameKind, pack, read_frame

# Before WeasyPrint is loaded: the two fonts of the product, nothing of the machine's.
os.environ["FONTCONFIG_FILE"] = str(data_folder("templates") / "documents" / "fonts" / "fonts.conf")

import weasyprint
from weasyprint.urls import URLFetcher, URLFetchingError


class DenyAll(URLFetcher):  # type: ignore[misc]
    """Fetches nothing from anywhere; WeasyPrint leaves out what could not be fetched."""

    def fetch(self, url: str, headers: object = None) -> object:
        if not url.startswith("data:"):
            raise URLFetchingError("documents fetch nothing")
        return super().fetch(url, headers)


def main() -> None:
    """Entry of the child."""
    _, payload = read_frame(sys.stdin.buffer)
    data = _render(msgspec.msgpack.decode(payload, type=RenderRequest))
    out = sys.stdout.buffer
    for start in range(0, len(data), 1 << 20):
        out.write(pack(FrameKind.DATA, data[start : start + (1 << 20)]))
    out.write(pack(FrameKind.END))
    out.flush()


def _render(request: RenderRequest) -> bytes:
    attachments = [
        weasyprint.Attachment(
            string=a.data,
            name=a.name,
            description=a.description,
            created=request.created,
            modified=request.created,
            relationship="Source",
        )
        for a in request.attachments
    ]
    page = weasyprint.HTML(string=request.html, url_fetcher=DenyAll())
    result: bytes = page.write_pdf(
        attachments=attachments,
        pdf_variant="pdf/a-3b",
        pdf_tags=True,
        pdf_identifier=bytes.fromhex(request.identifier),
    )
    return result

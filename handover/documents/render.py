"""The renderer: one HTML page of ours in, one PDF/A-3b out; runs in a child that can reach nothing.

Only `data:` addresses are fetched. The same request gives the same bytes: identifier and dates come from the caller.
"""

import ctypes.util
import os
import sys

import msgspec

from handover.documents.glyphs import drawable
from handover.documents.request import RenderRequest
from handover.resources import data_folder
from handover.sandbox.frames import FrameKind, pack, read_frame

_FONTS = data_folder("templates") / "documents" / "fonts"
# Before WeasyPrint is loaded: the product's fonts and DejaVu, nothing else of the machine's.
os.environ["FONTCONFIG_FILE"] = str(_FONTS / "fonts.conf")
# It asks for libraries under six systems' names, and each unknown one runs ldconfig and gcc (0.5 s in all). The loader
# finds the right name itself.
ctypes.util.find_library = lambda name: None  # noqa: ARG005 - the name is ctypes' own

import weasyprint  # noqa: E402 - as above
from weasyprint.urls import URLFetcher, URLFetchingError  # noqa: E402


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
    page = weasyprint.HTML(string=drawable(request.html, _FONTS), url_fetcher=DenyAll())
    result: bytes = page.write_pdf(
        attachments=attachments,
        pdf_variant="pdf/a-3b",
        pdf_tags=True,
        pdf_identifier=bytes.fromhex(request.identifier),
    )
    return result

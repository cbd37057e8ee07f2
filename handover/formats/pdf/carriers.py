"""Text of a PDF that no page shows: metadata, outlines, annotations, form values, scripts, alternative texts.

It is inspected, so that the report tells of it, and never carried into the output.
"""

import re
from collections.abc import Iterator
from typing import Any

import pikepdf

from handover.formats.errors import refuse
from handover.formats.pdf.limits import MAX_CONTENT, bounded
from handover.formats.records import Column

_MAX_DEPTH = 24
_MAX_TEXT = 200_000
#: What hangs below these is no text of its own: pages, fonts and pictures are read elsewhere.
_ELSEWHERE = frozenset({"/Parent", "/P", "/Prev", "/Font", "/XObject", "/Resources", "/AP", "/Dest", "/DR", "/ID"})
_PAGES = frozenset({"/Page", "/Pages"})
_ROOTS = {
    "outline": ("/Outlines",),
    "form": ("/AcroForm",),
    "alternative_text": ("/StructTreeRoot",),
    "names": ("/Names", "/Dests", "/PageLabels", "/OCProperties", "/Collection", "/Threads"),
    "actions": ("/OpenAction", "/AA", "/URI"),
}
_TAGS = re.compile(r"<[^>]*>")


def carriers(pdf: pikepdf.Pdf) -> list[Column]:
    """A column for each kind of hidden text that the file has.

    Raises:
        FormatRefusedError: a file is attached, which can't be inspected here.
    """
    _refuse_attachments(pdf)
    found: dict[str, list[str]] = {}
    info = pdf.trailer.get("/Info")
    if isinstance(info, pikepdf.Dictionary):
        for key, value in info.items():
            if isinstance(value, pikepdf.String):
                found.setdefault(f"metadata.{key[1:].lower()}", []).append(str(value))
    xmp = pdf.Root.get("/Metadata")
    if isinstance(xmp, pikepdf.Stream):
        text = bounded(xmp, MAX_CONTENT).decode("utf-8", "replace")
        found["metadata.xmp"] = [line.strip() for line in _TAGS.sub("\n", text).split("\n") if line.strip()]
    seen: set[tuple[int, int]] = set()
    for name, keys in _ROOTS.items():
        for key in keys:
            found.setdefault(name, []).extend(_strings(pdf.Root.get(key), seen, 0))
    for page in pdf.pages:
        found.setdefault("annotations", []).extend(_strings(page.obj.get("/Annots"), seen, 0))
        found["actions"].extend(_strings(page.obj.get("/AA"), seen, 0))
    return [Column(name, values, range(len(values))) for name, values in found.items() if values]


def _refuse_attachments(pdf: pikepdf.Pdf) -> None:
    attached = len(pdf.attachments) > 0 or "/AF" in pdf.Root
    kinds = (str(note.get("/Subtype")) for page in pdf.pages for note in _notes(page))
    if attached or any(
        kind in {"/FileAttachment", "/RichMedia", "/3D", "/Movie", "/Sound", "/Screen"} for kind in kinds
    ):
        raise refuse(
            "PDF 带有附件或嵌入的媒体，无法在其中检查。请把附件取出来单独提供。",
            "The PDF has attachments or embedded media, which can't be inspected inside it. Provide them as files of their own.",
        )


def _notes(page: pikepdf.Page) -> Iterator[Any]:
    notes = page.obj.get("/Annots")
    for note in notes if isinstance(notes, pikepdf.Array) else ():
        if isinstance(note, pikepdf.Dictionary):
            yield note


def _strings(value: Any, seen: set[tuple[int, int]], depth: int) -> Iterator[str]:
    """Every string below an object, and the text of its scripts."""
    if not isinstance(value, pikepdf.Object) or depth > _MAX_DEPTH:
        return
    if value.is_indirect:
        if value.objgen in seen:
            return
        seen.add(value.objgen)
    if isinstance(value, pikepdf.String):
        yield str(value)[:_MAX_TEXT]
    elif isinstance(value, pikepdf.Array):
        for item in value:
            yield from _strings(item, seen, depth + 1)
    elif isinstance(value, pikepdf.Stream):
        yield bounded(value, MAX_CONTENT).decode("utf-8", "replace")[:_MAX_TEXT]
    elif isinstance(value, pikepdf.Dictionary) and str(value.get("/Type")) not in _PAGES:
        # A list of siblings is as long as the file likes: it is followed here, not by recursion.
        while isinstance(value, pikepdf.Dictionary):
            for key, item in value.items():
                if key != "/Next" and key not in _ELSEWHERE:
                    yield from _strings(item, seen, depth + 1)
            value = value.get("/Next")
            if not isinstance(value, pikepdf.Dictionary) or value.objgen in seen:
                return
            seen.add(value.objgen)

"""Builds the clean document: nothing is taken over but what a page's visible content needs, object by object.

There is no Info, XMP, outline, name tree, structure tree, form, action, annotation, attachment or older revision in the output,
because none of them is ever copied.
"""

import io
from typing import Any

import pikepdf
from PIL import Image

from handover.formats.jpeg_segments import stripped
from handover.formats.pdf.interpreter import PageContent, VisualPageError
from handover.formats.pdf.limits import bounded, filters
from handover.formats.pdf.rewriting import Replacement, kept_codes, label_font, new_names, rewritten

#: What may hang on a resource besides what it draws.
_NEVER = frozenset(
    {"/Metadata", "/PieceInfo", "/LastModified", "/StructParent", "/StructParents", "/OC", "/OPI", "/Alternates", "/AF", "/Parent", "/CharSet", "/CIDSet", "/A", "/AA", "/URI", "/F", "/FFilter", "/Length", "/Filter", "/DecodeParms", "/ToUnicode", "/Measure", "/PtData", "/Ref", "/Group", "/Thumb"}
)  # fmt: skip
#: Strings that a viewer needs; any other string in a dictionary is a remark.
_STRINGS = frozenset({"/Registry", "/Ordering"})
_GEOMETRY = ("/MediaBox", "/CropBox", "/Rotate", "/UserUnit")
_MAX_DEPTH = 40
_CODECS = {"/DCTDecode", "/DCT", "/CCITTFaxDecode", "/CCF", "/JBIG2Decode"}
_JPEG_QUALITY = 80


class CleanDocument:
    """A new PDF that pages are written into one after the other."""

    def __init__(self) -> None:
        self.pdf = pikepdf.new()
        self._copied: dict[tuple[int, int], pikepdf.Object] = {}
        self._label = label_font(self.pdf)
        #: Fonts of the output and the codes that are shown in them; the tables are written at the end.
        self._shown: dict[tuple[int, int], tuple[pikepdf.Object, dict[bytes, str]]] = {}

    def add_text_page(self, page: pikepdf.Page, content: PageContent, replacements: list[Replacement]) -> pikepdf.Page:
        """A page whose text stays text.

        Raises:
            VisualPageError: it needs something that can't be taken over piece by piece.
        """
        source = page.obj.get("/Resources", pikepdf.Dictionary())
        names = new_names(content, source)
        data, labelled = rewritten(content, replacements, names)
        resources = self._resources(source, names)
        if labelled:
            if "/Font" not in resources:
                resources["/Font"] = pikepdf.Dictionary()
            resources["/Font"][self._label[0]] = self._label[1]
        for name, codes in kept_codes(content, replacements).items():
            font = resources["/Font"][names["/Font", name]]
            self._shown.setdefault(font.objgen, (font, {}))[1].update(codes)
        clean = pikepdf.Dictionary(Type=pikepdf.Name.Page, Resources=resources, Contents=self.pdf.make_stream(data))
        for key in _GEOMETRY:
            value = page.obj.get(key)
            if value is not None:
                clean[key] = [float(number) for number in value] if isinstance(value, pikepdf.Array) else value
        clean["/MediaBox"] = [float(number) for number in page.mediabox]
        self.pdf.pages.append(pikepdf.Page(self.pdf.make_indirect(clean)))
        return self.pdf.pages[-1]

    def add_picture_page(self, picture: Image.Image, width: float, height: float) -> None:
        """A page that is one picture; sizes in points."""
        buffer = io.BytesIO()
        picture.save(buffer, "JPEG", quality=_JPEG_QUALITY)
        image = self.pdf.make_stream(
            buffer.getvalue(),
            Type=pikepdf.Name.XObject,
            Subtype=pikepdf.Name.Image,
            Width=picture.width,
            Height=picture.height,
            ColorSpace=pikepdf.Name.DeviceRGB,
            BitsPerComponent=8,
            Filter=pikepdf.Name.DCTDecode,
        )
        page = pikepdf.Dictionary(
            Type=pikepdf.Name.Page,
            MediaBox=[0, 0, round(width, 2), round(height, 2)],
            Resources=pikepdf.Dictionary(XObject=pikepdf.Dictionary(Picture=image)),
            Contents=self.pdf.make_stream(f"q {width:.2f} 0 0 {height:.2f} 0 0 cm /Picture Do Q".encode()),
        )
        self.pdf.pages.append(pikepdf.Page(self.pdf.make_indirect(page)))

    def drop_last_page(self) -> None:
        del self.pdf.pages[-1]

    def alone(self, page: pikepdf.Page) -> bytes:
        """One page as a document, to be checked."""
        with pikepdf.new() as single:
            self._write_tables()
            single.pages.append(page)
            return _saved(single)

    def finish(self) -> bytes:
        self._write_tables()
        return _saved(self.pdf)

    def _write_tables(self) -> None:
        """The fonts' tables of characters, of what is still shown and no more."""
        for font, codes in self._shown.values():
            font["/ToUnicode"] = self.pdf.make_stream(_table(codes))

    def _resources(self, resources: pikepdf.Object, names: dict[tuple[str, str], str]) -> pikepdf.Dictionary:
        clean: dict[str, dict[str, pikepdf.Object]] = {}
        for (category, name), new in names.items():
            clean.setdefault(category, {})[new] = self._indirect(self._copy(resources[category][name], 0))
        return pikepdf.Dictionary({key: pikepdf.Dictionary(value) for key, value in clean.items()})

    def _indirect(self, value: Any) -> Any:
        needs = isinstance(value, pikepdf.Dictionary) and not value.is_indirect
        return self.pdf.make_indirect(value) if needs else value

    def _copy(self, value: Any, depth: int) -> Any:
        if depth > _MAX_DEPTH:
            raise VisualPageError
        key = value.objgen if isinstance(value, pikepdf.Object) and value.is_indirect else (0, 0)
        if key[0] and key in self._copied:
            return self._copied[key]
        copied: Any = value
        if isinstance(value, pikepdf.Stream):
            copied = self._stream(value, depth)
        elif isinstance(value, pikepdf.Dictionary):
            copied = pikepdf.Dictionary(self._entries(value, depth))
        elif isinstance(value, pikepdf.Array):
            copied = pikepdf.Array([self._copy(item, depth + 1) for item in value])
        elif isinstance(value, pikepdf.String):
            copied = pikepdf.String(bytes(value))
        elif isinstance(value, pikepdf.Name):
            copied = pikepdf.Name(str(value))
        if key[0] and isinstance(copied, pikepdf.Object):
            copied = copied if copied.is_indirect else self.pdf.make_indirect(copied)
            self._copied[key] = copied
        return copied

    def _entries(self, value: Any, depth: int) -> dict[str, Any]:
        return {
            key: self._copy(item, depth + 1)
            for key, item in value.items()
            if key not in _NEVER and (not isinstance(item, pikepdf.String) or key in _STRINGS)
        }

    def _stream(self, value: Any, depth: int) -> pikepdf.Object:
        names = filters(value)
        if "/JPXDecode" in names or len(set(names) & _CODECS) < sum(name in _CODECS for name in names):
            raise VisualPageError
        entries = self._entries(value, depth)
        if not names or names[-1] not in _CODECS:
            return self.pdf.make_stream(bounded(value), entries)
        if len(names) > 1:
            raise VisualPageError
        data = value.read_raw_bytes()
        if names[0] in {"/DCTDecode", "/DCT"}:
            data = stripped(data)
        entries["/Filter"] = pikepdf.Name(names[0])
        if "/DecodeParms" in value:
            entries["/DecodeParms"] = self._copy(value["/DecodeParms"], depth + 1)
        return self.pdf.make_stream(data, entries)


def _table(codes: dict[bytes, str]) -> bytes:
    """A ToUnicode CMap (ISO 32000-2, 9.10.3)."""
    sizes = sorted({len(code) for code in codes})
    spaces = "".join(f"<{'00' * size}> <{'ff' * size}>\n" for size in sizes)
    lines = [f"<{code.hex()}> <{text.encode('utf-16-be').hex()}>" for code, text in sorted(codes.items())]
    blocks = [lines[start : start + 100] for start in range(0, len(lines), 100)]
    body = "".join(f"{len(block)} beginbfchar\n" + "\n".join(block) + "\nendbfchar\n" for block in blocks)
    return (
        "/CIDInit /ProcSet findresource begin 12 dict begin begincmap\n"
        "/CMapName /Shown def /CMapType 2 def\n"
        f"{len(sizes)} begincodespacerange\n{spaces}endcodespacerange\n{body}"
        "endcmap CMapName currentdict /CMap defineresource pop end end"
    ).encode()


def _saved(pdf: pikepdf.Pdf) -> bytes:
    buffer = io.BytesIO()
    pdf.save(
        buffer, object_stream_mode=pikepdf.ObjectStreamMode.generate, deterministic_id=True, fix_metadata_version=False
    )
    return buffer.getvalue()

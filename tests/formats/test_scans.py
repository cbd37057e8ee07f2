"""Scans in the forms that scanners and drivers store them in, and pictures of which a page shows less than they hold."""

import io
import struct
import zlib

import numpy
import pikepdf
import pypdfium2
import pytest
from PIL import Image, ImageDraw, ImageFont, ImageOps

from handover.formats import ocr
from handover.formats.jpeg_segments import stripped
from handover.formats.picture import opened
from tests.formats.document_samples import FONT
from tests.formats.rewriting import read, rewrite

pytestmark = [
    pytest.mark.skipif(not ocr.is_installed(), reason="OCR is not installed"),
    pytest.mark.timeout(300),
]

VALUE = "13812345678"
SIZE = (900, 760)


def scan(*lines: str) -> Image.Image:
    picture = Image.new("L", SIZE, "white")
    for number, text in enumerate(lines):
        place = (60, 80 + 400 * number)
        ImageDraw.Draw(picture).text(place, text, font=ImageFont.truetype(str(FONT), 26), fill=0)
    return picture


def jpeg(picture: Image.Image) -> bytes:
    buffer = io.BytesIO()
    picture.save(buffer, "JPEG", quality=85)
    return buffer.getvalue()


def document(
    data: bytes,
    content: str = "",
    *,
    size: tuple[int, int] = SIZE,
    page: dict[str, object] | None = None,
    **image: object,
) -> bytes:
    """A page of the scan's shape at 150 dpi that shows it."""
    width, height = SIZE[0] * 0.48, SIZE[1] * 0.48
    entries = {"ColorSpace": pikepdf.Name.DeviceGray, "BitsPerComponent": 8, "Filter": pikepdf.Name.DCTDecode, **image}
    with pikepdf.new() as pdf:
        scanned = pdf.make_stream(
            data, Type=pikepdf.Name.XObject, Subtype=pikepdf.Name.Image, Width=size[0], Height=size[1], **entries
        )
        pdf.pages.append(
            pikepdf.Page(
                pdf.make_indirect(
                    pikepdf.Dictionary(
                        Type=pikepdf.Name.Page,
                        MediaBox=[0, 0, width, height],
                        Resources=pikepdf.Dictionary(XObject=pikepdf.Dictionary(Scan=scanned)),
                        Contents=pdf.make_stream((content or f"q {width} 0 0 {height} 0 0 cm /Scan Do Q").encode()),
                        **(page or {}),
                    )
                )
            )
        )
        buffer = io.BytesIO()
        pdf.save(buffer)
        return buffer.getvalue()


def texts_of(data: bytes) -> list[str]:
    return [text for texts in read(data, "a.pdf")[1].values() for text in texts]


def pictures_of(data: bytes) -> list[Image.Image]:
    with pypdfium2.PdfDocument(data) as pdf:
        return [item.get_bitmap().to_pil().convert("RGB") for item in pdf[0].get_objects()]


def group4(picture: Image.Image) -> bytes:
    """The picture's black pixels in the code of T.6, by way of a TIFF."""
    buffer = io.BytesIO()
    ImageOps.invert(picture).convert("1", dither=Image.Dither.NONE).save(
        buffer, "TIFF", compression="group4", strip_size=1 << 30
    )
    with Image.open(buffer) as tiff:
        start, count = tiff.tag_v2[273][0], tiff.tag_v2[279][0]
    return buffer.getvalue()[start : start + count]


def jbig2(picture: Image.Image) -> bytes:
    """Page information and one generic region coded by T.6 (ITU-T T.88, 7.4.6 and 7.4.8), as it is embedded in a PDF."""

    def segment(number: int, kind: int, data: bytes) -> bytes:
        return struct.pack(">IBBBI", number, kind, 0, 1, len(data)) + data

    width, height = picture.size
    page = struct.pack(">IIIIBH", width, height, 0, 0, 0, 0)
    region = struct.pack(">IIIIBB", width, height, 0, 0, 0, 1)
    return segment(1, 48, page) + segment(2, 38, region + group4(picture))


@pytest.mark.parametrize("with_globals", [False, True])
def test_jbig2_scan_is_read(with_globals: bool) -> None:
    picture = scan(f"联系电话 {VALUE}")
    data = document(jbig2(picture), Filter=pikepdf.Name.JBIG2Decode, BitsPerComponent=1)
    if with_globals:
        with pikepdf.open(io.BytesIO(data)) as pdf:
            shared = struct.pack(">IBBBI", 0, 51, 0, 0, 0)
            pdf.pages[0].obj["/Resources"]["/XObject"]["/Scan"]["/DecodeParms"] = pikepdf.Dictionary(
                JBIG2Globals=pdf.make_stream(shared)
            )
            buffer = io.BytesIO()
            pdf.save(buffer)
            data = buffer.getvalue()
    assert any(VALUE in text for text in texts_of(data))


def test_jpeg_that_ends_where_its_picture_ends_is_whole() -> None:
    data = jpeg(scan("其余文字"))
    assert data.endswith(b"\xff\xd9")
    assert stripped(data) == stripped(data + b"trailing")


def test_scan_without_hits_is_carried_over_as_it_is() -> None:
    data = jpeg(scan("其余文字没有个人信息应当保留"))
    (picture,) = pictures_of(rewrite(document(data), "a.pdf"))
    assert picture.size == SIZE


HIDDEN = {
    "painted over": {"content": "q 432 0 0 364.8 0 0 cm /Scan Do Q 1 g 0 0 432 200 re f"},
    "cut off by the page": {"page": {"CropBox": [0, 200, 432, 364]}},
    "clipped": {"content": "q 0 200 432 165 re W n 432 0 0 364.8 0 0 cm /Scan Do Q"},
    "beyond the edge": {"content": "q 432 0 0 364.8 0 -200 cm /Scan Do Q"},
    "too small": {"content": "q 40 0 0 34 100 100 cm /Scan Do Q"},
}


@pytest.mark.parametrize("way", HIDDEN)
def test_what_a_page_hides_of_a_picture_is_not_carried_over(way: str) -> None:
    data = document(jpeg(scan("其余文字应当保留", f"Contact {VALUE}")), **HIDDEN[way])  # type: ignore[arg-type]
    for picture in pictures_of(rewrite(data, "a.pdf")):
        assert not any(VALUE in line.text for line in ocr.lines_in(picture))


def test_what_a_mask_hides_is_not_carried_over() -> None:
    data = document(jpeg(scan("其余文字应当保留", f"Contact {VALUE}")))
    with pikepdf.open(io.BytesIO(data)) as pdf:
        pdf.pages[0].obj["/Resources"]["/XObject"]["/Scan"]["/SMask"] = pdf.make_stream(
            zlib.compress(bytes(4)),
            Type=pikepdf.Name.XObject,
            Subtype=pikepdf.Name.Image,
            Width=2,
            Height=2,
            ColorSpace=pikepdf.Name.DeviceGray,
            BitsPerComponent=8,
            Filter=pikepdf.Name.FlateDecode,
        )
        buffer = io.BytesIO()
        pdf.save(buffer)
    for picture in pictures_of(rewrite(buffer.getvalue(), "a.pdf")):
        assert ocr.lines_in(picture) == []


@pytest.mark.parametrize("most", [65535, 4080])
def test_greys_of_sixteen_bits_keep_their_shades(most: int) -> None:
    pixels = numpy.asarray(scan(f"联系电话 {VALUE}"), numpy.float64) / 255 * most
    buffer = io.BytesIO()
    Image.fromarray(pixels.astype(numpy.uint16)).save(buffer, "PNG")
    picture, _ = opened(buffer.getvalue(), "png")
    assert any(VALUE in line.text and line.readable for line in ocr.lines_in(picture))
    assert len(set(picture.convert("L").histogram())) > 10

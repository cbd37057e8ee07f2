"""Programs that share nothing with ours look for planted values in what came out."""

import io
import shutil
import subprocess
from collections.abc import Callable
from pathlib import Path

import pikepdf
import pypdfium2
import pytest
from PIL import Image

from handover.formats import ocr
from tests.formats import document_samples as samples
from tests.masking.test_documents_clean import PLANTED, cleaned, everything, kinds

SOURCES: dict[str, Callable[[], bytes]] = {
    "a.pdf": samples.pdf,
    "scan.pdf": samples.scanned_pdf,
    "a.png": samples.png,
    "a.jpg": samples.jpeg,
    "a.docx": lambda: samples.zipped(samples.docx_parts()),
    "a.xlsx": samples.xlsx,
}
needs_ocr = pytest.mark.skipif(not ocr.is_installed(), reason="OCR is not installed")
pytestmark = [needs_ocr, pytest.mark.timeout(300), pytest.mark.usefixtures("without_children")]


@pytest.fixture(scope="module")
def outputs(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Path]:
    """Every kind of document, redacted once, through real children: made before those are left out."""
    folder = tmp_path_factory.mktemp("outputs")
    for name, source in SOURCES.items():
        (folder / name).write_bytes(cleaned(source(), name))
    return {name: folder / name for name in SOURCES}


def said(*command: str | Path) -> str:
    """What a program prints, without spaces."""
    if shutil.which(str(command[0])) is None:
        pytest.skip(f"{command[0]} is not installed")
    done = subprocess.run(command, capture_output=True, check=False)
    return "".join(done.stdout.decode("utf-8", "replace").split())


def assert_none(text: str) -> None:
    assert [value for value in PLANTED if value in text] == []


def test_exiftool_finds_no_planted_value(outputs: dict[str, Path]) -> None:
    for name, path in outputs.items():
        text = said("exiftool", "-a", "-u", "-ee", "-G1", path)
        assert "FileSize" in text, name
        assert_none(text)


def test_qpdf_and_mutool_find_no_planted_value(outputs: dict[str, Path]) -> None:
    for name in ("a.pdf", "scan.pdf"):
        for command in (("qpdf", "--qdf", outputs[name], "-"), ("mutool", "show", "-b", outputs[name], "grep")):
            text = said(*command)
            assert text
            assert_none(text)


def test_tesseract_reads_no_planted_value(outputs: dict[str, Path], tmp_path: Path) -> None:
    for name, source in (("a.png", samples.png()), ("a.jpg", samples.jpeg())):
        before = tmp_path / name
        before.write_bytes(source)
        assert samples.VISIBLE in said("tesseract", before, "-", "-l", "eng", "--psm", "6")
        assert "1234567" not in said("tesseract", outputs[name], "-", "-l", "eng", "--psm", "6")


def test_rendered_text_page_shows_no_planted_value(outputs: dict[str, Path], tmp_path: Path) -> None:
    with pypdfium2.PdfDocument(outputs["a.pdf"]) as document:
        page: Image.Image = document[0].render(scale=2).to_pil().convert("RGB")
    page.crop((0, 0, page.width, 400)).save(tmp_path / "page.png")
    text = said("tesseract", tmp_path / "page.png", "-", "-l", "eng", "--psm", "6")
    assert "20240105001" in text
    assert_none(text)


_CALL = b"BT /F 12 Tf 20 100 Td (call 13812345678 now) Tj ET"


def drawn(content: bytes, change: Callable[[pikepdf.Pdf, pikepdf.Page], None] = lambda _document, _page: None) -> bytes:
    """A small page with one ordinary line and this content."""
    document = pikepdf.new()
    page = document.add_blank_page(page_size=(270, 270))
    font = pikepdf.Dictionary(Type=pikepdf.Name.Font, Subtype=pikepdf.Name.Type1, BaseFont=pikepdf.Name.Helvetica)
    font["/Encoding"] = pikepdf.Name.WinAnsiEncoding
    page.obj["/Resources"] = pikepdf.Dictionary(Font=pikepdf.Dictionary(F=document.make_indirect(font)))
    page.obj["/Contents"] = document.make_stream(b"BT /F 14 Tf 20 130 Td (Ordinary words) Tj ET " + content)
    change(document, page)
    buffer = io.BytesIO()
    document.save(buffer)
    return buffer.getvalue()


def _lying(document: pikepdf.Pdf, page: pikepdf.Page) -> None:
    """The table says letters where the font draws digits."""
    lines = b" ".join(b"<%02x> <%04x>" % (48 + digit, ord("helloworld"[digit])) for digit in range(10))
    table = b"begincmap 1 begincodespacerange <00> <ff> endcodespacerange 10 beginbfchar " + lines
    page.obj["/Resources"]["/Font"]["/F"]["/ToUnicode"] = document.make_stream(table + b" endbfchar endcmap")


def _pattern(document: pikepdf.Pdf, page: pikepdf.Page) -> None:
    tile = {"Type": pikepdf.Name.Pattern, "PatternType": 1, "PaintType": 1, "TilingType": 1, "XStep": 300, "YStep": 160}
    fonts = pikepdf.Dictionary(Font=page.obj["/Resources"]["/Font"])
    pattern = document.make_stream(_CALL, BBox=[0, 0, 300, 160], Resources=fonts, **tile)
    page.obj["/Resources"]["/Pattern"] = pikepdf.Dictionary(P=pattern)


@pytest.mark.parametrize(
    ("content", "change"),
    [
        (b"1 g " + _CALL, None),
        (_CALL.replace(b"BT", b"BT 3 Tr"), None),
        (b"/OC /L BDC " + _CALL + b" EMC", None),
        (b"/Span <</ActualText (13812345678)>> BDC " + _CALL + b" EMC", None),
        (_CALL.replace(b"20 100", b"20 -100"), None),
        (_CALL.replace(b"12 Tf", b"0.4 Tf"), None),
        (_CALL.replace(b"20 100 Td", b".866 .5 -.5 .866 60 20 Tm"), None),
        (_CALL + b" .5 g 10 80 200 40 re f", None),
        (_CALL, _lying),
        (b"/Pattern cs /P scn 0 60 300 60 re f", _pattern),
    ],
    ids=["white", "unseen", "layer", "alternative", "outside", "tiny", "slanted", "covered", "lying", "pattern"],
)
def test_number_drawn_in_an_unusual_way_is_found_and_gone(
    content: bytes, change: Callable[[pikepdf.Pdf, pikepdf.Page], None] | None
) -> None:
    data = drawn(content, change) if change else drawn(content)
    assert any("mobile" in found for found in kinds(data, "a.pdf").values())
    out = cleaned(data, "a.pdf")
    assert samples.VISIBLE.encode() not in everything(out)
    with pypdfium2.PdfDocument(out) as document:
        seen = "".join(line.text for line in ocr.lines_in(document[0].render(scale=2).to_pil().convert("RGB")))
    assert "Ordinary" in seen
    assert "1234567" not in seen


def _run(text: str) -> str:
    return f"<w:r><w:t>{text}</w:t></w:r>"


@pytest.mark.parametrize(
    "content",
    [
        _run("电话 137\u00ad1111\u200b2222"),
        f"<w:r><w:ruby><w:rt>{_run('yi')}</w:rt><w:rubyBase>{_run('13711112222')}</w:rubyBase></w:ruby></w:r>",
        _run("13711112222").replace("<w:t>", "<w:rPr><w:vanish/></w:rPr><w:t>"),
        "<w:r><w:instrText>MERGEFIELD 1371</w:instrText></w:r><w:r><w:instrText>1112222</w:instrText></w:r>",
        (
            "<w:r><mc:AlternateContent xmlns:mc='http://schemas.openxmlformats.org/markup-compatibility/2006'><mc:Choice>"
            "<w:t>13711112222</w:t></mc:Choice><mc:Fallback><w:t>13711112222</w:t></mc:Fallback></mc:AlternateContent></w:r>"
        ),
    ],
    ids=["unseen signs", "reading", "hidden", "field code", "fallback"],
)
def test_number_hidden_in_a_document_is_gone(content: str) -> None:
    parts = samples.docx_parts()
    parts["word/document.xml"] = str(parts["word/document.xml"]).replace("<w:tbl>", f"<w:p>{content}</w:p><w:tbl>", 1)
    out = everything(cleaned(samples.zipped(parts), "a.docx"))
    for sign in ("\u00ad", "\u200b"):
        out = out.replace(sign.encode(), b"")
    assert samples.HIDDEN.encode() not in out


@pytest.mark.skipif(shutil.which("soffice") is None, reason="LibreOffice is not installed")
def test_libreoffice_opens_a_redacted_document(outputs: dict[str, Path], tmp_path: Path) -> None:
    profile = f"-env:UserInstallation=file://{tmp_path}/profile"
    command = ["soffice", profile, "--headless", "--convert-to", "txt:Text", "--outdir", tmp_path, outputs["a.docx"]]
    subprocess.run(command, capture_output=True, check=True, timeout=200)
    text = (tmp_path / "a.txt").read_text("utf-8-sig")
    assert samples.KEPT in text
    assert_none(text)

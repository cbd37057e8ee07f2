"""Documents through the whole chain: planted values are nowhere in the output, all other text is; or the file is refused."""

import io
import re
import shutil
import subprocess
import zipfile
import zlib
from collections.abc import Callable

import pikepdf
import pypdfium2
import pytest
import xlsxwriter
from PIL import Image

from handover.detection import inspect_isolated
from handover.formats import FormatRefusedError, ocr, open_records
from handover.masking import default_policy, redact_isolated, residual_isolated
from tests.formats import document_samples as samples
from tests.formats.document_samples import HIDDEN, KEPT, SECOND, VISIBLE

pytestmark = pytest.mark.usefixtures("without_children")
PLANTED = (VISIBLE, SECOND, HIDDEN)
needs_ocr = pytest.mark.skipif(not ocr.is_installed(), reason="OCR is not installed")


def cleaned(data: bytes, name: str) -> bytes:
    """Redacted, with a second scan that finds nothing left."""
    out: list[bytes] = []
    policy = default_policy()
    redact_isolated(lambda: [data], name, policy, b"k" * 32, sink=out.append)
    result = b"".join(out)
    report = residual_isolated(lambda: [result], name, policy, source=lambda: [data])
    assert report.leftover == {}
    return result


def kinds(data: bytes, name: str) -> dict[str, dict[str, int]]:
    report = inspect_isolated(lambda: [data], name, key=b"k" * 32)
    assert report.blocked is None
    return {field.name: field.kinds for field in report.fields if field.kinds}


def everything(data: bytes) -> bytes:
    """The bytes of a file as they are, and everything that unpacks from them."""
    parts = [data]
    if data.startswith(b"PK"):
        with zipfile.ZipFile(io.BytesIO(data)) as archive:
            parts += [archive.read(name) for name in archive.namelist()] + [
                name.encode() for name in archive.namelist()
            ]
    for found in re.finditer(rb"stream\r?\n", data):
        try:
            parts.append(zlib.decompressobj().decompress(data[found.end() :]))
        except zlib.error:
            continue
    return b"\n".join(parts)


def assert_absent(data: bytes, values: tuple[str, ...] = PLANTED) -> None:
    content = everything(data)
    for value in values:
        for coding in ("utf-8", "utf-16-le", "utf-16-be"):
            assert value.encode(coding) not in content
        assert value.encode().hex().encode() not in content.lower()


def shown(data: bytes) -> str:
    """What pdftotext reads, without spaces."""
    done = subprocess.run(["pdftotext", "-", "-"], input=data, capture_output=True, check=True)
    return "".join(done.stdout.decode().split())


@pytest.mark.skipif(shutil.which("pdftotext") is None, reason="pdftotext is not installed")
@pytest.mark.parametrize(
    "change",
    [lambda _: None, samples.with_outline_and_xmp, samples.with_annotation_form_and_script],
    ids=["plain", "outline", "annotation"],
)
def test_text_of_a_pdf_stays_text_without_its_planted_values(change: Callable[[pikepdf.Pdf], None]) -> None:
    data = samples.changed(samples.pdf(), change)
    out = cleaned(data, "a.pdf")
    assert_absent(out)
    text = shown(out)
    assert KEPT in text
    assert "order20240105001,thereststays." in text
    assert not any(value in text for value in PLANTED)
    with pikepdf.open(io.BytesIO(out)) as document:
        assert set(document.Root.keys()) <= {"/Type", "/Pages"}
        assert "/Info" not in document.trailer
        assert not any(isinstance(item, pikepdf.Stream) and item.get("/Subtype") == "/XML" for item in document.objects)


def test_what_no_page_shows_is_in_the_inventory() -> None:
    data = samples.changed(samples.pdf(), samples.with_outline_and_xmp)
    data = samples.changed(data, samples.with_annotation_form_and_script)
    found = kinds(data, "a.pdf")
    assert kinds(samples.pdf(), "a.pdf")["metadata.author"] == {"mobile": 1}
    assert {"outline", "metadata.xmp", "annotations", "actions"} <= set(found)
    assert found["body"] == {"mobile": 2}


def test_an_older_revision_is_gone() -> None:
    buffer = io.BytesIO()
    with pikepdf.open(io.BytesIO(samples.pdf())) as document:
        document.save(buffer, object_stream_mode=pikepdf.ObjectStreamMode.disable)
    data = samples.with_older_revision(buffer.getvalue())
    assert HIDDEN.encode() in data
    assert_absent(cleaned(data, "a.pdf"))


def test_attachments_are_refused() -> None:
    data = samples.changed(samples.pdf(), samples.with_attachment)
    assert "attachments" in inspect_isolated(lambda: [data], "a.pdf", key=b"k" * 32).blocked.en
    with pytest.raises(FormatRefusedError, match="attachments"):
        cleaned(data, "a.pdf")


def test_number_broken_over_a_line_end_is_found() -> None:
    words = "这一行文字恰好写到行尾然后号码断开 " * 3
    html = f"<div style='width:40em;font-size:12pt'>{words}<br>客户的联系电话登记在册经过核对确认无误为以下这个号码即为1381234<br>5678 followed by words</div>"
    out = cleaned(samples.pdf(html), "a.pdf")
    assert "1381234" not in shown(out)
    assert "followedbywords" in shown(out)


@needs_ocr
@pytest.mark.timeout(300)
def test_pages_that_cannot_be_rewritten_become_pictures_without_the_values() -> None:
    out = cleaned(samples.changed(samples.pdf(size="13cm 13cm"), samples.with_form_object), "a.pdf")
    assert_absent(out)
    assert shown(out) == ""
    with pypdfium2.PdfDocument(out) as document:
        seen = "".join(line.text for line in ocr.lines_in(document[0].render(scale=2).to_pil().convert("RGB")))
    assert VISIBLE not in seen
    assert SECOND not in seen
    assert "个人信息" in seen


@needs_ocr
@pytest.mark.timeout(300)
def test_scans_are_covered_where_the_value_stands_and_nowhere_else() -> None:
    out = cleaned(samples.scanned_pdf(), "scan.pdf")
    assert_absent(out)
    with pypdfium2.PdfDocument(out) as document:
        seen = "".join(line.text for line in ocr.lines_in(document[0].render(scale=2).to_pil().convert("RGB")))
    assert "1234567" not in seen
    assert "保持不变的文字" in seen


@needs_ocr
@pytest.mark.timeout(300)
def test_picture_loses_values_and_everything_beside_the_picture() -> None:
    data, name = samples.jpeg(), "a.jpg"
    found = kinds(data, name)
    assert found["image"] == {"mobile": 1}
    assert found["metadata.gps"] == {"gps": 1}
    assert found["metadata.ImageDescription"] == {"mobile": 1}
    out = cleaned(data, name)
    assert_absent(out)
    with Image.open(io.BytesIO(out)) as picture:
        assert not picture.getexif()
        assert not {"comment", "Author", "exif", "xmp"} & set(picture.info)
        seen = "".join(line.text for line in ocr.lines_in(picture.convert("RGB")))
    assert "1234567" not in seen
    assert "保持不变的文字" in seen


def test_docx_keeps_its_text_and_loses_every_planted_value() -> None:
    data = samples.zipped(samples.docx_parts())
    found = kinds(data, "a.docx")
    assert {"body", "header", "comments", "tracked_deletions", "links", "authors", "metadata.creator"} <= set(found)
    assert found["table_1!姓名"] == {"person_name": 2}
    out = cleaned(data, "a.docx")
    assert_absent(out, (*PLANTED, "王小明", "赵丽", "rsid"))
    with zipfile.ZipFile(io.BytesIO(out)) as archive:
        names = set(archive.namelist())
        body = archive.read("word/document.xml").decode()
    assert names == {
        *("[Content_Types].xml", "_rels/.rels", "word/_rels/document.xml.rels", "word/document.xml"),
        *("word/header1.xml", "word/settings.xml"),
    }
    text = re.sub("<[^>]*>", "", body)
    for kept in (KEPT, "留下新增", "链接文字", "文本框", "姓名手机余额", "100"):
        assert kept in text


def test_docx_opens_elsewhere() -> None:
    docx = pytest.importorskip("docx")
    document = docx.Document(io.BytesIO(cleaned(samples.zipped(samples.docx_parts()), "a.docx")))
    assert re.fullmatch(rf"客户电话mobile-[A-Z2-7]{{26}}，{KEPT}。", document.paragraphs[0].text)
    assert document.sections[0].header.paragraphs[0].text.startswith("页眉 mobile-")


def test_workbook_loses_what_stands_beside_its_cells() -> None:
    data = samples.xlsx()
    found = kinds(data, "a.xlsx")
    expected = {
        "(comments)",
        "(names)",
        "(metadata)",
        "(page_setup)",
        "(drawings)",
        "(pivot_cache)",
        "(external_links)",
    }
    assert expected <= set(found)
    assert found["隐藏!手机"] == {"mobile": 1}
    out = cleaned(data, "a.xlsx")
    assert_absent(out)
    assert all(batch.table.hidden is False for batch in open_records([out], "a.xlsx").batches)


def _form(*rows: tuple[str, ...]) -> bytes:
    buffer = io.BytesIO()
    with xlsxwriter.Workbook(buffer, {"in_memory": True}) as book:
        sheet = book.add_worksheet()
        for number, row in enumerate(rows):
            sheet.write_row(number, 0, row)
    return buffer.getvalue()


@pytest.mark.parametrize(
    "rows",
    [
        (("姓名", "欧阳娜娜"), ("手机", VISIBLE), ("备注", KEPT)),
        (("客户登记表",), ("姓 名：", "", "欧阳娜娜", "性别", "女"), ("电话", VISIBLE, "", "备注", KEPT)),
        (("字段", "值"), ("联系人姓名", "欧阳娜娜"), ("手机", VISIBLE), ("备注", KEPT)),
    ],
    ids=["without_a_title", "two_pairs_in_a_row", "under_a_header"],
)
def test_name_in_a_filled_in_form_is_known_by_its_label(rows: tuple[tuple[str, ...], ...]) -> None:
    out = cleaned(_form(*rows), "a.xlsx")
    assert_absent(out, ("欧阳娜娜", VISIBLE))
    content = everything(out).decode("utf-8", "replace")
    assert all(cell in content for row in rows for cell in row if cell not in {"", "欧阳娜娜", VISIBLE})


def test_list_of_names_keeps_its_header() -> None:
    data = _form(("姓名", "单位"), ("欧阳娜娜", "某公司"), ("王小明", "某公司"))
    (field,) = (name for name, found in kinds(data, "a.xlsx").items() if "person_name" in found)
    assert field == "姓名"


def test_number_written_in_symbols_is_read_and_removed() -> None:
    symbols = "".join(f"<w:sym w:font='Symbol' w:char='F0{ord(digit):02X}'/>" for digit in VISIBLE)
    parts = samples.docx_parts()
    parts["word/document.xml"] = str(parts["word/document.xml"]).replace(
        "<w:sectPr>",
        f"<w:p><w:r><w:t>电话 </w:t>{symbols}<w:sym w:font='Wingdings' w:char='F0A8'/></w:r></w:p><w:sectPr>",
    )
    content = everything(cleaned(samples.zipped(parts), "a.docx"))
    assert b'w:char="F031"' not in content
    assert b'w:char="F0A8"' in content


def test_names_of_resources_say_nothing() -> None:
    def change(document: pikepdf.Pdf) -> None:
        fonts = document.pages[0].obj["/Resources"]["/Font"]
        fonts[f"/F{HIDDEN}"] = fonts[next(iter(fonts.keys()))]
        document.pages[0].contents_add(f"BT /F{HIDDEN} 9 Tf ET".encode())

    out = cleaned(samples.changed(samples.pdf(), change), "a.pdf")
    assert_absent(out)
    assert KEPT in shown(out), "it is still text"


def test_word_that_is_no_operator_makes_a_page_a_picture() -> None:
    def change(document: pikepdf.Pdf) -> None:
        document.pages[0].contents_add(f"BX call{HIDDEN} EX".encode())

    out = cleaned(samples.changed(samples.pdf(), change), "a.pdf")
    assert_absent(out)
    assert shown(out) == ""

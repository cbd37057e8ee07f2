"""Documents with planted values, made by the tools that people make them with."""

import io
import zipfile
from collections.abc import Callable

import pikepdf
import weasyprint
import xlsxwriter
from PIL import Image, ImageDraw, ImageFont
from PIL.PngImagePlugin import PngInfo

from handover.resources import data_folder

FONT = data_folder("templates") / "documents" / "fonts" / "NotoSansSC-Regular.ttf"
#: A number for each place that could keep one.
VISIBLE, SECOND, HIDDEN = "13812345678", "13912345678", "13711112222"
KEPT = "其余文字没有个人信息应当保留"
_STYLE = f"@font-face {{ font-family: F; src: url(file://{FONT}) }} body {{ font-family: F }}"
_W = 'xmlns:w="http://schemas.openxmlformats.org/wordprocessingml/2006/main"'
_R = 'xmlns:r="http://schemas.openxmlformats.org/officeDocument/2006/relationships"'


def pdf(body: str = "", size: str = "A4") -> bytes:
    html = (
        body
        or f"<p>客户电话{VISIBLE}，{KEPT}。</p><p>Please call {SECOND} about order 20240105001, the rest stays.</p>"
    )
    page = f"<html><head><title>资料 {HIDDEN}</title><meta name=author content='{HIDDEN}'><style>{_STYLE} @page {{ size: {size} }}</style></head><body>{html}</body></html>"
    return bytes(weasyprint.HTML(string=page).write_pdf())


def changed(data: bytes, change: Callable[[pikepdf.Pdf], None]) -> bytes:
    buffer = io.BytesIO()
    with pikepdf.open(io.BytesIO(data)) as document:
        change(document)
        document.save(buffer)
    return buffer.getvalue()


def with_outline_and_xmp(document: pikepdf.Pdf) -> None:
    with document.open_outline() as outline:
        outline.root.append(pikepdf.OutlineItem(f"章节 {HIDDEN}", 0))
    with document.open_metadata() as metadata:
        metadata["dc:description"] = f"XMP {HIDDEN}"


def with_annotation_form_and_script(document: pikepdf.Pdf) -> None:
    note = pikepdf.Dictionary(
        Type=pikepdf.Name.Annot, Subtype=pikepdf.Name.Text, Rect=[0, 0, 9, 9], Contents=f"便签 {HIDDEN}"
    )
    field = pikepdf.Dictionary(
        Type=pikepdf.Name.Annot, Subtype=pikepdf.Name.Widget, FT=pikepdf.Name.Tx, T="tel", V=HIDDEN, Rect=[9, 9, 99, 30]
    )
    document.pages[0].obj["/Annots"] = [document.make_indirect(note), document.make_indirect(field)]
    document.Root["/AcroForm"] = pikepdf.Dictionary(Fields=[document.pages[0].obj["/Annots"][1]])
    document.Root["/OpenAction"] = pikepdf.Dictionary(S=pikepdf.Name.JavaScript, JS=f"app.alert('{HIDDEN}')")


def with_attachment(document: pikepdf.Pdf) -> None:
    document.attachments["a.txt"] = pikepdf.AttachedFileSpec(document, HIDDEN.encode(), filename="a.txt")


def with_form_object(document: pikepdf.Pdf) -> None:
    """The page's text moves into a form XObject."""
    page = document.pages[0]
    page.contents_coalesce()
    form = document.make_stream(
        page.obj["/Contents"].read_bytes(),
        Type=pikepdf.Name.XObject,
        Subtype=pikepdf.Name.Form,
        BBox=page.obj["/MediaBox"],
        Resources=page.obj["/Resources"],
    )
    page.obj["/Resources"] = pikepdf.Dictionary(XObject=pikepdf.Dictionary(F=form))
    page.obj["/Contents"] = document.make_stream(b"/F Do")


def with_older_revision(data: bytes) -> bytes:
    """An incremental update after which nothing refers to the object that holds the value."""
    start = data.rindex(b"startxref") + len("startxref")
    previous = int(data[start:].split()[0])
    offset = len(data) + 1
    orphan = f"\n999 0 obj\n(old {HIDDEN})\nendobj\n".encode()
    root = data[data.rindex(b"/Root") : data.rindex(b"/Root") + 16].split(b"R")[1].replace(b"oot", b"").strip()
    table = f"xref\n999 1\n{offset:010d} 00000 n \ntrailer\n<< /Size 1000 /Root ".encode() + root
    return data + orphan + table + f" R /Prev {previous} >>\nstartxref\n{len(data) + len(orphan)}\n%%EOF\n".encode()


def scan(lines: list[str], size: tuple[int, int] = (740, 740)) -> Image.Image:
    """Lines on paper. The recogniser enlarges what has a side below 736 pixels, a long strip to many times its work."""
    picture = Image.new("RGB", size, "white")
    draw = ImageDraw.Draw(picture)
    for row, line in enumerate(lines):
        draw.text((30, 20 + 70 * row), line, fill="black", font=ImageFont.truetype(str(FONT), 30))
    return picture


def scanned_pdf() -> bytes:
    buffer = io.BytesIO()
    scan([f"客户电话 {VISIBLE}", "保持不变的文字 2024"]).save(buffer, "PDF", resolution=150, title=HIDDEN)
    return buffer.getvalue()


def jpeg() -> bytes:
    exif = Image.Exif()
    exif[0x010E] = f"call {HIDDEN}"
    place = exif.get_ifd(0x8825)
    place[1], place[2], place[3], place[4] = "N", (39.0, 54.0, 15.5), "E", (116.0, 24.0, 26.6)
    buffer = io.BytesIO()
    scan([f"客户电话 {VISIBLE}", "保持不变的文字 2024"]).save(
        buffer, "JPEG", quality=92, exif=exif, comment=HIDDEN.encode()
    )
    return buffer.getvalue() + HIDDEN.encode()


def png() -> bytes:
    text = PngInfo()
    text.add_text("Author", HIDDEN, zip=True)
    buffer = io.BytesIO()
    scan([f"客户电话 {VISIBLE}", "保持不变的文字 2024"]).save(buffer, "PNG", pnginfo=text)
    return buffer.getvalue()


def zipped(parts: dict[str, str | bytes]) -> bytes:
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w", zipfile.ZIP_DEFLATED) as archive:
        for name, content in parts.items():
            archive.writestr(name, content)
    return buffer.getvalue()


def docx_parts() -> dict[str, str | bytes]:
    office = "http://schemas.openxmlformats.org/officeDocument/2006/relationships"
    cells = "".join(
        "<w:tr>" + "".join(f"<w:tc><w:p><w:r><w:t>{cell}</w:t></w:r></w:p></w:tc>" for cell in row) + "</w:tr>"
        for row in (("姓名", "手机", "余额"), ("王小明", SECOND, "100"), ("赵丽", "13612345678", "200"))
    )
    return {
        "[Content_Types].xml": '<Types xmlns="http://schemas.openxmlformats.org/package/2006/content-types"><Default Extension="xml" ContentType="application/xml"/></Types>',
        "_rels/.rels": f'<Relationships xmlns="http://schemas.openxmlformats.org/package/2006/relationships"><Relationship Id="r1" Type="{office}/officeDocument" Target="word/document.xml"/></Relationships>',
        "word/_rels/document.xml.rels": f'<Relationships xmlns="http://schemas.openxmlformats.org/package/2006/relationships"><Relationship Id="h1" Type="{office}/header" Target="header1.xml"/><Relationship Id="l1" Type="{office}/hyperlink" Target="tel:{HIDDEN}" TargetMode="External"/><Relationship Id="c1" Type="{office}/comments" Target="comments.xml"/></Relationships>',
        "word/document.xml": f"<w:document {_W} {_R}><w:body>"
        f"<w:p w:rsidR='00AB12CD'><w:r><w:t>客户电话138</w:t></w:r><w:r><w:rPr><w:b/></w:rPr><w:t>1234</w:t></w:r><w:r><w:t>5678，{KEPT}。</w:t></w:r></w:p>"
        f"<w:p><w:r><w:t>留下</w:t></w:r><w:del w:id='1' w:author='{HIDDEN}'><w:r><w:delText>删去 {HIDDEN}</w:delText></w:r></w:del><w:ins w:id='2' w:author='x'><w:r><w:t>新增</w:t></w:r></w:ins></w:p>"
        f"<w:p><w:commentRangeStart w:id='0'/><w:hyperlink r:id='l1'><w:r><w:t>链接文字</w:t></w:r></w:hyperlink><w:r><w:pict><w:txbxContent><w:p><w:r><w:t>文本框 {SECOND}</w:t></w:r></w:p></w:txbxContent></w:pict></w:r></w:p>"
        f"<w:tbl>{cells}</w:tbl><w:sectPr><w:headerReference r:id='h1' w:type='default'/></w:sectPr></w:body></w:document>",
        "word/header1.xml": f"<w:hdr {_W}><w:p><w:r><w:t>页眉 {SECOND}</w:t></w:r></w:p></w:hdr>",
        "word/comments.xml": f"<w:comments {_W}><w:comment w:id='0' w:author='{HIDDEN}'><w:p><w:r><w:t>批注 {HIDDEN}</w:t></w:r></w:p></w:comment></w:comments>",
        "docProps/core.xml": f'<cp:coreProperties xmlns:cp="http://schemas.openxmlformats.org/package/2006/metadata/core-properties" xmlns:dc="http://purl.org/dc/elements/1.1/"><dc:creator>{HIDDEN}</dc:creator></cp:coreProperties>',
    }


def xlsx() -> bytes:
    buffer = io.BytesIO()
    with xlsxwriter.Workbook(buffer, {"in_memory": True}) as book:
        for name in ("客户", "隐藏"):
            sheet = book.add_worksheet(name)
            sheet.write_row(0, 0, ["姓名", "手机"])
            sheet.write_row(1, 0, ["王小明", VISIBLE])
        book.get_worksheet_by_name("隐藏").hide()
        sheet = book.get_worksheet_by_name("客户")
        sheet.write_comment("A2", f"批注 {HIDDEN}", {"author": "李四"})
        sheet.set_header(f"&C页眉 {HIDDEN}")
        sheet.insert_textbox(5, 5, f"文本框 {HIDDEN}")
        sheet.data_validation("B5", {"validate": "list", "source": [HIDDEN, "x"]})
        book.define_name("客户电话", f'="{HIDDEN}"')
        book.set_properties({"author": HIDDEN})
    with zipfile.ZipFile(buffer, "a") as archive:
        archive.writestr("xl/pivotCache/pivotCacheRecords1.xml", f'<r xmlns="x"><s v="{HIDDEN}"/></r>')
        archive.writestr("xl/externalLinks/externalLink1.xml", f'<e xmlns="x"><v>{HIDDEN}</v></e>')
    return buffer.getvalue()

"""Hostile and damaged documents are refused quickly and without filling the memory."""

import io
import json
import os
import struct
import subprocess
import sys
import tempfile
import time
import zlib
from pathlib import Path

import pikepdf
import pytest

from handover.formats import FormatRefusedError, ocr, open_records, open_writer
from tests.formats import document_samples as samples

_LAUGHS = "<!DOCTYPE a [<!ENTITY a 'ha'>" + "".join(
    f"<!ENTITY {chr(98 + i)} '{f'&{chr(97 + i)};' * 10}'>" for i in range(9)
)
#: A child that has loaded its libraries and read little takes some 90 MiB.
_SECONDS, _GROWTH_KIB, _IDLE_KIB = 20, 256 << 10, 90 << 10


#: In a process of its own: what a child is counted to have used includes what its parent had when it was started.
_INSPECT = """
import json, pathlib, resource, sys
from handover.detection import inspect_isolated
data = pathlib.Path(sys.argv[1]).read_bytes()
report = inspect_isolated(lambda: [data], sys.argv[1], key=bytes(32))
peak = resource.getrusage(resource.RUSAGE_CHILDREN).ru_maxrss
print(json.dumps([report.blocked and [report.blocked.zh, report.blocked.en], peak]))
"""


def refusal(data: bytes, name: str) -> str:
    """Why a file is refused, with a bound on time and memory."""
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder, name)
        path.write_bytes(data)
        start = time.monotonic()
        done = subprocess.run(
            [sys.executable, "-c", _INSPECT, path], capture_output=True, check=True, env=_environment()
        )
        assert time.monotonic() - start < _SECONDS
    reason, peak = json.loads(done.stdout)
    assert peak < _IDLE_KIB + _GROWTH_KIB
    zh, en = reason
    assert zh
    return str(en)


def _environment() -> dict[str, str]:
    return {**os.environ, "PYTHONPATH": str(Path(__file__).parents[2])}


def one_page(content: bytes, **entries: object) -> bytes:
    document = pikepdf.new()
    page = document.add_blank_page()
    page.obj["/Contents"] = document.make_stream(content)
    buffer = io.BytesIO()
    document.save(buffer, **entries)
    return buffer.getvalue()


def test_bomb_in_a_content_stream_is_refused() -> None:
    assert "bomb" in refusal(one_page(b"q Q " * 60_000_000), "a.pdf")


def test_bomb_behind_two_filters_is_refused() -> None:
    document = pikepdf.new()
    page = document.add_blank_page()
    twice = zlib.compress(zlib.compress(b" " * 100_000_000))
    stream = document.make_stream(twice)
    stream.write(twice, filter=[pikepdf.Name.FlateDecode, pikepdf.Name.FlateDecode], decode_parms=None)
    page.obj["/Contents"] = stream
    buffer = io.BytesIO()
    document.save(buffer, stream_decode_level=pikepdf.StreamDecodeLevel.none)
    assert "bomb" in refusal(buffer.getvalue(), "a.pdf")


def test_too_many_pages_are_refused() -> None:
    document = pikepdf.new()
    for _ in range(2001):
        document.add_blank_page()
    buffer = io.BytesIO()
    document.save(buffer)
    assert "2000 pages" in refusal(buffer.getvalue(), "a.pdf")


def test_page_tree_that_bites_its_tail_is_refused() -> None:
    data = (
        b"%PDF-1.7\n1 0 obj\n<</Type/Catalog/Pages 2 0 R>>\nendobj\n"
        b"2 0 obj\n<</Type/Pages/Kids[2 0 R]/Count 1>>\nendobj\n"
        b"trailer\n<</Root 1 0 R/Size 3>>\nstartxref\n0\n%%EOF\n"
    )
    assert refusal(data, "a.pdf")


def test_encrypted_and_damaged_pdf_are_refused() -> None:
    encrypted = one_page(b"", encryption=pikepdf.Encryption(owner="a", user="b"))
    assert "encrypted" in refusal(encrypted, "a.pdf")
    assert "encrypted" in refusal(one_page(b"", encryption=pikepdf.Encryption(owner="a", user="")), "a.pdf")
    assert refusal(samples.pdf()[:400], "a.pdf")


def _docx(**changes: str | bytes) -> bytes:
    parts = samples.docx_parts()
    return samples.zipped({**parts, **changes})


@pytest.mark.parametrize(
    ("doctype", "entity"),
    [
        (_LAUGHS + "]>", "&j;"),
        ('<!DOCTYPE a [<!ENTITY x SYSTEM "file:///etc/passwd">]>', "&x;"),
        ('<!DOCTYPE a SYSTEM "http://127.0.0.1:9/a.dtd">', ""),
    ],
    ids=["laughs", "file", "network"],
)
def test_documents_with_entities_are_refused(doctype: str, entity: str) -> None:
    body = str(samples.docx_parts()["word/document.xml"]).replace("留下", entity)
    assert refusal(_docx(**{"word/document.xml": doctype + body}), "a.docx")


@pytest.mark.parametrize(
    ("part", "word"),
    [
        ("word/embeddings/oleObject1.bin", "object"),
        ("word/embeddings/workbook1.xlsx", "paste the chart as a picture"),
        ("word/vbaProject.bin", "macros"),
        ("word/media/image1.emf", "picture"),
        ("word/activeX/activeX1.bin", "object"),
        ("word/afchunk.htm", "object"),
    ],
)
def test_parts_that_cannot_be_inspected_block_a_document(part: str, word: str) -> None:
    with pytest.raises(FormatRefusedError, match=word):
        list(open_records([_docx(**{part: b"x"})], "a.docx").batches)


def test_zip_bomb_and_deep_nesting_in_a_document_are_refused() -> None:
    assert "too large" in refusal(_docx(**{"word/header1.xml": b" " * 200_000_000}), "a.docx")
    deep = "<w:p xmlns:w='x'>" * 100_000 + "</w:p>" * 100_000
    assert refusal(_docx(**{"word/header1.xml": deep}), "a.docx")
    assert "damaged" in refusal(_docx()[:-40], "a.docx")


def _png(width: int, height: int, data: bytes) -> bytes:
    def chunk(kind: bytes, body: bytes) -> bytes:
        return struct.pack(">I", len(body)) + kind + body + struct.pack(">I", zlib.crc32(kind + body))

    header = struct.pack(">IIBBBBB", width, height, 8, 2, 0, 0, 0)
    return b"\x89PNG\r\n\x1a\n" + chunk(b"IHDR", header) + chunk(b"IDAT", data) + chunk(b"IEND", b"")


def test_picture_bombs_and_cut_pictures_are_refused() -> None:
    assert "megapixels" in refusal(_png(60_000, 60_000, zlib.compress(b"\0" * 1000)), "a.png")
    assert "damaged" in refusal(samples.png()[:2000], "a.png")
    assert "damaged" in refusal(samples.jpeg()[:3000], "a.jpg")


def test_pictures_are_refused_without_ocr(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("handover.formats.ocr.is_installed", lambda: False)
    for data, name in ((samples.png(), "a.png"), (samples.scanned_pdf(), "a.pdf")):
        with pytest.raises(FormatRefusedError, match="handover\\[ocr\\]"):
            list(open_records([data], name).batches)
    picture = samples.docx_parts() | {"word/media/image1.png": samples.png()}
    with pytest.raises(FormatRefusedError, match="handover\\[ocr\\]"):
        list(open_records([samples.zipped(picture)], "a.docx").batches)


@pytest.mark.skipif(not ocr.is_installed(), reason="OCR is not installed")
def test_png_has_nothing_beside_the_picture() -> None:
    (batch,) = open_records([samples.png()], "a.png").batches
    assert [column.name for column in batch.columns] == ["metadata.text", "image"]
    assert batch.columns[0].values == [samples.HIDDEN]
    out = open_writer("png").write(batch)
    assert [out[at + 4 : at + 8] for at in _chunks(out)] == [b"IHDR", *[b"IDAT"] * out.count(b"IDAT"), b"IEND"]


def _chunks(data: bytes) -> list[int]:
    """Where the chunks of a PNG begin."""
    starts = [8]
    while (following := starts[-1] + 12 + int.from_bytes(data[starts[-1] : starts[-1] + 4], "big")) < len(data):
        starts.append(following)
    return starts


def test_number_in_boxes_for_single_digits_is_one_text() -> None:
    cells = "".join(f"<w:tc><w:p><w:r><w:t>{digit}</w:t></w:r></w:p></w:tc>" for digit in samples.VISIBLE)
    body = str(samples.docx_parts()["word/document.xml"]).replace(
        "<w:tbl>", f"<w:tbl><w:tr>{cells}</w:tr></w:tbl><w:tbl>"
    )
    (batch,) = open_records([_docx(**{"word/document.xml": body})], "a.docx").batches
    values = next(column.values for column in batch.columns if column.name == "body")
    assert samples.VISIBLE in values


def test_unchanged_document_reads_back_the_same() -> None:
    for name, data in {"a.docx": _docx(), "a.pdf": samples.pdf()}.items():
        before = list(open_records([data], name).batches)
        writer = open_writer(name.rpartition(".")[2])
        out = b"".join(writer.write(batch) for batch in open_records([data], name).batches) + writer.finish()
        after = list(open_records([out], name).batches)
        bodies = [
            [value for batch in batches for column in batch.columns if column.name == "body" for value in column.values]
            for batches in (before, after)
        ]
        assert bodies[0] == bodies[1]
        assert bodies[0]


def test_page_whose_content_is_no_stream_is_refused() -> None:
    def change(document: pikepdf.Pdf) -> None:
        document.pages[0].obj["/Contents"] = pikepdf.Array([document.pages[0].obj["/Contents"], 5])

    with pytest.raises(FormatRefusedError):
        list(open_records([samples.changed(samples.pdf(), change)], "a.pdf").batches)


def test_resource_that_cannot_be_copied_makes_the_page_a_picture() -> None:
    buffer = io.BytesIO()
    with pikepdf.open(io.BytesIO(samples.pdf())) as document:
        state = pikepdf.Dictionary({"/Type": pikepdf.Name.ExtGState, "/Mark12": 1})
        document.pages[0].obj["/Resources"]["/ExtGState"]["/G"] = state
        document.pages[0].contents_add(b"/G gs", prepend=True)
        document.save(buffer, object_stream_mode=pikepdf.ObjectStreamMode.disable)
    # A name that is not UTF-8 is no text to pikepdf; PDFium does not mind.
    data = buffer.getvalue().replace(b"/Mark12", b"/#cc#cc")
    writer = open_writer("pdf")
    out = b"".join(writer.write(batch) for batch in open_records([data], "a.pdf").batches) + writer.finish()
    with pikepdf.open(io.BytesIO(out)) as document:
        assert "/XObject" in document.pages[0].obj["/Resources"]

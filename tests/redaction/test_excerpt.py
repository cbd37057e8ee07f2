"""A page of records: read no further than needed, joined and cut as told, and marked in its very pixels."""

import io

import pytest
from PIL import Image, ImageChops

from handover.errors import ConflictError
from handover.formats import ocr
from handover.formats.picture import encoded
from handover.redaction.excerpt import Excerpt, Request, draw, read_text
from handover.redaction.excerpt_child import excerpt
from handover.redaction.picture import marked, picture
from handover.redaction.sheet import lines_of, picture_of
from tests.formats import document_samples as samples

TABLE = "编号,姓名\n" + "".join(f"C{n:03},甲{n}\n" for n in range(60))


def test_a_page_holds_the_records_that_were_asked_for() -> None:
    found = read_text([TABLE.encode()], "a.csv", 25, 25)
    assert found == Excerpt(columns=["编号", "姓名"], rows=[[f"C{n:03}", f"甲{n}"] for n in range(25, 50)], first=25)


def test_the_last_page_is_as_short_as_the_file() -> None:
    assert [row[0] for row in read_text([TABLE.encode()], "a.csv", 50, 25).rows] == [f"C{n:03}" for n in range(50, 60)]


def test_values_of_a_record_that_occur_again_are_joined_and_missing_ones_are_empty() -> None:
    lines = b'{"a":["x","y"],"b":"1"}\n{"b":"2"}\n'
    found = excerpt([lines], Request(name="a.jsonl", first=0, count=2))
    joined = dict(zip(found.columns, found.rows[0], strict=True))
    assert "x; y" in joined.values()
    assert "" in found.rows[1]


def test_a_file_that_cannot_be_read_is_refused() -> None:
    with pytest.raises(ConflictError):
        read_text([b"\x00\x01\x02" * 500], "a.bin", 0, 25)


def test_the_mark_is_in_the_pixels_of_every_part_of_the_picture() -> None:
    rows = Excerpt(columns=["a"], rows=[["x"]] * 25, first=0)
    one, other = (_opened(picture(rows, mark)) for mark in ("张䶮 · HO-1 · 2026-01-01", "何浩浩 · HO-1 · 2026-01-01"))
    for top in range(0, one.height - 150, 150):
        strip = (0, top, min(one.width, other.width), top + 150)
        assert ImageChops.difference(one.crop(strip), other.crop(strip)).getbbox(), f"no mark at {top}"


def test_a_picture_is_drawn_in_the_child() -> None:
    assert _opened(draw([TABLE.encode()], "a.csv", 0, 25, "张䶮 · HO-1")).format == "PNG"


def _scan(pages: int) -> bytes:
    """A PDF in which only pictures stand, as a redacted scan is."""
    sheets = [samples.scan([f"第 {number} 页", "保持不变的文字 2024"], (1240, 1754)) for number in range(pages)]
    out = io.BytesIO()
    sheets[0].save(out, "PDF", resolution=150, save_all=True, append_images=sheets[1:])
    return out.getvalue()


@pytest.mark.parametrize("name", ["a.pdf", "scan.pdf", "a.png", "a.jpeg"])
def test_a_page_of_a_document_is_shown_as_it_looks_without_ocr(name: str, monkeypatch: pytest.MonkeyPatch) -> None:
    def unwanted(_: Image.Image) -> list[ocr.Line]:
        raise AssertionError("a person waits: nothing is read off the picture again")

    monkeypatch.setattr(ocr, "lines_in", unwanted)
    data = {"a.pdf": samples.pdf, "scan.pdf": lambda: _scan(2), "a.png": samples.png, "a.jpeg": samples.jpeg}[name]()
    page = picture_of(data, name, 0)
    shown = _opened(marked(page, "何浩浩 · HO-1"))
    ink = shown.convert("L").crop((0, 0, page.width, page.height)).point(lambda level: 255 * (level < 60))
    assert ink.getbbox(), "the page's own text is there"
    other = _opened(marked(page, "张䶮 · HO-1"))
    width = min(shown.width, other.width)
    for top in range(0, shown.height - 150, 150):
        strip = (0, top, width, top + 150)
        assert ImageChops.difference(shown.crop(strip), other.crop(strip)).getbbox(), f"no mark at {top}"
    assert not lines_of(data, name, 0) or name == "a.pdf"


def test_pages_of_a_document_are_drawn_in_the_child_one_by_one() -> None:
    first, second = (_opened(draw([_scan(2)], "a.pdf", 0, 25, "张䶮", sheet=number)) for number in (0, 1))
    assert ImageChops.difference(first, second).getbbox()
    with pytest.raises(ConflictError, match="no page 3"):
        draw([_scan(2)], "a.pdf", 0, 25, "张䶮", sheet=2)


def test_text_of_a_page_is_what_is_text_there() -> None:
    told = read_text([samples.pdf()], "a.pdf", 0, 25, sheet=0)
    assert any(samples.KEPT in row[0] for row in told.rows)
    assert read_text([_scan(1)], "a.pdf", 0, 25, sheet=0).rows == []


def test_a_poster_is_made_smaller() -> None:
    page = picture_of(encoded(Image.new("RGB", (5000, 4000), "white"), "png"), "a.png", 0)
    assert page.width * page.height <= 4_000_000


def _opened(data: bytes) -> Image.Image:
    return Image.open(io.BytesIO(data))

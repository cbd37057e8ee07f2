"""A page of records: read no further than needed, joined and cut as told, and marked in its very pixels."""

import io

import pytest
from PIL import Image, ImageChops

from handover.errors import ConflictError
from handover.redaction.excerpt import Excerpt, Request, draw, read_text
from handover.redaction.excerpt_child import excerpt
from handover.redaction.picture import picture

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


def _opened(data: bytes) -> Image.Image:
    return Image.open(io.BytesIO(data))

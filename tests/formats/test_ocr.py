"""What stands on a picture is read, or it is covered: nothing legible is passed on without inspection."""

import random

import pytest
from PIL import Image, ImageDraw, ImageFont

from handover.formats import ocr
from handover.formats.unread import unread
from tests.formats.document_samples import FONT

pytestmark = [
    pytest.mark.skipif(not ocr.is_installed(), reason="OCR is not installed"),
    pytest.mark.timeout(300),
]


#: What has a side below this the recogniser enlarges, which is most of its work.
SMALLEST = 736


def page(count: int, size: int, width: int = 900, height: int = SMALLEST) -> tuple[Image.Image, list[str]]:
    """Mixed lines, and the value that stands in each of them."""
    chance = random.Random(7)
    leading = 2 * size
    picture = Image.new("RGB", (width, max(leading * (count + 2), height)), "white")
    draw = ImageDraw.Draw(picture)
    values = []
    for number in range(count):
        value = f"1{chance.choice('3589')}{chance.randrange(10**9):09}" if number % 2 else f"li{number}7@example.com"
        text = f"客户手机 {value}，收件人王小明" if number % 2 else f"{number} Contact {value} about the order"
        draw.text((40, leading * (number + 1)), text, fill=(30, 30, 30), font=ImageFont.truetype(str(FONT), size))
        values.append(value)
    return picture, values


def read(picture: Image.Image) -> str:
    return "".join("".join(line.text.split()) for line in ocr.lines_in(picture) if line.readable)


def test_every_value_of_a_crooked_grainy_page_is_read() -> None:
    picture, values = page(12, 22)
    spoilt = Image.blend(picture, Image.effect_noise(picture.size, 60).convert("RGB"), 0.2)
    text = read(spoilt.rotate(1.5, Image.Resampling.BICUBIC, fillcolor="white"))
    assert [value for value in values if value not in text] == []


@pytest.mark.parametrize("degrees", [90, 180, 270])
def test_page_on_its_head_or_side_is_read_where_it_stands(degrees: int) -> None:
    picture, values = page(6, 22, SMALLEST)
    turned = picture.rotate(degrees, expand=True)
    assert [value for value in values if value not in read(turned)] == []
    clean = turned.copy()
    for line in ocr.lines_in(turned):
        ocr.paint(clean, line.boxes, "")
    assert unread(clean, []) == []


def test_value_across_the_border_of_two_pieces_is_read() -> None:
    picture, values = page(22, 16, 460, 1152)
    assert picture.height > 1.6 * picture.width
    text = read(picture)
    assert [value for value in values if value not in text] == []
    assert all(text.count(value) == 1 for value in values)


def test_line_on_its_head_among_others_is_not_taken_for_read() -> None:
    picture, values = page(4, 16, SMALLEST)
    box = (30, 90, 530, 122)
    picture.paste(picture.crop(box).rotate(180), box)
    lines = [line for line in ocr.lines_in(picture) if box[1] < line.boxes[0][1] + 8 < box[3]]
    assert lines
    assert not any(line.readable and len(line.text) > 3 for line in lines)
    assert [value in read(picture) for value in values] == [True, True, False, True]


def test_what_looks_like_text_and_was_not_read_is_found_and_covered() -> None:
    picture, _ = page(2, 22)
    missed = unread(picture, [])
    assert len(missed) >= 2
    for box in missed:
        ocr.cover(picture, ocr.Line("", [box], readable=False), [])
    assert unread(picture, []) == []


def test_rules_frames_and_grain_are_not_text() -> None:
    picture = Image.effect_noise((600, 400), 12).convert("RGB")
    draw = ImageDraw.Draw(picture)
    for x in range(0, 600, 100):
        draw.rectangle((x, 50, x + 100, 350), outline="black")
    assert unread(picture, []) == []


def test_value_broken_at_the_end_of_a_line_is_read_whole() -> None:
    picture = Image.new("RGB", (900, SMALLEST), "white")
    draw = ImageDraw.Draw(picture)
    font = ImageFont.truetype(str(FONT), 22)
    draw.text((40, 100), "双方在工作时间内可以随时与经办人联系，联系电话为13812", font=font, fill="black")
    draw.text((40, 140), "345678，经办人应当在两个工作日内答复。", font=font, fill="black")
    assert "13812345678" in [line.text for line in ocr.lines_in(picture)]

"""What several lines of a picture say together: boxes of a form, values broken at a line's end, names beside the word for them."""

import math

import pytest

from handover.formats.joined import PixelBox, Text, joined


def line(text: str, x: float, y: float, size: float = 20) -> Text:
    boxes: list[PixelBox] = [
        (x + index * size, y, x + (index + 1) * size, y + 1.2 * size) for index in range(len(text))
    ]
    return text, boxes


def turned(lines: list[Text], degrees: float) -> list[Text]:
    """The same lines on a page that is turned about its corner."""
    cos, sin = math.cos(math.radians(degrees)), math.sin(math.radians(degrees))
    result = []
    for text, boxes in lines:
        places = []
        for left, top, right, bottom in boxes:
            x, y = (left + right) / 2, (top + bottom) / 2
            x, y = x * cos - y * sin, x * sin + y * cos
            places.append((x - 10.0, y - 12.0, x + 10.0, y + 12.0))
        result.append((text, places))
    return result


def texts(lines: list[Text]) -> list[str]:
    return [text for text, _ in joined(lines)]


PARAGRAPH = [
    line("please call the office of the buyer 13812", 40, 100),
    line("345678 on any working day of the week", 40, 140),
]


@pytest.mark.parametrize("degrees", [0, 1.5, -3, 90, 180, 270])
def test_number_broken_at_the_end_of_a_line_is_whole(degrees: float) -> None:
    assert texts(turned(PARAGRAPH, degrees)) == ["13812345678"]


def test_parts_of_a_broken_number_stand_where_they_are_shown() -> None:
    ((_, boxes),) = joined(PARAGRAPH)
    assert boxes == PARAGRAPH[0][1][-5:] + PARAGRAPH[1][1][:6]


def test_lines_far_apart_and_cells_of_short_numbers_are_not_broken_values() -> None:
    assert texts([PARAGRAPH[0], line("345678 on any working day", 40, 300)]) == []
    assert texts([line("123456", 40, 100), line("654321", 40, 130)]) == []


@pytest.mark.parametrize("degrees", [0, 2, 180])
def test_signs_in_boxes_are_one_value(degrees: float) -> None:
    form = [
        line("telephone number:", 40, 100),
        *(line(sign, 500 + 50 * n, 101) for n, sign in enumerate("13812345678")),
    ]
    assert texts(turned(form, degrees)) == ["13812345678"]


def test_name_stands_beside_the_word_for_it_or_below_it() -> None:
    form = [line("姓名", 40, 100), line("王芳", 400, 102), line("电话", 40, 150), line("13812345678", 400, 150)]
    assert texts(form) == ["姓名：王芳"]
    head = [line("序号", 40, 100), line("姓名", 200, 100), line("电话", 400, 100)]
    row = [line("1", 50, 150), line("王芳", 202, 150), line("13812345678", 400, 150)]
    assert "姓名：王芳" in texts(head + row)

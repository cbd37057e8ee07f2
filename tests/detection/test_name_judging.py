"""Which of the model's answers are kept as names, and in which form."""

from collections import Counter

import pytest

from handover.detection.names.judging import are_names, cleaned


@pytest.mark.parametrize(
    ("answer", "name"),
    [
        ("刘老师", ""),  # the surname alone is found by its title
        ("赵建国秘书长", "赵建国"),
        ("沈秀兰大娘", "沈秀兰"),
        ("贝朗特政府", "贝朗特"),
        ("欧阳江河", "欧阳江河"),
        ("德川海", "德川海"),
        ("科·斯塔里迪斯", "科·斯塔里迪斯"),
    ],
)
def test_what_stands_behind_a_name_is_taken_off(answer: str, name: str) -> None:
    assert cleaned(answer) == name


@pytest.mark.parametrize(
    "answer",
    [
        "马拉维",
        "卢萨卡",
        "布尔什维克",
        "墨军",
        "葡方",
        "卡尔顿半岛",
        "维拉诺俱乐部队",
        "麦伦峰顶峰",
        "临江县",
        "奈曼旗",
        "萨尔图",
        "卡拉奇晴",
        "任欣旺达",
        "董秘",
        " ",
    ],
)
def test_places_teams_and_peoples_are_no_names(answer: str) -> None:
    assert cleaned(answer) == ""


def test_a_name_counts_where_it_is_one_in_most_of_its_places() -> None:
    text = "白云飘过山顶，白云又飘回来。罗启明来了。小军走了。"
    assert set(are_names(Counter({"白云": 0, "罗启明": 1, "小军": 1}), text)) == {"罗启明", "小军"}


def test_a_part_of_a_longer_name_is_not_counted_as_a_place_of_the_shorter() -> None:
    text = "周小平来了。周小平走了。周小平又来了。小平也来了。"
    assert set(are_names(Counter({"周小平": 3, "小平": 1}), text)) == {"周小平", "小平"}


def test_three_characters_with_a_surname_are_a_name_wherever_they_stand() -> None:
    assert list(are_names(Counter({"罗启明": 1}), "罗启明、罗启明、罗启明")) == ["罗启明"]

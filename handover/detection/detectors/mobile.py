"""Mainland mobile numbers: 11 digits from 13x to 19x, with or without +86 and separators.

Glued to Latin letters they are one only behind a word for a telephone (tel, mobile, sj, t): A13812345678 is as likely an order's number.
"""

import re
from collections.abc import Iterator

from handover.detection.context import AFTER, BEFORE, after_order_cue
from handover.detection.spans import Span

KIND, LEVEL, VERSION, WINDOW = "mobile", "L3", 3, "digits"

_NUMBER = re.compile(
    rf"(?=[+(018])(?:{BEFORE}|(?<=[Tt]el)|(?<=[Pp]hone)|(?<=[Mm]obile)|(?<=QQ)|(?<=qq))"
    r"(?:(?:\+|00)?\(?86\)?[ -]?)?(1(?:[3-9][0-9](?:[ .-]?[0-9]){8}|([ .-])[3-9](?:\2[0-9]){9}))"
    rf"{AFTER}"
)
_GLUED = re.compile(
    r"(?:(?<![0-9A-Za-z_])(?:t|m|tel|telephone|phone|mobile|mob|cell|ph|whatsapp|wx|vx|sj|sjh|dh|lxdh|shouji|dianhua)|手机号?码?|电话)"
    r"[_:：=#. ]{0,2}(?:\+?86[ -]?)?(1[3-9][0-9]{9})(?![0-9])(?![.-][0-9])",
    re.IGNORECASE,
)
_SEPARATOR = re.compile(r"[ .-]")

POSITIVE = (
    ("电话13812345678，请回复", "13812345678"),
    ("+86 138-1234-5678", "+86 138-1234-5678"),
    ("联系１３８１２３４５６７８", "１３８１２３４５６７８"),
    ("Tel13912345678", "13912345678"),
    ("手机：138 1234 5678。", "138 1234 5678"),
    ("1381 2345 678谢谢", "1381 2345 678"),
    ("1-3-8-1-2-3-4-5-6-7-8", "1-3-8-1-2-3-4-5-6-7-8"),
    ("138.1234.5678", "138.1234.5678"),
    ("备注t13812345678", "13812345678"),
    ("sj13812345678已停机", "13812345678"),
    ("href=tel:13812345678x", "13812345678"),
    ("手机13812345678abc", "13812345678"),
    ("phone_13812345678", "13812345678"),
)
NEGATIVE = (
    "12812345678",  # no such range
    "1381234567",  # ten digits
    "138123456789",  # twelve digits
    "订单号：13812345678",
    "SN13812345678",
    "A13812345678",
    "SKU-m138123456789",
    "订单t13812345678",
    "13812345678abc",
    "9f1t13812345678",
    "0.13812345678",
    "150 20 23 1234",
    "138123.45678 元",
)


def find(text: str) -> Iterator[Span]:
    for match in _NUMBER.finditer(text):
        if _is_written(match[1]) and not after_order_cue(text, match.start()):
            yield Span(match.start(), match.end(), KIND, 0.9)
    for match in _GLUED.finditer(text):
        if not after_order_cue(text, match.start()):
            yield Span(match.start(1), match.end(1), KIND, 0.85)


def _is_written(number: str) -> bool:
    """In groups of three and more, or every digit alone; other groups are numbers that stand in a row."""
    groups = {len(group) for group in _SEPARATOR.split(number)}
    return (min(groups) >= 3 and number.count(".") != 1) or groups == {1}

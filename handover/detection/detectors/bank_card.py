"""Payment cards: 13 to 19 digits, Luhn, and a range that a card scheme really uses (ISO/IEC 7812)."""

import re
from collections.abc import Iterator

from handover.detection import checks
from handover.detection.context import after_order_cue
from handover.detection.spans import Span

KIND, LEVEL, VERSION, WINDOW = "bank_card", "L4", 1, "digits"

_NUMBER = re.compile(r"[2-69](?<![0-9A-Za-z_].)(?<![0-9][.\-].)(?:[ -]?[0-9]){12,18}(?![ -]?[0-9])(?![A-Za-z_])")
_SEPARATORS = str.maketrans("", "", " -")
#: Prefix and allowed lengths.
_SCHEMES = (
    (re.compile("62"), range(16, 20)),  # UnionPay
    (re.compile("4"), (13, 16, 19)),  # Visa
    (re.compile("5[1-5]|222[1-9]|22[3-9]|2[3-6]|27[01]|2720"), (16,)),  # Mastercard
    (re.compile("3[47]"), (15,)),  # American Express
    (re.compile("35(?:2[89]|[3-8])"), range(16, 20)),  # JCB
    (re.compile("3(?:0[0-5]|[689])"), range(14, 20)),  # Diners
    (re.compile("6(?:011|4[4-9]|5)"), range(16, 20)),  # Discover
    (re.compile("9[0-9]{5}|60[0-9]{4}|5[0-9]{5}"), (18, 19)),  # domestic cards from before UnionPay's own range
)

POSITIVE = (
    ("卡号6222021234567890128", "6222021234567890128"),
    ("card 4111 1111 1111 1111", "4111 1111 1111 1111"),
    ("４１１１１１１１１１１１１１１１", "４１１１１１１１１１１１１１１１"),
    ("378282246310005", "378282246310005"),
)
NEGATIVE = (
    "4111 1111 1111 1112",  # fails Luhn
    "订单4111111111111111",
    "1234567812345670",  # passes Luhn, no scheme
    "41111111111111111111",  # twenty digits
)


def find(text: str) -> Iterator[Span]:
    for match in _NUMBER.finditer(text):
        number = match[0].translate(_SEPARATORS)
        if is_card(number) and not after_order_cue(text, match.start()):
            yield Span(match.start(), match.end(), KIND, 0.95)


def is_card(number: str) -> bool:
    """True for bare digits that a scheme could have issued."""
    return any(prefix.match(number) and len(number) in lengths for prefix, lengths in _SCHEMES) and checks.luhn(number)

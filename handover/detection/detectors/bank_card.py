"""Payment cards: 13 to 19 digits, Luhn, and a range that a card scheme really uses (ISO/IEC 7812); behind a cue any range, from 12."""

import re
from collections.abc import Iterator

from handover.detection import checks
from handover.detection.context import after_order_cue
from handover.detection.spans import Span

KIND, LEVEL, VERSION, WINDOW = "bank_card", "L4", 2, "digits"

_NUMBER = re.compile(r"[2-69](?<![0-9A-Za-z_].)(?<![0-9][.\-].)(?:[ -]?[0-9]){12,18}(?![ -]?[0-9])(?![A-Za-z_])")
_AFTER_CUE = re.compile(
    r"(?=[CcMm信银卡储借])(?:\bcards?\b|\bcc\b|\bmaestro\b|信用卡|银行卡|卡号|储蓄卡|借记卡)[^0-9\0\n]{0,24}"
    r"([1-9](?:[ -]?[0-9]){11,18})(?![ -]?[0-9])(?![A-Za-z_])",
    re.IGNORECASE,
)
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
    ("I lost my card 501864667909 today", "501864667909"),
    ("信用卡号是180016070420458。", "180016070420458"),
)
NEGATIVE = (
    "4111 1111 1111 1112",  # fails Luhn
    "订单4111111111111111",
    "1234567812345670",  # passes Luhn, no scheme
    "41111111111111111111",  # twenty digits
    "501864667909",  # no cue
    "card 501864667908",  # fails Luhn
    "card for order 501864667909",
)


def find(text: str) -> Iterator[Span]:
    for match in _NUMBER.finditer(text):
        number = match[0].translate(_SEPARATORS)
        if is_card(number) and not after_order_cue(text, match.start()):
            yield Span(match.start(), match.end(), KIND, 0.95)
    for match in _AFTER_CUE.finditer(text):
        if checks.luhn(match[1].translate(_SEPARATORS)) and not after_order_cue(text, match.start(1)):
            yield Span(match.start(1), match.end(1), KIND, 0.9)


def is_card(number: str) -> bool:
    """True for bare digits that a scheme could have issued."""
    return any(prefix.match(number) and len(number) in lengths for prefix, lengths in _SCHEMES) and checks.luhn(number)

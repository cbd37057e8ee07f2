"""What a value shows when it is masked: enough to recognise it in a conversation, too little to use it."""

import re
from collections.abc import Callable

_NAME_WORD = re.compile(r"[^\s·•・,]+")
_HIDDEN = "***"


def mask(kind: str, value: str) -> str:
    """The screen mask of a kind; kinds that have none show nothing."""
    return _MASKS.get(kind, _nothing)(value.strip())


def _nothing(_: str) -> str:
    return _HIDDEN


def _ends(value: str) -> str:
    return f"{value[0]}{'*' * max(len(value) - 2, 3)}{value[-1]}" if len(value) > 2 else _HIDDEN


def _mobile(value: str) -> str:
    digits = "".join(c for c in value if c.isdigit())[-11:]
    return f"{digits[:3]}****{digits[-4:]}" if len(digits) == 11 else _HIDDEN


def _number(value: str) -> str:
    digits = "".join(c for c in value if c.isdigit())
    return f"****{digits[-2:]}" if len(digits) > 6 else _HIDDEN


def _email(value: str) -> str:
    local, _, domain = value.partition("@")
    return f"{local[:1]}***@{domain}" if domain else _HIDDEN


def _name(value: str) -> str:
    if value.isascii():
        return _NAME_WORD.sub(lambda word: f"{word[0][0]}***", value)
    return value[:1] + "*" * max(len(value) - 1, 1)


def _card(value: str) -> str:
    digits = "".join(c for c in value if c.isdigit())
    return f"**** {digits[-4:]}" if len(digits) > 8 else _HIDDEN


def _last(value: str) -> str:
    return f"{_HIDDEN}{value[-3:]}" if len(value) > 6 else _HIDDEN


def _first(value: str) -> str:
    return f"{value[:1]}***"


_MASKS: dict[str, Callable[[str], str]] = {
    "resident_id": _ends,
    "mobile": _mobile,
    "landline": _number,
    "phone": _number,
    "email": _email,
    "person_name": _name,
    "bank_card": _card,
    "wechat": _first,
    "qq": _first,
    "passport": _last,
    "travel_permit": _last,
    "plate": lambda value: f"{value[:2]}***",
}

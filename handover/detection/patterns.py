"""Regular expressions that are compiled when they are first used: those of names and addresses take 60 ms, which a start that reads no text saves."""

import re
from typing import Any, cast


class _Pattern:
    def __init__(self, text: str, flags: int) -> None:
        self._text, self._flags = text, flags

    def __getattr__(self, name: str) -> Any:
        """Only while the attribute was never asked for."""
        value = getattr(re.compile(self._text, self._flags), name)
        setattr(self, name, value)
        return value


def compile_late(text: str, flags: int = 0) -> re.Pattern[str]:
    """As `re.compile`, which is called later and keeps what it compiled."""
    return cast("re.Pattern[str]", _Pattern(text, flags))

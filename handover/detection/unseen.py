"""Characters that nobody sees: a number with soft hyphens or zero-width spaces inside reads, and is copied, as the number.

They are left out before a value is scanned, and what was found is put back to where it stands in the value.
"""

import re
from collections.abc import Sequence

from handover.detection.spans import Span

#: Soft hyphen, zero-width characters, marks of direction, variation selectors (Unicode: Default_Ignorable_Code_Point).
_UNSEEN = re.compile(
    "[\u00ad\u034f\u061c\u115f\u1160\u17b4\u17b5\u180b-\u180f\u200b-\u200f\u202a-\u202e\u2060-\u206f\u3164\ufe00-\ufe0f\ufeff\uffa0]"
)


class Seen:
    """Values as they are seen."""

    def __init__(self, values: Sequence[str]) -> None:
        self.values = list(values)
        #: For a value with unseen characters: where each of the others stands in it.
        self._places: dict[int, list[int]] = {}
        for number, value in enumerate(values):
            if not value.isascii() and _UNSEEN.search(value):
                self.values[number] = _UNSEEN.sub("", value)
                self._places[number] = [at for at, character in enumerate(value) if not _UNSEEN.match(character)]

    def in_value(self, number: int, span: Span) -> Span:
        """A hit in the value as it is written."""
        places = self._places.get(number)
        if places is None:
            return span
        return Span(places[span.start], places[span.end - 1] + 1, span.kind, span.confidence)

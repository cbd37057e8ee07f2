"""Types of request fields, with their limits."""

from typing import Annotated

import msgspec
from msgspec import Meta

#: One line: names, titles, addresses.
Line = Annotated[str, Meta(min_length=1, max_length=300)]
#: Paragraphs: reasons, notes, statements.
Prose = Annotated[str, Meta(min_length=1, max_length=4000)]
#: Country and region, ISO 3166-2.
Place = Annotated[str, Meta(pattern=r"^[A-Z]{2}(-[A-Z0-9]{1,3})?$")]
Word = Annotated[str, Meta(pattern=r"^[a-z][a-z0-9_]{0,63}$")]
Hex64 = Annotated[str, Meta(pattern=r"^[0-9a-f]{64}$")]
Level = Annotated[str, Meta(pattern=r"^L[1-4]$")]


class Form(msgspec.Struct, forbid_unknown_fields=True):
    """A request body: an unknown field is an error, because it may be one that was misspelt."""

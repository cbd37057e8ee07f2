"""What an error says to a reader: the message of where it was raised, in their language, with its values.

Messages are written in English where an error is raised. The catalogue `errors.po` holds each once, with `{0}` for its
first value; a test reads every `raise` of the source and proves that none is missing.
"""

import re
from functools import cache

from handover.documents.templates import is_labelled, label
from handover.errors import HandoverError
from handover.i18n import Language
from handover.i18n.catalogue import catalogue

_PLACE = re.compile(r"\\\{(\d)\\\}")
_WORDS = re.compile(r"[a-z][a-z0-9_]*(?:, [a-z][a-z0-9_]*)*")


def said_in(error: HandoverError, language: Language) -> str:
    """The error's sentence for a reader; a sentence without a translation is shown as it stands."""
    if language == "en":
        return error.message[:1].upper() + error.message[1:]
    whole = catalogue(language).gettext(error.message)
    if whole != error.message:
        return whole
    for pattern, source in _patterns():
        found = pattern.fullmatch(error.message)
        if found is not None:
            values = {name[1:]: _named(value, language) for name, value in found.groupdict().items()}
            return _filled(catalogue(language).gettext(source), values)
    return error.message


@cache
def _patterns() -> list[tuple[re.Pattern[str], str]]:
    """Sentences with values; those that say most come first, so that the most exact one is found."""
    sources = [source for source in catalogue("zh").sources() if "{0}" in source]
    sources.sort(key=lambda source: len(re.sub(r"\{\d\}", "", source)), reverse=True)
    return [(re.compile(_PLACE.sub(r"(?P<v\1>.*)", re.escape(source)), re.DOTALL), source) for source in sources]


def _filled(target: str, values: dict[str, str]) -> str:
    """Replaced in one pass: a value that looks like a place stays text."""
    return re.sub(r"\{(\d)\}", lambda place: values.get(place.group(1), place.group(0)), target)


def _named(value: str, language: Language) -> str:
    """Roles, states and kinds by their names; anything else as it is."""
    if not _WORDS.fullmatch(value):
        return value
    return "、".join(label(w).in_language(language) if is_labelled(w) else w for w in value.split(", "))

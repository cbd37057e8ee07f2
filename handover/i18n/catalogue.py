"""Sentences of pages and mails in the reader's language: English in the source, Chinese in the catalogues beside this file.

One catalogue for each area of the house (`locale/zh_CN/LC_MESSAGES/<area>.po`), read together; a test proves that no entry
is missing and that no two areas translate a sentence differently.
"""

from functools import cache
from pathlib import Path

from babel.messages.pofile import read_po

from handover.i18n.text import Language

FOLDER = Path(__file__).resolve().parent / "locale" / "zh_CN" / "LC_MESSAGES"


class Catalogue:
    """The translations into one language; a sentence that has none is shown as it stands."""

    def __init__(self, entries: dict[str, str]) -> None:
        self._entries = entries

    def gettext(self, message: str) -> str:
        return self._entries.get(message) or message

    def sources(self) -> list[str]:
        """Every sentence that has a translation."""
        return list(self._entries)

    def ngettext(self, singular: str, plural: str, count: int) -> str:
        """Chinese has one form, kept under the singular; English picks by the count."""
        return self._entries.get(singular) or (singular if count == 1 else plural)


@cache
def catalogue(language: Language) -> Catalogue:
    """All translations into a language, read once."""
    return Catalogue({} if language == "en" else _chinese())


def _chinese() -> dict[str, str]:
    found: dict[str, str] = {}
    for path in sorted(FOLDER.glob("*.po")):
        with path.open("rb") as file:
            for message in read_po(file, locale="zh_CN"):
                if message.id and not message.fuzzy:
                    source = message.id if isinstance(message.id, str) else message.id[0]
                    target = message.string if isinstance(message.string, str) else (message.string or ("",))[0]
                    found[source] = target
    return found

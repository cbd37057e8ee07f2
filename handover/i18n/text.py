"""A sentence in both languages of the product, carried together until the edge knows the reader's."""

from typing import Literal

import msgspec

Language = Literal["zh", "en"]


class Text(msgspec.Struct, frozen=True):
    """One sentence, twice; as JSON `{"zh": ..., "en": ...}`."""

    zh: str
    en: str

    def in_language(self, language: Language) -> str:
        return self.zh if language == "zh" else self.en

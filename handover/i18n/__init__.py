"""Languages: every sentence that a person reads exists in zh and en."""

from handover.i18n.text import Language, Text

__all__ = ["Language", "Text"]

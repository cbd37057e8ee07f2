"""A file that can't be inspected is refused with the reason; it is never passed through."""

from handover.errors import HandoverError, Kind
from handover.i18n import Text


class FormatRefusedError(HandoverError):
    """The file is damaged, encrypted, of an unknown kind, or not what its name says; `reason` is bilingual."""

    code = "format_refused"
    kind = Kind.UNSUPPORTED

    def __init__(self, reason: Text) -> None:
        super().__init__(reason.en, reason={"zh": reason.zh, "en": reason.en})
        self.reason = reason


def refuse(zh: str, en: str) -> FormatRefusedError:
    """The error, ready to raise."""
    return FormatRefusedError(Text(zh, en))

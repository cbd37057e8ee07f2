"""What an error says to a reader: the message of where it was raised, in their language."""

from handover.errors import HandoverError
from handover.i18n import Language
from handover.i18n.catalogue import catalogue


def said_in(error: HandoverError, language: Language) -> str:
    """The error's sentence; values in it stay as they are."""
    return catalogue(language).gettext(error.message)

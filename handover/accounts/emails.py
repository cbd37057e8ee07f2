"""The one spelling of an address by which an account is found. Only ASCII letters lose their case.

Wider folding (NFKC, casefold) would let two addresses that a mail server tells apart open one account.
"""

import unicodedata

from handover.errors import InvalidInputError

_MAX = 254
_UNSAFE = frozenset({"Cc", "Cf", "Cs", "Co", "Cn", "Zl", "Zp"})


def normal_email(email: str) -> str:
    """The address without surrounding spaces, ASCII in lower case.

    Raises:
        InvalidInputError: not an address, or written in a form that looks like another one.
    """
    text = "".join(c.lower() if c.isascii() else c for c in email.strip())
    local, at, domain = text.rpartition("@")
    if not (local and at and "." in domain.strip(".")) or "@" in local or len(text) > _MAX:
        raise InvalidInputError("this is not an e-mail address", field="email")
    if any(c.isspace() or unicodedata.category(c) in _UNSAFE for c in text):
        raise InvalidInputError("an e-mail address holds no spaces or invisible characters", field="email")
    if text != unicodedata.normalize("NFKC", text):
        raise InvalidInputError("write the e-mail address with ordinary letters: it looks like another", field="email")
    return text

"""Recipient and identity strings of age, identity files, and the rule that kinds are never mixed in one file."""

import os
from collections.abc import Sequence

from handover.crypto.age import bech32
from handover.crypto.age.header import Header, Stanza
from handover.crypto.age.hybrid import PUBLIC_SIZE, HybridIdentity, HybridRecipient
from handover.crypto.age.passphrase import Passphrase
from handover.crypto.age.x25519 import X25519Identity, X25519Recipient
from handover.crypto.errors import HeaderError, KeyFormatError, NoMatchError

Recipient = X25519Recipient | HybridRecipient | Passphrase
Identity = X25519Identity | HybridIdentity | Passphrase

FILE_KEY_SIZE = 16
_PREFIX = "age"
_PREFIX_PQ = "age1pq"
_SECRET_PREFIX = "AGE-SECRET-KEY-"  # noqa: S105 - the public prefix of a secret, not a secret
_SECRET_PREFIX_PQ = "AGE-SECRET-KEY-PQ-"  # noqa: S105 - likewise
#: More recipients would not fit the header that readers accept.
MAX_RECIPIENTS = 100


def generate_identity(*, post_quantum: bool = False) -> str:
    """A new identity: `AGE-SECRET-KEY-1…`, or `AGE-SECRET-KEY-PQ-1…`."""
    prefix = _SECRET_PREFIX_PQ if post_quantum else _SECRET_PREFIX
    return bech32.encode(prefix.lower(), os.urandom(32)).upper()


def recipient_of(identity: str) -> str:
    """The recipient string of an identity string."""
    parsed = parse_identity(identity)
    prefix = _PREFIX_PQ if isinstance(parsed, HybridIdentity) else _PREFIX
    return bech32.encode(prefix, parsed.recipient.public)


def is_post_quantum(recipient: str) -> bool:
    """Whether a (valid) recipient string is of the post-quantum kind."""
    return isinstance(parse_recipient(recipient), HybridRecipient)


def parse_recipient(text: str) -> X25519Recipient | HybridRecipient:
    """The key of `age1…` or `age1pq1…`.

    Raises:
        KeyFormatError: malformed, or of a kind that packages are not made for.
    """
    prefix, data = bech32.decode(text)
    if prefix == _PREFIX and len(data) == 32:
        return X25519Recipient(data)
    if prefix == _PREFIX_PQ and len(data) == PUBLIC_SIZE:
        return HybridRecipient(data)
    raise KeyFormatError("a recipient begins with age1 or age1pq1, in lower case")


def parse_identity(text: str) -> X25519Identity | HybridIdentity:
    """The key of `AGE-SECRET-KEY-1…` or `AGE-SECRET-KEY-PQ-1…`.

    Raises:
        KeyFormatError: malformed; the text is not repeated.
    """
    prefix, data = bech32.decode(text)
    if prefix == _SECRET_PREFIX and len(data) == 32:
        return X25519Identity(data)
    if prefix == _SECRET_PREFIX_PQ and len(data) == 32:
        return HybridIdentity(data)
    raise KeyFormatError("an identity begins with AGE-SECRET-KEY-1 or AGE-SECRET-KEY-PQ-1, in upper case")


def identities_in(text: str) -> list[str]:
    """Identity strings of an identity file: one a line, empty lines and `#` comments skipped."""
    lines = (line.strip() for line in text.splitlines())
    return [line for line in lines if line and not line.startswith("#")]


def recipients_from(recipients: Sequence[str | Passphrase]) -> list[Recipient]:
    """Parsed recipients of one file.

    Raises:
        KeyFormatError: none, too many, malformed, or of different kinds: the weakest would decide for all.
    """
    parsed: list[Recipient] = [
        entry if isinstance(entry, Passphrase) else parse_recipient(entry) for entry in recipients
    ]
    if not 0 < len(parsed) <= MAX_RECIPIENTS:
        raise KeyFormatError(f"a file has 1 to {MAX_RECIPIENTS} recipients, not {len(parsed)}")
    if len({recipient.kind for recipient in parsed}) > 1:
        raise KeyFormatError("recipients of different kinds (age1…, age1pq1…, passphrase) are never mixed in one file")
    if isinstance(parsed[0], Passphrase) and len(parsed) > 1:
        raise KeyFormatError("a file has one passphrase at most")
    return parsed


def identities_from(identities: Sequence[str | Passphrase]) -> list[Identity]:
    """Parsed identities; a string may be a single identity or the text of an identity file."""
    parsed: list[Identity] = []
    for entry in identities:
        if isinstance(entry, Passphrase):
            parsed.append(entry)
        else:
            parsed.extend(parse_identity(line) for line in identities_in(entry))
    return parsed


def wrap(file_key: bytes, recipients: Sequence[Recipient]) -> list[Stanza]:
    """One stanza for each recipient."""
    return [recipient.wrap(file_key) for recipient in recipients]


def unwrap(header: Header, identities: Sequence[Identity]) -> bytes:
    """The file key of a file, after its header's MAC was checked.

    Raises:
        HeaderError: a stanza is malformed.
        NoMatchError: no identity opens it.
        HeaderMacError: the header was altered.
    """
    _refuse_mixed(header)
    for identity in identities:
        file_key = identity.unwrap(header.stanzas)
        if file_key is not None:
            header.check_mac(file_key)
            return file_key
    raise NoMatchError("wrong key: the file was made for another key than the ones given")


def _refuse_mixed(header: Header) -> None:
    """A passphrase must stand alone whoever reads, so that it authenticates (age specification, scrypt)."""
    if len(header.stanzas) > 1 and any(stanza.type == "scrypt" for stanza in header.stanzas):
        raise HeaderError("a passphrase stands beside another recipient in the header")

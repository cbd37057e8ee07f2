"""age files (C2SP age.md, version 1): X25519, MLKEM768-X25519 and, for personal key files, scrypt.

Parsing is strict, there is one encoding, and kinds of recipients are never mixed in one file. Nothing that did
not verify is released; a target file gets its name only when it is whole.
"""

from handover.crypto.age.files import decrypt_bytes, decrypt_file, encrypt_bytes, encrypt_file, parse_header
from handover.crypto.age.header import Header, Stanza
from handover.crypto.age.keys import (
    generate_identity,
    identities_in,
    is_post_quantum,
    parse_recipient,
    recipient_of,
)
from handover.crypto.age.passphrase import Passphrase
from handover.crypto.age.reader import Reader
from handover.crypto.age.seekable import SeekableReader
from handover.crypto.age.stream import ciphertext_size
from handover.crypto.age.writer import Writer

__all__ = [
    "Header",
    "Passphrase",
    "Reader",
    "SeekableReader",
    "Stanza",
    "Writer",
    "ciphertext_size",
    "decrypt_bytes",
    "decrypt_file",
    "encrypt_bytes",
    "encrypt_file",
    "generate_identity",
    "identities_in",
    "is_post_quantum",
    "parse_header",
    "parse_recipient",
    "recipient_of",
]

"""The header of an age file: strict parser, one encoder, and its MAC (age specification, section Header).

Whatever parses is encoded back to the same bytes; the parser keeps the bytes it read, so the MAC is never computed
over a re-encoding.
"""

import base64
import binascii
import hmac
import re
from hashlib import sha256
from typing import NamedTuple, Protocol

from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.kdf.hkdf import HKDF

from handover.crypto.errors import HeaderError, HeaderMacError

VERSION_LINE = b"age-encryption.org/v1\n"
_COLUMNS = 64
_MAC_SIZE = 32
#: Room for about 150 post-quantum stanzas; more is no file of ours, and would only exhaust memory.
MAX_HEADER_SIZE = 1 << 18
_ARGUMENT_LINE = re.compile(rb"->(?: [\x21-\x7e]+)+")


class LineSource(Protocol):
    """Reads lines up to and including the newline."""

    def read_line(self, limit: int) -> bytes:
        """The next line, at most `limit` bytes; without a newline at the end of the source or at the limit."""


class Stanza(NamedTuple):
    """One wrapped file key: the type, its further arguments and the body."""

    type: str
    args: tuple[str, ...]
    body: bytes

    def encode(self) -> bytes:
        """Argument line and body lines; the last line is shorter than 64 columns, possibly empty."""
        text = b64encode(self.body)
        lines = [text[i : i + _COLUMNS] for i in range(0, len(text) + 1, _COLUMNS)]
        return ("\n".join([" ".join(["->", self.type, *self.args]), *lines]) + "\n").encode()


class Header(NamedTuple):
    """A parsed header: stanzas, MAC, and all its bytes including the MAC line."""

    stanzas: tuple[Stanza, ...]
    mac: bytes
    raw: bytes

    @property
    def sha256(self) -> str:
        """Hex SHA-256 over the whole header."""
        return sha256(self.raw).hexdigest()

    def check_mac(self, file_key: bytes) -> None:
        """Raises `HeaderMacError` unless the MAC was made with this file key over these bytes."""
        signed = self.raw[: self.raw.rindex(b"--- ") + 3]
        if not hmac.compare_digest(_mac(file_key, signed), self.mac):
            raise HeaderMacError("the header of the file was altered after it was written")


def build(stanzas: list[Stanza], file_key: bytes) -> Header:
    """The header over these stanzas."""
    signed = VERSION_LINE + b"".join(stanza.encode() for stanza in stanzas) + b"---"
    mac = _mac(file_key, signed)
    return Header(tuple(stanzas), mac, signed + b" " + b64encode(mac).encode() + b"\n")


def parse(source: LineSource) -> Header:
    """Reads a header and leaves the source at the payload.

    Raises:
        HeaderError: malformed, or of another version.
    """
    reader = _Lines(source)
    if reader.next() != VERSION_LINE[:-1]:
        raise HeaderError("this is not an age file of version 1")
    stanzas = []
    line = reader.next()
    while not line.startswith(b"---"):
        stanzas.append(_parse_stanza(line, reader))
        line = reader.next()
    if not stanzas:
        raise HeaderError("the header names no recipient")
    if not line.startswith(b"--- "):
        raise HeaderError("the MAC line of the header is malformed")
    mac = b64decode(line[4:])
    if len(mac) != _MAC_SIZE:
        raise HeaderError("the MAC of the header has the wrong length")
    return Header(tuple(stanzas), mac, bytes(reader.raw))


def b64encode(data: bytes) -> str:
    """Unpadded standard base64."""
    return base64.b64encode(data).decode().rstrip("=")


def b64decode(text: str | bytes) -> bytes:
    """Inverse of `b64encode`; refuses padding and non-canonical forms."""
    raw = text.encode() if isinstance(text, str) else text
    try:
        data = base64.b64decode(raw + b"=" * (-len(raw) % 4), validate=True)
    except (ValueError, binascii.Error) as error:
        raise HeaderError("base64 in the header is malformed") from error
    if b64encode(data).encode() != raw:
        raise HeaderError("base64 in the header is not canonical")
    return data


def hkdf(key: bytes, salt: bytes, info: bytes) -> bytes:
    """HKDF-SHA-256 to 32 bytes."""
    return HKDF(SHA256(), 32, salt, info).derive(key)


def _mac(file_key: bytes, signed: bytes) -> bytes:
    return hmac.digest(hkdf(file_key, b"", b"header"), signed, "sha256")


def _parse_stanza(line: bytes, reader: "_Lines") -> Stanza:
    if not _ARGUMENT_LINE.fullmatch(line):
        raise HeaderError("a recipient line of the header is malformed")
    kind, *args = line[3:].decode("ascii").split(" ")
    body = bytearray()
    while True:
        part = reader.next()
        if len(part) > _COLUMNS:
            raise HeaderError("a line of the header is too long")
        body += part
        if len(part) < _COLUMNS:
            return Stanza(kind, tuple(args), b64decode(bytes(body)))


class _Lines:
    """Lines of a header without their newline, with all bytes kept."""

    def __init__(self, source: LineSource) -> None:
        self._source = source
        self.raw = bytearray()

    def next(self) -> bytes:
        line = self._source.read_line(MAX_HEADER_SIZE - len(self.raw))
        if not line.endswith(b"\n"):
            raise HeaderError("the header is cut short, or is longer than a header can be")
        self.raw += line
        return line[:-1]

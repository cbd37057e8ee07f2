"""Writes a mail: headers in encoded words (RFC 2047), bodies and files in Base64, names by RFC 2231.

The same parts always give the same bytes. Boundaries hold characters that Base64 has not, so no part holds one by chance.
"""

import re
from base64 import b64encode
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from hashlib import sha256
from urllib.parse import quote

#: Bytes of text in one encoded word, which may be 75 characters long.
_WORD_BYTES = 39
_LINE = 76
#: Words with characters that a header can't hold bare (beyond ASCII, and the brackets of `[mobile]`, which no display name
#: may have), and the spaces between two of them; addresses and separators stay readable.
_WORD = r"[^\s<>,;\"@]*[^\x00-\x5a\x5c\x5e-\x7f][^\s<>,;\"@]*"
_WIDE = re.compile(rf"{_WORD}(?: +{_WORD})*")


@dataclass(frozen=True, slots=True)
class Part:
    """A body, or a file when it has a name."""

    media_type: str
    content: bytes
    name: str = ""


def header_line(name: str, value: str) -> str:
    """One header, folded; it decodes to `value`."""
    # What looks like an encoded word must not be decoded by the reader.
    text = _WIDE.sub(lambda found: _encoded_words(found[0]), value) if "=?" not in value else _encoded_words(value)
    lines = [f"{name}:"]
    for word in text.split(" "):
        if len(lines[-1]) + len(word) >= _LINE and lines[-1].strip() and not lines[-1].endswith(":"):
            lines.append("")
        lines[-1] += f" {word}"
    return "\r\n".join(lines) + "\r\n"


def _encoded_words(text: str) -> str:
    return " ".join(f"=?utf-8?b?{b64encode(chunk).decode()}?=" for chunk in _chunks(text))


def _chunks(text: str) -> Iterator[bytes]:
    """The text as UTF-8 in pieces that cut no character."""
    held = b""
    for character in text:
        data = character.encode("utf-8", "replace")
        if len(held) + len(data) > _WORD_BYTES:
            yield held
            held = b""
        held += data
    yield held


def build(headers: Sequence[str], bodies: Sequence[Part], files: Sequence[Part]) -> bytes:
    """The whole mail; a plain text and a page that stand alone are alternatives."""
    alternative = [body.media_type for body in bodies] == ["text/plain", "text/html"]
    inner = _multipart("alternative", list(map(_part, bodies))) if alternative else b""
    parts = [*([inner] if alternative else map(_part, bodies)), *map(_part, files)]
    content = parts[0] if len(parts) == 1 and not files else _multipart("mixed", parts)
    return "".join(headers).encode() + b"MIME-Version: 1.0\r\n" + content


def _multipart(kind: str, parts: Sequence[bytes]) -> bytes:
    # By the content, so that a mail within has another one.
    boundary = f"=_{sha256(b''.join(parts)).hexdigest()[:32]}"
    pieces = [f'Content-Type: multipart/{kind}; boundary="{boundary}"\r\n\r\n'.encode()]
    for part in parts:
        pieces += [f"--{boundary}\r\n".encode(), part, b"\r\n"]
    return b"".join([*pieces, f"--{boundary}--\r\n".encode()])


def _part(part: Part) -> bytes:
    head = f"Content-Type: {part.media_type}"
    if part.media_type.startswith("text/"):
        head += "; charset=utf-8"
    head += "\r\n"
    if part.name:
        head += f"Content-Disposition: attachment;\r\n filename*=utf-8''{quote(part.name)}\r\n"
    if part.media_type == "message/rfc822":
        # A mail within a mail may not be in Base64 (RFC 2046 §5.2.1); ours is ASCII with short lines.
        return head.encode() + b"\r\n" + part.content
    return head.encode() + b"Content-Transfer-Encoding: base64\r\n\r\n" + _base64(part.content)


def _base64(content: bytes) -> bytes:
    text = b64encode(content)
    return b"".join(text[at : at + _LINE] + b"\r\n" for at in range(0, len(text), _LINE))

"""Takes a mail apart: decoded headers (RFC 2047), the bodies in order, and the files that are attached (RFC 2045–2049).

Encodings are read strictly: a part whose bytes can't be recovered is refused, for others might recover them.
"""

import base64
import binascii
import email
import quopri
import re
from collections.abc import Iterator
from dataclasses import dataclass, field
from email import errors
from email.header import decode_header
from email.message import Message
from email.policy import compat32
from pathlib import PurePosixPath

from handover.formats.encoding import decode_as
from handover.formats.errors import FormatRefusedError, refuse

MAX_DEPTH = 10
MAX_PARTS = 1000
_MAX_HEADERS = 1000
#: Lines of the largest mail in Base64, and lines that may separate parts: the parser makes objects of each.
_MAX_LINES, _MAX_SEPARATORS = 1_000_000, 20_000
_FOLD = re.compile(r"\r?\n(?=[ \t])")
#: A name in quotes may be written as an encoded word, which stands without them.
_QUOTED_WIDE = re.compile(r'"([^"\\]*[^\x00-\x7f"\\][^"\\]*)"')
_ENCRYPTED = frozenset(
    {
        "multipart/encrypted",
        "application/pgp-encrypted",
        "application/pkcs7-mime",
        "application/x-pkcs7-mime",
    }
)
#: A signature no longer fits what is rewritten, and holds its signer's address.
_SIGNATURES = frozenset({"application/pkcs7-signature", "application/x-pkcs7-signature", "application/pgp-signature"})
_TNEF = frozenset({"application/ms-tnef", "application/vnd.ms-tnef"})
_INLINE_CIPHER = ("-----BEGIN PGP MESSAGE", "-----BEGIN PKCS7", "-----BEGIN AGE ENCRYPTED FILE")
#: Programs differ in which parts they find after these.
_CUT_SHORT = (
    errors.CloseBoundaryNotFoundDefect,
    errors.StartBoundaryNotFoundDefect,
    errors.NoBoundaryInMultipartDefect,
    errors.MultipartInvariantViolationDefect,
)
#: Headers of the transport's form: made anew, and what they name is seen elsewhere.
FORM = frozenset({"mime-version", "content-type", "content-transfer-encoding", "content-disposition"})
#: Endings for parts without a name.
_ENDINGS = {
    "text/plain": ".txt",
    "text/html": ".html",
    "text/csv": ".csv",
    "application/json": ".json",
    "application/pdf": ".pdf",
    "image/png": ".png",
    "image/jpeg": ".jpg",
    "application/zip": ".zip",
    "message/rfc822": ".eml",
}


@dataclass(slots=True)
class Mail:
    """A mail's contents."""

    #: Name and decoded value, in order.
    headers: list[tuple[str, str]] = field(default_factory=list)
    #: (`plain` or `html`, text) in order.
    bodies: list[tuple[str, str]] = field(default_factory=list)
    #: (name, bytes) in order, names all different.
    files: list[tuple[str, bytes]] = field(default_factory=list)
    #: What is read but not written again: text before and after the parts, headers of parts.
    hidden: list[str] = field(default_factory=list)
    dropped: list[str] = field(default_factory=list)


def take_apart(data: bytes) -> Mail:
    """The mail in `data`.

    Raises:
        FormatRefusedError: encrypted, damaged, or nested too deep.
    """
    mail = Mail()
    if data.count(b"\n") > _MAX_LINES or data.count(b"\n--") > _MAX_SEPARATORS:
        raise _too_many()
    try:
        message = email.message_from_bytes(data, policy=compat32)
        mail.headers = list(_headers(message))
        for part in _leaves(message, mail, 0):
            _sort(part, mail)
    except (RecursionError, errors.HeaderParseError, LookupError, ValueError, TypeError, AttributeError):
        # The library raises the last three on headers that are malformed in certain ways.
        raise _damaged() from None
    return mail


def _damaged() -> FormatRefusedError:
    return refuse("邮件已损坏，无法完整读取。", "The mail is damaged and can't be read whole.")


def _too_many() -> FormatRefusedError:
    return refuse(
        "邮件的行、邮件头或部分过多，无法检查。", "The mail has too many lines, headers or parts to be inspected."
    )


def _headers(part: Message) -> Iterator[tuple[str, str]]:
    raw = list(part.raw_items())
    if len(raw) > _MAX_HEADERS:
        raise _too_many()
    return ((name, header_text(value)) for name, value in raw)


def header_text(raw: object) -> str:
    """A header's value as it is shown, on one line."""
    value = _FOLD.sub("", _octets(str(raw)))
    text = "".join(
        part if isinstance(part, str) else decode_as(part, charset or "") for part, charset in decode_header(value)
    )
    return _QUOTED_WIDE.sub(r"\1", " ".join(text.replace("\0", "").splitlines())).strip()


def _octets(value: str) -> str:
    """The same text; bytes beyond ASCII, which some programs write unencoded, are decoded."""
    if value.isascii():
        return value
    return decode_as(value.encode("utf-8", "surrogateescape"), "")


def _leaves(part: Message, mail: Mail, depth: int) -> Iterator[Message]:
    kind = part.get_content_type()
    if kind in _ENCRYPTED:
        raise refuse(
            "邮件已加密，无法检查。请提供解密后的邮件。",
            "The mail is encrypted and can't be inspected. Provide it decrypted.",
        )
    if depth > MAX_DEPTH:
        raise refuse(f"邮件的嵌套超过 {MAX_DEPTH} 层。", f"The mail's parts are nested more than {MAX_DEPTH} deep.")
    if depth:
        mail.hidden += [value for name, value in _headers(part) if name.lower() not in FORM]
    if any(isinstance(defect, _CUT_SHORT) for defect in part.defects):
        raise _damaged()
    if kind == "message/rfc822" or not part.is_multipart():
        yield part
        return
    mail.hidden += filter(str.strip, map(_octets, [part.preamble or "", part.epilogue or ""]))
    payload = part.get_payload()
    for inner in payload if isinstance(payload, list) else []:
        if isinstance(inner, Message):
            yield from _leaves(inner, mail, depth + 1)


def _sort(part: Message, mail: Mail) -> None:
    kind = part.get_content_type()
    name = _file_name(part)
    if kind in _SIGNATURES:
        mail.dropped.append(name or kind)
        return
    if kind in _TNEF or name.lower() == "winmail.dat":
        raise refuse(
            "附件是 Outlook 的 winmail.dat，无法检查。请以普通格式发送。",
            "An attachment is Outlook's winmail.dat, which can't be inspected. Send it in plain form.",
        )
    content = _content(part)
    attached = part.get_content_disposition() == "attachment" or name
    if kind in {"text/plain", "text/html"} and not attached:
        text = decode_as(content, part.get_content_charset() or "").replace("\r\n", "\n")
        if any(mark in text for mark in _INLINE_CIPHER):
            raise refuse(
                "邮件正文里有加密内容，无法检查。",
                "The mail's text holds an encrypted message, which can't be inspected.",
            )
        mail.bodies.append((kind.partition("/")[2], text))
        return
    if len(mail.files) >= MAX_PARTS:
        raise _too_many()
    mail.files.append((_unlike([other for other, _ in mail.files], name or _no_name(kind, len(mail.files))), content))


def _no_name(kind: str, number: int) -> str:
    return f"part-{number + 1}{_ENDINGS.get(kind, '')}"


def _file_name(part: Message) -> str:
    """The name without folders; mails from China often encode it as a header, against the standard."""
    name = part.get_filename()
    if not name:
        return ""
    return header_text(name).replace("\\", "/").rpartition("/")[2].strip(" .") or "part"


def _unlike(others: list[str], name: str) -> str:
    path, again = PurePosixPath(name), 1
    while name in others:
        again += 1
        name = f"{path.stem}-{again}{path.suffix}"
    return name


def _content(part: Message) -> bytes:
    if part.get_content_type() == "message/rfc822":
        payload = part.get_payload()
        if not isinstance(payload, list) or not isinstance(payload[0], Message):
            raise _damaged()
        return payload[0].as_bytes(policy=compat32)
    payload = part.get_payload()
    if not isinstance(payload, str):
        raise _damaged()
    raw = payload.encode("utf-8", "surrogateescape")
    coding = str(part.get("content-transfer-encoding", "7bit")).strip().lower()
    if coding in {"7bit", "8bit", "binary", ""}:
        return raw
    if coding == "quoted-printable":
        return quopri.decodestring(raw)
    if coding == "base64":
        try:
            return base64.b64decode(b"".join(raw.split()), validate=True)
        except binascii.Error:
            raise refuse("邮件里有一段 Base64 已损坏。", "A part of the mail is damaged Base64.") from None
    raise refuse("邮件用了未知的传输编码。", "The mail uses an unknown transfer encoding.")

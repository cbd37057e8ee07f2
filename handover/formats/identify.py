"""Says what a file is from its first bytes; the name only decides between kinds that the bytes leave open.

A name that lies, an encrypted file, and every kind that can't be inspected are refused, with the reason in both
languages.
"""

import json
import re
from pathlib import PurePath

import msgspec

from handover.formats import delimited_sniffing, encoding
from handover.formats.errors import FormatRefusedError, refuse
from handover.i18n import Text

#: The formats that are inspected and rewritten.
FORMATS = (
    "csv",
    "xlsx",
    "jsonl",
    "json",
    "sqlite",
    "txt",
    "html",
    "eml",
    "docx",
    "pdf",
    "png",
    "jpeg",
    "zip",
)

#: How much of a file `identify` wants to see: enough for 200 rows of narratives.
HEAD_BYTES = 256 * 1024

#: First bytes, what they are, and the extensions that such a file rightly bears. In lower case it is the format's name.
_MAGIC: tuple[tuple[bytes, str, tuple[str, ...]], ...] = (
    (b"%PDF-", "PDF", ("pdf",)),
    (b"\x89PNG\r\n", "PNG", ("png",)),
    (b"\xff\xd8\xff", "JPEG", ("jpg", "jpeg")),
    (b"GIF8", "GIF", ("gif",)),
    (b"SQLite format 3\0", "SQLite", ("sqlite", "sqlite3", "db", "db3")),
    (b"Rar!\x1a\x07", "RAR", ("rar",)),
    (b"7z\xbc\xaf\x27\x1c", "7-Zip", ("7z",)),
    (b"\x1f\x8b", "gzip", ("gz", "tgz")),
    (b"BZh", "bzip2", ("bz2",)),
    (b"\xfd7zXZ\0", "xz", ("xz",)),
    (b"\x28\xb5\x2f\xfd", "zstd", ("zst",)),
    (b"\x78\x9f\x3e\x22", "TNEF (winmail.dat)", ("dat",)),
    (b"\x7fELF", "ELF", ()),
    (b"MZ\x90", "Windows EXE", ("exe", "dll")),
    (b"{\\rtf", "RTF", ("rtf", "doc")),
)
_ENCRYPTED_MAGIC = (b"age-encryption.org/", b"-----BEGIN AGE", b"-----BEGIN PGP MESSAGE", b"Salted__")
_OLE = b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1"
_ZIP = (b"PK\x03\x04", b"PK\x05\x06", b"PK\x07\x08")
_TABLE_NAMES = frozenset({"csv", "tsv", "tab"})
_TEXT_NAMES = frozenset({"txt", "log", "md", "text"})
_JSONL_NAMES = frozenset({"jsonl", "ndjson"})
_HTML_NAMES = frozenset({"html", "htm", "xhtml"})
#: Names of kinds that are never text, whatever the text says.
_BINARY_NAMES = frozenset(
    {"xlsx", "pdf", "png", "jpg", "jpeg", "docx", "doc", "xls", "zip", "sqlite", "sqlite3", "db", "db3", "eml"}
)
_HTML_START = re.compile(
    r"\s*(?:<\?xml[^>]*>\s*)?(?:<!--.*?-->\s*)*<(?:!doctype\s+html|html|head|body|meta|title|table|div|p|span|h[1-6]|ul|ol|br)\b",
    re.IGNORECASE | re.DOTALL,
)
_XML_START = re.compile(r"\s*<(?:\?xml|!DOCTYPE|svg\b|!ENTITY)", re.IGNORECASE)
_HEADER_LINE = re.compile(rb"(?:From |[!-9;-~]+:)")
_MAIL_HEADER = re.compile(
    rb"^(?:From|To|Cc|Subject|Date|Received|Return-Path|Delivered-To|Message-ID|MIME-Version|Content-Type|Content-Transfer-Encoding|DKIM-Signature|X-[A-Za-z-]+):",
    re.IGNORECASE | re.MULTILINE,
)
#: So many different headers of a mail are no accident.
_SURELY_MAIL = 3
_JSON_STARTS = tuple('{["-0123456789tfn')
_OPENDOCUMENT = b"mimetypeapplication/vnd.oasis.opendocument"
_OFFICE_CONTENT = b"[Content_Types].xml"


class FormatGuess(msgspec.Struct, frozen=True, kw_only=True):
    """What a file is; `refused` says why it can't be inspected, and then `format` is empty."""

    format: str = ""
    encoding: str = ""
    delimiter: str = ""
    refused: Text | None = None


def identify(head: bytes, name: str) -> FormatGuess:
    """What the file is, by its first `HEAD_BYTES` bytes (or all of it)."""
    try:
        return _identify(head, PurePath(name).suffix.lower().lstrip("."))
    except FormatRefusedError as error:
        return FormatGuess(refused=error.reason)


def _identify(head: bytes, extension: str) -> FormatGuess:
    if not head:
        raise refuse("文件是空的。", "The file is empty.")
    if head.startswith(_ZIP):
        return _zip(head, extension)
    if (guess := _binary(head, extension)) is not None:
        return guess
    if _is_mail(head, extension):
        # Its parts may each be in another encoding, so nothing is said of the whole.
        return FormatGuess(format="eml")
    if extension in _HTML_NAMES and b"\0" not in head and _HTML_START.match(head[:4096].decode("latin-1")):
        # A page says its own encoding.
        return FormatGuess(format="html")
    coding = encoding.detect(head)
    text = encoding.decode_head(head, coding)
    if extension in _BINARY_NAMES:
        raise refuse(
            f"文件名以 .{extension} 结尾，内容却是文本，两者不符。请核对文件。",
            f"The name ends in .{extension} but the content is text. Check the file.",
        )
    return _text(text, coding, extension)


def _is_mail(head: bytes, extension: str) -> bool:
    """True when the bytes before the first empty line are a mail's headers."""
    headers = head.replace(b"\r\n", b"\n").lstrip(b"\n").split(b"\n\n", 1)[0]
    if not _HEADER_LINE.match(headers):
        return False
    known = {found[0].lower() for found in _MAIL_HEADER.finditer(headers)}
    if extension == "eml":
        return bool(known)
    if len(known) < _SURELY_MAIL:
        return False
    if extension:
        # As plain text its encoded parts would not be seen.
        raise _lie(extension, "e-mail")
    return True


def _text(text: str, coding: str, extension: str) -> FormatGuess:
    if extension in _TEXT_NAMES:
        return FormatGuess(format="txt", encoding=coding)
    if extension in _HTML_NAMES:
        return FormatGuess(format="html", encoding=coding)
    kind = _markup(text) or _json(text, extension)
    if extension in _JSONL_NAMES:
        if kind != "jsonl":
            raise refuse(
                "文件名说是 JSONL，但第一行不是一个 JSON 对象。",
                "The name says JSONL, but the first line is no JSON object.",
            )
        return FormatGuess(format="jsonl", encoding=coding)
    if extension == "json" and kind not in {"json", "jsonl"}:
        raise refuse("文件名说是 JSON，内容却不是。", "The name says JSON, but the content is not.")
    if kind and extension in _TABLE_NAMES:
        raise _lie(extension, kind.upper())
    if kind:
        return FormatGuess(format=kind, encoding=coding)
    sniffed = delimited_sniffing.sniff(text, prefer="\t" if extension in {"tsv", "tab"} else ",")
    if extension in _TABLE_NAMES or sniffed.is_table:
        return FormatGuess(format="csv", encoding=coding, delimiter=sniffed.delimiter)
    return FormatGuess(format="txt", encoding=coding)


def _markup(text: str) -> str:
    """`html`, or nothing."""
    if _HTML_START.match(text):
        return "html"
    if _XML_START.match(text):
        # As plain text, what its character references spell would not be seen.
        raise _not_yet("XML")
    return ""


def _json(text: str, extension: str) -> str:
    """`jsonl` when the first line is an object and is not all there is, `json` for any other document, or nothing."""
    first, _, rest = text.lstrip().partition("\n")
    if not first.startswith(("{", "[")) and extension != "json":
        return ""
    try:
        value = json.loads(first)
    except (ValueError, RecursionError):
        return "json" if _begins_json(first, rest, extension) else ""
    if isinstance(value, dict) and (rest.strip() or extension != "json"):
        return "jsonl"
    return "json" if not rest.strip() else ""


def _begins_json(first: str, rest: str, extension: str) -> bool:
    """Whether a document goes on below its first line; with a telling name its reader will say what is wrong."""
    if extension == "json":
        return first.startswith(_JSON_STARTS)
    start = (first + rest[:200]).replace(" ", "").replace("\t", "").replace("\r", "").replace("\n", "")
    return start.startswith(('{"', '[{"', "[[", '["')) and (":" in start or start.startswith("["))


def _zip(head: bytes, extension: str) -> FormatGuess:
    if _OPENDOCUMENT in head[:200]:
        raise _not_yet("OpenDocument")
    inside = ((b"word/", "DOCX"), (b"ppt/", "PPTX"), (b"xl/", "xlsx"))
    kind = next((kind for marker, kind in inside if marker in head), "xlsx" if extension == "xlsx" else "ZIP")
    if extension == "zip" and _OFFICE_CONTENT not in head:
        kind = "ZIP"  # a folder of that name is no Office document
    if kind == "xlsx":
        if extension not in {"xlsx", "xlsm", ""}:
            raise _lie(extension, "XLSX")
        return FormatGuess(format="xlsx")
    if extension and extension != kind.lower():
        raise _lie(extension, kind)
    return _inspected(kind)


def _inspected(kind: str) -> FormatGuess:
    """The guess for a kind that its bytes give away, if it has a reader."""
    if kind.lower() not in FORMATS:
        raise _not_yet(kind)
    return FormatGuess(format=kind.lower())


def _binary(head: bytes, extension: str) -> FormatGuess | None:
    if head.startswith(_ENCRYPTED_MAGIC):
        raise refuse(
            "文件已加密，无法检查。请提供解密后的文件。",
            "The file is encrypted and can't be inspected. Provide it decrypted.",
        )
    if head.startswith(_OLE):
        if extension in {"xlsx", "docx"} or "EncryptedPackage".encode("utf-16-le") in head:
            raise refuse(
                "文件有打开密码，无法检查。请去掉密码后另存。",
                "The file is protected by a password and can't be inspected. Save it without one.",
            )
        raise refuse(
            "这是旧式 Office 文件（.xls/.doc），尚不能检查。请另存为 XLSX 或 DOCX。",
            "This is an old Office file (.xls/.doc), which can't be inspected yet. Save it as XLSX or DOCX.",
        )
    for magic, kind, extensions in _MAGIC:
        if head.startswith(magic):
            if extension and extension not in extensions:
                raise _lie(extension, kind)
            return _inspected(kind)
    return None


def _lie(extension: str, kind: str) -> FormatRefusedError:
    return refuse(
        f"文件名以 .{extension} 结尾，内容却是 {kind}，两者不符。请核对文件。",
        f"The name ends in .{extension} but the content is {kind}. Check the file.",
    )


def _not_yet(kind: str) -> FormatRefusedError:
    can = "、".join(name.upper() for name in FORMATS)
    return refuse(
        f"尚不能检查 {kind} 文件里的个人信息，因此不接收。可以接收：{can}。",
        f"{kind} files can't be inspected for personal data yet, so they are refused. Provide one of {can.replace('、', ', ')}.",
    )

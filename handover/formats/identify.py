"""Says what a file is from its first bytes; the name only decides between kinds that the bytes leave open.

A name that lies, an encrypted file, and every kind that can't be inspected are refused, with the reason in both
languages.
"""

import json
from pathlib import PurePath

import msgspec

from handover.formats import delimited_sniffing, encoding
from handover.formats.errors import FormatRefusedError, refuse
from handover.i18n import Text

#: The formats that are inspected and rewritten.
FORMATS = ("csv", "xlsx", "jsonl", "txt", "pdf", "docx", "png", "jpeg")

#: How much of a file `identify` wants to see: enough for 200 rows of narratives.
HEAD_BYTES = 256 * 1024

#: First bytes, what they are, and the extensions that such a file rightly bears. In lower case it is the format's name.
_MAGIC: tuple[tuple[bytes, str, tuple[str, ...]], ...] = (
    (b"%PDF-", "PDF", ("pdf",)),
    (b"\x89PNG\r\n", "PNG", ("png",)),
    (b"\xff\xd8\xff", "JPEG", ("jpg", "jpeg")),
    (b"GIF8", "GIF", ("gif",)),
    (b"SQLite format 3\0", "SQLite", ("sqlite", "sqlite3", "db")),
    (b"Rar!\x1a\x07", "RAR", ("rar",)),
    (b"7z\xbc\xaf\x27\x1c", "7-Zip", ("7z",)),
    (b"\x1f\x8b", "gzip", ("gz", "tgz")),
    (b"BZh", "bzip2", ("bz2",)),
    (b"\xfd7zXZ\0", "xz", ("xz",)),
    (b"\x28\xb5\x2f\xfd", "zstd", ("zst",)),
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
_OTHER_KNOWN = frozenset(
    {"pdf", "png", "jpg", "jpeg", "docx", "doc", "xls", "eml", "zip", "sqlite", "db", "html", "htm"}
)


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
    coding = encoding.detect(head)
    text = encoding.decode_head(head, coding)
    if extension == "xlsx" or extension in _OTHER_KNOWN:
        raise refuse(
            f"文件名以 .{extension} 结尾，内容却是文本，两者不符。请核对文件。",
            f"The name ends in .{extension} but the content is text. Check the file.",
        )
    return _text(text, coding, extension)


def _text(text: str, coding: str, extension: str) -> FormatGuess:
    if extension in _TEXT_NAMES:
        return FormatGuess(format="txt", encoding=coding)
    jsonl = _is_jsonl(text)
    if extension in _JSONL_NAMES or (extension == "json" and jsonl):
        if not jsonl:
            raise refuse(
                "文件名说是 JSONL，但第一行不是一个 JSON 对象。",
                "The name says JSONL, but the first line is no JSON object.",
            )
        return FormatGuess(format="jsonl", encoding=coding)
    if extension == "json":
        raise refuse(
            "尚不能检查整份 JSON 文档；请改为每行一个对象的 JSONL。",
            "A single JSON document can't be inspected yet; provide JSONL with one object a line.",
        )
    sniffed = delimited_sniffing.sniff(text, prefer="\t" if extension in {"tsv", "tab"} else ",")
    if extension in _TABLE_NAMES:
        if jsonl:
            raise refuse(
                f"文件名以 .{extension} 结尾，内容却是 JSONL。",
                f"The name ends in .{extension} but the content is JSONL.",
            )
        return FormatGuess(format="csv", encoding=coding, delimiter=sniffed.delimiter)
    if jsonl:
        return FormatGuess(format="jsonl", encoding=coding)
    if sniffed.is_table:
        return FormatGuess(format="csv", encoding=coding, delimiter=sniffed.delimiter)
    return FormatGuess(format="txt", encoding=coding)


def _is_jsonl(text: str) -> bool:
    first = next((line for line in text.split("\n") if line.strip()), "")
    if not first.lstrip().startswith("{"):
        return False
    try:
        return isinstance(json.loads(first), dict)
    except (ValueError, RecursionError):
        # A record longer than the head is cut, not malformed.
        return "\n" not in text and len(text) >= HEAD_BYTES // 4


def _zip(head: bytes, extension: str) -> FormatGuess:
    inside = ((b"word/", "DOCX"), (b"ppt/", "PPTX"), (b"xl/", "xlsx"))
    kind = next((kind for marker, kind in inside if marker in head), "xlsx" if extension == "xlsx" else "ZIP")
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
        if extension == "xlsx" or "EncryptedPackage".encode("utf-16-le") in head:
            raise refuse(
                "工作簿有打开密码，无法检查。请去掉密码后另存。",
                "The workbook is protected by a password and can't be inspected. Save it without one.",
            )
        raise refuse(
            "这是旧式 Office 文件（.xls/.doc），尚不能检查。请另存为 XLSX。",
            "This is an old Office file (.xls/.doc), which can't be inspected yet. Save it as XLSX.",
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
    return refuse(
        f"尚不能检查 {kind} 文件里的个人信息，因此不接收。请提供 CSV、XLSX、JSONL 或 TXT。",
        f"{kind} files can't be inspected for personal data yet, so they are refused. Provide CSV, XLSX, JSONL or TXT.",
    )

"""A file is what its bytes say; a name that lies, and whatever can't be inspected, is refused with the reason in both languages."""

import codecs

import pytest

from handover.formats import identify

CSV = "姓名,手机\n张三,13812345678\n李四,13912345678\n"


@pytest.mark.parametrize(
    ("head", "name", "expected"),
    [
        (CSV.encode(), "a.csv", ("csv", "utf-8")),
        (CSV.encode("utf-8-sig"), "a.csv", ("csv", "utf-8-sig")),
        (CSV.encode("gb18030"), "a.csv", ("csv", "gb18030")),
        (codecs.BOM_UTF16_LE + CSV.encode("utf-16-le"), "a.csv", ("csv", "utf-16")),
        (CSV.replace(",", "\t").encode(), "a.tsv", ("csv", "utf-8")),
        (CSV.encode(), "no-extension", ("csv", "utf-8")),
        (b'{"a":1}\n{"a":2}\n', "a.jsonl", ("jsonl", "ascii")),
        ("一行话，没有表格。\n".encode(), "a.txt", ("txt", "utf-8")),
        ("投诉记录".encode("gb18030"), "a.txt", ("txt", "gb18030")),
        (b'{\n "a": 1\n}\n', "a.json", ("json", "ascii")),
        (b'{"a":1}', "a.json", ("json", "ascii")),
        (b'[{"a":1},\n{"a":2}]', "no-extension", ("json", "ascii")),
        (b'{"a":1}\n{"a":2}\n', "a.json", ("jsonl", "ascii")),
        ("<!doctype html><p>你好".encode(), "no-extension", ("html", "utf-8")),
        ("你好<b>x</b>".encode(), "a.htm", ("html", "utf-8")),
        (b"From: a@b.cn\nTo: c@d.cn\nSubject: x\n\nMTM4", "no-extension", ("eml", "")),
        (b"SQLite format 3\0" + b"\0" * 50, "a.db", ("sqlite", "")),
        (b"PK\x03\x04" + b"\0" * 26 + b"word/a.csv", "a.zip", ("zip", "")),
    ],
)
def test_content_decides_the_format_and_encoding(head: bytes, name: str, expected: tuple[str, str]) -> None:
    guess = identify(head, name)
    assert (guess.format, guess.encoding, guess.refused) == (*expected, None)


@pytest.mark.parametrize(
    ("head", "name", "word"),
    [
        (b"", "a.csv", "empty"),
        (b"%PDF-1.7", "a.csv", "PDF"),
        (b"\x89PNG\r\n\x1a\n", "a.xlsx", "PNG"),
        (b"a,b\n1,2\n", "a.xlsx", "text"),
        (b"PK\x03\x04" + b"\0" * 26 + b"word/document.xml", "a.xlsx", "DOCX"),
        (b"PK\x03\x04" + b"\0" * 26 + b"readme.md", "a.csv", "ZIP"),
        (b"PK\x03\x04" + b"\0" * 26 + b"mimetypeapplication/vnd.oasis.opendocument.text", "a.odt", "OpenDocument"),
        (b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1" + b"\0" * 100, "a.xlsx", "password"),
        (b"age-encryption.org/v1\n-> X25519 a\n", "a.txt", "encrypted"),
        (b"a\0b\0c", "a.csv", "binary"),
        ("café,naïve,señor\nGarçon,Zürich,déjà\n".encode("latin-1"), "a.csv", "UTF-8"),
        (b"not json\n", "a.jsonl", "JSON"),
        (b"hello\n", "a.json", "JSON"),
        (b'[{"a": 1}]', "a.csv", "JSON"),
        (b"<!doctype html><p>x", "a.csv", "HTML"),
        (b"<!doctype html><p>x", "a.json", "JSON"),
        (b"<?xml version='1.0'?><a>&#49;&#51;</a>", "a.xml", "XML"),
        (b"From: a@b.cn\nTo: c@d.cn\nSubject: x\n\nMTM4", "a.txt", "e-mail"),
        (b"SQLite format 3\0" + b"\0" * 50, "a.csv", "SQLite"),
        (b"\x01\x02\x03\x04\x05\x06 text", "a.txt", "binary"),
        (b"\xff\xfe\x00\xd8\x00\x00", "a.txt", "binary"),
        (b"GIF89a", "a.gif", "GIF"),
        (b"\x78\x9f\x3e\x22\x01", "winmail.dat", "TNEF"),
    ],
)
def test_what_cannot_be_inspected_is_refused_with_the_reason(head: bytes, name: str, word: str) -> None:
    guess = identify(head, name)
    assert guess.format == ""
    assert guess.refused is not None
    assert word in guess.refused.en
    assert guess.refused.zh

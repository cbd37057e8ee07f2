"""Mails: whatever any client shows of one is read, in any encoding; the new mail holds no more than it says."""

import base64
import email
import email.policy
from email.message import EmailMessage

import pytest
from hypothesis import given
from hypothesis import strategies as st

from handover.formats import FormatRefusedError
from handover.formats.encoding import decode_as
from handover.formats.mail_parts import header_text
from handover.formats.mail_writing import header_line
from tests.formats.rewriting import archive, read, rewrite

PLANTED = "13812345678"


def mail(**headers: str) -> EmailMessage:
    message = EmailMessage()
    given = {"From": "张三 <zhang@example.com>", "To": "li@example.com", "Subject": "关于投诉"} | headers
    for name, value in given.items():
        message[name.replace("_", "-")] = value
    message.set_content(f"电话{PLANTED}\n")
    return message


def raw(body: bytes, *headers: bytes) -> bytes:
    return b"\r\n".join([b"From: a@b.cn", b"Subject: x", b"MIME-Version: 1.0", *headers, b"", body])


def test_headers_bodies_and_attachments_are_read() -> None:
    message = mail(Cc="王五 <wang@example.com>", Received="from pc-13812345678 ([10.1.2.3])", X_Mailer="Foxmail")
    message.add_alternative(f"<p>电话138<b>1234</b>5678</p><!-- {PLANTED} -->", subtype="html")
    message.add_attachment(
        "姓名,手机\n张三,13812345678\n".encode("gb18030"), maintype="text", subtype="csv", filename="张三.csv"
    )
    reading, values = read(message.as_bytes(), "a.eml")
    assert values["from"] == ["张三 <zhang@example.com>"]
    assert values["cc"] == ["王五 <wang@example.com>"]
    assert values["subject"] == ["关于投诉"]
    assert values["body"] == [f"电话{PLANTED}\n", f"电话{PLANTED}"]
    assert values["file_name"] == ["张三"]
    assert values["张三.csv!手机"] == [PLANTED]
    assert {"Received: from pc-13812345678 ([10.1.2.3])", "X-Mailer: Foxmail", f" {PLANTED} "} <= set(values["hidden"])
    assert reading.notes.members == {"张三.csv": "csv"}


def test_new_mail_is_understood_by_others_and_holds_the_needed_headers_alone() -> None:
    message = mail(Date="Mon, 01 Jan 2024 10:00:00 +0800", Message_ID="<1@pc-zhang>", Received="from pc-zhang", X_A="b")
    message.add_alternative("<p>你好</p>", subtype="html")
    message.add_attachment(b"a,b\n1,2\n", maintype="text", subtype="csv", filename="表 1.csv")
    inner = mail(Subject="内层")
    message.add_attachment(inner)
    out = rewrite(message.as_bytes(), "a.eml", replace={PLANTED: "[mobile]", "张三": "[name]", "表": "[t]"})
    again = email.message_from_bytes(out, policy=email.policy.default)
    assert not again.defects
    assert set(again.keys()) == {"Date", "From", "To", "Subject", "MIME-Version", "Content-Type"}
    sender = again["From"].addresses[0]
    assert (sender.display_name, sender.addr_spec) == ("[name]", "zhang@example.com")
    assert again["Subject"] == "关于投诉"
    assert again.get_body(("plain",)).get_content() == "电话[mobile]\n"  # type: ignore[union-attr]
    assert "你好" in again.get_body(("html",)).get_content()  # type: ignore[union-attr]
    files = {part.get_filename(): part for part in again.iter_attachments()}
    assert list(files) == ["[t] 1.csv", "part-2.eml"]
    assert files["[t] 1.csv"].get_content().lstrip("\ufeff") == "a,b\r\n1,2\r\n"
    assert files["part-2.eml"].get_content()["Subject"] == "内层"
    assert b"pc-zhang" not in out
    assert rewrite(out, "a.eml") == out


@pytest.mark.parametrize(
    "charset", ["gb2312", "gb18030", "gbk", "big5", "utf-8", "utf-16", "hz-gb-2312", "us-ascii", "iso-8859-1"]
)
@pytest.mark.parametrize("transfer", ["base64", "quoted-printable"])
def test_body_in_any_encoding_is_read(charset: str, transfer: str) -> None:
    text = "電話" if charset == "big5" else "电话地址"
    data = text.encode({"hz-gb-2312": "hz", "us-ascii": "utf-8", "iso-8859-1": "gb18030"}.get(charset, charset))
    encoded = base64.encodebytes(data) if transfer == "base64" else b"".join(b"=%02X" % byte for byte in data)
    message = raw(
        encoded,
        f"Content-Type: text/plain; charset={charset}".encode(),
        f"Content-Transfer-Encoding: {transfer}".encode(),
    )
    assert read(message, "a.eml")[1]["body"] == [text]


def test_encoded_words_are_joined_before_they_are_read() -> None:
    number = "=?utf-8?B?" + base64.b64encode(b"1381").decode() + "?= =?gb2312?Q?2345678?="
    assert header_text(number) == PLANTED
    assert header_text("=?gb2312?B?" + base64.b64encode("张三".encode("gb2312")).decode() + "?=") == "张三"


def test_header_in_raw_bytes_is_read() -> None:
    data = "From: a@b.cn\r\nSubject: 张三投诉\r\nTo: c@d.cn\r\n\r\nx".encode("gb18030")
    assert read(data, "a.eml")[1]["subject"] == ["张三投诉"]


@given(st.text(st.characters(exclude_categories=("Cc", "Cs", "Zl", "Zp"), exclude_characters="\ufeff"), max_size=80))
def test_header_comes_back_as_it_was(value: str) -> None:
    value = " ".join(value.replace(chr(34), "").split())
    line = header_line("Subject", value)
    assert line.isascii()
    assert all(len(part) < 998 for part in line.split("\r\n"))
    assert header_text(line.removeprefix("Subject:").removesuffix("\r\n").lstrip(" ")) == value


def test_mail_that_is_not_kept_loses_its_text_and_the_names_of_its_files() -> None:
    message = mail()
    message.add_attachment(b"a,b\n1,2\n", maintype="text", subtype="csv", filename="zhang.csv")
    out = rewrite(message.as_bytes(), "a.eml", [False, True])
    assert b"zhang" not in out
    assert b"file-1.csv" in out
    assert read(out, "a.eml")[1]["file-1.csv!a"] == ["1"]


def _attached(name: str, content: bytes) -> bytes:
    message = mail()
    message.add_attachment(content, maintype="application", subtype="octet-stream", filename=name)
    return message.as_bytes()


@pytest.mark.parametrize(
    ("data", "word"),
    [
        (raw(b"MIAGCSqGSIb3DQEHA6CA", b"Content-Type: application/pkcs7-mime; smime-type=enveloped-data"), "encrypted"),
        (raw(b"", b'Content-Type: multipart/encrypted; boundary="b"'), "encrypted"),
        (raw(b"-----BEGIN PGP MESSAGE-----\r\n\r\nhQ", b"Content-Type: text/plain"), "encrypted"),
        (_attached("winmail.dat", b"\x78\x9f\x3e\x22"), "winmail"),
        (_attached("a.exe", b"MZ\x90\0"), "a.exe"),
        (_attached("a.zip", archive({"b.bin": b"\0\1\2"})), "a.zip: b.bin"),
        (raw(b"MTM4*", b"Content-Type: text/plain", b"Content-Transfer-Encoding: base64"), "Base64"),
        (raw(b"begin 644 a", b"Content-Type: text/plain", b"Content-Transfer-Encoding: x-uuencode"), "transfer"),
        (raw(b"--b\r\n\r\nx", b'Content-Type: multipart/mixed; boundary="b"'), "damaged"),
        (raw(b"x", b"Content-Type: multipart/mixed"), "damaged"),
    ],
)
def test_what_cannot_be_inspected_is_refused(data: bytes, word: str) -> None:
    with pytest.raises(FormatRefusedError, match=word):
        read(data, "a.eml")


def test_tolerant_reader_reports_the_attachment_that_blocks_and_reads_the_rest() -> None:
    reading, values = read(_attached("a.exe", b"MZ\x90\0"), "a.eml", tolerant=True)
    assert list(reading.notes.blocked) == ["a.exe"]
    assert values["body"] == [f"电话{PLANTED}\n"]


def test_name_of_an_encoding_with_a_zero_byte_is_refused_or_guessed() -> None:
    with pytest.raises(FormatRefusedError):
        read(raw("电话 13812345678".encode(), b"Content-Type: text/plain; charset=utf\0-8"), "a.eml")
    assert decode_as(b"plain", "utf\0-8") == "plain"

"""Every format through the three children: what was planted is found, gone from the output in every form, and nothing else is."""

import email
import email.policy
import io
import sqlite3
import zipfile
from contextlib import closing
from email.message import EmailMessage
from pathlib import Path

import msgspec
import pytest

from handover.detection import ScanReport, SpanRow, inspect_isolated
from handover.formats import FormatRefusedError, open_records
from handover.masking import default_policy, redact_isolated, residual_isolated
from handover.sandbox import LocalFile

KEY = b"k" * 32
MOBILE, MAIL, IDENTITY, NAME = "13812345678", "zhang.wei@example.com", "11010519491231002X", "张伟民"
ORDINARY = "货物于周二送达，包装完好"
SENTENCE = f"{ORDINARY}。客户姓名：{NAME}，手机{MOBILE}，邮箱 {MAIL}，身份证号{IDENTITY}。"


def json_document() -> bytes:
    record = {"姓名": NAME, "联系": {"手机": [MOBILE], "邮箱": MAIL}, "身份证": IDENTITY, "备注": SENTENCE}
    return msgspec.json.encode([record, {"备注": "无"}])


def sqlite_database() -> bytes:
    with closing(sqlite3.connect(":memory:")) as connection:
        connection.execute("CREATE TABLE 客户 (编号 INTEGER PRIMARY KEY, 姓名 TEXT, 手机 TEXT, 备注 BLOB)")
        connection.execute("INSERT INTO 客户 VALUES (1, ?, ?, ?)", (NAME, MOBILE, SENTENCE.encode()))
        connection.execute("CREATE TABLE 工单 (内容 TEXT)")
        connection.execute("INSERT INTO 工单 VALUES (?)", (SENTENCE,))
        connection.execute(f"CREATE VIEW v AS SELECT '{MOBILE}'")
        connection.commit()
        return connection.serialize()


def html_page() -> bytes:
    text = SENTENCE.replace(MOBILE, "138<b>1234</b>5678").replace(IDENTITY, "<i>110105</i>19491231002X")
    entities = "".join(f"&#{ord(c)};" for c in MOBILE)
    return (
        f"<html><head><meta charset='gbk'><title>{ORDINARY}</title><script>var t='{MOBILE}'</script></head><body>"
        f"<h1>客户姓名：{NAME}</h1><p>{text}</p><ul><li>电话{entities}<li><a href='mailto:{MAIL}'>信</a></ul><!-- {SENTENCE} --></body></html>"
    ).encode("gb18030")


def mail() -> bytes:
    message = EmailMessage()
    message["From"], message["To"], message["Subject"] = f"{NAME} <{MAIL}>", "b@example.org", f"手机{MOBILE}的投诉"
    message["Message-ID"], message["Received"] = f"<{MAIL}>", f"from {MOBILE}"
    message.set_content(SENTENCE, charset="gb18030", cte="base64")
    message.add_alternative(html_page().decode("gb18030"), subtype="html", cte="quoted-printable")
    message.add_attachment(json_document(), maintype="application", subtype="json", filename=f"手机{MOBILE}.json")
    return message.as_bytes()


def archive() -> bytes:
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w", zipfile.ZIP_DEFLATED) as target:
        target.writestr(
            f"客户/手机{MOBILE}/清单.csv", f"姓名,手机,备注\n{NAME},{MOBILE},{SENTENCE}\n".encode("gb18030")
        )
        target.writestr("邮件.eml", mail())
        target.writestr("库.db", sqlite_database())
        target.writestr("页.html", html_page())
        inner = io.BytesIO()
        with zipfile.ZipFile(inner, "w") as nested:
            nested.writestr("说明.txt", SENTENCE)
            nested.writestr("空.txt", b"")
        target.writestr("内.zip", inner.getvalue())
    return buffer.getvalue()


FILES = {
    "a.json": json_document,
    "a.db": sqlite_database,
    "a.html": html_page,
    "a.eml": mail,
    "a.zip": archive,
}


def texts(data: bytes, name: str) -> str:
    return "\n".join(
        value for batch in open_records([data], name).batches for column in batch.columns for value in column.values
    )


def stored(data: bytes) -> bytes:
    """The bytes, and those of every archive's entries and every mail's parts in them."""
    found = [data]
    if data.startswith(b"PK"):
        with zipfile.ZipFile(io.BytesIO(data)) as source:
            found += [stored(source.read(name)) + name.encode() for name in source.namelist()]
    elif data.startswith(b"From:"):
        parts = email.message_from_bytes(data, policy=email.policy.default).walk()
        found += [stored(part.get_payload(decode=True) or b"") + str(part.items()).encode() for part in parts]
    return b"\n".join(found)


@pytest.mark.parametrize("name", FILES)
def test_planted_values_are_found_and_gone_and_the_rest_is_whole(name: str) -> None:
    data = FILES[name]()
    source = lambda: [data]  # noqa: E731 - a source is a callable
    report = inspect_isolated(source, name, key=KEY)
    assert report.blocked is None
    # In a page alone no column says which names there are.
    planted = {"mobile": MOBILE, "email": MAIL, "resident_id": IDENTITY} | (
        {} if name == "a.html" else {"person_name": NAME}
    )
    assert planted.keys() <= report.kinds().keys()
    out: list[bytes] = []
    redact_isolated(source, name, default_policy(), KEY, sink=out.append)
    output = b"".join(out)
    for value in planted.values():
        for form in (value.encode(), value.encode("utf-16-le"), value.encode("utf-16-be"), value.encode("gb18030")):
            assert form not in stored(output)
        assert value not in texts(output, name)
    assert texts(output, name).count(ORDINARY) == texts(data, name).count(ORDINARY) - hidden(data, name)
    second = residual_isolated(lambda: [output], name, default_policy(), source=source)
    assert second.leftover == {}
    assert redact_again(data, name) == output


def hidden(data: bytes, name: str) -> int:
    """How often the sentence stands where nobody sees it."""
    return sum(
        value.count(ORDINARY)
        for batch in open_records([data], name).batches
        for column in batch.columns
        if column.name.rpartition("!")[2] == "hidden"
        for value in column.values
    )


def redact_again(data: bytes, name: str) -> bytes:
    out: list[bytes] = []
    redact_isolated(lambda: [data], name, default_policy(), KEY, sink=out.append)
    return b"".join(out)


def inspected(data: bytes) -> tuple[ScanReport, list[SpanRow]]:
    rows: list[bytes] = []
    report = inspect_isolated(lambda: [data], "a.zip", key=KEY, on_spans=rows.append)
    return report, [msgspec.json.decode(line, type=SpanRow) for block in rows for line in block.splitlines()]


def test_report_of_an_archive_tells_its_files_apart() -> None:
    report, spans = inspected(archive())
    members = {member.path: member for member in report.members}
    path = f"客户/手机{MOBILE}/清单.csv"
    assert (members[path].format, members[path].records, members[path].persons) == ("csv", 1, 1)
    assert members["内.zip!空.txt"].format == ""
    assert members[f"邮件.eml!手机{MOBILE}.json"].records == 2
    assert report.records == 5 + sum(member.records for member in report.members)
    field = next(field for field in report.fields if field.member == path and field.name.endswith("!手机"))
    assert field.kinds == {"mobile": 1}
    assert any((s.member, s.field, s.record, s.kind) == (path, "手机", 0, "mobile") for s in spans)
    assert any((s.member, s.field, s.record, s.kind) == ("", "file_name", 0, "mobile") for s in spans)
    assert any((s.member, s.field, s.kind) == ("库.db", "工单!内容", "resident_id") for s in spans)


def packed(files: dict[str, bytes]) -> bytes:
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w") as target:
        for name, content in files.items():
            target.writestr(name, content)
    return buffer.getvalue()


def test_one_person_in_several_files_is_one() -> None:
    table = f"姓名,手机\n{NAME},{MOBILE}\n李小红,13912345678\n".encode()
    report, _ = inspected(packed({"a.csv": table, "b.csv": table, "c.txt": f"手机{MOBILE}".encode()}))
    assert report.persons == 2
    assert [member.persons for member in report.members] == [2, 2, 1]


def test_file_that_cannot_be_inspected_blocks_the_archive_while_the_others_are_reported() -> None:
    data = packed({"a.csv": f"手机\n{MOBILE}\n".encode(), f"{MOBILE}.bin": b"\0\1\2"})
    report, spans = inspected(data)
    assert report.blocked is not None
    assert MOBILE not in report.blocked.en + report.blocked.zh
    assert [member.blocked is not None for member in report.members] == [False, True]
    assert any(span.member == "a.csv" for span in spans)
    with pytest.raises(FormatRefusedError, match=r"\.bin"):
        redact_isolated(lambda: [data], "a.zip", default_policy(), KEY, sink=lambda _: None)


def test_a_full_disk_is_said_so_by_the_child_that_writes(tmp_path: Path) -> None:
    source = tmp_path / "a.csv"
    source.write_text("备注\n电话13812345678\n")
    with Path("/dev/full").open("wb", buffering=0) as full, pytest.raises(OSError, match="No space left"):
        redact_isolated(LocalFile(source), "a.csv", default_policy(), KEY, sink=full)

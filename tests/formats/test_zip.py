"""Archives: every file by its own format, under a name that says no more than it may; and nothing beside the files."""

import io
import zipfile

import pytest

from handover.formats import FormatRefusedError, open_records
from handover.formats.members import Budget, Nest
from tests.formats.rewriting import archive, database, read, rewrite, unpacked

CSV = "姓名,手机\n张三,13812345678\n".encode()


def test_members_are_read_and_rebuilt_by_their_formats() -> None:
    files = {
        "客户/a.csv": CSV,
        "b.json": b'[{"n":"x"}]',
        "c.db": database("CREATE TABLE a (x); INSERT INTO a VALUES ('y')"),
        "d.zip": archive({"e.txt": b"hello", "f.html": b"<p>hi<script>x</script>"}),
        "leer.txt": b"",
        "__MACOSX/._a.csv": b"x",
        "客户/.DS_Store": b"\0x",
    }
    reading, values = read(archive(files), "a.zip")
    assert values["file_name"] == ["客户/a", "b", "c", "d", "leer"]
    assert values["客户/a.csv!手机"] == ["13812345678"]
    assert values["c.db!x"] == ["y"]
    assert values["d.zip!e.txt!text"] == ["hello"]
    assert values["d.zip!file_name"] == ["e", "f"]
    assert reading.notes.members == {
        "客户/a.csv": "csv", "b.json": "json", "c.db": "sqlite", "d.zip": "zip", "d.zip!e.txt": "txt", "d.zip!f.html": "html", "leer.txt": ""
    }  # fmt: skip
    assert reading.notes.dropped == ["__MACOSX/._a.csv", "客户/.DS_Store"]
    out = unpacked(rewrite(archive(files), "a.zip", replace={"13812345678": "[mobile]"}))
    assert list(out) == ["客户/a.csv", "b.json", "c.db", "d.zip", "leer.txt"]
    assert out["客户/a.csv"].decode("utf-8-sig") == "姓名,手机\r\n张三,[mobile]\r\n"
    assert b"script" not in unpacked(out["d.zip"])["f.html"]
    assert out["leer.txt"] == b""


def test_records_are_numbered_over_all_members_without_gap() -> None:
    data = archive({"a.csv": CSV * 2, "b.zip": archive({"c.txt": b"1\n2\n"}), "d.txt": b"3\n"})
    expected = 0
    for batch in open_records([data], "a.zip").batches:
        assert batch.first == expected
        expected += batch.count
    assert expected == 3 + 3 + 1 + 2 + 1


def test_names_are_replaced_kept_apart_and_stay_names() -> None:
    files = {"张三_1.csv": CSV, "李四_1.CSV": CSV, "王五/x.csv": CSV, "赵六.pdf.csv": CSV}
    out = unpacked(
        rewrite(archive(files), "a.zip", replace={"张三": "n", "李四": "n", "王五": "../..", "赵六": "a:b*c"})
    )
    assert list(out) == ["n_1.csv", "n_1-2.CSV", "x.csv", "a_b_c.pdf.csv"]


def test_file_whose_record_is_not_kept_loses_its_name_alone() -> None:
    out = unpacked(rewrite(archive({"张三.csv": CSV, "b.csv": CSV}), "a.zip", [False, True, True, True]))
    assert list(out) == ["file-1.csv", "b.csv"]
    assert all("张三" in content.decode() for content in out.values())


def test_comments_are_read_and_left_out_with_dates_and_extra_fields() -> None:
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w") as target:
        target.comment = b"Wang 13900000001"
        entry = zipfile.ZipInfo("a.txt", (2024, 5, 6, 7, 8, 10))
        entry.comment, entry.extra = b"13900000002", b"\x99\x99\x04\x00abcd"
        target.writestr(entry, b"x")
    assert read(buffer.getvalue(), "a.zip")[1]["comment"] == ["Wang 13900000001\n13900000002"]
    out = rewrite(buffer.getvalue(), "a.zip")
    with zipfile.ZipFile(io.BytesIO(out)) as again:
        made = again.infolist()[0]
        assert (again.comment, made.comment, made.extra, made.date_time) == (b"", b"", b"", (1980, 1, 1, 0, 0, 0))
    assert b"1390000" not in out
    assert rewrite(out, "a.zip") == out


def test_names_from_windows_in_chinese_are_read() -> None:
    raw = archive({"aaaa.csv": CSV}).replace(b"aaaa", "张三".encode("gb18030"))
    assert read(raw, "a.zip")[1]["file_name"] == ["张三"]


def test_one_bad_member_blocks_and_a_tolerant_reader_says_which() -> None:
    data = archive({"a.csv": CSV, "b.bin": b"\0\1", "c.zip": archive({"d.exe": b"MZ\x90", "e.csv": CSV})})
    with pytest.raises(FormatRefusedError, match=r"b\.bin: .*binary"):
        read(data, "a.zip")
    reading, values = read(data, "a.zip", tolerant=True)
    assert list(reading.notes.blocked) == ["b.bin", "c.zip!d.exe"]
    assert values["c.zip!e.csv!手机"] == ["13812345678"]


@pytest.mark.parametrize(("budget", "word"), [(Budget(members=4), "more than"), (Budget(unpacked=2500), "larger than")])
def test_what_all_levels_hold_together_is_bounded(budget: Budget, word: str) -> None:
    inner = archive({"a.txt": b"x" * 1000, "b.txt": b"y" * 1000})
    data = archive({"c.zip": inner, "d.zip": inner})
    assert read(data, "a.zip")[1]["d.zip!b.txt!text"] == ["y" * 1000]
    with pytest.raises(FormatRefusedError, match=word):
        list(open_records([data], "a.zip", nest=Nest(open_records, budget=budget)).batches)


def _entry(name: str, content: bytes = b"x", **fields: int) -> bytes:
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w", zipfile.ZIP_DEFLATED) as target:
        entry = zipfile.ZipInfo(name)
        for key, value in fields.items():
            setattr(entry, key, value)
        target.writestr(entry, content)
    return buffer.getvalue()


def _twice() -> bytes:
    """The directory lists one entry's bytes under two names."""
    one = archive({"a.txt": b"x"})
    at = one.index(b"PK\1\2")
    end = one.index(b"PK\5\6")
    record = one[at:end]
    tail = bytearray(one[end:])
    tail[8:12] = b"\2\0\2\0"
    tail[12:16] = (2 * len(record)).to_bytes(4, "little")
    return one[:end] + record.replace(b"a.txt", b"b.txt") + bytes(tail)


def _hidden() -> bytes:
    """A whole entry between the two that the directory lists."""
    data = archive({"a.txt": b"x", "b.txt": b"13812345678", "c.txt": b"y"})
    directory, end = data.index(b"PK\1\2"), data.index(b"PK\5\6")
    records = [b"PK\1\2" + part for part in data[directory:end].split(b"PK\1\2")[1:]]
    kept = records[0] + records[2]
    tail = bytearray(data[end:])
    tail[8:12], tail[12:16] = b"\2\0\2\0", len(kept).to_bytes(4, "little")
    return data[:directory] + kept + bytes(tail)


@pytest.mark.parametrize(
    ("data", "word"),
    [
        (_entry("../a.txt"), "unsafe"),
        (_entry("/etc/a.txt"), "unsafe"),
        (_entry("C:/a.txt"), "unsafe"),
        (_entry("a\u202etxt.exe"), "unsafe"),
        (_entry("a.txt", external_attr=0o120777 << 16), "symbolic"),
        (_entry("a.txt", compress_type=zipfile.ZIP_LZMA), "uncommon"),
        (archive({"a.txt": b"x", "A.TXT": b"y"}), "one name"),
        (archive({"a.txt": b"x"})[:-10], "cut short"),
        (archive({"a.txt": b"x"}) + b"more", "follows"),
        (_twice(), "overlap|damaged"),
        (_hidden(), "beside"),
        (archive({"a.txt": b"x"}).replace(b"PK\3\4\x14\0\0\0", b"PK\3\4\x14\0\1\0"), "encrypted"),
        (archive({"a.txt": b"\0" * (16 << 20)}), "too large"),
        (archive({"a.zip": archive({"b.zip": archive({"c.zip": archive({"d.txt": b"x"})})})}), "deep"),
        (
            archive({"a.txt": b"hello world " * 50}).replace(b"PK\3\4", b"PK\3\4").replace(b"\xcbH", b"\xcbI", 1),
            "damaged",
        ),
    ],
)
def test_what_programs_could_read_differently_is_refused(data: bytes, word: str) -> None:
    with pytest.raises(FormatRefusedError, match=word):
        read(data, "a.zip")


@pytest.mark.parametrize(
    ("before", "name"),
    [(b"a,b\n1,2\n", "a.csv"), (b"<!doctype html><p>x", "a.html"), (b'[{"a":1}] ', "a.json"), (b"hi\n", "a.txt")],
)
def test_file_that_is_an_archive_too_is_refused(before: bytes, name: str) -> None:
    with pytest.raises(FormatRefusedError):
        read(before + archive({"x.txt": b"x"}), name)
    # An archive behind so much text that no first bytes show it.
    long = before + b"\n" * 300_000 + archive({"x.txt": b"xyz" * 1000})
    with pytest.raises(FormatRefusedError):
        read(long, name)

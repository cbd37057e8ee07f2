"""Every format: what is read and written unchanged reads back the same, and nothing is lost on the way."""

import csv
import datetime as dt
import io
import json
import zipfile

import pytest
import xlsxwriter
from hypothesis import given
from hypothesis import strategies as st

from handover.formats import FormatRefusedError, ooxml
from handover.formats.formulas import neutralise
from tests.formats.rewriting import read, rewrite


def workbook(sheets: dict[str, list[list[object]]], hidden: str = "") -> bytes:
    buffer = io.BytesIO()
    with xlsxwriter.Workbook(buffer, {"in_memory": True}) as book:
        date = book.add_format({"num_format": "yyyy-mm-dd"})
        for name, rows in sheets.items():
            sheet = book.add_worksheet(name)
            if name == hidden:
                sheet.hide()
            for r, row in enumerate(rows):
                for c, cell in enumerate(row):
                    sheet.write_datetime(r, c, cell, date) if isinstance(cell, dt.date) else sheet.write(r, c, cell)
    return buffer.getvalue()


CONTROLS = "".join(map(chr, {*range(9), 13, *range(14, 32)} - {27}))
cells = st.text(st.characters(exclude_characters=CONTROLS, exclude_categories=("Cs",)), max_size=12)


@given(
    st.lists(st.tuples(cells, cells), min_size=1, max_size=8),
    st.sampled_from(["utf-8", "utf-8-sig", "gb18030"]),
    st.integers(1, 40),
)
def test_csv_cells_survive_any_cutting_and_encoding(rows: list[tuple[str, str]], encoding: str, size: int) -> None:
    text = io.StringIO(newline="")
    csv.writer(text).writerows([("姓名", "备注"), *rows])
    try:
        _, values = read(text.getvalue().encode(encoding), "a.csv", size)
    except FormatRefusedError:
        assert encoding == "gb18030"  # rare characters alone are not plausible GB18030
        return
    assert list(zip(values["姓名"], values["备注"], strict=True)) == rows


def test_csv_is_rewritten_for_excel() -> None:
    out = rewrite('姓名;备注\n张三;"两行\n文字"\n'.encode("gb18030"), "a.csv")
    assert out == '\ufeff姓名,备注\r\n张三,"两行\n文字"\r\n'.encode()


@pytest.mark.parametrize(
    "cell", ["=1+1", "+cmd|' /C calc'!A0", "-2+3+cmd", "@SUM(1)", "\t=1", "\r=1", "＝1+1", "＋1", "－x", "＠x"]
)
def test_no_live_formula_leaves_in_csv(cell: str) -> None:
    assert neutralise([cell]) == [f"'{cell}"]


@pytest.mark.parametrize("cell", ["-5", "+86", "-1,234.50", "1e5", "", "张三", "12%"])
def test_numbers_and_words_are_left_alone(cell: str) -> None:
    assert neutralise([cell]) == [cell]


def test_ragged_rows_are_counted_and_kept() -> None:
    data = "姓名,备注\n张三\n李四,好,13812345678\n王五,好\n".encode()
    reading, values = read(data, "a.csv")
    assert (reading.notes.ragged, reading.notes.ragged_first_line) == (2, 2)
    assert values["column_3"] == ["13812345678"]
    assert b"13812345678" in rewrite(data, "a.csv")


def test_file_without_header_has_no_data_in_its_field_names() -> None:
    _, values = read(b"13812345678,zhang@example.com\n13912345678,li@example.com\n", "a.csv")
    assert list(values) == ["column_1", "column_2"]
    assert len(values["column_1"]) == 2


def test_repeated_headers_get_names_of_their_own_and_keep_their_labels() -> None:
    data = "备注,备注\na,b\n".encode()
    assert list(read(data, "a.csv")[1]) == ["备注", "备注_2"]
    assert rewrite(data, "a.csv").startswith("\ufeff备注,备注\r\n".encode())


def test_quote_that_never_ends_is_refused_with_its_line() -> None:
    data = b'a,b\n1,"' + b"x" * (17 << 20)
    with pytest.raises(FormatRefusedError):
        read(data, "a.csv")


def test_encoding_that_changes_on_the_way_is_refused() -> None:
    data = ("姓名,备注\n" + "张三,好\n" * 60_000).encode() + "李四,不好\n".encode("gb18030")
    with pytest.raises(FormatRefusedError, match="encoding"):
        read(data, "a.csv")


def test_ascii_for_a_megabyte_then_gb18030_is_read() -> None:
    data = b"name,note\n" + b"abc,def\n" * 150_000 + ("张三,投诉\n" * 600).encode("gb18030")
    assert read(data, "a.csv")[1]["name"][-1] == "张三"


def test_jsonl_keeps_order_nesting_and_types() -> None:
    lines = ['{"b":1,"a":{"x":[1,2.5,true,null,{"y":"文"}]},"n":12345678901234567890123}', '{"a":{},"c":null}']
    data = ("\n".join(lines) + "\n").encode()
    assert rewrite(data, "a.jsonl").decode().splitlines() == lines
    assert {"b", "a.x[]", "a.x[].y", "n"} == set(read(data, "a.jsonl")[1])


@pytest.mark.parametrize(
    "line", ['{"a":1,"a":2}', '{"a":{"b":1,"b":2}}', "[1]", '{"a":', '{"a":' * 2000 + "1" + "}" * 2000]
)
def test_jsonl_that_readers_could_read_differently_is_refused(line: str) -> None:
    with pytest.raises(FormatRefusedError):
        read(b'{"ok":1}\n' + line.encode() + b"\n", "a.jsonl")


def test_text_keeps_its_lines() -> None:
    data = "第一行\n\n第三行".encode("gb18030")
    assert rewrite(data, "a.txt").decode() == "第一行\n\n第三行"
    assert read(data, "a.txt")[1]["text"] == ["第一行", "", "第三行"]


def test_records_that_are_not_kept_are_gone() -> None:
    for name, data in {
        "a.csv": "姓名\n张三\n李四\n".encode(),
        "a.jsonl": '{"n":"张三"}\n{"n":"李四"}\n'.encode(),
        "a.txt": "张三\n李四\n".encode(),
    }.items():
        out = rewrite(data, name, [True, False]).decode()
        assert "张三" in out
        assert "李四" not in out


def test_workbook_is_read_whole_with_hidden_sheets_and_rebuilt_without_formulas() -> None:
    data = workbook(
        {
            "客户": [["姓名", "手机", "余额", "日期"], ["张三", 13812345678, 1.5, dt.date(2024, 1, 2)]],
            "隐藏": [["名字"], ["=1+1"]],
        },
        hidden="隐藏",
    )
    reading, values = read(data, "a.xlsx")
    assert reading.notes.hidden_tables == ["隐藏"]
    assert values["客户!手机"] == ["13812345678"]
    assert values["客户!日期"] == ["2024-01-02"]
    out = rewrite(data, "a.xlsx")
    again = read(out, "a.xlsx")
    assert again[1]["客户!余额"] == ["1.5"]
    assert again[0].notes.hidden_tables == []
    with zipfile.ZipFile(io.BytesIO(out)) as archive:
        assert all(b"<f>" not in archive.read(name) for name in archive.namelist())


def test_one_sheet_has_plain_field_names() -> None:
    assert list(read(workbook({"Sheet1": [["姓名"], ["张三"]]}), "a.xlsx")[1]) == ["姓名"]


def _with_part(name: str, content: bytes) -> bytes:
    buffer = io.BytesIO(workbook({"S": [["姓名"], ["张三"]]}))
    with zipfile.ZipFile(buffer, "a", zipfile.ZIP_DEFLATED) as archive:
        archive.writestr(name, content)
    return buffer.getvalue()


@pytest.mark.parametrize("part", ["xl/vbaProject.bin", "xl/media/image1.png", "xl/embeddings/book1.xlsx"])
def test_parts_that_nobody_inspects_block_a_workbook(part: str) -> None:
    with pytest.raises(FormatRefusedError, match="inspected"):
        read(_with_part(part, b"x"), "a.xlsx")


def test_bombs_and_damaged_workbooks_are_refused_before_unpacking(monkeypatch: pytest.MonkeyPatch) -> None:
    with pytest.raises(FormatRefusedError, match="too large"):
        read(_with_part("xl/worksheets/sheet9.xml", b"\0" * (8 << 20)), "a.xlsx")
    with pytest.raises(FormatRefusedError, match="damaged"):
        read(workbook({"S": [["a"]]})[:-100], "a.xlsx")
    monkeypatch.setattr(ooxml, "MAX_PARTS", 3)
    with pytest.raises(FormatRefusedError, match="too large"):
        read(workbook({"S": [["a"]]}), "a.xlsx")


def test_json_text_with_lone_surrogates_survives() -> None:
    line = json.dumps({"a": "\ud800"}).encode() + b"\n"
    assert read(line, "a.jsonl")[1]["a"] == ["\ud800"]

"""Through real children for the most part: what comes out, and that a redactor that leaves something is caught by the second scan."""

import csv
import io
import json
import re
from collections.abc import Callable
from pathlib import Path

import msgspec
import pytest
import xlsxwriter
from hypothesis import given
from hypothesis import strategies as st

from handover.detection import inspect_isolated, subject_digest
from handover.detection.inspection import inspect
from handover.detection.survey import Survey
from handover.formats import Column, Edit, FormatRefusedError, open_records
from handover.masking import (
    FieldRule,
    Policy,
    Selection,
    default_policy,
    keep_all,
    propose_policy,
    redact_isolated,
    residual_isolated,
)
from handover.masking.redaction import Redaction, Redactor, _applied, _with_later
from handover.masking.report import FieldRedaction
from handover.masking.residual import residual
from handover.masking.selection import SelectionReport, select
from tests.formats.rewriting import archive, database

KEY, CASE = b"k" * 32, b"c" * 32
CARD, IDENTITY, CHILD = "6222021234567890128", "11010519491231002X", "31010120180505001X"
TABLE = f"""客户编号,姓名,身份证号,手机号,邮箱,地址,订单号,备注
C001,张三丰,{IDENTITY},13812345678,zhang@example.com,上海市浦东新区张江路123弄4号502室,440308199901101512,李小四的朋友，卡号{CARD}
C002,李小四,{CHILD},13912345678,li@example.com,江苏省南京市鼓楼区中山北路88号,13812345678,张三丰来电，患有糖尿病，电话１３８１２３４５６７８
C003,王伟,11010519491231002,1391234567,-,上海市,9,=HYPERLINK("x")
"""
DATA = TABLE.encode("gb18030")


def opened(data: bytes) -> Callable[[], list[bytes]]:
    return lambda: [data]


def redact(data: bytes, name: str, policy: Policy, key: bytes = KEY, selection: Selection | None = None):  # type: ignore[no-untyped-def]
    out: list[bytes] = []
    report = redact_isolated(opened(data), name, policy, key, sink=out.append, selection=selection)
    return b"".join(out), report


def rows(data: bytes) -> list[dict[str, str]]:
    return list(csv.DictReader(io.StringIO(data.decode("utf-8-sig"), newline="")))


def selection(
    allowed: list[str] | None, reasons: dict[str, str], field: str | None = "客户编号", name: str = "a.csv"
) -> Selection:
    digests = None if allowed is None else frozenset(subject_digest(CASE, reference) for reference in allowed)
    return Selection(
        name=name,
        format="csv",
        subject_field=field,
        drop_fields=[],
        subject_key=CASE,
        allowed=digests,
        reasons={subject_digest(CASE, reference): reason for reference, reason in reasons.items()},
    )


def test_inventory_of_a_table() -> None:
    digests: list[bytes] = []
    report = inspect_isolated(opened(DATA), "客户.csv", key=CASE, on_subjects=digests.append)
    fields = {field.name: field for field in report.fields}
    assert (report.format, report.encoding, report.records, report.persons) == ("csv", "gb18030", 3, 3)
    assert report.subject is not None
    assert (report.subject.field, report.subject.basis) == ("客户编号", "customer_id")
    assert (report.minors, report.under_14) == (1, 1)
    assert fields["姓名"].kinds == {"person_name": 3}
    assert (fields["身份证号"].kinds, fields["身份证号"].unmatched) == ({"resident_id": 2}, 1)
    assert fields["订单号"].kinds == {}
    assert (fields["备注"].level, fields["备注"].kinds) == (
        "L4",
        {"bank_card": 1, "health": 1, "mobile": 1, "person_name": 2},
    )
    assert b"".join(digests) == b"".join(sorted(subject_digest(CASE, f"C00{n}") for n in (1, 2, 3)))
    told = repr(report)
    assert not any(value in told for value in ("张三丰", IDENTITY, CARD, "13812345678", "zhang@example.com"))


def test_due_diligence_output_is_clean_and_the_rest_is_intact() -> None:
    policy = propose_policy(inspect_isolated(opened(DATA), "a.csv", key=CASE), "due_diligence")
    out, report = redact(DATA, "a.csv", policy)
    text = out.decode("utf-8-sig")
    gone = (
        "张三丰",
        "李小四",
        "王伟",
        IDENTITY,
        CHILD,
        "1391234567",
        CARD,
        "example.com",
        "张江路",
        "糖尿病",
        "１３８",
    )
    assert [value for value in gone if value in text] == []
    first, second, third = rows(out)
    assert first["姓名"] in second["备注"]
    assert second["姓名"] in first["备注"]
    assert first["手机号"] in second["备注"]
    assert [row["订单号"] for row in rows(out)] == ["440308199901101512", "13812345678", "9"]
    assert first["地址"] == "上海市浦东新区"
    assert third["备注"].startswith("'=")
    assert (report.records_in, report.records_out) == (3, 3)
    assert residual_isolated(opened(out), "a.csv", policy, source=opened(DATA)).leftover == {}


def test_two_recipients_get_different_tokens_and_one_gets_the_same_in_every_file() -> None:
    policy = default_policy()
    note = '{"who":"张三丰","tel":"138 1234 5678"}\n'.encode()
    one, other = redact(DATA, "a.csv", policy)[0], redact(DATA, "a.csv", policy, b"o" * 32)[0]
    assert rows(one)[0]["手机号"] != rows(other)[0]["手机号"]
    assert json.loads(redact(note, "b.jsonl", policy)[0])["tel"] == rows(one)[0]["手机号"]


def test_persons_without_consent_are_left_out_before_their_reference_becomes_a_token() -> None:
    policy = Policy(fields={"客户编号": FieldRule("pseudonymise", "customer_id")}, other="keep")
    out, report = redact(DATA, "a.csv", policy, selection=selection(["C001", "C002"], {"C002": "refused"}))
    assert [row["姓名"] for row in rows(out)] == ["张三丰"]
    assert (report.records_out, report.persons_out, report.excluded) == (1, 1, {"refused": 1, "no_answer": 1})


@pytest.mark.parametrize("name", ["a.csv", "a.jsonl", "a.xlsx", "a.db", "a.zip"])
def test_field_that_is_left_out_is_gone_and_no_other_takes_its_place(name: str) -> None:
    data, field = dropping(name)
    chosen = msgspec.structs.replace(selection(None, {}, name=name), drop_fields=[field])
    output = b"".join(select([data], chosen, SelectionReport()))
    values = [
        value for batch in open_records([output], name).batches for column in batch.columns for value in column.values
    ]
    assert "13812345678" not in values
    assert {"张三", "好"} <= set(values)


def dropping(name: str) -> tuple[bytes, str]:
    """A file with a telephone number in the field that is returned beside it."""
    table = "姓名,手机,备注\n张三,13812345678,好\n".encode()
    if name == "a.csv":
        return table, "手机"
    if name == "a.jsonl":
        return '{"姓名":"张三","手机":"13812345678","备注":"好"}\n'.encode(), "手机"
    if name == "a.db":
        return database("CREATE TABLE t (姓名, 手机, 备注); INSERT INTO t VALUES ('张三', '13812345678', '好')"), "手机"
    if name == "a.zip":
        return archive({"b.csv": table}), "b.csv!手机"
    buffer = io.BytesIO()
    with xlsxwriter.Workbook(buffer, {"in_memory": True}) as book:
        sheet = book.add_worksheet("S")
        sheet.write_row(0, 0, ["姓名", "手机", "备注"])
        sheet.write_row(1, 0, ["张三", "13812345678", "好"])
    return buffer.getvalue(), "手机"


def test_file_that_cannot_tell_persons_apart_gives_nothing_when_consent_is_needed() -> None:
    data = "商品,数量\n杯子,多\n".encode()
    out, report = redact(data, "a.csv", keep_all(), selection=selection(["C001"], {}))
    assert rows(out) == []
    assert sum(report.excluded.values()) == 1


def test_full_scope_keeps_every_value() -> None:
    out, _ = redact(DATA, "a.csv", keep_all())
    source = list(csv.DictReader(io.StringIO(TABLE)))
    for field in ("备注", "邮箱"):
        source[2][field] = f"'{source[2][field]}"  # what a spreadsheet would run
    assert rows(out) == source


def test_refused_file_gives_an_error_and_no_output() -> None:
    out: list[bytes] = []
    with pytest.raises(FormatRefusedError, match="PDF"):
        redact_isolated(opened(b"%PDF-1.7"), "a.csv", keep_all(), KEY, sink=out.append)
    assert out == []


@pytest.mark.usefixtures("without_children")
@pytest.mark.parametrize("action", ["mask", "pseudonymise", "surrogate", "generalise", "drop"])
@pytest.mark.parametrize("name", ["a.csv", "a.txt"])
def test_whatever_the_action_nothing_is_left(action: str, name: str) -> None:
    policy = Policy(other=action)  # type: ignore[arg-type]
    data = TABLE.encode() if name == "a.csv" else f"客户{IDENTITY}，手机13812345678，邮箱a@b.cn，卡{CARD}\n".encode()
    out, _ = redact(data, name, policy)
    assert residual_isolated(opened(out), name, policy, source=opened(data)).leftover == {}


def test_tokens_behind_cues_are_no_leftovers() -> None:
    policy = Policy(other="pseudonymise")
    data = "密码是Abc123!x，微信zhangsan_88，QQ号是12345678，账户DE89370400440532013000，IP11.147.3.9\n".encode()
    out, report = redact(data, "a.txt", policy)
    assert report.fields[0].kinds == {"credential": 1, "wechat": 1, "qq": 1, "iban": 1, "ip": 1}
    assert residual_isolated(opened(out), "a.txt", policy, source=opened(data)).leftover == {}


def identity(text: str) -> str:
    return text


def only_first_of_a_kind(text: str) -> str:
    return text.replace("13812345678", "[mobile]", 1)


def ascii_only(text: str) -> str:
    return text.replace("13812345678", "[mobile]").replace("13912345678", "[mobile]").replace("1391234567", "")


def forgets_narratives(text: str) -> str:
    lines = list(csv.reader(io.StringIO(text)))
    for line in lines[1:]:
        line[1:6] = ["x"] * 5
    out = io.StringIO()
    csv.writer(out).writerows(lines)
    return out.getvalue()


@pytest.mark.parametrize("broken", [identity, only_first_of_a_kind, ascii_only, forgets_narratives])
def test_broken_redactor_is_caught(broken: Callable[[str], str]) -> None:
    output = broken(TABLE).encode()
    report = residual(open_records([DATA], "a.csv"), lambda: open_records([output], "a.csv"), policy=default_policy())
    assert report.l4 > 0
    assert report.l3 > 0
    assert "备注" in report.leftover_fields


def test_name_left_in_one_narrative_is_caught() -> None:
    policy = default_policy()
    out, _ = redact(DATA, "a.csv", policy)
    spoiled = out.decode("utf-8-sig").replace("来电", "（张三丰）来电").encode()
    assert residual_isolated(opened(spoiled), "a.csv", policy, source=opened(DATA)).leftover_kinds == {"person_name": 1}


def test_number_with_a_typing_mistake_left_in_a_narrative_is_caught_as_a_known_value() -> None:
    policy = default_policy()
    source = "手机号,备注\n1381234567,来电\n".encode()
    spoiled = "手机号,备注\n[mobile],来电1381234567\n".encode()
    assert residual_isolated(opened(spoiled), "a.csv", policy, source=opened(source)).l3 == 1


def test_kept_l4_is_a_leftover_all_the_same_and_kept_l3_is_not() -> None:
    policy = Policy(other="keep")
    report = residual_isolated(opened(DATA), "a.csv", policy, source=opened(DATA))
    assert report.l4 == 2
    assert report.l3 == 0
    assert report.kept["mobile"] > 0


def test_k_of_the_output_is_counted() -> None:
    data = "城市,年份\n上海,一九\n上海,一九\n南京,一八\n".encode()
    report = residual_isolated(
        opened(data), "a.csv", keep_all(), source=opened(data), quasi_identifiers=["城市", "年份"]
    )
    assert report.k == 1


def test_data_in_field_names_blocks() -> None:
    data = '{"13812345678":"张三"}\n'.encode()
    blocked = inspect_isolated(opened(data), "a.jsonl", key=CASE).blocked
    assert blocked is not None
    assert "name" in blocked.en


def test_real_complaints_come_through_whole() -> None:
    path = Path(__file__).parents[3] / "shared" / "data" / "cfpb_complaints.csv"
    if not path.exists():
        pytest.skip("the CFPB complaints are not on this machine")
    data = path.read_bytes()
    inspection, reading = inspect(open_records([data], path.name), lambda: open_records([data], path.name), key=CASE)
    report = inspection.report(reading)
    assert (report.records, report.persons) == (6013, 6013)
    policy = propose_policy(report, "due_diligence")
    out, redaction = redact(data, path.name, policy)
    assert redaction.records_out == 6013
    assert residual_isolated(opened(out), path.name, policy, source=opened(data)).leftover == {}


def test_surrogates_keep_the_form_cannot_be_real_and_are_no_leftovers() -> None:
    """In their own columns and in running text, the same for one person, another for another recipient."""
    policy = Policy(
        fields={"手机号": FieldRule("surrogate", "mobile"), "身份证号": FieldRule("surrogate", "resident_id")},
        kinds={**default_policy().kinds, **dict.fromkeys(("mobile", "email", "bank_card"), "surrogate")},
    )
    output, _ = redact(DATA, "a.csv", policy)
    table = rows(output)
    assert re.fullmatch(r"1[01]\d{9}", table[0]["手机号"])
    assert re.fullmatch(r"[a-z2-7]{25}@example\.invalid", table[0]["邮箱"])
    assert re.fullmatch(r"00\d{16}", table[0]["身份证号"])
    assert re.search(r"卡号0000\d{12}", table[0]["备注"])
    assert f"电话{table[0]['手机号']}" in table[1]["备注"]
    second = residual_isolated(opened(output), "a.csv", policy, source=opened(DATA))
    assert (second.leftover_kinds, second.leftover_fields, second.records) == ({}, {}, 3)
    assert rows(redact(DATA, "a.csv", policy, key=b"o" * 32)[0])[0]["手机号"] != table[0]["手机号"]


def test_what_stands_behind_a_replaced_address_makes_no_new_one() -> None:
    line = "苏州市姑苏区双塔街道平江路3180号_单位苏州市姑苏区双塔街道平江路3180号东侧商铺\n"
    policy = default_policy()
    content = line.encode()
    redaction = Redaction(
        open_records(iter([content]), "a.txt"),
        lambda: open_records(iter([content]), "a.txt"),
        "a.txt",
        policy=policy,
        key=b"k" * 32,
    )
    output = b"".join(redaction.output())
    report = residual(
        open_records(iter([content]), "a.txt"), lambda: open_records(iter([output]), "a.txt"), policy=policy
    )
    assert report.leftover == {}
    assert "3180" not in output.decode()


@given(st.data())
def test_edits_of_a_text_that_was_edited_are_edits_of_the_original(data: st.DataObject) -> None:
    def edits(length: int) -> list[Edit]:
        cuts = sorted(data.draw(st.sets(st.integers(0, length), max_size=8)))
        pairs = zip(cuts[::2], cuts[1::2], strict=False)
        return [Edit(start, end, data.draw(st.text("XYZ", max_size=3))) for start, end in pairs]

    value = "abcdefghijklmnopqrst"
    first = edits(len(value))
    middle = _applied(value, first)
    later = edits(len(middle))
    assert _applied(value, _with_later(first, middle, later)) == _applied(middle, later)


def test_equal_values_are_judged_once_and_all_counted() -> None:
    survey, note = Survey().finish(), f"卡号{CARD}，电话13812345678"
    others = ["nothing here", "", note, "电话13912345678，李小四先生来电"]

    def run(values: list[str], redactor: Redactor) -> tuple[list[str], FieldRedaction, list[list[Edit] | None]]:
        column, report = Column("备注", values, range(len(values))), FieldRedaction(name="备注", action="scan")
        redactor.apply_to(column, FieldRule("scan"), report)
        return list(column.output()), report, [column.edits.get(index) for index in range(len(values))]

    def fresh() -> Redactor:
        return Redactor(survey, default_policy(), KEY)

    alone = {value: run([value], fresh()) for value in others}
    redactor = fresh()
    for values in ([note], [note, *others, note], others * 3, ["nothing here"]):
        out, report, edits = run(values, redactor)
        assert out == [alone[value][0][0] for value in values]
        assert edits == [alone[value][2][0] for value in values]
        assert report.replaced == sum(alone[value][1].replaced for value in values)
        for kind in ("bank_card", "mobile", "person_name"):
            assert report.kinds.get(kind, 0) == sum(alone[value][1].kinds.get(kind, 0) for value in values)
    assert alone[note][1].kinds == {"bank_card": 1, "mobile": 1}

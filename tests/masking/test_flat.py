"""The fast way through large tables gives the same bytes and the same report as the way by batches of columns."""

import csv
import io
import random
import re
from collections.abc import Iterator

import msgspec
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from handover import kernel
from handover.detection.detectors import DETECTORS
from handover.detection.flat_survey import survey_flat
from handover.detection.known import MAX_NUMBERS, KnownValues
from handover.detection.names.learning import NameLearner
from handover.detection.number_table import NumberTable
from handover.detection.screening import Screen
from handover.detection.subjects import subject_digest
from handover.formats import FormatRefusedError, flat, open_records, open_table
from handover.formats.flat import FlatTable
from handover.kernel import Kernel
from handover.masking import FieldRule, Policy, Selection, default_policy, keep_all
from handover.masking import flat as masking_flat
from handover.masking.flat_redaction import FlatRedaction
from handover.masking.pseudonyms import Pseudonymiser
from handover.masking.redaction import Redaction
from handover.masking.report import RedactionReport
from handover.masking.samples import SampledRecord

KERNEL = Kernel()
#: Pieces of text, and what is none: overlong, surrogates, cut short, above U+10FFFF.
DAMAGED = [b"abcdefghijklmnop", "文".encode(), "é".encode(), "😀".encode(), b"\xe0\x80\x80", b"\xed\xa0\x80", b"\xc0\x80", b"\xf4\x90\x80\x80",
           b"\xf0\x80\x80\x80", b"\x80", b"\xe4\xb8", b"\0", b"\xff"]  # fmt: skip
KEY, CASE = b"k" * 32, b"c" * 32
EXAMPLES = [text for d in DETECTORS for text, _ in d.POSITIVE] + [text for d in DETECTORS for text in d.NEGATIVE]
HEADER = ["客户编号", "姓名", "身份证号", "手机号", "邮箱", "银行卡号", "地址", "出生日期", "订单号", "备注"]
VALUES = {
    "客户编号": ["C001", "C002", "", " C003"],
    "姓名": ["张三丰", "李小四", "王\n伟", "欧阳娜娜", "John Smith", "", "公司", "王*"],
    "身份证号": ["11010519491231002X", "110105194912310021", "", "11010519491231002x"],
    "手机号": ["13812345678", "+86 138-1234-5678", "021-62345678", "1381234", ""],
    "邮箱": ["zhang@example.com", "a+b@x.io", "-", "=cmd@x.io", ""],
    "银行卡号": ["6222021234567890128", "6222021234567890129", "4111 1111 1111 1111", ""],
    "地址": ["上海市浦东新区张江路123弄4号502室", "内蒙古自治区呼和浩特市新城区1号", "上海市", "221 Baker Street, Springfield", ""],
    "出生日期": ["1990-05-12", "1990年5月12日", "1990-13-12", "", "12/05/1990"],
    "订单号": ["OD2025000001", "13812345678", "a b", ""],
    "备注": [*EXAMPLES, "张三丰说：\"好\"", "一行\n两行", "=1+1", "-12.5", "＝1", "，,;", "", " ", "138,李小四"],
}  # fmt: skip
POLICIES = {
    "default": default_policy(),
    "columns": Policy(
        fields={
            "客户编号": FieldRule("pseudonymise", "customer_id"),
            "姓名": FieldRule("pseudonymise", "person_name"),
            "身份证号": FieldRule("drop", "resident_id"),
            "手机号": FieldRule("mask", "mobile"),
            "邮箱": FieldRule("pseudonymise", "email"),
            "银行卡号": FieldRule("generalise", "bank_card"),
            "地址": FieldRule("generalise", "address"),
            "出生日期": FieldRule("generalise", "birth_date"),
            "订单号": FieldRule("keep"),
        },
        kinds={"mobile": "mask", "email": "keep", "person_name": "pseudonymise"},
    ),
    "keep": keep_all(),
}


def table(seed: int, rows: int, *, ragged: float = 0.0) -> str:
    rng = random.Random(seed)
    out = io.StringIO(newline="")
    writer = csv.writer(out, lineterminator=rng.choice(["\r\n", "\n"]))
    writer.writerow(HEADER)
    for _ in range(rows):
        row = [rng.choice(VALUES[name]) for name in HEADER]
        if rng.random() < ragged:
            row = rng.choice([row[:-2], [*row, "13812345678"], []])
        writer.writerow(row)
    return out.getvalue()


def chunks(data: bytes) -> list[bytes]:
    return [data[start : start + 1000] for start in range(0, len(data), 1000)]


Run = tuple[bytes, RedactionReport, list[SampledRecord]]


def both(data: bytes, policy: Policy, selection: Selection | None = None, samples: int = 0) -> tuple[Run, Run]:
    runs: list[Run] = []
    for kind in (FlatRedaction, Redaction):

        def opened(kind: type = kind):  # type: ignore[no-untyped-def]
            return FlatTable(chunks(data), ",") if kind is FlatRedaction else open_records(chunks(data), "a.csv")

        seen: list[SampledRecord] = []
        run: FlatRedaction | Redaction = kind(
            opened(), opened, "a.csv", policy=policy, key=KEY, selection=selection, samples=samples,
            on_records=lambda _stage, _count: None, on_sample=seen.append,
        )  # fmt: skip
        runs.append((b"".join(run.output()), run.report, seen))
    return runs[0], runs[1]


def plain(report: RedactionReport) -> object:
    return msgspec.to_builtins(report)


@pytest.fixture
def small_blocks(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    monkeypatch.setattr(flat, "BLOCK", 4000)
    return


@pytest.mark.parametrize("policy", POLICIES)
@pytest.mark.parametrize("ragged", [0.0, 0.02])
@pytest.mark.usefixtures("small_blocks")
def test_output_and_report_are_the_same(policy: str, ragged: float) -> None:
    fast, slow = both(table(len(policy), 900, ragged=ragged).encode(), POLICIES[policy])
    assert fast[0].splitlines() == slow[0].splitlines()
    assert fast[0] == slow[0]
    assert plain(fast[1]) == plain(slow[1])


@pytest.mark.usefixtures("small_blocks")
def test_a_quote_inside_a_cell_makes_nothing_different() -> None:
    """It shifts where blocks seem to end; from there on the table is read by the other reader."""
    lines = table(3, 300).encode().splitlines(keepends=True)
    lines[150:150] = [b'C9,,,,,,,,,5" pipe\n', b'C9,,,,,,,,,"a\nb"\n']
    fast, slow = both(b"".join(lines), default_policy())
    assert fast[0] == slow[0]


@pytest.mark.usefixtures("small_blocks")
def test_the_same_records_go_in_and_the_same_are_shown_to_the_reviewer() -> None:
    references = {subject_digest(CASE, "C001"): "refused"}
    selection = Selection(
        name="a.csv", format="csv", subject_field="客户编号", drop_fields=[], subject_key=CASE, reasons=references,
        allowed=frozenset({subject_digest(CASE, "C002")}),
    )  # fmt: skip
    fast, slow = both(table(5, 600).encode(), POLICIES["columns"], selection, samples=12)
    assert fast[0] == slow[0]
    assert plain(fast[1]) == plain(slow[1])
    assert len(fast[2]) > 0
    assert msgspec.to_builtins(fast[2]) == msgspec.to_builtins(slow[2])


cells = st.sampled_from([value for values in VALUES.values() for value in values]) | st.text(
    'ab,"\n\r 1=电话', max_size=6
)


@settings(deadline=None, max_examples=150)
@given(st.lists(st.lists(cells, min_size=1, max_size=4), min_size=1, max_size=8), st.sampled_from(["\n", "\r\n"]))
def test_any_table_is_read_as_by_the_other_reader(rows: list[list[str]], end: str) -> None:
    out = io.StringIO(newline="")
    csv.writer(out, lineterminator=end).writerows([["甲", "乙", "备注"], *rows])
    fast, slow = both(out.getvalue().encode(), default_policy())
    assert fast[0] == slow[0]


@settings(deadline=None, max_examples=150)
@given(st.text('ab,"\n\r 1电', max_size=60))
def test_any_text_behind_a_header_is_read_as_by_the_other_reader(text: str) -> None:
    data = f"甲,乙\nx,y\n{text}".encode()
    fast, slow = both(data, keep_all())
    assert fast[0] == slow[0]


def test_encodings_and_damage_are_as_by_the_other_reader() -> None:
    text = table(7, 400)
    for data in (text.encode("gb18030"), text.encode("utf-8-sig"), text.encode("utf-16")):
        fast, slow = both(data, default_policy())
        assert fast[0] == slow[0]


@pytest.mark.usefixtures("small_blocks")
@pytest.mark.parametrize("bad", [b"\xff\xfe", b"\0", b"\xed\xa0\x80", "文".encode()[:2], b"\xc0\xaf"])
@pytest.mark.parametrize("bom", ["utf-8", "utf-8-sig"])
def test_damage_is_refused_where_it_stands(bad: bytes, bom: str) -> None:
    data = table(7, 900).encode(bom)
    for place in (100, data.rindex(b"\n", 0, 70_000) + 1, len(data)):
        with pytest.raises(FormatRefusedError) as error:
            survey_flat(FlatTable(chunks(data[:place] + bad + data[place:]), ","))
        told = re.search(r"Near byte (\d+)", error.value.reason.en)
        if told and place > 100:
            assert place - 4 < int(told[1]) < place + 4
        else:
            assert place == 100 or bad == b"\0"


@pytest.mark.usefixtures("small_blocks")
def test_a_long_record_may_be_cut_within_a_character(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(flat, "_LONGEST_RECORD", 5000)
    fast, slow = both(table(2, 100).encode() + b'C9,,,,,,,,,"' + "文".encode() * 9000 + b'"\n', default_policy())
    assert fast[0] == slow[0]


@settings(deadline=None, max_examples=400)
@given(st.lists(st.sampled_from(DAMAGED) | st.binary(max_size=3), max_size=24).map(b"".join))
def test_the_kernel_knows_utf8(data: bytes) -> None:
    kernel = KERNEL
    kernel.mark = kernel.base
    try:
        holds = "\0" not in data.decode()
    except UnicodeDecodeError:
        holds = False
    assert bool(kernel.call("is_utf8", kernel.put(data + b" "), len(data))) == holds


def test_a_large_table_goes_the_fast_way_and_a_small_one_does_not() -> None:
    data = table(1, 200).encode()
    large = data + data.partition(b"\n")[2] * 200
    assert isinstance(open_table(chunks(large), "a.csv"), FlatTable)
    assert not isinstance(open_table(chunks(data), "a.csv"), FlatTable)


def test_a_narrow_table_with_a_hit_in_every_cell_is_redacted_in_smaller_blocks(monkeypatch: pytest.MonkeyPatch) -> None:
    rows = "".join(f"{letter}{n % 10}@b.cc,13812345{n % 1000:03}\n" for n in range(12_000) for letter in "abc")
    data, halved = f"说明,手机号\n{rows}".encode(), []

    def counted(block: flat.Block) -> list[flat.Block]:
        halved.append(len(block.data))
        return flat.halves(block)

    monkeypatch.setattr(masking_flat, "halves", counted)
    known = KnownValues()
    known.table = NumberTable(MAX_NUMBERS)
    known.add_numbers(["13812345678"], "phone")
    monkeypatch.setattr(kernel, "_MOST_MEMORY", Screen(known).kernel.mark + (1 << 20))
    fast, slow = both(data, default_policy())
    assert halved
    assert fast[0] == slow[0]
    assert plain(fast[1]) == plain(slow[1])


@settings(deadline=None, max_examples=100)
@given(st.lists(st.text("王小明说a1@ .é,", max_size=12), max_size=40))
def test_the_learner_misses_nothing_of_what_it_is_not_given_twice(values: list[str]) -> None:
    """What the kernel passes over as a text of a form that was met changes nothing that is learnt."""
    data = ("\n".join(["备注,号", *(f'"{value}",{n}' for n, value in enumerate(values))]) + "\n").encode()
    batch = flat.FlatBatch(KERNEL, flat.Block(data, 0, last=True), FlatTable([b"a,b\n1,2\n"], ","))
    given_once = batch.take([flat.Wanted(0, seen=flat.SeenValues(KERNEL), forms=True)]).values[0]
    KERNEL.mark = KERNEL.base
    learnt = []
    for texts in (values, given_once):
        learner = NameLearner(KnownValues())
        learner.read(texts)
        learnt.append((list(learner._waiting), learner.characters))
    assert learnt[0] == learnt[1]


def test_columns_share_what_was_seen_and_never_fill_it(monkeypatch: pytest.MonkeyPatch) -> None:
    """Beyond its room values are given again; a table without a free slot would be searched for ever."""
    monkeypatch.setattr(flat.SeenValues, "_SIZE", 1 << 12)
    columns, rows = 40, 600
    data = "".join(",".join(f"{row}甲{column}" for column in range(columns)) + "\n" for row in range(rows)).encode()
    table = FlatTable([",".join(f"c{column}" for column in range(columns)).encode() + b"\n" + data], ",")
    batch, seen = flat.FlatBatch(KERNEL, flat.Block(data, 0, last=True), table), flat.SeenValues(KERNEL)
    wanted = [flat.Wanted(column, seen=seen) for column in range(columns)]
    first, again = batch.take(wanted), batch.take(wanted)
    KERNEL.mark = KERNEL.base
    assert seen.room == 0
    assert sum(map(len, first.values.values())) == columns * rows
    assert sum(map(len, again.values.values())) == columns * rows - seen.size // 2


@pytest.mark.parametrize("size", [2, 40, 55, 63, 64, 100, 119])
def test_tokens_are_those_of_the_pseudonymiser(size: int) -> None:
    """Mail addresses of one and of two blocks of the hash, and four at once."""
    addresses = [f"{'u' * (size // 2)}{n}@{'x' * (size // 2)}.example.com" for n in range(7)]
    data = ("邮箱,编号\n" + "".join(f"{a},{n}\n" for n, a in enumerate(addresses))).encode()
    fast, _ = both(data, default_policy())
    tokens = Pseudonymiser(KEY)
    assert [row[0] for row in csv.reader(io.StringIO(fast[0].decode("utf-8-sig")))][1:] == [
        tokens.token("email", address) for address in addresses
    ]

"""The compiled first look says what the detectors say, or that it can't tell; and it was written for these detectors."""

import itertools
import random
import string
from collections.abc import Callable

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from handover.detection import checks, screening
from handover.detection.detectors import DETECTORS, bank_card
from handover.detection.known import KnownValues
from handover.detection.names import western
from handover.detection.scanner import ColumnScan
from handover.detection.spans import Span
from handover.masking.pseudonyms import Pseudonymiser

EXAMPLES = [text for d in DETECTORS for text, _ in d.POSITIVE] + [text for d in DETECTORS for text in d.NEGATIVE]
NAMES = ["张三丰", "张三", "李小四", "欧阳娜娜", "王伟", "John Smith", "O'Brien Mary"]
NUMBERS = [("13812345678", "phone"), ("62345678", "phone"), ("6222021234567890129", "bank_card")]
KNOWN = KnownValues()
for _name in NAMES:
    KNOWN.add_name(_name)
for _number, _kind in NUMBERS:
    KNOWN.add_number(_number, _kind)
KNOWN.add_surname("Whitcombe")
SCREEN = screening.Screen(KNOWN)

PIECES = [
    *EXAMPLES, *NAMES, *(number for number, _ in NUMBERS), "，", "。", " ", "\n", "电话", "手机", "订单", "流水号", "card ", "call ", "生", "日",
    "2025-01-31", "1990年5月12日", "12:30:45", "1.5", "12,5", "(", ")", "（", "-", ".", "@", "+86", "OD2025", "号", "路", "区", "栋", "市", "沪",
    "A1234", "x", "X", "o", "l", "一", "三八", "11010519491231002X", "4111111111111111", "DE89370400440532013000", "91350100M000100Y43",
    "李建国", "陈晓", "欧阳修", "方税", "高兴", "经理", "来电", "反映", "、", "，男，", "联系人", "姓名：", "客户", "说，", "称", "联系", "的", "和", "王", "张", "要求",
    "Main ", "Street", "12 ", "12-14 ", "12A, ", "rue ", "Hauptstr. 5", "Box 12", "Follow-up ", "Smith ", "Foo ", "I ", "J. ", "JOE ", "TD ", "Dear ", "called ", "my name is ",
    "de ", "The ", "'s ", "北京市", "朝阳", "浙江", "小区", "村", "大厦", "中心", "三单元", "12F", "#5", "甲", "北纬31.23", "东经121.47", " lng ", "120.153", "使014578", "WJ", "3月",
    "许伟", "任明", "刘英", "于", "王建国", "陈海", "赵代", "孙工", "表示", "代表", "程师", "工程师", "女士", "打来电话", "签收", "反馈", "主任", "书记", "法官", "曾", "刘记", "司马光明",
    "Whitcombe", "Whitcombe's ", "said", "Gao ", "Zhixiong ", "C. ", "N. ", "Minister ", "Hong Kong ", "Miss ",
    "永茂西路329", "花园", "127-1513", "9-3-1665", "42幢902", "幢", "栋", "2单元", "3号楼", "市场", "d区745号", "城", "寄到", "住在", "湾", "-3-", "社区", "都", "谢",
    "ID110101199003074514", "t13812345678", "sj", "tel", "m", "13812345678x", "110101199003074514", "_", "ID", "abc", "13812345678",
    "王", "先生", "欧阳", "陈先生", "小姐", "李主任", "周二", "路", "局长", "副局长", "任", "总经理", "彭女士", "毕业于", "外长", "老师", "明",
    "The Old School, ", "Church Lane, ", "Little House, ", "Bath BA1 2AB", "Marlborough SN8 3JP", "Plot No. 88, ", "Flat 3, ", "Delhi - 110024", "City 500034", "Hong Kong", "5 impasse ", "des Lilas",
    "·", "买买提", "吐尔逊", "號", "樓", "東單元", "东单元", "西户", "家属院", "彌敦道", "香港", "律师", "会计", "事务所", " & ", "Gamble", "首席", "到", "被",
    "\u200b", "1\u00ad3", "2024年", "港", "台北", "02-2345-6789", "66123456", "pin", "my pin is 4821", "12 bis ", "apt 5", "the ", "visit ",
    "911310000123456789", "a.b@c.de", "zhang@example.com", "138", "1234", "5678", "99", "0", "和", "或者", " at ", "phone", "ext. ", "5 Main Street", "\u3000", "é", "——",
]  # fmt: skip
#: What a redaction leaves, and what only looks like it.
REPLACEMENTS = [
    "mobile-IU5Q7AVX2QQD3KLMNOPWX2YZ7A", "person_name-VXABC234QQ567DEFGHIJKLMN77", "bank_card-ABCDEFGHIJKLMNOPQRSTUVWXYZ", "email-22ABCDEFGHIJ765432KLMNOPPQ",
    "us_ssn-DE22ABCDEFGHIJKLMNOPQRSTUV", "iban-FR22ABCDEFGHIJKLMNOPQRST22", "wechat-ABCDEFGHIJKLMNOPQRSTUVVX34", "iban-FR76ABCDEFGHIJKLMNOPQRSTUV", "a-WJABCDEFGHIJKLMNOPQRSTUPIN",
    "mobile-IU5Q7AVX2QQD3KLMNOPWX2YZ7", "mobile-IU5Q7AVX2QQD3KLMNOPWX2YZ7A7", "mobile-IU5Q7AVX2QQD3KLMNOPWX2YZ7Aa", "mobile-IU5Q7AVX2QQD3KLMNOPWX2YZ71", "Xmobile-IU5Q7AVX2QQD3KLMNOPWX2YZ7A",
    "-IU5Q7AVX2QQD3KLMNOPWX2YZ7A", "IU5Q7AVX2QQD3KLMNOPWX2YZ7A", "mobile-5555555ABCDEFGHIJKLMNOPQRS", "mobile-62345672ABCDEFGHIJKLMNOP27", "9mobile-IU5Q7AVX2QQD3KLMNOPWX2YZ7A",
    "[mobile]", "[person_name]", "[]", "[Mobile]", "10123456789", "11123456789", "000-12345678", "+999123456789012", "abcdefghijklmnopqrstuvwxy@example.invalid",
    "001234567890123456", "0000123456789012", "138****5678", "张*", "*三丰", "a*b.com", "l***@example.com", "****", "***4567890", "12*4567890",
]  # fmt: skip
PIECES += REPLACEMENTS
texts = st.lists(st.sampled_from(PIECES) | st.text("0123456789.-: ABCXaefox@，一号生", max_size=6), max_size=7).map(
    "".join
)


def plain(values: list[str], *, numbers: bool = True) -> dict[str, list[Span]]:
    """By the detectors alone, one value at a time."""
    scan = ColumnScan("" if numbers else "telephone", known=KNOWN)
    return {value: spans for value in values if (spans := scan._find([value]).get(value))}


@settings(deadline=None, max_examples=600)
@given(texts)
def test_what_the_kernel_settles_is_what_the_detectors_find(value: str) -> None:
    found, slow = SCREEN.find([value], numbers=True)
    if value not in slow:
        assert found == plain([value])


@pytest.mark.parametrize("seed", range(8))
def test_random_texts_of_all_pieces_are_judged_alike(seed: int) -> None:
    rng = random.Random(seed)
    values = list(dict.fromkeys("".join(rng.choices(PIECES, k=rng.randint(1, 6))) for _ in range(2500)))
    found, slow = SCREEN.find(values, numbers=True)
    settled = [value for value in values if value not in set(slow)]
    assert len(settled) > 100
    expected = plain(settled)
    assert [(v, found.get(v), expected.get(v)) for v in settled if found.get(v) != expected.get(v)] == []


@pytest.mark.parametrize("seed", range(4))
def test_texts_with_replacements_are_judged_alike(seed: int) -> None:
    rng = random.Random(seed)
    values = [
        *REPLACEMENTS,
        *(f"{rng.choice(PIECES)}{rng.choice(REPLACEMENTS)}{rng.choice(PIECES)}" for _ in range(4000)),
    ]
    values = list(dict.fromkeys(values))
    found, slow = SCREEN.find(values, numbers=True)
    settled = [value for value in values if value not in set(slow)]
    expected = plain(settled)
    assert [(v, found.get(v), expected.get(v)) for v in settled if found.get(v) != expected.get(v)] == []
    assert {"[mobile]", "mobile-IU5Q7AVX2QQD3KLMNOPWX2YZ7A", "138****5678", "000-12345678"} <= set(settled)


def test_texts_with_pseudonyms_are_settled_without_the_detectors() -> None:
    tokens = Pseudonymiser(b"k" * 32)
    values = [f"登记手机{tokens.token('mobile', str(number))}，客服已安抚" for number in range(3000)]
    found, slow = SCREEN.find(values, numbers=True)
    assert found == {}
    assert len(slow) < 0.1 * len(values)


def test_a_text_that_is_met_again_is_judged_as_before() -> None:
    told = [
        "登记手机13912345679，证件11010519491231002X，请尽快回电，谢谢",
        "护照E12345678已核对，其余资料随后补交，请查收，谢谢",
        "产品使用一周后出现异响，客户没有要求更换",
    ]
    values = [
        *told,
        *(f"登记手机1391234567{n}，证件11010519491231002X，请尽快回电，谢谢" for n in range(9)),
        *told,
        *told,
    ]
    encoded = [value.encode() for value in values]
    kernel = SCREEN.kernel
    mark = kernel.mark
    ends = np.cumsum([len(value) for value in encoded], dtype=np.uint32)
    starts = np.concatenate([np.zeros(1, np.uint32), ends[:-1]])
    text = kernel.put(b"".join(encoded))
    slow, hits = SCREEN.look(text, kernel.put(starts), kernel.put(ends), len(values))
    kernel.mark = mark
    assert slow.tolist() == [value == told[1] for value in values]
    for number, value in enumerate(values):
        alone = [row[1:] for row in hits.tolist() if row[0] == number]
        assert [(kind, start) for start, _, kind in alone] == (
            [(1, value.encode().index(b"139")), (0, value.encode().index(b"1101"))] if "手机" in value else []
        )


def test_the_kernel_knows_the_detectors_as_they_are() -> None:
    """When this fails: look through kernel/screen.c for what changed in the detector, then note its version."""
    assert screening.is_current()


def test_another_version_of_a_detector_is_not_screened(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(screening.VERSIONS, "email", 99)
    assert not screening.is_current()


def test_ordinary_texts_are_settled_without_the_detectors() -> None:
    values = [
        "客户来电反映账单与合同不一致，登记手机13912345679，请回电。",
        "张三丰要求退款，金额12.50元，退回卡号6222021234567890128。",
        "Please send the invoice for order OD20250000000001 to a.b@example.com, delivered on 2025-01-31.",
        "证件11010519491231002X，税号91350100M000100Y43",
    ]
    found, slow = SCREEN.find(values, numbers=True)
    assert slow == []
    kinds = [[span.kind for span in found.get(value, [])] for value in values]
    assert kinds == [["mobile"], ["person_name", "bank_card"], ["email"], ["resident_id", "uscc"]]
    found, slow = SCREEN.find(["吴海燕要求退款。", "昨天，赵明来电，已收到", "如有差异请联系商务，谢谢"], numbers=True)
    assert (slow, list(found)) == ([], ["吴海燕要求退款。", "昨天，赵明来电，已收到"])


def test_short_words_are_told_apart() -> None:
    kernel, ordinary = SCREEN.kernel, western.no_names()
    mark = kernel.mark
    for size in (2, 3):
        for letters in itertools.product(string.ascii_lowercase, repeat=size):
            word = "".join(letters)
            assert bool(kernel.call("listed", 3, kernel.put(word.encode()), size)) == (word in ordinary), word
            kernel.mark = mark


@pytest.mark.parametrize(
    ("holds", "name", "starts"),
    [(checks.resident_id, "resident_id_holds", ("11", "31", "52")), (checks.uscc, "uscc_holds", ("11", "52", "91"))],
)
def test_check_digits_are_those_of_the_standard(
    holds: Callable[[str], bool], name: str, starts: tuple[str, ...]
) -> None:
    kernel, rng = SCREEN.kernel, random.Random(name)
    mark = kernel.mark
    for _ in range(400):
        body = f"{rng.choice(starts)}{rng.randint(1000, 9999)}{rng.randint(1900, 2015)}{rng.randint(1, 12):02}{rng.randint(1, 31):02}{rng.randint(100, 999)}"
        for check in "0123456789X":
            number = body + check
            assert bool(kernel.call(name, kernel.put(number.encode()))) == holds(number), number
    kernel.mark = mark


def test_card_ranges_are_those_of_the_detector() -> None:
    kernel = SCREEN.kernel
    mark = kernel.mark
    for prefix in range(1000, 10_000):
        for size in range(12, 20):
            number = str(prefix).ljust(size - 1, "0")
            number = next(n for d in range(10) if checks.luhn(n := f"{number}{d}"))
            kernel.mark = mark
            assert bool(kernel.call("is_card", kernel.put(number.encode()), size)) == bank_card.is_card(number), number
    kernel.mark = mark

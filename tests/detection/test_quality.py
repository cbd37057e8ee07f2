"""Precision and recall on labelled texts made by others, and on generated texts with near misses.

A label counts as found when a hit of its kind covers half of it; a hit that touches no label of its kind is wrong.
"""

import base64
import csv
import json
import random
import re
import zipfile
from collections.abc import Callable, Sequence
from pathlib import Path

import pytest

from handover.detection import checks
from handover.detection.scanner import ColumnScan

DATA = Path(__file__).parents[3] / "shared" / "data"
TELEPHONES = frozenset({"phone", "landline", "mobile"})
needs_data = pytest.mark.skipif(not DATA.is_dir(), reason="the labelled sets are not beside this checkout")
Place = tuple[int, int]


def measure(texts: Sequence[str], labels: Sequence[Sequence[Place]], kinds: frozenset[str]) -> tuple[float, float]:
    """Precision and recall of the kinds over all texts."""
    hits = ColumnScan("free_text").find(list(texts))
    found = missed = wrong = 0
    for index, wanted in enumerate(labels):
        got = [(span.start, span.end) for span in hits.get(index, []) if span.kind in kinds]
        covered = sum(any(_overlap(place, one) * 2 >= place[1] - place[0] for one in got) for place in wanted)
        found, missed = found + covered, missed + len(wanted) - covered
        wrong += sum(not any(_overlap(place, one) for place in wanted) for one in got)
    return found / max(1, found + wrong), found / max(1, found + missed)


def _overlap(a: Place, b: Place) -> int:
    return max(0, min(a[1], b[1]) - max(a[0], b[0]))


@needs_data
@pytest.mark.parametrize(
    ("label", "kinds", "f1"),
    [
        ("CREDIT_CARD", {"bank_card"}, 0.99),
        ("EMAIL_ADDRESS", {"email"}, 0.99),
        ("IBAN_CODE", {"iban"}, 0.99),
        ("US_SSN", {"us_ssn"}, 0.99),
        ("IP_ADDRESS", {"ip"}, 0.99),
        ("PHONE_NUMBER", TELEPHONES, 0.95),
        ("PERSON", {"person_name"}, 0.85),
        ("STREET_ADDRESS", {"address"}, 0.9),
    ],
)
def test_english_texts(label: str, kinds: set[str], f1: float) -> None:
    rows = json.loads((DATA / "presidio-research" / "synth_dataset_v2.json").read_bytes())
    places = [
        [(s["start_position"], s["end_position"]) for s in row["spans"] if s["entity_type"] == label] for row in rows
    ]
    precision, recall = measure([row["full_text"] for row in rows], places, frozenset(kinds))
    assert 2 * precision * recall / (precision + recall) >= f1


@needs_data
@pytest.mark.parametrize(
    ("slot", "kinds", "precision", "recall"),
    [("电话", TELEPHONES, 0.98, 0.96), ("地址", frozenset({"address"}), 0.95, 0.88)],
)
def test_chinese_dialogues(slot: str, kinds: frozenset[str], precision: float, recall: float) -> None:
    with zipfile.ZipFile(DATA / "crosswoz" / "test.json.zip") as archive:
        dialogues = json.loads(archive.read("test.json"))
    texts, places = [], []
    for message in (message for dialogue in dialogues.values() for message in dialogue["messages"]):
        told = [act[3] for act in message["dialog_act"] if act[0] in {"Inform", "Recommend"} and act[2] == slot]
        values = [part for value in told for part in _parts(slot, value)]
        texts.append(message["content"])
        places.append([(at, at + len(v)) for v in values if (at := message["content"].find(v)) >= 0])
    assert sum(map(len, places)) > 300
    measured = measure(texts, places, kinds)
    assert measured[0] >= precision
    assert measured[1] >= recall


def _parts(slot: str, value: str) -> list[str]:
    return re.findall(r"[0-9][0-9-]{5,}[0-9]", value) if slot == "电话" else [value]


@needs_data
def test_complaints_without_names_give_few_hits() -> None:
    """The bureau has masked names and addresses; what is left in capitals are companies."""
    with (DATA / "cfpb_complaints.csv").open(newline="", encoding="utf-8") as file:
        texts = [row["consumer_complaint_narrative"] for row in csv.DictReader(file)][:1500]
    kinds = [s.kind for spans in ColumnScan("free_text").find(texts).values() for s in spans]
    words = sum(len(text.split()) for text in texts)
    assert kinds.count("person_name") <= 0.7 * words / 1000
    assert kinds.count("address") <= 0.02 * words / 1000


#: None of these is taken from the lists that the detectors use.
_ROADS = ("梧桐里路", "青田大道", "望江门外街", "三元弄", "临湖路", "五一中路", "学院北路")
_ESTATES = ("翠湖名邸", "云栖花园", "金色家园", "东方公寓", "星海大厦", "朝阳小区")
_VILLAGES = ("石门镇大桥村", "柳河乡三道沟村", "城关街道东门社区")
_REGIONS = (
    "浙江省杭州市西湖区",
    "四川成都武侯区",
    "内蒙古自治区包头市昆都仑区",
    "上海浦东新区",
    "湖南省岳阳市平江县",
    "",
)
_STREETS = ("Willow Bend Road", "N Harper Ave", "Old Mill Lane", "21st Street", "St. Mark's Place", "Birchwood Ct")
_CITIES = ("Fresno, CA 93701", "Albany, NY 12207", "Leeds LS1 4AP", "Ottawa, ON K1P 1J1", "Perth WA 6000")


def _chinese_address(rng: random.Random) -> str:
    region = rng.choice(_REGIONS)
    house = f"{rng.randint(1, 999)}{rng.choice(['号', '弄3号', '-8号', '号院'])}"
    room = rng.choice(
        ["", f"{rng.randint(1, 30)}幢{rng.randint(101, 2999)}室", f"{rng.randint(1, 20)}号楼{rng.randint(1, 5)}单元"]
    )
    if region and rng.random() < 0.25:
        return region + rng.choice(_VILLAGES) + rng.choice(["", "三组", "12号"])
    return region + rng.choice(_ROADS) + house + (rng.choice(_ESTATES) + room if room else "")


def _english_address(rng: random.Random) -> str:
    unit = rng.choice(["", f", Apt {rng.randint(1, 40)}", f" Suite {rng.randint(100, 900)}", f" #{rng.randint(1, 99)}"])
    return f"{rng.randint(1, 9999)} {rng.choice(_STREETS)}{unit}{rng.choice([', ', chr(10)])}{rng.choice(_CITIES)}"


@pytest.mark.parametrize(
    ("maker", "frames"),
    [
        (_chinese_address, ("{}", "请寄到{}，谢谢", "收货地址：{}。", "客户住在{}，电话未留", "他的办公室在{}。")),
        (
            _english_address,
            ("{}", "Please send it to {}.", "I live at {} and work nearby", "Address: {}", "We moved ({}) in May."),
        ),
    ],
)
def test_generated_addresses_are_found(maker: Callable[[random.Random], str], frames: Sequence[str]) -> None:
    rng = random.Random(maker.__name__)
    texts, places = [], []
    for _ in range(400):
        value, frame = maker(rng), rng.choice(frames)
        texts.append(frame.format(value))
        places.append([(frame.index("{}"), frame.index("{}") + len(value))])
    precision, recall = measure(texts, places, frozenset({"address"}))
    assert precision >= 0.98
    assert recall >= 0.97


def _digits(rng: random.Random, count: int) -> str:
    return "".join(rng.choices("0123456789", k=count))


def _with_check(body: str, holds: Callable[[str], bool], alphabet: str = "0123456789") -> str:
    return next(number for c in alphabet if holds(number := body + c))


def _wrong(rng: random.Random, number: str, holds: Callable[[str], bool]) -> str:
    """The number with another check character, so that it is none."""
    last = [c for c in "0123456789" if c != number[-1]]
    return next(bad for c in rng.sample(last, len(last)) if not holds(bad := number[:-1] + c))


def _resident_id(rng: random.Random) -> str:
    born = f"{rng.randint(1950, 2010)}{rng.randint(1, 12):02}{rng.randint(1, 28):02}"
    body = f"{rng.choice(['310115', '110101', '440304'])}{born}{_digits(rng, 3)}"
    return _with_check(body, checks.resident_id, "0123456789X")


def _card(rng: random.Random) -> str:
    return _with_check(f"{rng.choice(['622202', '621700', '621226'])}{_digits(rng, 12)}", checks.luhn)


def _iban(rng: random.Random) -> str:
    bare = f"37040044{_digits(rng, 10)}"
    return next(number for k in range(2, 99) if checks.iban(number := f"DE{k:02}{bare}"))


def _uscc(rng: random.Random) -> str:
    return _with_check(f"9131{_digits(rng, 13)}", checks.uscc, "0123456789ABCDEFGHJKLMNPQRTUWXY")


def _mobile(rng: random.Random) -> str:
    return f"1{rng.choice(['38', '39', '50', '86', '99'])}{_digits(rng, 8)}"


def _full_width(value: str) -> str:
    return "".join(chr(ord(c) + 0xFEE0) if "!" <= c <= "~" else c for c in value)


def _in_words(value: str) -> str:
    return "".join("零一二三四五六七八九"[int(c)] if c.isdigit() else c for c in value)


def _with_letters(value: str) -> str:
    return value.replace("0", "O").replace("1", "l", 1)


def _grouped(value: str) -> str:
    return " ".join(value[i : i + 4] for i in range(0, len(value), 4))


MAKERS: dict[str, Callable[[random.Random], str]] = {
    "resident_id": _resident_id,
    "bank_card": _card,
    "iban": _iban,
    "uscc": _uscc,
    "mobile": _mobile,
    "email": lambda rng: f"u{_digits(rng, 5)}@{rng.choice(['example.com', 'mail.example.cn'])}",
    "ip": lambda rng: f"{rng.randint(11, 99)}.{rng.randint(1, 254)}.{rng.randint(1, 254)}.{rng.randint(1, 254)}",
}
FRAMES = ("客户说{}，请核实。", "登记为{}，谢谢", "the customer gave {} today", "备注({})已存档", "{}")
NEAR_MISSES: tuple[Callable[[random.Random], str], ...] = (
    lambda rng: f"订单号{_digits(rng, 18)}",
    lambda rng: f"运单{_digits(rng, 12)}已签收",
    lambda rng: f"流水{_digits(rng, 25)}",
    lambda rng: "写错的证件 " + _wrong(rng, _resident_id(rng), checks.resident_id),
    lambda rng: "写错的卡 " + _wrong(rng, _card(rng), checks.luhn),
    lambda rng: f"order {_mobile(rng)}{_digits(rng, 4)}",
    lambda rng: f"版本 {rng.randint(1, 9)}.{rng.randint(0, 9)}.{rng.randint(0, 99)}.{rng.randint(0, 99)}",
    lambda rng: f"金额{rng.randint(100, 99999)}.{rng.randint(10, 99)}元，2026-{rng.randint(1, 12):02}-11",
)


@pytest.mark.parametrize("kind", MAKERS)
def test_generated_identifiers_are_all_found_and_near_misses_are_not(kind: str) -> None:
    rng = random.Random(f"plain {kind}")
    texts, places = [], []
    for _ in range(400):
        value, frame = MAKERS[kind](rng), rng.choice(FRAMES)
        texts.append(frame.format(value))
        places.append([(frame.index("{}"), frame.index("{}") + len(value))])
        texts.append(rng.choice(NEAR_MISSES)(rng))
        places.append([])
    assert measure(texts, places, frozenset({kind})) == (1.0, 1.0)


#: None of these is one, though mobile and identity numbers are looked for behind letters too.
GLUED_MISSES: tuple[Callable[[random.Random], str], ...] = (
    lambda rng: f"{rng.randbytes(20).hex()}",
    lambda rng: f"commit {rng.randbytes(32).hex()}",
    lambda rng: f"{rng.choice('ABCDEFGKLNOQ')}{_mobile(rng)}",
    lambda rng: f"{rng.choice(['SO', 'PO', 'INV', 'R', 'RMA', 'x', 'EMS', 'SF'])}{_mobile(rng)}",
    lambda rng: f"order=m{_mobile(rng)}",
    lambda rng: "ID" + _wrong(rng, _resident_id(rng), checks.resident_id),
    lambda rng: f"SF{_digits(rng, 18)}",
    lambda rng: base64.b32encode(rng.randbytes(25)).decode(),
)


@pytest.mark.parametrize("kind", ["resident_id", "mobile"])
def test_numbers_glued_to_letters_are_found_and_codes_are_not(kind: str) -> None:
    rng = random.Random(f"glued {kind}")
    befores = {"resident_id": ("ID", "id", "sfz", "No"), "mobile": ("t", "tel", "Mobile", "sj", "wx", "phone_")}[kind]
    texts, places = [], []
    for _ in range(400):
        value, before = MAKERS[kind](rng), rng.choice(befores)
        texts.append(f"登记{before}{value}，谢谢")
        places.append([(2 + len(before), 2 + len(before) + len(value))])
        texts.append(rng.choice(GLUED_MISSES)(rng))
        places.append([])
    assert measure(texts, places, frozenset({kind})) == (1.0, 1.0)


@pytest.mark.parametrize("kind", ["resident_id", "bank_card", "mobile"])
def test_numbers_in_words_and_letters_are_found(kind: str) -> None:
    rng = random.Random(f"words {kind}")
    values = [rng.choice([_in_words, _with_letters])(MAKERS[kind](rng)) for _ in range(200)]
    texts = [f"我的是{value}，谢谢" for value in values]
    _, recall = measure(texts, [[(3, 3 + len(value))] for value in values], frozenset({kind}))
    assert recall >= 0.95


@pytest.mark.parametrize(
    "text", ["二〇二六年一月三十一日", "Oll Korrect Illl OOOO", "一二三四五六七八九十", "order lOO2OO3OO4OO"]
)
def test_words_are_no_numbers(text: str) -> None:
    assert ColumnScan("free_text").find([text]) == {}


@pytest.mark.parametrize("kind", ["resident_id", "bank_card", "mobile", "uscc", "iban"])
def test_disguised_identifiers_are_found(kind: str) -> None:
    rng = random.Random(f"disguised {kind}")
    texts, places = [], []
    for _ in range(300):
        value = rng.choice([_full_width, _grouped, str])(MAKERS[kind](rng))
        before = rng.choice(["号码", "我的是", "登记：", ""])
        texts.append(f"{before}{value}谢谢")
        places.append([(len(before), len(before) + len(value))])
    _, recall = measure(texts, places, frozenset({kind}))
    assert recall >= 0.95

"""Deterministic, realistic customer records in Chinese and English: nobody real, every checksum right.

One seed gives the same bytes every time: profiles (CSV), transactions (XLSX), feedback (JSONL) and complaints
with free text (TXT, GB18030), and the notices and consents that belong to them (CSV).
"""

import csv
import datetime as dt
import io
import random
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

import msgspec
import xlsxwriter

_SURNAMES = "王李张刘陈杨黄赵吴周徐孙马朱胡郭何高林罗郑梁谢宋唐许韩冯邓曹彭曾肖田董袁潘于蒋蔡余杜叶程苏魏吕丁任沈"
_GIVEN = "伟芳娜秀英敏静丽强磊军洋勇艳杰娟涛明超霞平刚桂兰玲婷浩宇欣怡子涵雨泽梓萱俊豪思远嘉宁雪䶮"
_FIRST = [
    "James",
    "Mary",
    "Robert",
    "Patricia",
    "John",
    "Jennifer",
    "Michael",
    "Linda",
    "David",
    "Elizabeth",
    "Wei",
    "Ming",
    "Olivia",
    "Noah",
    "Emma",
    "Liam",
]
_LAST = [
    "Smith",
    "Johnson",
    "Williams",
    "Brown",
    "Jones",
    "Garcia",
    "Miller",
    "Davis",
    "O'Brien",
    "Wilson",
    "Anderson",
    "Taylor",
    "Moore",
    "Chen",
    "Wong",
]
_PLACES = (
    ("310101", "上海市黄浦区", ("南京东路", "福州路", "河南中路")),
    ("310115", "上海市浦东新区", ("世纪大道", "张杨路", "锦绣路")),
    ("320102", "江苏省南京市玄武区", ("中山路", "珠江路", "太平北路")),
    ("330106", "浙江省杭州市西湖区", ("文三路", "天目山路", "教工路")),
    ("440304", "广东省深圳市福田区", ("深南大道", "福华路", "彩田路")),
)
_PRODUCTS = ("扫地机器人 S3", "空气净化器 P200", "净水器 W1", "Vacuum S3", "Air purifier P200", "延保服务两年")
_CHANNELS = ("电话", "微信", "邮件", "门店", "app")
_EPOCH = dt.date(2026, 1, 1)


@dataclass(frozen=True, slots=True)
class Customer:
    """One invented customer; `guardian` is set for minors."""

    number: str
    name: str
    resident_id: str
    mobile: str
    email: str
    address: str
    card: str
    born: dt.date

    @property
    def minor(self) -> bool:
        """Under 14 on the demo's reference day."""
        return (_EPOCH - self.born).days < 14 * 365


def customers(count: int, seed: int) -> list[Customer]:
    rng = random.Random(seed)  # noqa: S311  (invented people, not secrets)
    return [_customer(rng, index) for index in range(1, count + 1)]


def write_all(people: Sequence[Customer], folder: Path, seed: int) -> list[Path]:
    """Writes the four record files; returns their paths."""
    rng = random.Random(seed + 1)  # noqa: S311
    folder.mkdir(parents=True, exist_ok=True)
    paths = [folder / name for name in ("客户资料.csv", "transactions.xlsx", "feedback.jsonl", "投诉记录.txt")]
    paths[0].write_bytes(_profiles(people))
    _transactions(people, paths[1], rng)
    paths[2].write_bytes(b"".join(_feedback(people, rng)))
    paths[3].write_bytes("".join(_complaints(people, rng)).encode("gb18030"))
    return paths


def _customer(rng: random.Random, index: int) -> Customer:
    region, place, roads = rng.choice(_PLACES)
    # One in four hundred is a child, whose records need a guardian's consent.
    years = rng.randint(5, 12) if index % 400 == 0 else rng.randint(19, 78)
    born = _EPOCH - dt.timedelta(days=years * 365 + rng.randint(0, 364))
    mobile = f"1{rng.choice('3578')}{rng.randint(0, 10**9 - 1):09d}"
    if index % 8 == 0:
        first, last = rng.choice(_FIRST), rng.choice(_LAST)
        name, local = f"{first} {last}", f"{first}.{last}".lower().replace("'", "")
    else:
        name = rng.choice(_SURNAMES) + "".join(rng.choice(_GIVEN) for _ in range(rng.choice((1, 2, 2))))
        local = f"user{rng.randint(1000, 9999)}"
    return Customer(
        number=f"C{index:07d}",
        name=name,
        resident_id=_resident_id(region, born, rng.randint(1, 999)),
        mobile=mobile,
        email=f"{local}.{index}@example.{rng.choice(('com', 'cn', 'org'))}",
        address=f"{place}{rng.choice(roads)}{rng.randint(1, 999)}号{rng.randint(1, 30)}幢{rng.randint(101, 2804)}室",
        card=_card(f"6222{rng.randint(0, 10**11 - 1):011d}"),
        born=born,
    )


def _resident_id(region: str, born: dt.date, serial: int) -> str:
    """GB 11643: ISO 7064 MOD 11-2 check character."""
    body = f"{region}{born:%Y%m%d}{serial:03d}"
    total = sum(int(digit) * (2 ** (17 - place) % 11) for place, digit in enumerate(body))
    return body + "10X98765432"[total % 11]


def _card(body: str) -> str:
    """Adds the Luhn digit."""
    total = 0
    for place, digit in enumerate(reversed(body)):
        value = int(digit) * (2 if place % 2 == 0 else 1)
        total += value - 9 if value > 9 else value
    return body + str(-total % 10)


def _profiles(people: Sequence[Customer]) -> bytes:
    out = io.StringIO(newline="")
    writer = csv.writer(out)
    writer.writerow(["客户编号", "姓名", "身份证号", "手机", "邮箱", "地址", "银行卡号", "出生日期", "会员等级"])
    for n, c in enumerate(people):
        level = ("普通", "银卡", "金卡")[n % 3]
        writer.writerow(
            [c.number, c.name, c.resident_id, c.mobile, c.email, c.address, c.card, c.born.isoformat(), level]
        )
    return b"\xef\xbb\xbf" + out.getvalue().encode()


def _transactions(people: Sequence[Customer], path: Path, rng: random.Random) -> None:
    book = xlsxwriter.Workbook(path, {"constant_memory": True, "strings_to_formulas": False})
    book.set_properties({"created": dt.datetime(2026, 1, 1, tzinfo=dt.UTC).replace(tzinfo=None)})
    sheet = book.add_worksheet("交易")
    sheet.write_row(0, 0, ["客户编号", "订单号", "下单日期", "商品", "金额", "收货手机"])
    for row, c in enumerate(people, 1):
        day = _EPOCH - dt.timedelta(days=rng.randint(1, 700))
        amount = rng.randint(1900, 899900) / 100
        order = f"SO{day:%y%m%d}{row:08d}"
        sheet.write_row(row, 0, [c.number, order, day.isoformat(), rng.choice(_PRODUCTS), amount, c.mobile])
    book.close()


def _feedback(people: Sequence[Customer], rng: random.Random) -> Iterator[bytes]:
    for c in people[:: max(1, len(people) // 6000) | 1]:
        if c.name.isascii():
            text = f"Great service, but please call me at {c.mobile} or write to {c.email} before you ship. {c.name}"
        else:
            text = (
                f"产品不错，客服{rng.choice(_SURNAMES)}经理很耐心。请联系{c.mobile}，邮箱{c.email}，地址{c.address}。"
            )
        row = {"customer_id": c.number, "channel": rng.choice(_CHANNELS), "score": rng.randint(1, 5), "comment": text}
        yield msgspec.json.encode(row) + b"\n"


def _complaints(people: Sequence[Customer], rng: random.Random) -> Iterator[str]:
    for c in people[:: max(1, len(people) // 2500) | 1]:
        day = _EPOCH - dt.timedelta(days=rng.randint(1, 500))
        yield (
            f"{day.isoformat()} 客户 {c.number} {c.name}来电（电话{c.mobile}）投诉{rng.choice(_PRODUCTS)}故障，"
            f"身份证{c.resident_id}，要求退款至银行卡{c.card}，寄回地址{c.address}。\r\n"
        )


def consent_of(index: int) -> str:
    """What the customer at this position (from 1) answers: `granted`, `refused` or `no_response`."""
    if index % 20 == 0:
        return "refused"
    return "no_response" if index % 33 == 0 else "granted"

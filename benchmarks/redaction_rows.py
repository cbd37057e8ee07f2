"""Seeded customer records for `redaction.py`: eight columns and a note in Chinese or English that may hold identifiers. Nobody's data."""

import csv
import io
import multiprocessing
import random
from pathlib import Path

HEADER = ("姓名", "身份证号", "手机号", "邮箱", "银行卡号", "地址", "出生日期", "订单号", "备注")
_SURNAMES = "王李张刘陈杨黄赵吴周徐孙马朱胡郭何高林罗郑梁谢宋唐许韩冯邓曹彭曾肖田董袁潘于蒋蔡余杜叶程苏魏吕丁任沈"
_GIVEN = (
    "伟芳娜敏静丽强磊军洋勇艳杰娟涛明超兰霞平刚桂英华玉建国志文辉红梅云峰斌宇浩然子轩梓涵欣怡雨泽诗琪俊豪思佳晨曦一诺"
)
_PLACES = (
    ("310115", "上海市浦东新区"),
    ("320106", "江苏省南京市鼓楼区"),
    ("110105", "北京市朝阳区"),
    ("440305", "广东省深圳市南山区"),
    ("330106", "浙江省杭州市西湖区"),
)
_ROADS = ("张江路", "中山北路", "建国路", "科技园南路", "文三路", "人民大道", "解放路")
_WEIGHTS = (7, 9, 10, 5, 8, 4, 2, 1, 6, 3, 7, 9, 10, 5, 8, 4, 2)
_USCC = "0123456789ABCDEFGHJKLMNPQRTUWXY"
_CHINESE = (
    "客户来电反映上月账单与合同不一致，要求尽快核对并回电，登记手机{mobile}，客服已安抚并升级至二线处理，预计三个工作日内答复。",
    "{name}要求退款，金额{amount}元，原订单{order}，退回卡号{card}，财务已确认到账时间，客户表示可以接受，稍后发送短信通知。",
    "核验身份时客户提供证件号{identity}，与系统一致，已为其办理改签，并提醒其携带原件到营业厅补录资料，其余无异常。",
    "客户咨询保修期限和上门时间，表示周末在家，请工程师提前半小时联系，邮箱{email}接收发票，工单已派出等待反馈。",
    "对公付款方税号{uscc}，开票抬头已核对，发票将于{date}寄出，如有差异请联系商务，流水号{order}备查，本次未收取加急费。",
    "产品使用一周后出现异响，客户要求更换，仓库确认有货，安排顺丰上门取件，客户对处理速度表示满意，给出五星评价。",
    "回访无人接听，短信已发送，系统自动关闭工单；若客户再次来电请转接二线，保持此前给出的优惠方案不变，注意时效。",
)
_ENGLISH = (
    "Customer called about a duplicate charge of {amount} dollars on the last statement and asked for a refund to card {card} within five business days as agreed.",
    "Spoke with the account owner who confirmed the new mobile {mobile} and asked us to stop using the old one for marketing, the preference centre was updated.",
    "Please send the invoice for order {order} to {email} and copy the accounting team, the goods were delivered on {date} and accepted without any remark at all.",
    "Wire transfer received from IBAN {iban} for the annual maintenance contract, the ledger was reconciled on {date} and the ticket was closed by finance.",
    "The device stops responding after the latest update, the customer already tried a factory reset and wants a replacement before the trip next week.",
    "Follow-up visit scheduled, technician should bring spare parts, the customer is very polite and asked twice for a discount on the extended warranty.",
)
#: In a hundred notes, words that only the detectors in Python judge: illness, an address, a secret.
_HARD = (
    "客户提到家里老人确诊糖尿病，希望宽限付款，已转主管，另约下周一上午再谈，其间不再催收，仅保留邮件通知。",
    "地址改为上海市浦东新区张江路123弄4号502室，联系电话021-62345678，白天有人签收，请提前通知客户。",
    "Please call back at (212) 555-0123 after six, password: hunter2 was read out on the line and has been reset since then.",
)
_PART = 20_000


def write(path: Path, rows: int) -> None:
    """The table, and beside it `.notes.csv` with the notes alone."""
    parts = [(start, min(start + _PART, rows)) for start in range(0, rows, _PART)]
    with path.open("wb") as whole, path.with_suffix(".notes.csv").open("wb") as notes, multiprocessing.Pool() as pool:
        whole.write(_text([HEADER]))
        notes.write(_text([HEADER[-1:]]))
        for records in pool.imap(_records, parts):
            whole.write(_text(records))
            notes.write(_text([record[-1:] for record in records]))


def _text(records: list[tuple[str, ...]]) -> bytes:
    text = io.StringIO(newline="")
    csv.writer(text).writerows(records)
    return text.getvalue().encode()


def _records(part: tuple[int, int]) -> list[tuple[str, ...]]:
    return [_record(number) for number in range(*part)]


def _record(number: int) -> tuple[str, ...]:
    rng = random.Random(number * 7919 + 1)
    code, place = rng.choice(_PLACES)
    born = f"{rng.randint(1950, 2007)}{rng.randint(1, 12):02}{rng.randint(1, 28):02}"
    name = rng.choice(_SURNAMES) + "".join(rng.choices(_GIVEN, k=rng.choice((1, 2, 2))))
    own = {"identity": _identity(rng, code, born), "mobile": _mobile(rng), "card": _card(rng)}
    email = f"u{number:06}.{rng.choice(('li', 'wang', 'chen'))}@{rng.choice(('example.com', 'mail.example.cn'))}"
    order = f"OD2025{number:010}"
    address = f"{place}{rng.choice(_ROADS)}{rng.randint(1, 999)}号{rng.randint(1, 40)}幢{rng.randint(101, 2605)}室"
    # Half of the notes are about somebody else's numbers.
    told = (
        own
        if rng.random() < 0.5
        else {"identity": _identity(rng, code, born), "mobile": _mobile(rng), "card": _card(rng)}
    )
    frame = rng.choice(_HARD) if rng.random() < 0.01 else rng.choice(_CHINESE if number % 2 else _ENGLISH)
    note = frame.format(
        **told, name=name, email=email, order=order, uscc=_uscc(rng, code), iban=_iban(rng),
        amount=f"{rng.randint(10, 9999)}.{rng.randint(10, 99)}", date=f"2025-{rng.randint(1, 12):02}-{rng.randint(1, 28):02}",
    )  # fmt: skip
    return (
        name,
        own["identity"],
        own["mobile"],
        email,
        own["card"],
        address,
        f"{born[:4]}-{born[4:6]}-{born[6:]}",
        order,
        note,
    )


def _identity(rng: random.Random, code: str, born: str) -> str:
    body = f"{code}{born}{rng.randrange(1000):03}"
    return body + "10X98765432"[sum(int(digit) * weight for digit, weight in zip(body, _WEIGHTS, strict=True)) % 11]


def _mobile(rng: random.Random) -> str:
    return f"1{rng.choice(('38', '39', '50', '86', '99'))}{rng.randrange(10**8):08}"


def _card(rng: random.Random) -> str:
    body = f"{rng.choice(('622202', '621700', '621226'))}{rng.randrange(10**12):012}"
    doubled = sum(
        (2 * int(d) - 9 if int(d) > 4 else 2 * int(d)) if i % 2 == 0 else int(d) for i, d in enumerate(reversed(body))
    )
    return f"{body}{-doubled % 10}"


def _iban(rng: random.Random) -> str:
    bare = f"37040044{rng.randrange(10**10):010}"
    return f"DE{98 - int(bare + '131400') % 97:02}{bare}"


def _uscc(rng: random.Random, code: str) -> str:
    body = f"91{code}{rng.randrange(10**9):09}"
    return body + _USCC[-sum(_USCC.index(c) * pow(3, i, 31) for i, c in enumerate(body)) % 31]

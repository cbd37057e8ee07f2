"""The first look at free text: most values are settled in compiled code, and only the rest is given to the detectors.

`kernel/screen.c` knows what each detector needs to find anything. Where it is sure (no hit at all, or one of seven kinds in plain
form) its answer is what the detectors would say; a test compares the two. It is written for the versions in
`VERSIONS`: another version of a detector means that nothing is screened until the kernel was looked through again.
"""

import datetime as dt
from collections import deque
from collections.abc import Iterable, Sequence
from copy import copy
from functools import cache
from threading import Lock
from typing import NamedTuple

import numpy as np

from handover.detection.addresses import chinese as addresses
from handover.detection.addresses import regions
from handover.detection.detectors import (
    DETECTORS,
    birth_date,
    credential,
    credit,
    criminal,
    health,
    imei,
    passport,
    religion,
    travel_permit,
    vin,
    wechat,
)
from handover.detection.known import KnownValues
from handover.detection.names import chinese, western
from handover.detection.names.lexicon import names
from handover.detection.names.surnames import COMPOUND_SURNAMES, SURNAMES
from handover.detection.number_table import KINDS as NUMBER_KINDS
from handover.detection.spans import Span
from handover.kernel import Kernel

#: What the kernel was written for.
VERSIONS = {
    "resident_id": 3, "passport": 1, "travel_permit": 1, "mobile": 3, "landline": 3, "phone": 3, "email": 1, "wechat": 2, "qq": 2,
    "person_name": 5, "address": 5, "bank_card": 2, "iban": 2, "uscc": 2, "plate": 2, "vin": 1, "ip": 1, "mac": 1, "imei": 1, "gps": 2,
    "birth_date": 2, "credential": 2, "health": 2, "religion": 2, "criminal": 2, "credit": 2, "us_ssn": 2,
}  # fmt: skip

#: What the kernel decides itself, in its order, with the confidence that the detectors give: address and birth date only in columns of
#: their own, a name when it is known, and at last a name before a title.
HITS = (
    ("resident_id", 0.99), ("mobile", 0.9), ("email", 0.97), ("bank_card", 0.95), ("iban", 0.99), ("uscc", 0.98), ("person_name", 0.82),
    ("address", 0.99), ("birth_date", 0.99), ("person_name", 0.75),
)  # fmt: skip
KINDS = tuple(kind for kind, _ in HITS)

_SLOW, _ORDER, _PHONE, _CARD, _WHOLE_WORD, _CUE, _TITLE, _LONGITUDE = (1 << bit for bit in range(8))
#: A value that holds one of these goes to the detectors; those in ASCII end where no letter or digit follows.
_WORDS = (
    *health.TERMS, *religion.TERMS, *criminal.TERMS, *credit.TERMS, *credential.CUES, *birth_date.CUES, *western.SMALL_CUES,
)  # fmt: skip
#: The same wherever they stand.
_SLOW_TERMS = (
    *(term for term in _WORDS if not term.isascii()), *credential.KEY_STARTS, *passport.CUES, *travel_permit.CUES, *wechat.CUES, *imei.CUES, *vin.CUES,
    "律师事务", "律师行", "律师楼", "会计师事务", "会计师行", "会计师楼", "会计事务", "会计行", "会计楼",
    "qq", "扣扣", "地址", "住址", "ssn", "social security", ".invalid", "corner of ", "apt ", "apt.", "suite ",
    *(f"{office}{dot}{space}box" for office in ("o", "office") for dot in ("", ".") for space in ("", " ")), "gpobox", "gpo box",
)  # fmt: skip
#: In front of a number: it may be an order's, a telephone's of any form, a card's of any range.
_ORDER_TERMS = (
    "订单", "单号", "工单", "运单", "快递", "流水", "凭证", "发票", "序列", "批次", "货号", "合同", "票据", "案号", "版本", "金额", "编号",
    "order", "tracking", "invoice", "serial", "waybill", "ticket", "txn", "transaction", "version", "ref", "sn", "case",
)  # fmt: skip
_PHONE_TERMS = (
    "香港", "澳门", "澳門", "港", "台湾", "臺灣", "台北", "臺北", "新北", "桃园", "桃園", "台中", "臺中", "台南", "臺南", "高雄", "taiwan", "taipei",
    "电话", "座机", "传真", "热线", "致电", "拨打", "联系方式", "港手机", "港的手机", "澳门手机", "澳门的手机", "phone", "tel", "mobile",
    "cell", "fax", "desk", "whatsapp", "call", "reach", "text", "ring", "contact", "answering", "message", "office",
)  # fmt: skip
_CARD_TERMS = ("card", "cc", "maestro", "信用卡", "银行卡", "卡号", "储蓄卡", "借记卡")

_LONGITUDE_TERMS = ("东经", "西经", "经度", "long", "lng", "lon")
#: Before and behind Chinese names (names/chinese.py).
_NAME_CUES = (
    "姓名", "名字", "联系人", "联络人", "收件人", "收货人", "寄件人", "发件人", "经办人", "负责人", "法定代表人", "法人代表", "法人", "申请人", "投诉人", "举报人", "报案人",
    "当事人", "被告", "被告人", "原告", "原告人", "委托人", "代理人", "受托人", "签收人", "接收人", "监护人", "持卡人", "户名", "被保险人", "投保人", "受益人", "借款人", "担保人",
    "承租人", "出租人", "业主", "患者", "病人", "学生", "员工", "客户", "用户", "乘客", "旅客", "司机", "顾客", "会员", "家长", "我叫", "我是", "叫做", "名叫", "他叫", "她叫",
    "记者", "通讯员", "本人", "致电", "联系", "签名", "签字", "审核", "批准", "复核", "制单",
)  # fmt: skip
_NAME_TITLES = (
    *chinese.TITLE[3:-1].split("|"), "说", "表示", "认为", "指出", "介绍", "介绍说", "告诉", "称", "强调", "透露", "回忆", "坦言", "来电", "致电", "打来电话", "投诉", "反映",
    "反馈", "要求", "签收", "签字", "报道", "摄", "电话", "手机", "微信", "联系方式", "身份证", "住址", "地址", "本人", "家住", "现住", "出生", "毕业于", "担任",
)  # fmt: skip
_TERMS = (
    (_SLOW_TERMS, _SLOW), ([term for term in _WORDS if term.isascii()], _WHOLE_WORD), (_ORDER_TERMS, _ORDER), (_PHONE_TERMS, _PHONE), (_CARD_TERMS, _CARD),
    (_LONGITUDE_TERMS, _LONGITUDE), (_NAME_CUES, _CUE), (_NAME_TITLES, _TITLE),
)  # fmt: skip
#: What follows a short name, in one character.
_AFTER_SHORT = "电手微身住女男反投来要先签已需本"

(
    _STREET, _UNIT, _NUMERAL, _PLATE, _WORD_DIGIT, _NAME, _DOUBT, _JOINS,
    _SURNAME, _NO_GIVEN, _TRIGGER, _STOP, _REGION, _BEHIND, _TITLE_START, _NO_PLACE,
    _TERM_START,
) = (1 << bit for bit in range(17))  # fmt: skip
_CHARACTERS = (
    ("道街路巷弄里同村镇乡区寓园苑场厦市县心庄城", _STREET),
    ("号弄幢栋座单楼层室支巷组队门梯房铺区期排段街路村", _UNIT),
    ("一二三四五六七八九十百零〇两", _NUMERAL),
    ("".join(SURNAMES) + "".join(name[0] for name in COMPOUND_SURNAMES), _SURNAME),
    (chinese.FUNCTION, _NO_GIVEN | _BEHIND),
    (_AFTER_SHORT, _BEHIND),
    ("".join(title[0] for title in _NAME_TITLES), _BEHIND | _TITLE_START),
    ("男女", _BEHIND | _TITLE_START),
    ("路街巷弄村镇乡道区厦园楼号室幢栋寓苑城座里庄场屯组县湾府庭居轩阁邸郡院岸港", _TRIGGER),
    ("。；！？“”：《》【】", _STOP),
    ("我你他她您它的了吗呢哪把被也还请吧", _NO_PLACE),
    ("京津沪渝冀豫云辽黑湘皖鲁新苏浙赣鄂桂甘晋蒙陕吉闽贵粤青藏川宁琼", _PLATE),
    ("零〇一二三四五六七八九幺两壹贰叁肆伍陆柒捌玖", _WORD_DIGIT),
    ("，；、·（）‐‑‒–—−\u00a0\u3000转", _JOINS),
    # Folded to ASCII, or of degrees, or equal to an ASCII letter when case is ignored.
    ("＠．－＿＋°′″ſıİ\u212a", _DOUBT),
    # Between the parts of a name: only the detector knows where it begins and ends.
    ("·•・", _DOUBT),
    # Read as other characters in addresses.
    (addresses.TRADITIONAL[0], _DOUBT),
)
#: Ranges in which nothing is taken for granted: Latin letters with accents, full-width forms, odd spaces, unseen characters, surrogates.
_DOUBTFUL = ((0x85, 0x86), (0xAD, 0xAE), (0xC0, 0x250), (0x34F, 0x350), (0x61C, 0x61D), (0x115F, 0x1161), (0x1680, 0x1681), (0x17B4, 0x17B6),
             (0x180B, 0x1810), (0x2000, 0x2010), (0x2028, 0x2030), (0x205F, 0x2070), (0x3164, 0x3165), (0xD800, 0xE000), (0xFE00, 0xFE10),
             (0xFEFF, 0xFF00), (0xFF10, 0xFF1A), (0xFF21, 0xFF3B), (0xFF41, 0xFF5B), (0xFFA0, 0xFFA1))  # fmt: skip

#: Lower-case words that a street's name begins and ends with (addresses/western.py); others begin with a capital.
_STREETS = "rue avenue boulevard bd place chemin impasse cours ruelle sentier route quai via viale corso piazza calle avenida paseo plaza rua travessa ulica ul al carrer strada"
_STREET_ENDS = "strasse str utca u terrasse vei gate n"
#: An abbreviation of capitals is no name, a short given name is.
_ABBREVIATION = 3

_WITH_NAMES, _WITH_NUMBERS, _REPLACED = 1, 2, 4
#: Of bytes, at most; as many columns has the automaton.
_CLASSES = 128
#: Hits per value on average, and at once, for which there is room; what does not fit goes to the detectors.
_ROOM, _MOST_ROOM = 8, 1 << 19


class Screened(NamedTuple):
    """What one look over many values gave; all arrays are copies."""

    #: For each value, whether the detectors must judge it.
    slow: np.ndarray
    #: Rows of (value, start, end, number of the kind), in bytes from the start of the value.
    hits: np.ndarray


def is_current() -> bool:
    """False when a detector is of another version than the kernel knows."""
    return {detector.KIND: detector.VERSION for detector in DETECTORS} == VERSIONS


class Screen:
    """The kernel with the terms and the known values of one file."""

    def __init__(self, known: KnownValues | None) -> None:
        self.kernel = Kernel()
        self._lock = Lock()
        self._put_terms()
        self._put_known(known or KnownValues())
        #: Behind the tables; a caller that gives up what it reserved comes back here.
        self.base = self.kernel.mark

    def copy(self) -> "Screen":
        """For another thread; much cheaper than another one."""
        other = copy(self)
        other.kernel = self.kernel.copy()
        other._lock = Lock()  # noqa: SLF001 - of the same class
        return other

    def look(
        self,
        text: int,
        starts: int,
        ends: int,
        count: int,
        *,
        numbers: bool = True,
        whole: bool = False,
        replaced: bool = True,
        kind: str = "",
    ) -> Screened:
        """Judges values that lie in the kernel's memory: addresses of the text and of the offsets.

        With `whole` a value is settled only as one hit from end to end; with `replaced` what stands in for a value is settled too: nothing
        is found in it. `kind` is what most of a column's values are.
        """
        kernel = self.kernel
        room = min(_ROOM * count + 64, _MOST_ROOM)
        slow, hits = kernel.reserve(count), kernel.reserve(16 * room)
        options = _WITH_NAMES | _WITH_NUMBERS * numbers | _REPLACED * replaced
        expected = KINDS.index(kind) if kind else len(KINDS)
        found = kernel.call("screen", text, starts, ends, count, options, expected, slow, hits, room)
        if whole:
            found = kernel.call("only_whole", text, starts, ends, count, options, slow, hits, found)
        return Screened(
            kernel.view(slow, count, np.uint8).astype(bool),
            kernel.view(hits, 4 * found, np.uint32).reshape(-1, 4).copy(),
        )

    def find(self, values: Sequence[str], *, numbers: bool) -> tuple[dict[str, list[Span]], list[str]]:
        """Hits by value, and the values that the detectors must judge."""
        encoded = [value.encode("utf-8", "surrogatepass") for value in values]
        ends = np.fromiter(map(len, encoded), np.uint32, len(encoded)).cumsum(dtype=np.uint32)
        starts = np.concatenate([np.zeros(1, np.uint32), ends[:-1]])
        kernel = self.kernel
        with self._lock:
            kernel.mark = self.base
            text = kernel.put(b"".join(encoded))
            screened = self.look(text, kernel.put(starts), kernel.put(ends), len(values), numbers=numbers)
        found: dict[str, list[Span]] = {}
        for value, start, end, kind in screened.hits.tolist():
            found.setdefault(values[value], []).append(_span(encoded[value], start, end, kind, values[value]))
        return {value: sorted(spans) for value, spans in found.items()}, [
            values[index] for index in np.flatnonzero(screened.slow).tolist()
        ]

    def _put_terms(self) -> None:
        put = self.kernel.put
        self._put_lists()
        self._characters = put(_characters())
        self.kernel.call("screen_terms", *map(put, _automaton()), self._characters)
        self.kernel.call("set_today", _today())

    def _put_lists(self) -> None:
        for number, words in enumerate(_lists()):
            size = _slots(len(words))
            self.kernel.call("put_list", number, self._empty(8 * size), size)
            for note in sorted(set(words.values())):
                self._add("add_listed", [word for word, its in words.items() if its == note], number, note)

    def _put_known(self, known: KnownValues) -> None:
        kernel = self.kernel
        chinese, beginnings, words = known.names_for_kernel()
        many, few = _slots(len(chinese)), _slots(len(words))
        names, heads, lengths, first = (self._empty(size) for size in (8 * many, 8 * many, many, 8 * few))
        kernel.call("name_tables", names, many, heads, lengths, many, first, few)
        self._add("add_names", chinese)
        self._add("add_words", words)
        kernel.view(self._characters, 65_536, np.uint32)[list(map(ord, beginnings))] |= _NAME
        self._put_numbers(known)

    def _put_numbers(self, known: KnownValues) -> None:
        kernel = self.kernel
        held = list(known.numbers_for_kernel())
        count = sum(len(numbers) for _, numbers in held)
        if known.table is not None and not count:
            slots = known.table.slots()
            kernel.call("number_table", kernel.put(slots), len(slots), known.table.lengths())
            return
        size = _slots(count + (known.table.count if known.table else 0))
        kernel.call("number_table", self._empty(8 * size), size, 0)
        mark = kernel.mark
        for kind, numbers in held:
            lines = "".join(f"{number}\n" for number in numbers).encode()
            kernel.call("add_numbers", kernel.put(lines), len(lines), NUMBER_KINDS.index(kind), 1 << 31)
            kernel.mark = mark

    def _empty(self, size: int) -> int:
        start = self.kernel.reserve(size)
        self.kernel.view(start, size, np.uint8)[:] = 0
        return start

    def _add(self, function: str, values: Iterable[str], *options: int) -> None:
        base, put = self.kernel.mark, self.kernel.put
        text = "".join(f"{value}\n" for value in values).encode("utf-8", "surrogatepass")
        ends = np.flatnonzero(np.frombuffer(text, np.uint8) == ord("\n")).astype(np.uint32)
        starts = np.concatenate([np.zeros(1, np.uint32), ends + 1])
        self.kernel.call(function, *options, put(text), put(starts), put(ends), len(ends))
        self.kernel.mark = base


def _span(encoded: bytes, start: int, end: int, kind: int, value: str) -> Span:
    name, confidence = HITS[kind]
    if len(encoded) != len(value):
        start, end = len(encoded[:start].decode()), len(encoded[:end].decode())
    return Span(start, end, name, confidence)


def _slots(count: int) -> int:
    return 1 << max(4, (2 * count).bit_length())


def _today() -> int:
    today = dt.datetime.now(dt.UTC).date()
    return today.year * 10_000 + today.month * 100 + today.day


@cache
def _characters() -> np.ndarray:
    table = np.zeros(65_536, np.uint32)
    for characters, meaning in _CHARACTERS:
        for character in characters:
            table[ord(character)] |= meaning
    for start, end in _DOUBTFUL:
        table[start:end] |= _DOUBT
    for name in regions.gazetteer().heads:
        table[ord(name[0])] |= _REGION
    for terms, _ in _TERMS:
        for term in terms:
            table[ord(term.lower()[0])] |= _TERM_START
    return table


@cache
def _lists() -> tuple[dict[str, int], ...]:
    """The kernel's word lists, in its order, with what is noted of each word."""
    gazetteer = regions.gazetteer()
    short = [word.lower() for word, flags in names().items() if "g" in flags and len(word) <= _ABBREVIATION]
    no_first = chinese.NO_FIRST | {name[0] for name in COMPOUND_SURNAMES} - SURNAMES
    titles = {title: int(title in chinese.BEHIND_SURNAME) for title in (*_NAME_TITLES, "说", "称")}
    plain = (
        western.no_names(), short, western.plain_words(), western.PARTICLES, _STREETS.split(), _STREET_ENDS.split(),
    )  # fmt: skip
    return (
        dict.fromkeys(chinese.words(), 0),
        dict.fromkeys(COMPOUND_SURNAMES, 0),
        titles,
        *(dict.fromkeys(words, 0) for words in plain),
        _longest_by_head(gazetteer.names),
        {name: level | full << 2 for name, (level, full) in gazetteer.names.items()},
        dict.fromkeys(gazetteer.short_districts, 0),
        {edge: (edge in no_first) | (edge in chinese.NO_LAST) << 1 for edge in no_first | chinese.NO_LAST},
    )


def _longest_by_head(names: Iterable[str]) -> dict[str, int]:
    """The first two characters of regions, noted with the length of the longest: 0 for two characters, 7 for nine and more."""
    longest: dict[str, int] = {}
    for name in names:
        longest[name[:2]] = max(longest.get(name[:2], 0), min(len(name), 9) - 2)
    return longest


@cache
def _automaton() -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Aho and Corasick's automaton over the bytes of all terms, complete: state and class of a byte → state, the meaning of what ends in
    a state, and the classes. States near the start are neighbours, so that those which are met often stay in a core's first cache.
    """
    meanings: dict[bytes, int] = {}
    for terms, meaning in _TERMS:
        for term in terms:
            key = term.lower().encode()
            meanings[key] = meanings.get(key, 0) | meaning
    used = sorted({byte for key in meanings for byte in key})
    classes = np.zeros(256, np.uint8)
    for number, byte in enumerate(used, 1):
        classes[byte] = number
        if 97 <= byte <= 122:
            classes[byte - 32] = number
    children: list[dict[int, int]] = [{}]
    says = [0]
    for depth in range(max(map(len, meanings))):
        # All prefixes of one length before those of the next.
        for key in sorted(key for key in meanings if len(key) > depth):
            state = 0
            for byte in key[:depth]:
                state = children[state][int(classes[byte])]
            step = int(classes[key[depth]])
            if step not in children[state]:
                children[state][step] = len(children)
                children.append({})
                says.append(0)
            if depth + 1 == len(key):
                says[children[state][step]] |= meanings[key]
    table = np.zeros((len(children), _CLASSES), np.uint16)
    waiting = deque([(0, 0)])
    while waiting:
        state, back = waiting.popleft()
        table[state] = table[back] if state else 0
        says[state] |= says[back] if state else 0
        for step, child in children[state].items():
            waiting.append((child, int(table[back, step]) if state else 0))
            table[state, step] = child
    return table.reshape(-1), np.array(says, np.uint8), classes

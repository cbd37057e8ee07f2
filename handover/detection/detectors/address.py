"""Postal addresses down to the house: mainland style (…路123弄4号502室) and North American street lines.

A district or a city alone is no hit: that is what an address is generalised to.
"""

import re
from collections.abc import Iterator

from handover.detection.spans import Span

KIND, LEVEL, VERSION, WINDOW = "address", "L3", 2, "whole"

_NUM = "[0-9A-Za-z一二三四五六七八九十百零〇]"
_UNIT = rf"(?:{_NUM}{{1,6}}(?:-[0-9]{{1,5}})?(?:号楼|号院|号|弄|幢|栋|座|单元|楼|层|室|支弄|巷))"
_STREET = "(?:大道|大街|路|街|道|巷|弄|里|胡同|村|镇|乡|小区|新村|花园|公寓|家园|苑|广场|大厦)"
#: From the street's last character to the end; what lies before is found by looking backwards.
_TAIL = re.compile(
    rf"{_STREET}(?:[东南西北中]|[一-鿿]{{0,8}}(?:小区|新村|花园|公寓|家园|苑|广场|大厦))?\s?(?:{_UNIT}[,， ]?(?:[一-鿿]{{2,8}}(?:小区|花园|公寓|家园|苑|大厦|广场))?)+(?:[0-9]{{2,5}}(?![0-9A-Za-z年月日.%元]))?"
)
_HEAD = re.compile(
    r"(?:(?:[一-鿿]{2,3}省|[一-鿿]{2,8}自治区|(?:北京|上海|天津|重庆)市?|[一-鿿]{2,7}?(?:市|自治州|地区|盟))\s?)"
    r"(?:[一-鿿]{2,7}?(?:市|自治州|地区|区|县|旗|州)\s?){0,3}(?:[一-鿿]{1,8}?(?:镇|乡|街道)\s?)?[一-鿿0-9]{0,10}\Z"
)
_NAME_ONLY = re.compile(r"(?:[一-鿿]{1,6}?[市区县镇])*[一-鿿]{1,5}\Z")
_LEADING = re.compile(
    r".*(?:住在|搬到|搬至|寄到|寄至|寄往|送到|送至|位于|地址[是为]?|住址[是为]?|现居|家住|收货|到|在|至|从|是|为|改成|改为)"
)
_REACH = 44
#: Behind the word 地址 a place in the form of people needs no house number; it ends where the sentence goes on.
_AFTER_CUE = re.compile(
    r"(?:地址|住址)(?:[您你]?记(?:好|一下)了?|就?是|为|在|位于|[:：，, ]){0,4}"
    r"((?![您你我它他她这那哪呢吗不没请有的多也都和什怎])[一-鿿0-9A-Za-z][一-鿿0-9A-Za-z（()）、—~·\-]{2,60}?)"
    r"(?=[，。；,;!！?？\s\0\"”]|\Z|(?:呢|吗|哦|呀|啊|哈|的话)|(?:电话|联系|周边|附近的|因为|然后|评分|人均|营业|门票))"
)
_ASKS = re.compile("哪|什么|怎么")
_PLACE = re.compile(r"[省市区县镇乡村路街巷弄胡同号院楼座层站口桥园里广场大厦米处侧旁交叉苑]")
#: A region and a street in a row are a place too, when a house follows in a form of its own (甲14号, 17号楼).
_FROM_REGION = re.compile(
    r"(?:[一-鿿]{2,3}省|[一-鿿]{2,8}自治区|(?:北京|上海|天津|重庆)市?)(?:[一-鿿]{2,7}?(?:市|区|县)){1,2}"
    r"[一-鿿]{1,14}?(?:[甲乙丙丁]?[0-9]{1,5}(?:-[0-9]{1,4})?号(?:楼|院)?(?:[0-9A-Za-z]{1,4}(?:座|层|室|楼))?|[0-9]{1,3}楼)"
)
_ENGLISH = re.compile(
    r"(?<![0-9A-Za-z_/.-])[1-9][0-9]{0,5} (?:[NSEW]\.? )?(?:[A-Z][A-Za-z'.]{1,20} ){1,3}"
    r"(?:Street|St|Avenue|Ave|Road|Rd|Drive|Dr|Lane|Ln|Boulevard|Blvd|Court|Ct|Way|Place|Pl|Terrace|Circle|Parkway|Pkwy|Highway|Hwy)(?![A-Za-z])\.?"
    r"(?:,? (?:Apt|Apartment|Suite|Ste|Unit|#)\.? ?[0-9A-Za-z-]{1,6})?"
    r"(?:, [A-Z][A-Za-z .]{2,25}(?:, [A-Z]{2})?(?: [0-9]{5}(?:-[0-9]{4})?)?)?"
)

POSITIVE = (
    ("寄到上海市浦东新区张江路123弄4号502室，谢谢", "上海市浦东新区张江路123弄4号502室"),
    ("客户住在江苏省南京市鼓楼区中山北路88号", "江苏省南京市鼓楼区中山北路88号"),
    ("他搬到朝阳区建国路93号院了", "朝阳区建国路93号院"),
    ("地址是北京市昌平区南口镇居庸关村。", "北京市昌平区南口镇居庸关村"),
    ("它的地址在朝阳区大屯路慧忠北里309号楼A座，电话", "朝阳区大屯路慧忠北里309号楼A座"),
    ("北京市东城区前门大街甲2号。", "北京市东城区前门大街甲2号"),
    ("I live at 221 Baker Street, Springfield, IL 62704 now", "221 Baker Street, Springfield, IL 62704"),
)
NEGATIVE = (
    "寄回地址广东省深圳市福田区",
    "地址在哪里呢",
    "上海市浦东新区",
    "1号方案",
    "我在路上",
    "第3号文件",
    "5 Star Service",
    "地址不对，请修改",
    "地址是什么",
    "有地址吗",
)


def find(text: str) -> Iterator[Span]:
    done = 0
    for match in _TAIL.finditer(text):
        start = _start(text, max(done, match.start() - _REACH), match.start())
        if start < match.start():
            done = match.end()
            yield Span(start, match.start() + len(match[0].rstrip(" ,，")), KIND, 0.8)
    for match in _FROM_REGION.finditer(text):
        yield Span(match.start(), match.end(), KIND, 0.8)
    if "址" in text:
        for match in _AFTER_CUE.finditer(text):
            if _PLACE.search(match[1]) and not _ASKS.search(match[1]) and district(match[1]) != match[1]:
                yield Span(match.start(1), match.end(1), KIND, 0.82)
    for match in _ENGLISH.finditer(text):
        yield Span(match.start(), match.end(), KIND, 0.8)


def _start(text: str, low: int, street: int) -> int:
    """Where the address begins: at its region when one is named, else at the street's name."""
    window = text[low:street]
    cut = max(window.rfind(mark) for mark in '\0\n，。；：,;:！？!?（(、\t"“”') + 1
    window = window[cut:]
    leading = _LEADING.match(window)
    # A verb before the address is cut off, unless what remains is nothing (the street itself may contain 到).
    if leading and leading.end() < len(window):
        window = window[leading.end() :]
    region = _HEAD.search(window)
    if region:
        return street - len(window) + region.start()
    name = _NAME_ONLY.search(window)
    return street - len(window) + name.start() if name else street


_DETAIL = re.compile(rf"\d|{_STREET}.{{0,12}}(?:号|弄|室|幢|栋)")


def has_detail(value: str) -> bool:
    """True when a value of an address column says more than city and district."""
    return _DETAIL.search(value) is not None


_DISTRICT = re.compile(
    r"\s*((?:[一-鿿]{2,3}省|[一-鿿]{2,8}自治区)?\s?(?:(?:北京|上海|天津|重庆)市?|[一-鿿]{2,7}?(?:市|自治州|地区|盟))?\s?(?:[一-鿿]{1,7}?(?:新区|区|县|旗|市))?)"
)


def district(value: str) -> str:
    """Province, city and district of a mainland address; empty when none is written."""
    match = _DISTRICT.match(value)
    return match[1].strip() if match else ""

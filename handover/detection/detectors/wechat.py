"""WeChat ids: a letter and 5 to 19 letters, digits, _ or -, anchored by a cue, for alone they are any word."""

import re
from collections.abc import Iterator

from handover.detection.spans import Span
from handover.detection.terms import matches_after

KIND, LEVEL, VERSION, WINDOW = "wechat", "L3", 2, "whole"

CUES = ("微信", "wechat", "weixin", "wxid", "vx", "v信", "加v", "薇信", "wx")
_ID = re.compile(
    r"(?:号码?|账号| ?[Ii][Dd])?(?: is |[:： 是为加=]{0,4})([A-Za-z][A-Za-z0-9_-]{5,19})(?![A-Za-z0-9_@.-])"
)
_WXID = re.compile(r"wxid_[a-z0-9]{8,20}")
#: Words that follow the cue in ordinary English sentences have no digit, underscore or hyphen.
_SIGN_OF_ID = re.compile(r"[0-9_-]")

POSITIVE = (
    ("加我微信zhangsan_88", "zhangsan_88"),
    ("微信号：li-wei1990", "li-wei1990"),
    ("加V：lisa_2019", "lisa_2019"),
    ("My WeChat is lisa_wong88", "lisa_wong88"),
    ("WeChat ID: amy_2020", "amy_2020"),
)
NEGATIVE = ("微信支付", "wechat payment failed", "微信 a1", "zhangsan_88")


def find(text: str) -> Iterator[Span]:
    for match in matches_after(text, CUES, _ID):
        if _SIGN_OF_ID.search(match[1]) or "号" in match[0]:
            yield Span(match.start(1), match.end(1), KIND, 0.85)
    if "wxid_" in text:
        for match in _WXID.finditer(text):
            yield Span(match.start(), match.end(), KIND, 0.95)

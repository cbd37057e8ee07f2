"""E-mail addresses (the practical subset of RFC 5322: no quoted local parts, no address literals)."""

import re
from collections.abc import Iterator

from handover.detection.spans import Span

KIND, LEVEL, VERSION, WINDOW = "email", "L3", 1, "whole"

#: Looked for backwards from each @: a forward search for the local part is quadratic on long words.
_LOCAL = re.compile(r"[A-Za-z0-9!#$%&'*+/=?^_`{|}~-]+(?:\.[A-Za-z0-9!#$%&'*+/=?^_`{|}~-]+)*\Z")
_DOMAIN = re.compile(r"(?:[A-Za-z0-9](?:[A-Za-z0-9-]{0,61}[A-Za-z0-9])?\.){1,8}[A-Za-z]{2,24}(?![A-Za-z0-9-])")
_MAX_LOCAL = 64

POSITIVE = (
    ("邮箱zhang.san@example.com.cn，谢谢", "zhang.san@example.com.cn"),
    ("a+b@x.io.", "a+b@x.io"),
    ("ｌｉ＠ｅｘａｍｐｌｅ．ｃｏｍ", "ｌｉ＠ｅｘａｍｐｌｅ．ｃｏｍ"),
)
NEGATIVE = ("@handle", "user@localhost", "a@b", "5 @ 3.50", "@example.com", "a***@example.com.cn")


def find(text: str) -> Iterator[Span]:
    at = text.find("@")
    while at >= 0:
        begin = max(0, at - _MAX_LOCAL)
        local = _LOCAL.search(text[begin:at])
        domain = _DOMAIN.match(text, at + 1)
        # A masked address (a***@x.cn) is not one any more.
        if local and domain and "***" not in local[0]:
            yield Span(begin + local.start(), domain.end(), KIND, 0.97)
        at = text.find("@", at + 1)

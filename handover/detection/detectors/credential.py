"""Passwords and one-time codes after a cue, and keys that are known by their form."""

import re
from collections.abc import Iterator

from handover.detection.spans import Span
from handover.detection.terms import matches_after

KIND, LEVEL, VERSION, WINDOW = "credential", "L4", 2, "whole"

CUES = (
    "密码", "口令", "验证码", "校验码", "密钥", "支付密码", "password", "passwd", "passcode", "pwd", "pin code", "pin码",
    "api key", "api_key", "apikey", "secret", "access_key", "verification code", "security code", "cvv", "安全码",
    "动态码", "passphrase", "pin", "pin number", "one-time code", "otp",
)  # fmt: skip
_VALUE = re.compile(r"(?:\s?(?:是|为|改成|改为|[:：=])\s?|\s(?:is|was|to)\s|\s?(?=[0-9]))[\"'“]?([!-~]{3,64})")
_KEYS = re.compile(
    r"-----BEGIN [A-Z ]*PRIVATE KEY-----|AGE-SECRET-KEY-[0-9A-Z-]{20,}|AKIA[0-9A-Z]{16}|sk-[A-Za-z0-9_-]{20,}"
    r"|ghp_[A-Za-z0-9]{36}|eyJ[A-Za-z0-9_-]{8,}\.eyJ[A-Za-z0-9_-]{8,}\.[A-Za-z0-9_-]{8,}"
)
KEY_STARTS = ("-----BEGIN", "AGE-SECRET", "AKIA", "sk-", "ghp_", "eyJ")
_TRAILING = ".,;:!?\"')]}"

POSITIVE = (
    ("密码是Abc123!x，请改", "Abc123!x"),
    ("password: hunter2", "hunter2"),
    ("验证码 384920", "384920"),
    ("my PIN is 4821", "4821"),
    ("OTP: 492817", "492817"),
    ("key AKIAIOSFODNN7EXAMPLE", "AKIAIOSFODNN7EXAMPLE"),
)
NEGATIVE = ("忘记密码怎么办", "the password is wrong", "请输入验证码", "secret: none", "pinned 2024")


def find(text: str) -> Iterator[Span]:
    for match in matches_after(text, CUES, _VALUE):
        value = match[1].rstrip(_TRAILING)
        # A word without digits after the cue is a sentence going on, not a secret.
        if any(c.isdigit() for c in value):
            yield Span(match.start(1), match.start(1) + len(value), KIND, 0.93)
    if any(start in text for start in KEY_STARTS):
        for match in _KEYS.finditer(text):
            yield Span(match.start(), match.end(), KIND, 0.98)

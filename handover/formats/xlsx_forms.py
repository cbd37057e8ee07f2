"""Sheets that are filled-in forms: a label, and beside it what it asks for, instead of a column under a header.

A name is known by its label alone. So each such pair is handed on as a text of its own, which tells of the name wherever it stands.
"""

from collections.abc import Iterator, Sequence
from itertools import product
from typing import Any

FORMS = "(forms)"
_NAME: tuple[str, ...] = (
    "姓名",
    "姓 名",
    "姓  名",
    "姓    名",
    "姓\u3000名",
    "名字",
    "联系人",
    "负责人",
    "法定代表人",
    "经办人",
)
_NAME += ("收货人", "收件人", "申请人", "签字人", "Name", "Full name", "Contact")
_WHOSE = (
    "",
    "客户",
    "用户",
    "员工",
    "本人",
    "联系人",
    "申请人",
    "收货人",
    "收件人",
    "紧急联系人",
    "法定代表人",
    "配偶",
    "家长",
    "学生",
    "患者",
)
#: The exact words, because a set of them is compared with a whole column at once.
_LABELS = frozenset(map("".join, product(_WHOSE, _NAME, ("", ":", "："))))
#: What other labels of a form speak of.
_ASKED = ("手机", "电话", "邮箱", "邮件", "证", "地址", "性别", "年龄", "出生", "生日", "籍贯", "民族", "学历", "卡号", "账号", "备注", "单位",
    "职务", "部门", "日期", "编号", "phone", "mobile", "mail", "address", "birth", "gender")  # fmt: skip
_LONGEST = 14


def is_form(top: Sequence[Any], following: Sequence[Any]) -> bool:
    """True when the first row asks for a name and the next one for something else in the same place."""
    return any(label in _LABELS and _asks(below) for label, below in zip(top, following, strict=False))


def told(columns: Sequence[Sequence[Any]]) -> Iterator[str]:
    """Labels that ask for a name, each with what stands to the right of it."""
    for position, column in enumerate(columns[:-1]):
        if _LABELS.isdisjoint(column):
            continue
        for record, label in enumerate(column):
            if label in _LABELS:
                beside = (str(other[record]).strip() for other in columns[position + 1 :])
                yield f"{label.rstrip(':：')}：{next(filter(None, beside), '')}"


def _asks(cell: Any) -> bool:
    return isinstance(cell, str) and len(cell) <= _LONGEST and any(word in cell.lower() for word in _ASKED)

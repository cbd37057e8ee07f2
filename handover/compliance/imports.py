"""Reading files of notices and consents: CSV keyed by subject reference, headers in Chinese or English.

A row that cannot be used is reported with its number and the reason; the good rows are taken, all in one transaction.
"""

import csv
import datetime as dt
import io
from collections.abc import Iterator, Mapping
from typing import Literal

import msgspec

from handover.errors import InvalidInputError

ImportKind = Literal["notices", "consents"]

#: One line of the file may name its columns in either language.
_HEADERS: dict[str, tuple[str, ...]] = {
    "subject_ref": ("subject_ref", "subject", "customer_id", "客户编号", "主体编号"),
    "result": ("result", "结果", "送达结果"),
    "decision": ("decision", "决定", "同意情况"),
    "channel": ("channel", "渠道"),
    "at": ("at", "decided_at", "sent_at", "时间"),
    "text_sha256": ("text_sha256", "文本哈希"),
    "recipient": ("recipient", "接收方"),
    "sensitive": ("sensitive", "敏感信息"),
    "guardian": ("guardian", "监护人"),
}
_NEEDED = {"notices": ("subject_ref", "result", "at"), "consents": ("subject_ref", "decision", "at")}
#: Every column that a kind of file may have, by its plain name.
HEADER: dict[str, tuple[str, ...]] = {
    "notices": (*_NEEDED["notices"], "channel"),
    "consents": (*_NEEDED["consents"], "channel", "text_sha256", "recipient", "sensitive", "guardian"),
}
_RESULTS = {
    "delivered": "delivered", "送达": "delivered", "已送达": "delivered",
    "bounced": "bounced", "退回": "bounced", "未送达": "bounced",
    "fallback": "fallback", "public": "fallback", "公告": "fallback",
}  # fmt: skip
_DECISIONS = {
    "granted": "granted", "同意": "granted",
    "refused": "refused", "拒绝": "refused", "不同意": "refused",
    "withdrawn": "withdrawn", "撤回": "withdrawn",
}  # fmt: skip
_YES = {"1", "yes", "true", "y", "是"}
_NO = {"", "0", "no", "false", "n", "否"}
#: More rows than any case that this version was measured with; a larger file is split by the sender.
MAX_ROWS = 5_000_000
#: Rejected rows that are listed one by one; beyond that only their number is told.
MAX_LISTED = 100


class Rejected(msgspec.Struct, frozen=True):
    """A row that was not taken; `row` counts data rows from 1."""

    row: int
    reason: str


class Row(msgspec.Struct, frozen=True, kw_only=True):
    """One usable row."""

    number: int
    subject_ref: str
    outcome: str
    channel: str
    at: dt.datetime
    text_sha256: str | None
    recipient: str | None
    sensitive: bool
    guardian: bool


def rows(data: bytes, kind: ImportKind) -> Iterator[Row | Rejected]:
    """Decodes the file.

    Raises:
        InvalidInputError: the encoding or the header is unusable; nothing is taken.
    """
    reader = csv.reader(io.StringIO(_text(data), newline=""), strict=True)
    try:
        columns = _columns(next(reader, []), kind)
        for number, cells in enumerate(reader, 1):
            if number > MAX_ROWS:
                raise InvalidInputError(f"the file has more than {MAX_ROWS} rows; split it", field="body")
            if any(cells):
                yield _row(number, {name: cells[i].strip() for name, i in columns.items() if i < len(cells)}, kind)
    except csv.Error as error:
        raise InvalidInputError(f"line {reader.line_num} is not CSV: {error}", field="body") from error


def _text(data: bytes) -> str:
    for encoding in ("utf-8-sig", "gb18030"):
        try:
            return data.decode(encoding)
        except UnicodeDecodeError:
            continue
    raise InvalidInputError("the file is neither UTF-8 nor GB18030; save it as CSV UTF-8", field="body")


def _columns(header: list[str], kind: ImportKind) -> dict[str, int]:
    names = [cell.strip().lower() for cell in header]
    found = {field: names.index(alias) for field, aliases in _HEADERS.items() for alias in aliases if alias in names}
    missing = [f"{field} ({', '.join(_HEADERS[field])})" for field in _NEEDED[kind] if field not in found]
    if missing:
        raise InvalidInputError(f"the header lacks: {'; '.join(missing)}", field="body")
    return found


def _row(number: int, cells: Mapping[str, str], kind: ImportKind) -> Row | Rejected:
    words = _RESULTS if kind == "notices" else _DECISIONS
    given = cells.get("result" if kind == "notices" else "decision", "")
    outcome = words.get(given.lower())
    try:
        at = dt.datetime.fromisoformat(cells.get("at", ""))
    except ValueError:
        return Rejected(number, "the time is not ISO 8601, for example 2026-05-01T10:00:00+08:00")
    if not cells.get("subject_ref"):
        return Rejected(number, "the subject reference is empty")
    if outcome is None:
        return Rejected(number, f"the outcome is none of: {', '.join(sorted(set(words.values())))}")
    flags = {name: cells.get(name, "").lower() for name in ("sensitive", "guardian")}
    if any(value not in _YES | _NO for value in flags.values()):
        return Rejected(number, "sensitive and guardian take yes or no")
    if outcome == "granted" and not (cells.get("text_sha256") and cells.get("recipient")):
        return Rejected(number, "a consent names the text (text_sha256) and the recipient that it was given for")
    return Row(
        number=number,
        subject_ref=cells["subject_ref"],
        outcome=outcome,
        channel=cells.get("channel", "")[:32],
        at=at if at.tzinfo else at.replace(tzinfo=dt.timezone(dt.timedelta(hours=8))),
        text_sha256=cells.get("text_sha256") or None,
        recipient=cells.get("recipient") or None,
        sensitive=flags["sensitive"] in _YES,
        guardian=flags["guardian"] in _YES,
    )

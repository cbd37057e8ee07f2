"""JSON Lines: one object a line. Nested values become fields with dotted paths (`contact.mobile`, `tags[]`).

A rewrite keeps order, nesting and the types of values that are not replaced. A key that occurs twice in an object is
refused: readers differ in which of the two they show, so one would escape inspection.
"""

import json
from collections.abc import Iterable, Iterator, Sequence
from typing import Any

from handover.formats.encoding import decode
from handover.formats.errors import FormatRefusedError, refuse
from handover.formats.lines import lines
from handover.formats.records import BATCH_CHARACTERS, BATCH_RECORDS, Batch, Column, Table

#: Beyond this the keys are data themselves, and nobody could review the fields.
_MAX_FIELDS = 2000
_MAX_DEPTH = 32

#: Where a value sits: its container and its key or index.
Slot = tuple[Any, Any]


def read(chunks: Iterable[bytes]) -> Iterator[Batch]:
    """The records of a JSONL file; blank lines are skipped.

    Raises:
        FormatRefusedError: a line is no JSON object, names a key twice, is nested too deep, or there are too many fields.
    """
    table = Table()
    fields: dict[str, None] = {}
    held: list[dict[str, Any]] = []
    done = size = 0
    for number, line in enumerate(lines(decode(chunks)), 1):
        if line.isspace():
            continue
        held.append(_parse(line, number))
        size += len(line)
        if len(held) >= BATCH_RECORDS or size >= BATCH_CHARACTERS:
            yield _batch(table, done, held, fields)
            done, held, size = done + len(held), [], 0
    if held or not done:
        yield _batch(table, done, held, fields)


def _parse(line: str, number: int) -> dict[str, Any]:
    try:
        value = DECODER.decode(line)
    except RepeatedKeyError:
        raise refuse(f"第 {number} 行的对象里有重复的键。", f"The object on line {number} names a key twice.") from None
    except (ValueError, RecursionError):
        raise refuse(f"第 {number} 行不是有效的 JSON。", f"Line {number} is not valid JSON.") from None
    if not isinstance(value, dict):
        raise refuse(f"第 {number} 行不是 JSON 对象。", f"Line {number} is not a JSON object.")
    return value


class RepeatedKeyError(ValueError):
    """Two values under one key."""


def _unique(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    value = dict(pairs)
    if len(value) != len(pairs):
        raise RepeatedKeyError
    return value


def _no_number(literal: str) -> float:
    raise ValueError(literal)


#: Strict JSON: no key twice, no NaN or Infinity.
DECODER = json.JSONDecoder(object_pairs_hook=_unique, parse_constant=_no_number)


def _batch(table: Table, first: int, objects: list[dict[str, Any]], fields: dict[str, None]) -> Batch:
    columns, slots = gather(objects, fields)
    return Batch(table, first, len(objects), columns, origin=(objects, slots))


def gather(records: Sequence[Any], fields: dict[str, None], path: str = "") -> tuple[list[Column], list[list[Slot]]]:
    """The columns of some objects or arrays, and for each column where its values sit.

    Args:
        records: one container each.
        fields: the names that occurred before; grows.
        path: what the names begin with.

    Raises:
        FormatRefusedError: nested too deep, or too many fields.
    """
    values: dict[str, list[str]] = {name: [] for name in fields}
    owners: dict[str, list[int]] = {name: [] for name in fields}
    slots: dict[str, list[Slot]] = {name: [] for name in fields}
    for index, item in enumerate(records):
        for name, container, key in _leaves(item, path, 0):
            if name not in values:
                fields[name] = None
                if len(fields) > _MAX_FIELDS:
                    raise _too_many()
                values[name], owners[name], slots[name] = [], [], []
            values[name].append(_as_text(container[key]))
            owners[name].append(index)
            slots[name].append((container, key))
    return [Column(name, values[name], owners[name]) for name in values], list(slots.values())


def put_back(columns: Sequence[Column], slots: Sequence[Sequence[Slot]]) -> None:
    """Writes replaced values to their places; one that was emptied becomes null."""
    for column, places in zip(columns, slots, strict=True):
        if column.replaced is None:
            continue
        for old, new, (container, key) in zip(column.values, column.replaced, places, strict=True):
            if new != old:
                container[key] = new or None


def encode(value: Any) -> str:
    """Compact JSON."""
    return json.dumps(value, ensure_ascii=False, separators=(",", ":"))


def _too_many() -> FormatRefusedError:
    return refuse(
        f"字段超过 {_MAX_FIELDS} 个：键里可能装着数据。请改为固定的字段。",
        f"There are more than {_MAX_FIELDS} fields: the keys may hold data. Use fixed fields.",
    )


def too_deep() -> FormatRefusedError:
    return refuse(f"嵌套超过 {_MAX_DEPTH} 层。", f"Values are nested more than {_MAX_DEPTH} deep.")


def _leaves(container: Any, path: str, depth: int) -> Iterator[tuple[str, Any, Any]]:
    if depth > _MAX_DEPTH:
        raise too_deep()
    keyed = container.items() if isinstance(container, dict) else enumerate(container)
    for key, value in keyed:
        name = f"{path}.{key}".lstrip(".") if isinstance(container, dict) else f"{path}[]"
        if isinstance(value, dict | list):
            yield from _leaves(value, name, depth + 1)
        elif value is not None:
            yield name, container, key


def _as_text(value: Any) -> str:
    if isinstance(value, str):
        return value
    return json.dumps(value)


class JsonlWriter:
    """Writes UTF-8, one compact object a line; a value that was emptied becomes null."""

    def write(self, batch: Batch, keep: Sequence[bool] | None = None) -> bytes:
        objects, slots = batch.origin
        put_back(batch.columns, slots)
        kept = [item for index, item in enumerate(objects) if keep is None or keep[index]]
        return "".join(encode(item) + "\n" for item in kept).encode("utf-8", "surrogatepass")

    def finish(self) -> bytes:
        return b""

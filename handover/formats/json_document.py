"""JSON documents. An array gives a record for each of its elements and is read piece by piece, however long it is.

In an object that holds one array of objects each of these is a record (`customers[].name`), and the rest of the object
is the last one; anything else is one record. Fields, order, types and what is refused are those of JSON Lines.
"""

import re
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from itertools import compress
from typing import Any

from handover.formats import jsonl
from handover.formats.encoding import decode
from handover.formats.errors import FormatRefusedError, refuse
from handover.formats.records import BATCH_CHARACTERS, BATCH_RECORDS, Batch, Table

#: The longest element of an array: it is held in memory as text.
MAX_ELEMENT = 16 * 1024 * 1024
#: The longest document that is no array: as objects it takes several times that.
MAX_DOCUMENT = 32 * 1024 * 1024
_MIB = 1024 * 1024
_SPACE = re.compile(r"[ \t\n\r]*")
#: Before these, or the end of what has arrived, a number is not over.
_MAY_GO_ON = frozenset({"", *"0123456789.eE+-"})


@dataclass(slots=True)
class _Origin:
    """Where a batch's values sit."""

    #: `array`, `single`, or for an object around an array: `inner` for its elements, `around` for the rest of it.
    shape: str
    #: Each record in a list of its own, so that a bare value has a place too.
    holders: list[list[Any]]
    slots: list[list[jsonl.Slot]]
    #: The key of the inner array.
    key: str = ""
    #: All keys of the object around it, in order.
    keys: Sequence[str] = ()


def read(chunks: Iterable[bytes]) -> Iterator[Batch]:
    """The records of a document.

    Raises:
        FormatRefusedError: no valid JSON, a key named twice, nested too deep, or too large to be held.
    """
    text = _Text(decode(chunks))
    if text.peek() == "[":
        yield from _array(text)
    else:
        yield from _single(text)


class _Text:
    """A text that arrives in pieces, with the place that is looked at."""

    def __init__(self, pieces: Iterator[str]) -> None:
        self._pieces, self._buffer, self._at, self._ended = pieces, "", 0, False
        #: Values and characters read.
        self.done = self.consumed = 0

    def peek(self) -> str:
        """The next character that is no space; empty at the end."""
        while True:
            space = _SPACE.match(self._buffer, self._at)
            self._at = space.end() if space else self._at
            if self._at < len(self._buffer):
                return self._buffer[self._at]
            if not self._more(1):
                return ""

    def skip(self) -> None:
        self._at += 1

    def value(self, limit: int) -> Any:
        """The value that begins here.

        It is tried again only when the text has doubled, so that long ones are not read quadratically.
        """
        self.peek()
        while True:
            try:
                value, end = jsonl.DECODER.raw_decode(self._buffer, self._at)
            except RecursionError:
                raise jsonl.too_deep() from None
            except jsonl.RepeatedKeyError:
                raise refuse(
                    f"第 {self.done + 1} 条记录的对象里有重复的键。",
                    f"An object in record {self.done + 1} names a key twice.",
                ) from None
            except ValueError:
                end = None
            if end is not None and (self._ended or self._buffer[end : end + 1] not in _MAY_GO_ON):
                self.consumed += end - self._at
                self._at, self.done = end, self.done + 1
                return value
            if len(self._buffer) - self._at > limit:
                raise refuse(
                    f"第 {self.done + 1} 条记录不是有效的 JSON，或超过 {limit // _MIB} MiB。",
                    f"Record {self.done + 1} is not valid JSON, or longer than {limit // _MIB} MiB.",
                )
            if not self._more(max(len(self._buffer) - self._at, 1)):
                if end is None:
                    raise self.invalid()
                self._ended = True

    def invalid(self) -> FormatRefusedError:
        return refuse(
            f"第 {self.done + 1} 条记录处不是有效的 JSON；文件可能不完整。",
            f"Near record {self.done + 1} the text is not valid JSON; the file may be cut short.",
        )

    def _more(self, count: int) -> bool:
        """Takes in at least `count` characters, if there are any."""
        held = [self._buffer[self._at :]]
        size = 0
        for piece in self._pieces:
            held.append(piece)
            size += len(piece)
            if size >= count:
                break
        self._buffer, self._at = "".join(held), 0
        return size > 0


def _array(text: _Text) -> Iterator[Batch]:
    table, fields = Table(), dict[str, None]()
    held: list[list[Any]] = []
    text.skip()
    first, limit, more = 0, BATCH_CHARACTERS, text.peek() != "]"
    while more:
        held.append([text.value(MAX_ELEMENT)])
        mark = text.peek()
        if mark not in {",", "]"}:
            raise text.invalid()
        if more := mark == ",":
            text.skip()
        if len(held) >= BATCH_RECORDS or text.consumed >= limit:
            yield _batch(table, first, held, fields, "array")
            first, held, limit = text.done, [], text.consumed + BATCH_CHARACTERS
    text.skip()
    if text.peek():
        raise text.invalid()
    if held or not first:
        yield _batch(table, first, held, fields, "array")


def _single(text: _Text) -> Iterator[Batch]:
    table, fields = Table(), dict[str, None]()
    document = text.value(MAX_DOCUMENT)
    if text.peek():
        raise text.invalid()
    key = _array_of_records(document)
    if key is None:
        yield _batch(table, 0, [[document]], fields, "single")
        return
    records = document[key]
    for first in range(0, len(records), BATCH_RECORDS):
        held = [[record] for record in records[first : first + BATCH_RECORDS]]
        yield _batch(table, first, held, fields, "inner", key)
    rest = {name: value for name, value in document.items() if name != key}
    batch = _batch(table, len(records), [[rest]], fields, "around", key)
    batch.origin.keys = list(document)
    yield batch


def _array_of_records(document: Any) -> str | None:
    """The key of the one array of objects in an object, if there is exactly one."""
    if not isinstance(document, dict):
        return None
    found = [
        key
        for key, value in document.items()
        if isinstance(value, list) and value and all(isinstance(item, dict) for item in value)
    ]
    return found[0] if len(found) == 1 else None


def _batch(
    table: Table, first: int, holders: list[list[Any]], fields: dict[str, None], shape: str, key: str = ""
) -> Batch:
    records = [holder[0] if isinstance(holder[0], dict | list) else holder for holder in holders]
    columns, slots = jsonl.gather(records, fields, f"{key}[]" if shape == "inner" else "")
    return Batch(table, first, len(holders), columns, origin=_Origin(shape, holders, slots, key))


class JsonWriter:
    """Writes UTF-8: an array with an element a line, any other document on one line."""

    def __init__(self) -> None:
        self._is_array = self._begun = False
        #: The inner array, until the object around it comes.
        self._inner: list[Any] = []

    def write(self, batch: Batch, keep: Sequence[bool] | None = None) -> bytes:
        origin: _Origin = batch.origin
        jsonl.put_back(batch.columns, origin.slots)
        kept = origin.holders if keep is None else compress(origin.holders, keep)
        values = [holder[0] for holder in kept]
        if origin.shape == "array":
            return _encoded(self._elements(values))
        if origin.shape == "inner":
            self._inner += values
            return b""
        if origin.shape == "single":
            return _encoded(jsonl.encode(values[0] if values else None) + "\n")
        rest = values[0] if values else {}
        rest[origin.key] = self._inner
        return _encoded(jsonl.encode({key: rest[key] for key in origin.keys if key in rest}) + "\n")

    def finish(self) -> bytes:
        if not self._is_array:
            return b""
        return b"\n]\n" if self._begun else b"[]\n"

    def _elements(self, values: list[Any]) -> str:
        self._is_array = True
        if not values:
            return ""
        before = ",\n" if self._begun else "[\n"
        self._begun = True
        return before + ",\n".join(map(jsonl.encode, values))


def _encoded(text: str) -> bytes:
    return text.encode("utf-8", "surrogatepass")

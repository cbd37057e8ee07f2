"""SQLite databases: every table is read, and rebuilt in a fresh database without what was deleted from the old one.

Kept: tables, columns, plain declared types, primary keys and NOT NULL where the new values allow them, and the types of values
that are not replaced. Left out and noted: views, triggers, indexes, generated columns, defaults and checks.
A virtual table (full-text search) and a BLOB that is no text are refused. Fields are `table!field` when there are several tables.
"""

import re
import sqlite3
from collections.abc import Iterable, Iterator, Sequence
from contextlib import closing
from dataclasses import dataclass
from itertools import compress
from typing import Any

from handover.formats.errors import FormatRefusedError, refuse
from handover.formats.records import BATCH_CHARACTERS, BATCH_RECORDS, Batch, Column, Notes, Table, unique_names
from handover.formats.whole import whole

#: The database lies in memory twice while it is rebuilt.
MAX_DATABASE = 192 * 1024 * 1024
#: The longest single value.
_MAX_VALUE = 16 * 1024 * 1024
_MAX_COLUMNS = 2000
#: Instructions of SQLite's machine that a check of the largest database stays below; a minute's work.
_MAX_INSTRUCTIONS = 2_000_000_000
#: A declared type is free text; only what looks like one is taken over.
_TYPE = re.compile(r"[A-Za-z][A-Za-z ]{0,30}(?:\([0-9]{1,4}(?:, ?[0-9]{1,4})?\))?\Z")
_WAL_VERSIONS = slice(18, 20)


@dataclass(slots=True)
class _Schema:
    """What is rebuilt of a table."""

    name: str
    columns: list[str]
    types: list[str]
    required: list[bool]
    key: list[str]


def read(chunks: Iterable[bytes], notes: Notes) -> Iterator[Batch]:
    """The records of all tables.

    Raises:
        FormatRefusedError: damaged, encrypted, too large, or holding what can't be inspected.
    """
    data = whole(chunks, MAX_DATABASE, "SQLite")
    try:
        with closing(_opened(data)) as database:
            del data
            schemas = _schemas(database, notes)
            done = 0
            for schema in schemas:
                for batch in _records(database, schema, done, several=len(schemas) > 1):
                    done += batch.count
                    yield batch
    except (sqlite3.Error, UnicodeError, OverflowError):
        raise refuse(
            "数据库已损坏或已加密，无法读取。", "The database is damaged or encrypted and can't be read."
        ) from None


def _opened(data: bytes) -> sqlite3.Connection:
    database = sqlite3.connect(":memory:", isolation_level=None)
    # A database in WAL mode can't be opened in memory; its main file alone is read either way.
    plain = bytearray(data)
    plain[_WAL_VERSIONS] = b"\1\1"
    database.deserialize(plain)  # type: ignore[arg-type,unused-ignore]
    database.set_progress_handler(lambda: True, _MAX_INSTRUCTIONS)
    database.setlimit(sqlite3.SQLITE_LIMIT_LENGTH, _MAX_VALUE)
    database.setlimit(sqlite3.SQLITE_LIMIT_ATTACHED, 0)
    for pragma in (
        "trusted_schema=OFF",
        "query_only=ON",
        "temp_store=MEMORY",
        "cell_size_check=ON",
        "ignore_check_constraints=ON",
    ):
        database.execute(f"PRAGMA {pragma}")
    if database.execute("PRAGMA quick_check(1)").fetchone() != ("ok",):
        raise sqlite3.DatabaseError
    return database


def _schemas(database: sqlite3.Connection, notes: Notes) -> list[_Schema]:
    found = []
    # What SQLite takes each for: the schema's own column can be forged, and a view could compute for ever.
    kinds = {row[1]: row[2] for row in database.execute("PRAGMA main.table_list")}
    for kind, name in database.execute("SELECT type, name FROM sqlite_schema ORDER BY rowid").fetchall():
        if name.lower().startswith("sqlite_"):
            continue  # statistics and automatic indexes
        if kind != "table":
            notes.dropped.append(f"{kind} {name}")
        elif kinds.get(name) != "table":
            raise refuse(
                f"数据库里有虚拟表（如全文索引）{name}，无法检查。请删除后另存。",
                f"The database holds a virtual table (such as a full-text index), {name}, which can't be inspected. Save a copy without it.",
            )
        else:
            found.append(_schema(database, name, notes))
    if not found:
        raise refuse("数据库里没有表。", "The database holds no table.")
    return found


def _schema(database: sqlite3.Connection, name: str, notes: Notes) -> _Schema:
    rows = database.execute(f"PRAGMA table_xinfo({_quoted(name)})").fetchall()
    notes.dropped += [f"column {name}.{row[1]}" for row in rows if row[6]]
    rows = [row for row in rows if not row[6]]
    if not rows or len(rows) > _MAX_COLUMNS:
        raise sqlite3.DatabaseError
    return _Schema(
        name,
        [row[1] for row in rows],
        [row[2] if _TYPE.match(row[2]) else "" for row in rows],
        [bool(row[3]) for row in rows],
        [row[1] for row in sorted((row for row in rows if row[5]), key=lambda row: row[5])],
    )


def _quoted(name: str) -> str:
    return '"' + name.replace('"', '""') + '"'


def _records(database: sqlite3.Connection, schema: _Schema, first: int, *, several: bool) -> Iterator[Batch]:
    table = Table(schema.name, schema.columns)
    names = unique_names(schema.columns, f"{schema.name}!" if several else "")
    held: list[tuple[Any, ...]] = []
    size, done = 0, first
    for row in database.execute(f"SELECT {', '.join(map(_quoted, schema.columns))} FROM {_quoted(schema.name)}"):
        held.append(row)
        size += sum(len(value) for value in row if isinstance(value, str | bytes))
        if len(held) >= BATCH_RECORDS or size >= BATCH_CHARACTERS:
            yield _batch(table, done, held, names, schema)
            done, held, size = done + len(held), [], 0
    if held or done == first:
        yield _batch(table, done, held, names, schema)


def _batch(table: Table, first: int, rows: list[tuple[Any, ...]], names: list[str], schema: _Schema) -> Batch:
    raw: list[tuple[Any, ...]] = list(zip(*rows, strict=True)) if rows else [()] * len(names)
    everyone = range(len(rows))
    columns = [
        Column(name, [_as_text(value, name) for value in values], everyone)
        for name, values in zip(names, raw, strict=True)
    ]
    return Batch(table, first, len(rows), columns, origin=(schema, raw))


def _as_text(value: Any, field: str) -> str:
    if isinstance(value, str):
        return value
    if value is None:
        return ""
    if isinstance(value, bytes):
        return _blob_text(value, field)
    if isinstance(value, float) and value.is_integer() and abs(value) < 1e15:
        return str(int(value))
    return str(value)


def _blob_text(value: bytes, field: str) -> str:
    try:
        text = value.decode()
    except UnicodeDecodeError:
        raise _not_text(field) from None
    if any(character < " " and character not in "\t\n\r" for character in text):
        raise _not_text(field)
    return text


def _not_text(field: str) -> FormatRefusedError:
    return refuse(
        f"字段 {field} 里有二进制内容（BLOB），无法检查。请清空或单独提供。",
        f"The field {field} holds binary content (BLOB) that can't be inspected. Empty it, or provide it as a file.",
    )


class SqliteWriter:
    """Rebuilds a database in memory; its bytes come out at the end."""

    def __init__(self) -> None:
        self._database = sqlite3.connect(":memory:", isolation_level=None)
        for pragma in ("journal_mode=MEMORY", "temp_store=MEMORY", "secure_delete=ON"):
            self._database.execute(f"PRAGMA {pragma}")
        self._table: str | None = None

    def write(self, batch: Batch, keep: Sequence[bool] | None = None) -> bytes:
        schema, raw = batch.origin
        if schema.name != self._table:
            self._table = schema.name
            self._database.execute(_definition(schema))
        columns = [
            [
                _value(value, old, new, required=required)
                for value, old, new in zip(values, column.values, column.output(), strict=True)
            ]
            for values, column, required in zip(raw, batch.columns, schema.required, strict=True)
        ]
        rows = list(zip(*columns, strict=True))
        kept = rows if keep is None else list(compress(rows, keep))
        self._insert(schema, kept)
        return b""

    def finish(self) -> bytes:
        self._database.execute("VACUUM")
        data = self._database.serialize()
        self._database.close()
        return data

    def _insert(self, schema: _Schema, rows: list[tuple[Any, ...]]) -> None:
        statement = f"INSERT INTO {_quoted(schema.name)} VALUES ({', '.join('?' * len(schema.columns))})"
        self._database.execute("SAVEPOINT batch")
        try:
            self._database.executemany(statement, rows)
        except sqlite3.IntegrityError:
            # Values that were made coarser are no longer unique, or no numbers any more.
            self._database.execute("ROLLBACK TO batch")
            self._relax(schema)
            self._database.executemany(statement, rows)
        self._database.execute("RELEASE batch")

    def _relax(self, schema: _Schema) -> None:
        old = _quoted(f"{schema.name} before")
        self._database.execute(f"ALTER TABLE {_quoted(schema.name)} RENAME TO {old}")
        schema.key, schema.required = [], [False] * len(schema.columns)
        self._database.execute(_definition(schema))
        self._database.execute(f"INSERT INTO {_quoted(schema.name)} SELECT * FROM {old}")
        self._database.execute(f"DROP TABLE {old}")


def _definition(schema: _Schema) -> str:
    columns = [
        f"{_quoted(name)} {kind}{' NOT NULL' if required else ''}"
        for name, kind, required in zip(schema.columns, schema.types, schema.required, strict=True)
    ]
    if schema.key:
        columns.append(f"PRIMARY KEY ({', '.join(map(_quoted, schema.key))})")
    return f"CREATE TABLE {_quoted(schema.name)} ({', '.join(columns)})"


def _value(value: Any, old: str, new: str, *, required: bool) -> Any:
    if new == old:
        return value
    if new == "" and not required:
        return None
    return new.encode() if isinstance(value, bytes) else new

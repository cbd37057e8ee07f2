"""Databases: every table is read; the rebuilt one has the same rows and types, and nothing of what was deleted."""

import pytest

from handover.formats import FormatRefusedError
from tests.formats.rewriting import database, read, rewrite, rows

SHOP = """
CREATE TABLE 客户 (id INTEGER PRIMARY KEY, 姓名 VARCHAR(20) NOT NULL, 余额 REAL, 备注 BLOB, 空 TEXT);
INSERT INTO 客户 VALUES (7, '张三', 1.50, x'e5a5bd', NULL), (9, '李四', 2.0, NULL, '');
CREATE TABLE 订单 (no TEXT, UNIQUE (no));
INSERT INTO 订单 VALUES ('007');
CREATE VIEW 名单 AS SELECT 姓名, '王五 13812345678' FROM 客户;
CREATE INDEX 索引 ON 客户 (姓名);
"""


def test_all_tables_are_read_and_rebuilt_with_their_types() -> None:
    data = database(SHOP)
    reading, values = read(data, "a.db")
    assert values["客户!姓名"] == ["张三", "李四"]
    assert values["客户!备注"] == ["好", ""]
    assert values["订单!no"] == ["007"]
    assert reading.notes.dropped == ["view 名单", "index 索引"]
    out = rewrite(data, "a.db")
    assert rows(out, "SELECT * FROM 客户") == [(7, "张三", 1.5, "好".encode(), None), (9, "李四", 2.0, None, "")]
    assert rows(out, "SELECT no, typeof(no) FROM 订单") == [("007", "text")]
    declared = [row[2:6] for row in rows(out, "PRAGMA table_info(客户)")][:2]
    assert declared == [("INTEGER", 0, None, 1), ("VARCHAR(20)", 1, None, 0)]
    assert "13812345678" not in out.decode("latin-1")
    assert rewrite(out, "a.db") == out


def test_deleted_rows_and_records_that_are_not_kept_leave_no_trace() -> None:
    data = database("CREATE TABLE a (x TEXT); INSERT INTO a VALUES ('13812345678'),('bleibt'),('13912345678');")
    data = database_after(data, "DELETE FROM a WHERE x = '13812345678'")
    assert b"13812345678" in data
    out = rewrite(data, "a.db", [True, False])
    assert rows(out, "SELECT x FROM a") == [("bleibt",)]
    assert b"13812345678" not in out
    assert b"13912345678" not in out


def database_after(data: bytes, statement: str) -> bytes:
    import sqlite3

    connection = sqlite3.connect(":memory:")
    connection.deserialize(data)
    connection.execute("PRAGMA secure_delete=OFF")
    connection.execute(statement)
    connection.commit()
    try:
        return connection.serialize()
    finally:
        connection.close()


def test_key_whose_values_are_no_longer_unique_or_numbers_is_given_up_and_no_row_lost() -> None:
    data = database(
        "CREATE TABLE a (id INTEGER PRIMARY KEY, p TEXT NOT NULL); INSERT INTO a VALUES (1, 'x'), (22, 'y'), (23, 'z');"
    )
    out = rewrite(data, "a.db", replace={"22": "[id]", "23": "[id]", "y": ""})
    assert rows(out, "SELECT * FROM a") == [(1, "x"), ("[id]", ""), ("[id]", "z")]


@pytest.mark.parametrize(
    ("script", "word"),
    [
        ("CREATE VIRTUAL TABLE f USING fts5(x); INSERT INTO f VALUES ('张三');", "virtual"),
        ("CREATE TABLE a (x); INSERT INTO a VALUES (x'00ff');", "BLOB"),
        ("CREATE TABLE a (x); INSERT INTO a VALUES (x'0102');", "BLOB"),
        ("CREATE TABLE a (x); INSERT INTO a VALUES (CAST(x'ff' AS TEXT));", "damaged"),
        ("PRAGMA user_version = 1;", "no table"),
    ],
)
def test_what_cannot_be_inspected_is_refused(script: str, word: str) -> None:
    with pytest.raises(FormatRefusedError, match=word):
        read(database(script), "a.db")


def test_defaults_checks_and_generated_columns_hold_values_too_and_are_left_out() -> None:
    data = database(
        "CREATE TABLE a (x TEXT DEFAULT '13812345678' CHECK (x <> '13912345678'), g TEXT AS (x || '1') STORED);"
        "INSERT INTO a (x) VALUES ('y');"
    )
    reading, values = read(data, "a.db")
    assert (values, reading.notes.dropped) == ({"x": ["y"]}, ["column a.g"])
    assert b"13812345678" not in (out := rewrite(data, "a.db"))
    assert b"13912345678" not in out


def test_database_in_wal_mode_is_read() -> None:
    data = bytearray(database("CREATE TABLE a (x); INSERT INTO a VALUES ('y');"))
    data[18:20] = b"\2\2"
    assert read(bytes(data), "a.sqlite3")[1] == {"x": ["y"]}

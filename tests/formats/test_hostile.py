"""Hostile files end in a refusal, soon and in little memory, and the next inspection works as if nothing had been."""

import io
import json
import subprocess
import sys
import zipfile
from collections.abc import Callable, Iterator

import pytest

from tests.formats.rewriting import archive, database

MIB = 1 << 20
CSV = "姓名,手机\n张三,13812345678\n".encode()

#: Runs in a process of its own, because the kernel's record of the largest child is kept per process.
INSPECT = """
import json, resource, sys, time
from handover.detection import inspect_isolated
def run(path):
    def source():
        with open(path, "rb") as file:
            while chunk := file.read(1 << 20):
                yield chunk
    started = time.monotonic()
    report = inspect_isolated(source, path.rpartition("/")[2], key=b"k" * 32)
    seconds = time.monotonic() - started
    return report.blocked.en if report.blocked else None, seconds, resource.getrusage(resource.RUSAGE_CHILDREN).ru_maxrss
print(json.dumps([run(path) for path in sys.argv[1:]]))
"""


def pieces_of_json_string(start: str) -> Iterator[bytes]:
    yield start.encode() + b'"'
    for _ in range(300):
        yield b"a" * MIB
    yield b'"'


def nested_zip(depth: int) -> bytes:
    data = archive({"a.txt": b"x"})
    for _ in range(depth):
        data = archive({"a.zip": data})
    return data


def zip_bomb() -> bytes:
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w", zipfile.ZIP_DEFLATED) as target, target.open("a.txt", "w") as member:
        for _ in range(100):
            member.write(b" " * MIB)
    return buffer.getvalue()


def nested_bomb() -> bytes:
    return archive(dict.fromkeys(["1.zip", "2.zip", "3.zip"], zip_bomb()))


def lying_size() -> bytes:
    data = bytearray(archive({"a.txt": b" " * (8 * MIB)}))
    at = data.index(b"PK\1\2")
    data[at + 24 : at + 28] = (1000).to_bytes(4, "little")
    return bytes(data)


def malformed_schema() -> bytes:
    data = database("CREATE TABLE a (x); INSERT INTO a VALUES ('13812345678');")
    return data.replace(b"CREATE TABLE a (x)", b"CREATE TABLE a (((")


def endless_view() -> bytes:
    """A view that is entered as a table and counts for ever."""
    import sqlite3

    connection = sqlite3.connect(":memory:")
    connection.executescript(
        "CREATE TABLE a (x); CREATE VIEW v AS WITH RECURSIVE c(n) AS (SELECT 1 UNION ALL SELECT n + 1 FROM c) SELECT n FROM c;"
        "PRAGMA writable_schema=ON; UPDATE sqlite_schema SET type = 'table' WHERE name = 'v';"
    )
    try:
        return connection.serialize()
    finally:
        connection.close()


def many_parts() -> bytes:
    head = b'From: a@b.cn\nSubject: x\nMIME-Version: 1.0\nContent-Type: multipart/mixed; boundary="b"\n\n'
    return head + b"--b\n\nx\n" * 3_000_000 + b"--b--\n"


def nested_parts() -> bytes:
    head = b"From: a@b.cn\nSubject: x\nMIME-Version: 1.0\n"
    levels = b"".join(b'Content-Type: multipart/mixed; boundary="b%d"\n\n--b%d\n' % (n, n) for n in range(3000))
    return head + levels + b"\nx"


HOSTILE: dict[str, Callable[[], bytes | Iterator[bytes]]] = {
    "bomb.zip": zip_bomb,
    "bombs.zip": nested_bomb,
    "nested100.zip": lambda: nested_zip(100),
    "lying.zip": lying_size,
    "cut.zip": lambda: archive({"a.csv": CSV * 10_000})[:-200],
    "many.zip": lambda: archive({f"{number}.txt": b"x" for number in range(6000)}),
    "string.json": lambda: pieces_of_json_string(""),
    "string-in-array.json": lambda: pieces_of_json_string("["),
    "deep.json": lambda: b'{"a":' * 5_000_000,
    "deep100.json": lambda: b'{"a":' * 100 + b"1" + b"}" * 100,
    "array-cut.json": lambda: b"[" + b'{"a":"13812345678"},' * 100_000,
    "deep.html": lambda: b"<!doctype html>" + b"<b>" * 8_000_000,
    "attributes.html": lambda: b"<!doctype html><p " + b"a " * 10_000_000,
    "attributes-everywhere.html": lambda: b"<!doctype html>" + (b"<p " + b"a " * 900 + b">") * 15_000,
    "schema.db": malformed_schema,
    "view.db": endless_view,
    "cut.db": lambda: database("CREATE TABLE a (x); INSERT INTO a VALUES (hex(zeroblob(100000)));")[:-5000],
    "noise.db": lambda: b"SQLite format 3\0" + bytes(range(256)) * 1000,
    "parts.eml": many_parts,
    "nested.eml": nested_parts,
    "headers.eml": lambda: b"From: a@b.cn\n" + b"X-A: b\n" * 6_000_000 + b"\nx",
    "lie.csv": lambda: archive({"a.csv": CSV}),
    "binary.txt": lambda: bytes(range(256)) * 4000,
}


def write(path: str, content: bytes | Iterator[bytes]) -> None:
    with open(path, "wb") as file:  # noqa: PTH123 - a plain name
        file.writelines([content] if isinstance(content, bytes) else content)


def inspect(*paths: str) -> list[tuple[str | None, float, int]]:
    """Why each was refused, its seconds, and the kibibytes of the largest child until then."""
    done = subprocess.run([sys.executable, "-c", INSPECT, *paths], capture_output=True, check=True)
    return [tuple(found) for found in json.loads(done.stdout)]  # type: ignore[misc]


@pytest.fixture(scope="module")
def usual(tmp_path_factory: pytest.TempPathFactory) -> int:
    """What an honest file takes."""
    honest = f"{tmp_path_factory.mktemp('honest')}/honest.csv"
    write(honest, CSV)
    [(refused, _, kibibytes)] = inspect(honest)
    assert refused is None
    return kibibytes


@pytest.mark.parametrize("name", HOSTILE)
def test_hostile_file_is_refused_soon_in_little_memory_and_harms_no_other(
    name: str, tmp_path: object, usual: int
) -> None:
    hostile, honest = f"{tmp_path}/{name}", f"{tmp_path}/honest.csv"
    write(hostile, HOSTILE[name]())
    write(honest, CSV)
    found, after = inspect(hostile, honest)
    assert found[0], "it was not refused"
    assert found[1] < 20
    assert found[2] - usual <= 256 * 1024
    assert after[0] is None

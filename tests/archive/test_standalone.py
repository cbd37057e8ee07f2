"""Packages over files of a disk: whatever the sizes, what comes out is what went in, and a file in motion spoils the build."""

import os
import subprocess
import sys
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from handover.archive import durable, reading, standalone
from handover.archive.errors import SourceChangedError
from handover.archive.manifest import FileLine
from handover.archive.names import clean_name
from handover.archive.open import open_package, verify_package
from handover.archive.sources import Side, Sources, lines, sources_below
from handover.archive.standalone import seal_paths
from handover.crypto.age import recipient_of
from handover.crypto.canonical import decode_lines
from tests.archive.samples import IDENTITY, KEYS, TRUST

BATCH = 1 << 20
DATA = os.urandom(3 * BATCH)
SIZES = st.sampled_from([0, 60_000, BATCH - 9_000, BATCH, 2 * BATCH]).flatmap(lambda n: st.integers(n, n + 2_000))


@settings(max_examples=25, deadline=None)
@given(st.lists(SIZES, max_size=5))
def test_files_of_any_size_come_back(tmp_path_factory: pytest.TempPathFactory, sizes: list[int]) -> None:
    folder = tmp_path_factory.mktemp("sizes")
    (folder / "in").mkdir()
    for number, size in enumerate(sizes):
        (folder / "in" / f"{number}.bin").write_bytes(DATA[number : number + size])
    result = seal_paths([folder / "in"], [recipient_of(IDENTITY)], folder / "p.age", keys=KEYS)
    opened = open_package(folder / "p.age", [IDENTITY], folder / "out", trust=TRUST)
    assert opened.verified == result.files_count == len(sizes)
    assert result.size == (folder / "p.age").stat().st_size
    for number, size in enumerate(sizes):
        assert (folder / "out/files/in" / f"{number}.bin").read_bytes() == DATA[number : number + size]


@given(
    st.text(min_size=1, max_size=60)
    .map(lambda name: name.replace("/", "_"))
    .filter(lambda name: name not in (".", "..")),
    st.integers(0, 2**53 - 1),
)
def test_lines_are_those_of_the_canonical_encoder(name: str, size: int) -> None:
    path = f"files/{clean_name('files', name)}"
    made = lines([path.encode()], [size], b"\xab" * 32)
    (line,) = decode_lines(made, FileLine)  # refuses what is not canonical
    assert (line.path, line.size, line.sha256, len(line.salt)) == (path, size, "ab" * 32, 32)
    assert Sources([Side(["/somewhere"], [path], [size])]).list_size == len(made)


def test_one_of_many_small_files_that_grew_is_named(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "in").mkdir()
    for number in range(1_500):
        (tmp_path / "in" / f"{number:04}").write_bytes(b"x" * 999)
    found = list(sources_below([tmp_path / "in"]))
    (tmp_path / "in" / "1033").write_bytes(b"x" * 1000)
    monkeypatch.setattr(standalone, "sources_below", lambda _paths: found)
    with pytest.raises(SourceChangedError, match="1033"):
        seal_paths([tmp_path / "in"], [recipient_of(IDENTITY)], tmp_path / "p.age")
    assert [path.name for path in tmp_path.iterdir()] == ["in"]


@pytest.mark.parametrize("size", [5_000, 2 * BATCH], ids=["small", "large"])
@pytest.mark.parametrize("change", [-1, 1], ids=["shorter", "longer"])
def test_a_file_that_changes_while_it_is_packed_spoils_the_build(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, size: int, change: int
) -> None:
    (tmp_path / "moving").write_bytes(DATA[:size])
    real = reading._open

    def moving(path: str) -> int:
        os.truncate(tmp_path / "moving", size + change)
        return real(path)

    monkeypatch.setattr(reading, "_open", moving)
    with pytest.raises(SourceChangedError, match="moving"):
        seal_paths([tmp_path / "moving"], [recipient_of(IDENTITY)], tmp_path / "p.age")
    assert [path.name for path in tmp_path.iterdir()] == ["moving"]


@pytest.mark.parametrize("kind", ["link", "missing", "fifo"])
def test_links_devices_and_missing_files_are_not_packed(tmp_path: Path, kind: str) -> None:
    (tmp_path / "in").mkdir()
    path = tmp_path / "in" / "odd"
    if kind == "link":
        path.symlink_to("/etc/hostname")
    elif kind == "fifo":
        os.mkfifo(path)
    with pytest.raises(SourceChangedError):
        seal_paths([path if kind == "missing" else tmp_path / "in"], [recipient_of(IDENTITY)], tmp_path / "p.age")
    assert not (tmp_path / "p.age").exists()


def test_many_small_files_verify(tmp_path: Path) -> None:
    for number in range(3_000):
        folder = tmp_path / "in" / str(number % 7)
        folder.mkdir(parents=True, exist_ok=True)
        (folder / f"{number}.txt").write_bytes(DATA[number : number + 700])
    seal_paths([tmp_path / "in"], [recipient_of(IDENTITY)], tmp_path / "p.age")
    assert verify_package(tmp_path / "p.age", [IDENTITY]).verified == 3_000


def test_many_files_cost_little_memory(tmp_path: Path) -> None:
    """Beside what the program takes for one file; a second thousand must not cost what objects of each would."""

    def peak(count: int) -> int:
        folder = tmp_path / str(count)
        folder.mkdir()
        for number in range(count):
            (folder / f"{number:060}").write_bytes(b"x")
        code = (
            "import resource, sys; from pathlib import Path as P\n"
            "from handover.archive.standalone import seal_paths; from handover.archive.open import open_package\n"
            "folder, key, to = P(sys.argv[1]), *sys.argv[2:]\n"
            "sealed = folder.with_suffix('.age')\n"
            "seal_paths([folder], [to], sealed); open_package(sealed, [key], folder.with_suffix('.out'))\n"
            "print(resource.getrusage(resource.RUSAGE_SELF).ru_maxrss)"
        )
        command = [sys.executable, "-c", code, str(folder), IDENTITY, recipient_of(IDENTITY)]
        return int(subprocess.run(command, check=True, capture_output=True, text=True).stdout)

    few = peak(4_000)
    assert (peak(10_000) - few) * 1024 / 6_000 < 600


def test_unpacked_files_are_made_durable_one_by_one_where_the_system_has_no_other_way(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "a.txt").write_bytes(b"x")
    seal_paths([tmp_path / "a.txt"], [recipient_of(IDENTITY)], tmp_path / "p.age")
    synced: list[tuple[int, int]] = []
    real = os.fsync

    def noted(descriptor: int) -> None:
        synced.append((os.fstat(descriptor).st_dev, os.fstat(descriptor).st_ino))
        real(descriptor)

    monkeypatch.setattr(durable, "_syncfs", None)
    monkeypatch.setattr(os, "fsync", noted)
    open_package(tmp_path / "p.age", [IDENTITY], tmp_path / "out")
    written = [tmp_path / "out", *(tmp_path / "out").rglob("*")]
    assert {(path.stat().st_dev, path.stat().st_ino) for path in written} <= set(synced)


def test_a_disk_that_fails_leaves_nothing_unpacked(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "a.txt").write_bytes(b"x")
    seal_paths([tmp_path / "a.txt"], [recipient_of(IDENTITY)], tmp_path / "p.age")
    monkeypatch.setattr(durable, "_syncfs", lambda _descriptor: -1)
    with pytest.raises(OSError):  # noqa: PT011 - the number is the system's
        open_package(tmp_path / "p.age", [IDENTITY], tmp_path / "out")
    assert {path.name for path in tmp_path.iterdir()} == {"a.txt", "p.age"}

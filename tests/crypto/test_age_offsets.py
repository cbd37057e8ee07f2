"""Files sealed and opened by offset, by several threads and in any order, are the same as those of the streams."""

import os
from collections.abc import Iterator
from itertools import pairwise
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from handover.crypto.age import (
    decrypt_bytes,
    decrypt_file,
    encrypt_file,
    generate_identity,
    parallel,
    parse_header,
    placed,
    recipient_of,
)
from handover.crypto.age.placed import NotWrittenError, PlacedWriter
from handover.crypto.age.stream import BATCH_CHUNKS, CHUNK, DEPTH, THREADS
from handover.crypto.errors import (
    CryptoError,
    CutShortError,
    DamagedChunkError,
    LastChunkError,
    SourceChangedError,
    TrailingDataError,
)

IDENTITY = generate_identity()
RECIPIENT = recipient_of(IDENTITY)
BATCH = BATCH_CHUNKS * CHUNK
LONG = os.urandom((DEPTH + 2) * BATCH + CHUNK)
EDGES = st.sampled_from([0, CHUNK, BATCH, 2 * BATCH, (DEPTH + 1) * BATCH]).flatmap(
    lambda edge: st.integers(max(0, edge - 2), edge + 2)
)


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("offsets")


def _write(path: Path, size: int, *pieces: tuple[int, bytes]) -> int:
    """Writes pieces of plaintext at their positions; returns the size that the file should have."""
    with path.open("w+b") as sink, PlacedWriter(sink.fileno(), [RECIPIENT], size) as writer:
        for position, data in pieces:
            writer.position = position
            writer.write(data)
    return writer.size


@settings(max_examples=40, deadline=None)
@given(EDGES)
def test_whole_files_round_trip_around_every_boundary(folder: Path, size: int) -> None:
    (folder / "plain").write_bytes(LONG[:size])
    encrypt_file(folder / "plain", folder / "sealed", [RECIPIENT])
    assert decrypt_bytes((folder / "sealed").read_bytes(), [IDENTITY]) == LONG[:size]
    decrypt_file(folder / "sealed", folder / "opened", [IDENTITY])
    assert (folder / "opened").read_bytes() == LONG[:size]


@settings(max_examples=40, deadline=None)
@given(EDGES, st.lists(st.integers(0, len(LONG)), max_size=6), st.randoms())
def test_the_order_of_writing_changes_nothing(folder: Path, size: int, cuts: list[int], rng: object) -> None:
    edges = sorted({0, size, *(cut for cut in cuts if cut < size)})
    pieces = [(start, LONG[start:end]) for start, end in pairwise(edges)]
    rng.shuffle(pieces)  # type: ignore[attr-defined] # a random.Random
    assert _write(folder / "placed", size, *pieces) == (folder / "placed").stat().st_size
    assert decrypt_bytes((folder / "placed").read_bytes(), [IDENTITY]) == LONG[:size]


def test_what_threads_fill_in_turns_is_one_file(folder: Path) -> None:
    size = len(LONG) - 5

    def filling(writer: PlacedWriter) -> Iterator[None]:
        begin = 0
        while begin < size:
            step = min(writer.left, size - begin, 300_000)
            writer.write(LONG[begin : begin + step])
            yield
            begin += step

    with (folder / "beside").open("w+b") as sink, PlacedWriter(sink.fileno(), [RECIPIENT], size) as writer:
        writer.run(filling(writer))
    assert decrypt_bytes((folder / "beside").read_bytes(), [IDENTITY]) == LONG[:size]


def test_an_error_of_one_thread_ends_all(folder: Path) -> None:
    begun = 0

    def fail() -> None:
        raise KeyError("from a thread")

    def filling() -> Iterator[None]:
        nonlocal begun
        while True:
            begun += 1
            yield fail()

    with (folder / "failing").open("w+b") as sink:
        writer = PlacedWriter(sink.fileno(), [RECIPIENT], len(LONG))
        with pytest.raises(KeyError, match="from a thread"), writer:
            writer.run(filling())
    assert begun <= THREADS


def test_no_place_is_sealed_twice(folder: Path) -> None:
    with pytest.raises(ValueError, match="written once"):
        _write(folder / "twice", 2 * BATCH, (0, LONG[:BATCH]), (5, b"another plaintext under the same nonce"))


def test_a_file_with_a_gap_is_never_called_whole(folder: Path) -> None:
    with pytest.raises(ValueError, match="before all of it"):
        _write(folder / "gap", 100, (0, b"only this"))


@pytest.mark.parametrize("opened_again", [1, 1 << 30], ids=["all", "few"])
@pytest.mark.parametrize(
    ("size", "at"),
    [(10, 0), (CHUNK, 0), (3 * BATCH + 10, 0), (3 * BATCH + 10, BATCH + BATCH // 2), (3 * BATCH + 10, 3 * BATCH)],
)
def test_what_the_disk_changes_is_found_before_the_file_is_called_whole(
    folder: Path, monkeypatch: pytest.MonkeyPatch, size: int, at: int, opened_again: int
) -> None:
    def write_other(file: int, data: memoryview, offset: int) -> None:
        changed = bytearray(data)
        if offset >= at:
            changed[-20] ^= 1
        os.pwrite(file, changed, offset)

    monkeypatch.setattr(placed, "OPENED_AGAIN", opened_again)
    monkeypatch.setattr(placed, "write_at", write_other)
    with pytest.raises(NotWrittenError):
        _write(folder / "faulty", size, (0, LONG[:size]))


def test_a_source_that_becomes_shorter_gives_no_file(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (folder / "plain").write_bytes(LONG[: 3 * BATCH])
    real = parallel.read_at

    def shrinking(file: int, target: memoryview, offset: int) -> int:
        os.truncate(folder / "plain", 2 * BATCH)
        return real(file, target, offset)

    monkeypatch.setattr(parallel, "read_at", shrinking)
    with pytest.raises(SourceChangedError):
        encrypt_file(folder / "plain", folder / "never", [RECIPIENT])
    assert not list(folder.glob("*never*"))


def test_a_file_that_claims_no_size_is_read_as_a_stream(folder: Path) -> None:
    encrypt_file(Path("/proc/self/status"), folder / "status", [RECIPIENT])
    assert decrypt_bytes((folder / "status").read_bytes(), [IDENTITY]).startswith(b"Name:")


@pytest.mark.parametrize(
    ("change", "error"),
    [
        (lambda data, start: data[: start + CHUNK] + b"?" + data[start + CHUNK + 1 :], DamagedChunkError),
        (lambda data, start: data[: start + 2 * (CHUNK + 16)], CutShortError),
        (lambda data, _start: data[:-1], LastChunkError),
        (lambda data, _start: data + b"more", TrailingDataError),
    ],
    ids=["damaged", "cut-between-chunks", "cut", "trailing"],
)
def test_faults_are_named_as_by_the_stream(folder: Path, change: object, error: type[CryptoError]) -> None:
    (folder / "plain").write_bytes(LONG[: 2 * BATCH])
    encrypt_file(folder / "plain", folder / "sealed", [RECIPIENT])
    whole = (folder / "sealed").read_bytes()
    with (folder / "sealed").open("rb") as sealed:
        start = len(parse_header(sealed).raw) + 16
    (folder / "bad").write_bytes(change(whole, start))  # type: ignore[operator] # one of the lambdas above
    with pytest.raises(error):
        decrypt_file(folder / "bad", folder / "never", [IDENTITY])
    assert not list(folder.glob("*never*"))


def test_no_thread_hides_the_failure_of_another(folder: Path) -> None:
    (folder / "plain").write_bytes(LONG)
    encrypt_file(folder / "plain", folder / "sealed", [RECIPIENT])
    whole = (folder / "sealed").read_bytes()
    for at in range(1000, len(whole), len(whole) // 40):
        (folder / "bad").write_bytes(whole[:at] + bytes([whole[at] ^ 1]) + whole[at + 1 :])
        with pytest.raises(DamagedChunkError):
            decrypt_file(folder / "bad", folder / "never", [IDENTITY])
    assert not list(folder.glob("*never*"))

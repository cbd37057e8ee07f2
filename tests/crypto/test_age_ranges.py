"""Long ranges of an age file over threads: the right bytes, shown in their order, or the damage that is in the way."""

import os
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from handover.crypto.age import SeekableReader, encrypt_bytes, generate_identity, recipient_of
from handover.crypto.age.ranges import open_range
from handover.crypto.age.stream import BATCH_CHUNKS, CHUNK, SEALED_CHUNK
from handover.crypto.errors import DamagedChunkError

IDENTITY = generate_identity()
DATA = os.urandom(5 * BATCH_CHUNKS * CHUNK + 77)
SEALED = encrypt_bytes(DATA, [recipient_of(IDENTITY)])


def _open(sealed: Path, begin: int, size: int, target: Path) -> list[bytes]:
    shown: list[bytes] = []
    with sealed.open("rb") as source, target.open("wb") as sink:
        payload = SeekableReader(source, [IDENTITY]).payload
        open_range(payload, begin, size, sink.fileno(), lambda part: shown.append(bytes(part)))
    return shown


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("ranges")
    (folder / "sealed").write_bytes(SEALED)
    return folder


@settings(max_examples=30, deadline=None)
@given(st.integers(0, len(DATA) - 1), st.integers(1, len(DATA)))
def test_any_range_is_written_and_shown_in_order(folder: Path, begin: int, size: int) -> None:
    size = min(size, len(DATA) - begin)
    assert b"".join(_open(folder / "sealed", begin, size, folder / "plain")) == DATA[begin : begin + size]
    assert (folder / "plain").read_bytes() == DATA[begin : begin + size]


@pytest.mark.parametrize("number", [0, 1, BATCH_CHUNKS + 3, 4 * BATCH_CHUNKS, 5 * BATCH_CHUNKS - 1])
def test_a_damaged_chunk_is_named_and_nothing_behind_it_is_shown(folder: Path, number: int) -> None:
    damaged = bytearray(SEALED)
    damaged[len(SEALED) - (len(DATA) % CHUNK + 16) - (5 * BATCH_CHUNKS - number) * SEALED_CHUNK] ^= 1
    (folder / "damaged").write_bytes(damaged)
    with pytest.raises(DamagedChunkError, match=f"chunk {number} is damaged"):
        _open(folder / "damaged", 10, len(DATA) - 10, folder / "plain")

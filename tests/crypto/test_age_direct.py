"""Large files written around the page cache are the same as others, whatever the disk asks for."""

import contextlib
import errno
import os
import tempfile
from collections.abc import Iterator
from pathlib import Path

import pytest

from handover.crypto.age import decrypt_bytes, decrypt_file, direct, encrypt_file, generate_identity, recipient_of
from handover.crypto.age.direct import BLOCK, NewFile, buffer
from handover.crypto.age.stream import BATCH_CHUNKS, CHUNK
from handover.crypto.errors import DamagedChunkError

IDENTITY = generate_identity()
BATCH = BATCH_CHUNKS * CHUNK
LONG = os.urandom(6 * BATCH + CHUNK)


@pytest.fixture
def tmp_path() -> Iterator[Path]:
    """On a disk, where the other tests may have theirs in memory, which has no cache to be written around."""
    with tempfile.TemporaryDirectory() as folder:
        yield Path(folder)


@pytest.fixture(autouse=True)
def however_small(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(direct, "_WORTH_IT", 1)


def _round_trip(folder: Path, size: int) -> None:
    (folder / "plain").write_bytes(LONG[:size])
    encrypt_file(folder / "plain", folder / "sealed", [recipient_of(IDENTITY)])
    assert decrypt_bytes((folder / "sealed").read_bytes(), [IDENTITY]) == LONG[:size]
    decrypt_file(folder / "sealed", folder / "opened", [IDENTITY])
    assert (folder / "opened").read_bytes() == LONG[:size]


@pytest.mark.parametrize("edge", [BLOCK, CHUNK, BATCH, 4 * BATCH, 6 * BATCH])
@pytest.mark.parametrize("more", [-4081, -1, 0, 1, 4081])
def test_files_round_trip_around_every_boundary(tmp_path: Path, edge: int, more: int) -> None:
    _round_trip(tmp_path, edge + more)


def test_a_disk_that_asks_for_larger_blocks_is_written_as_usual(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    real, refused = direct.write_at, []

    def refusing(file: int, data: memoryview, offset: int) -> None:
        import fcntl

        if offset >= BATCH and fcntl.fcntl(file, fcntl.F_GETFL) & os.O_DIRECT:
            refused.append(offset)
            raise OSError(errno.EINVAL, "misaligned")
        real(file, data, offset)

    monkeypatch.setattr(direct, "write_at", refusing)
    with (tmp_path / "probe").open("w+b") as sink, NewFile(sink.fileno(), BATCH) as new:
        if not new.direct:
            pytest.skip("this file system is not written around its cache")
    _round_trip(tmp_path, len(LONG))
    assert refused


def test_a_full_disk_is_told(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def full(_file: int, _data: memoryview, _offset: int) -> None:
        raise OSError(errno.ENOSPC, "no space")

    (tmp_path / "plain").write_bytes(LONG)
    encrypt_file(tmp_path / "plain", tmp_path / "sealed", [recipient_of(IDENTITY)])
    monkeypatch.setattr(direct, "write_at", full)
    with pytest.raises(OSError, match="no space"):
        decrypt_file(tmp_path / "sealed", tmp_path / "opened", [IDENTITY])
    assert {path.name for path in tmp_path.iterdir()} == {"plain", "sealed"}


def test_a_damaged_file_is_named_and_leaves_nothing(tmp_path: Path) -> None:
    (tmp_path / "plain").write_bytes(LONG)
    encrypt_file(tmp_path / "plain", tmp_path / "sealed", [recipient_of(IDENTITY)])
    sealed = bytearray((tmp_path / "sealed").read_bytes())
    sealed[5 * BATCH] ^= 1
    (tmp_path / "sealed").write_bytes(sealed)
    with pytest.raises(DamagedChunkError):
        decrypt_file(tmp_path / "sealed", tmp_path / "opened", [IDENTITY])
    assert {path.name for path in tmp_path.iterdir()} == {"plain", "sealed"}


def test_after_an_error_the_file_is_like_any_other(tmp_path: Path) -> None:
    with (tmp_path / "new").open("w+b") as sink:
        with contextlib.suppress(KeyError), NewFile(sink.fileno(), 10 * BLOCK) as new:
            new.write(buffer(BLOCK)[:100], 0)
            raise KeyError
        os.ftruncate(sink.fileno(), 0)
        sink.write(b"short")
    assert (tmp_path / "new").read_bytes() == b"short"


def test_parts_that_share_a_block_may_come_from_anywhere(tmp_path: Path) -> None:
    data = os.urandom(3 * BLOCK + 10)
    with (tmp_path / "new").open("w+b") as sink, NewFile(sink.fileno(), len(data)) as new:
        for begin, end in ((BLOCK + 7, len(data)), (100, BLOCK + 7), (0, 100)):
            room = buffer(BLOCK + len(data))[begin % BLOCK :]
            room[: end - begin] = data[begin:end]
            new.write(room[: end - begin], begin)
    assert (tmp_path / "new").read_bytes() == data

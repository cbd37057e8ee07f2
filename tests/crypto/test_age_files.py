"""Encryption and decryption of whole files, streams and places inside them; interoperability with the age tool."""

import contextlib
import io
import os
import subprocess
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from handover.crypto.age import (
    Passphrase,
    Reader,
    SeekableReader,
    Writer,
    bech32,
    ciphertext_size,
    decrypt_bytes,
    decrypt_file,
    encrypt_bytes,
    encrypt_file,
    generate_identity,
    parse_header,
    recipient_of,
)
from handover.crypto.age.stream import BATCH_CHUNKS, DEPTH
from handover.crypto.errors import (
    CryptoError,
    CutShortError,
    DamagedChunkError,
    KeyFormatError,
    NoMatchError,
    TrailingDataError,
)

CLASSIC = generate_identity()
HYBRID = generate_identity(post_quantum=True)
CHUNK = 64 * 1024
BATCH = BATCH_CHUNKS * CHUNK
#: Around a chunk, a batch, and more batches than are under way at once.
SIZES = [around + off for around in (CHUNK, BATCH, 2 * BATCH, (DEPTH + 2) * BATCH) for off in (-1, 0, 1, CHUNK)] + [
    0,
    1,
]


@pytest.mark.parametrize("identity", [CLASSIC, HYBRID], ids=["x25519", "hybrid"])
@pytest.mark.parametrize("size", SIZES)
def test_what_is_encrypted_comes_back(identity: str, size: int) -> None:
    data = os.urandom(size)
    sealed = encrypt_bytes(data, [recipient_of(identity)])
    assert decrypt_bytes(sealed, [identity]) == data
    assert len(sealed) == ciphertext_size(size, len(parse_header(io.BytesIO(sealed)).raw))
    assert SeekableReader(io.BytesIO(sealed), [identity]).size == size


@pytest.mark.parametrize("size", [0, 5, CHUNK, 20 * CHUNK + 3])
def test_age_opens_ours_and_we_open_what_age_made(tmp_path: Path, size: int) -> None:
    data = os.urandom(size)
    (tmp_path / "plain").write_bytes(data)
    (tmp_path / "id").write_text(f"# created by a test\n{CLASSIC}\n")
    encrypt_file(tmp_path / "plain", tmp_path / "ours", [recipient_of(CLASSIC)])
    opened = subprocess.run(["age", "-d", "-i", tmp_path / "id", tmp_path / "ours"], capture_output=True, check=True)
    assert opened.stdout == data
    for armor in ([], ["-a"]):
        command = ["age", *armor, "-r", recipient_of(CLASSIC), "-o", tmp_path / "theirs", tmp_path / "plain"]
        subprocess.run(command, check=True)
        decrypt_file(tmp_path / "theirs", tmp_path / "back", [(tmp_path / "id").read_text()])
        assert (tmp_path / "back").read_bytes() == data


def test_age_opens_our_armor_and_derives_our_recipient(tmp_path: Path) -> None:
    (tmp_path / "id").write_text(CLASSIC + "\n")
    armored = encrypt_bytes(b"x" * 1000, [recipient_of(CLASSIC)], armored=True)
    opened = subprocess.run(["age", "-d", "-i", tmp_path / "id"], input=armored, capture_output=True, check=True)
    assert opened.stdout == b"x" * 1000
    derived = subprocess.run(["age-keygen", "-y", tmp_path / "id"], capture_output=True, check=True, text=True)
    assert derived.stdout.strip() == recipient_of(CLASSIC)


def test_hybrid_recipient_has_the_published_form() -> None:
    assert HYBRID.startswith("AGE-SECRET-KEY-PQ-1")
    assert recipient_of(HYBRID).startswith("age1pq1")
    assert len(recipient_of(HYBRID)) == 1959


def test_a_target_appears_only_when_whole(tmp_path: Path) -> None:
    sealed = encrypt_bytes(os.urandom(200_000), [recipient_of(CLASSIC)])
    (tmp_path / "c").write_bytes(sealed[:-100_000])
    (tmp_path / "kept").write_bytes(b"before")
    for name in ("kept", "new"):
        with pytest.raises(CryptoError):
            decrypt_file(tmp_path / "c", tmp_path / name, [CLASSIC])
    assert (tmp_path / "kept").read_bytes() == b"before"
    assert {path.name for path in tmp_path.iterdir()} == {"c", "kept"}


def test_decrypted_files_are_private(tmp_path: Path) -> None:
    (tmp_path / "c").write_bytes(encrypt_bytes(b"x", [recipient_of(CLASSIC)]))
    decrypt_file(tmp_path / "c", tmp_path / "p", [CLASSIC])
    assert (tmp_path / "p").stat().st_mode & 0o777 == 0o600


def test_kinds_of_recipients_are_never_mixed() -> None:
    for mixed in ([CLASSIC, HYBRID], [HYBRID, CLASSIC]):
        with pytest.raises(KeyFormatError, match="never mixed"):
            encrypt_bytes(b"", [recipient_of(identity) for identity in mixed])
    with pytest.raises(KeyFormatError, match="never mixed"):
        encrypt_bytes(b"", [recipient_of(CLASSIC), Passphrase("x", 2)])
    with pytest.raises(KeyFormatError):
        encrypt_bytes(b"", [])


def test_every_recipient_of_several_opens() -> None:
    others = [generate_identity(post_quantum=True) for _ in range(3)]
    sealed = encrypt_bytes(b"abc", [recipient_of(identity) for identity in others])
    assert [stanza.type for stanza in parse_header(io.BytesIO(sealed)).stanzas] == ["mlkem768x25519"] * 3
    assert all(decrypt_bytes(sealed, [identity]) == b"abc" for identity in others)
    with pytest.raises(NoMatchError):
        decrypt_bytes(sealed, [HYBRID, CLASSIC])


def test_passphrase_protects_a_key_file() -> None:
    sealed = encrypt_bytes(CLASSIC.encode(), [Passphrase("correct horse", 10)])
    assert decrypt_bytes(sealed, [Passphrase("correct horse")]) == CLASSIC.encode()
    with pytest.raises(NoMatchError):
        decrypt_bytes(sealed, [Passphrase("wrong")])


def test_low_order_recipient_is_refused() -> None:
    with pytest.raises(KeyFormatError):
        encrypt_bytes(b"", [bech32.encode("age", bytes(32))])


def test_an_interrupted_writer_leaves_a_file_that_is_cut_short() -> None:
    sink = io.BytesIO()
    with contextlib.suppress(RuntimeError), Writer(sink, [recipient_of(CLASSIC)]) as writer:
        writer.write(os.urandom(17 * CHUNK))
        raise RuntimeError
    with pytest.raises(CutShortError):
        decrypt_bytes(sink.getvalue(), [CLASSIC])


def test_damage_is_told_by_chunk_after_what_was_whole() -> None:
    data = os.urandom(30 * CHUNK)
    sealed = bytearray(encrypt_bytes(data, [recipient_of(CLASSIC)]))
    start = len(parse_header(io.BytesIO(sealed)).raw) + 16
    sealed[start + 21 * (CHUNK + 16)] ^= 1
    reader, released = Reader(io.BytesIO(sealed), [CLASSIC]), bytearray()
    with pytest.raises(DamagedChunkError) as caught:
        _drain(reader, released)
    assert caught.value.chunk == 21
    assert released == data[: 21 * CHUNK]


def test_bytes_after_the_end_are_found() -> None:
    sealed = encrypt_bytes(b"x" * CHUNK, [recipient_of(CLASSIC)])
    with pytest.raises(TrailingDataError):
        decrypt_bytes(sealed + b"more", [CLASSIC])


@settings(max_examples=50, deadline=None)
@given(st.lists(st.binary(max_size=200_000), max_size=5), st.integers(1, 70_000))
def test_how_writes_and_reads_are_cut_changes_nothing(parts: list[bytes], step: int) -> None:
    sink = io.BytesIO()
    with Writer(sink, [recipient_of(CLASSIC)]) as writer:
        for part in parts:
            writer.write(part)
    reader = Reader(_Dribble(sink.getvalue(), step), [CLASSIC])
    back = b"".join(iter(lambda: reader.read(step) or b"", b""))
    assert back == b"".join(parts)
    assert writer.size == len(sink.getvalue())


PLAIN = os.urandom(20 * CHUNK + 99)
SEALED = encrypt_bytes(PLAIN, [recipient_of(CLASSIC)])


@given(st.integers(0, len(PLAIN) + 10), st.integers(0, 5 * CHUNK))
@settings(deadline=None)
def test_any_place_can_be_read_alone(offset: int, size: int) -> None:
    assert SeekableReader(io.BytesIO(SEALED), [CLASSIC]).read_at(offset, size) == PLAIN[offset : offset + size]


LONG = os.urandom((DEPTH + 2) * BATCH + 5 * CHUNK + 99)
SEALED_LONG = encrypt_bytes(LONG, [recipient_of(CLASSIC)])


@given(st.lists(st.tuples(st.none() | st.integers(0, len(LONG)), st.integers(1, 6 * CHUNK)), max_size=40))
@settings(deadline=None, max_examples=40)
def test_reading_on_and_jumping_give_the_same_bytes(steps: list[tuple[int | None, int]]) -> None:
    reader, at = SeekableReader(io.BytesIO(SEALED_LONG), [CLASSIC]), 0
    for jump, size in steps:
        at = reader.seek(jump) if jump is not None else at
        assert reader.read_at(at, size) == LONG[at : at + size]
        at = reader.tell()


@pytest.mark.parametrize("chunk", [3, 17, BATCH_CHUNKS * 2 - 1, BATCH_CHUNKS * (DEPTH + 1)])
def test_reading_on_stops_at_the_damaged_chunk(chunk: int) -> None:
    damaged = bytearray(SEALED_LONG)
    damaged[len(parse_header(io.BytesIO(damaged)).raw) + 16 + chunk * (CHUNK + 16)] ^= 1
    reader, released = SeekableReader(io.BytesIO(damaged), [CLASSIC]), bytearray()
    with pytest.raises(DamagedChunkError) as caught:
        _drain(reader, released)
    assert caught.value.chunk == chunk
    assert released == LONG[: chunk * CHUNK]


def test_a_source_that_fails_does_so_after_what_it_gave() -> None:
    class Failing(io.BytesIO):
        def readinto(self, buffer: object) -> int:
            if self.tell() >= 2 * BATCH:
                raise OSError("the disk is gone")
            return super().readinto(memoryview(buffer)[:CHUNK])  # type: ignore[arg-type]

    reader, released = Reader(Failing(SEALED_LONG), [CLASSIC]), bytearray()
    with pytest.raises(OSError, match="the disk is gone"):
        _drain(reader, released)
    assert released == LONG[:BATCH]


@given(st.sampled_from(["age", "age-secret-key-", "a1b"]), st.binary(max_size=1300))
def test_bech32_roundtrips_in_either_case(prefix: str, data: bytes) -> None:
    text = bech32.encode(prefix, data)
    assert bech32.decode(text) == (prefix, data)
    assert bech32.decode(text.upper()) == (prefix.upper(), data)


@given(st.integers(0, len(CLASSIC) - 1), st.sampled_from("QPZRY9X8GF2TVDW0S3JN54KHCE6MUA7L"))
def test_a_mistyped_identity_is_refused_without_showing_it(position: int, character: str) -> None:
    typed = CLASSIC[:position] + character + CLASSIC[position + 1 :]
    if typed == CLASSIC:
        return
    with pytest.raises(KeyFormatError) as caught:
        recipient_of(typed)
    assert typed[20:40] not in str(caught.value)


def _drain(reader: Reader | SeekableReader, released: bytearray) -> None:
    while part := reader.read(100_000):
        released += part


class _Dribble:
    """A source that gives at most `step` bytes a time, as sockets do."""

    def __init__(self, data: bytes, step: int) -> None:
        self._source = io.BytesIO(data)
        self._step = step

    def read(self, size: int, /) -> bytes:
        return self._source.read(min(size, self._step))

"""Whatever is changed in a package is found, told apart, and nothing is written."""

import io
import os
import random
import struct
from collections.abc import Callable
from hashlib import sha256
from pathlib import Path
from zlib import crc32

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from handover.archive import manifest as manifest_format
from handover.archive import package
from handover.archive.errors import FileAlteredError, ManifestError, UnsafePathError, ZipFormatError
from handover.archive.listing import Totals, read_listing
from handover.archive.open import open_package
from handover.archive.package import Package
from handover.archive.seal import Entry, Plan, Sealed
from handover.archive.zipformat import DEFLATED, Member
from handover.archive.zipreader import ZipReader
from handover.archive.zipwriter import ZipWriter
from handover.crypto.age import Writer, decrypt_bytes, encrypt_bytes, recipient_of
from handover.crypto.age.stream import Cipher
from handover.crypto.errors import (
    CutShortError,
    DamagedChunkError,
    HeaderError,
    HeaderMacError,
    LastChunkError,
    NoMatchError,
)
from handover.errors import HandoverError
from tests.archive.samples import FACTS, IDENTITY, KEYS, TRUST, entries, entry

RECIPIENT = recipient_of(IDENTITY)


def _sealed(*more: Entry) -> tuple[Sealed, bytes]:
    sink = io.BytesIO()
    sealed = Plan([*entries(), *more], recipients=[RECIPIENT], facts=FACTS, keys=KEYS).write(sink)
    return sealed, sink.getvalue()


SEALED, WHOLE = _sealed()
PLAIN = decrypt_bytes(WHOLE, [IDENTITY])
HEADER = WHOLE.index(b"\n", WHOLE.index(b"--- ")) + 1
CHUNK = 64 * 1024 + 16
#: A package of many chunks.
MANY = _sealed(entry("files/long.bin", os.urandom(20 * 65536)))[1]


def _open(data: bytes, folder: Path) -> None:
    (folder / "p.age").write_bytes(data)
    try:
        open_package(folder / "p.age", [IDENTITY], folder / "out", trust=TRUST)
    finally:
        assert {path.name for path in folder.iterdir()} <= {"p.age", "out"}


def _flip(data: bytes, at: int) -> bytes:
    return data[:at] + bytes([data[at] ^ 1]) + data[at + 1 :]


def test_damage_names_its_chunk(tmp_path: Path) -> None:
    payload = HEADER + 16
    assert len(WHOLE) > payload + 2 * CHUNK
    with pytest.raises(DamagedChunkError) as caught:
        _open(_flip(WHOLE, payload + CHUNK + 5), tmp_path)
    assert caught.value.chunk == 1
    assert not (tmp_path / "out").exists()


def test_damage_in_the_last_chunk_says_cut_short_or_damaged(tmp_path: Path) -> None:
    with pytest.raises(LastChunkError, match="cut short or damaged"):
        _open(_flip(WHOLE, len(WHOLE) - 1), tmp_path)


def test_a_file_cut_between_chunks_is_cut_short(tmp_path: Path) -> None:
    with pytest.raises(CutShortError):
        _open(WHOLE[: HEADER + 16 + CHUNK], tmp_path)


@pytest.mark.parametrize("size", [0, 10, HEADER - 5, HEADER + 8, HEADER + 16, HEADER + 40, -1, -1000])
def test_every_cut_is_found(tmp_path: Path, size: int) -> None:
    with pytest.raises((HeaderError, CutShortError, LastChunkError)):
        _open(WHOLE[:size], tmp_path)


def test_exchanged_chunks_are_found(tmp_path: Path) -> None:
    start = HEADER + 16
    first, second = WHOLE[start : start + CHUNK], WHOLE[start + CHUNK : start + 2 * CHUNK]
    with pytest.raises(DamagedChunkError):
        _open(WHOLE[:start] + second + first + WHOLE[start + 2 * CHUNK :], tmp_path)


def test_an_added_stanza_is_found(tmp_path: Path) -> None:
    extra = b"-> X25519 " + b"A" * 43 + b"\n" + b"A" * 43 + b"\n"
    with pytest.raises((HeaderMacError, HeaderError)):
        _open(WHOLE[: WHOLE.index(b"---")] + b"-> grease x\n\n" + WHOLE[WHOLE.index(b"---") :], tmp_path)
    with pytest.raises((HeaderMacError, HeaderError)):
        _open(WHOLE[: WHOLE.index(b"---")] + extra + WHOLE[WHOLE.index(b"---") :], tmp_path)


#: What the reader says of any damage to the ciphertext; each names its cause.
_DAMAGE = (HeaderError, HeaderMacError, NoMatchError, DamagedChunkError, CutShortError, LastChunkError)


def _refuse(data: bytes, folder: Path) -> None:
    with pytest.raises(_DAMAGE):
        _open(data, folder)
    assert not (folder / "out").exists()


def test_any_changed_byte_of_the_file_is_found(tmp_path: Path) -> None:
    rng = random.Random(5)
    for _ in range(500):
        changed = bytearray(WHOLE)
        # Half of them in the header and the first records, which are a small part of the file.
        changed[rng.randrange(len(WHOLE) if rng.random() < 0.5 else HEADER + 2000)] ^= rng.randrange(1, 256)
        _refuse(bytes(changed), tmp_path)


def test_any_cut_of_the_file_is_found(tmp_path: Path) -> None:
    rng = random.Random(6)
    for _ in range(50):
        _refuse(WHOLE[: rng.randrange(len(WHOLE))], tmp_path)


def test_any_two_exchanged_chunks_are_found(tmp_path: Path) -> None:
    rng, start = random.Random(7), HEADER + 16
    chunks = [MANY[i : i + CHUNK] for i in range(start, len(MANY), CHUNK)]
    for _ in range(20):
        first, second = rng.sample(range(len(chunks)), 2)
        changed = list(chunks)
        changed[first], changed[second] = changed[second], changed[first]
        _refuse(MANY[:start] + b"".join(changed), tmp_path)


@settings(max_examples=150, deadline=None)
@given(st.data())
def test_any_changed_byte_of_the_archive_is_found_by_its_own_checks(data: st.DataObject) -> None:
    """Even by somebody who can encrypt to the recipient: structure, signature or digests catch it."""
    head = PLAIN.index(b"PK\x03\x04", 100_000 if len(PLAIN) > 400_000 else 0)
    position = data.draw(
        st.one_of(
            st.integers(0, len(PLAIN) - 1),
            st.integers(0, 9000),
            st.integers(len(PLAIN) - 900, len(PLAIN) - 1),
            st.just(head + 4),
        )
    )
    changed = bytearray(PLAIN)
    changed[position] ^= data.draw(st.integers(1, 255))
    with pytest.raises(HandoverError):
        _verify(encrypt_bytes(bytes(changed), [RECIPIENT]))


def _verify(data: bytes) -> None:
    package = Package(io.BytesIO(data), [IDENTITY])
    package.verify_signatures(TRUST)
    package.verify_content()


def _rebuilt(change: Callable[[list[tuple[Member, bytes]]], list[tuple[Member, bytes]]]) -> bytes:
    """The package with its archive built again from changed entries, encrypted to the same recipient."""
    reader = ZipReader(_Memory(PLAIN))
    found = []
    for member, offset in reader.entries():
        body = b"".join(reader.read(member, offset))
        found.append((Member(member.path, crc32(body), len(body), len(body)), body))
    sink = io.BytesIO()
    writer = Writer(sink, [RECIPIENT])
    archive = ZipWriter(writer)
    for member, body in change(found):
        archive.add(member, [body])
    archive.close()
    writer.close()
    return sink.getvalue()


class _Memory:
    def __init__(self, data: bytes) -> None:
        self._data = data
        self.size = len(data)

    def read_at(self, offset: int, size: int) -> bytes:
        return self._data[offset : offset + size]


def _member(path: str, body: bytes) -> tuple[Member, bytes]:
    return Member(path, crc32(body), len(body), len(body)), body


def test_stored_in_place_of_deflated_is_still_the_same_content(tmp_path: Path) -> None:
    _open(_rebuilt(lambda found: found), tmp_path)


@pytest.mark.parametrize("long", [1, 1 << 20], ids=["over threads", "as a stream"])
def test_an_exchanged_file_is_named(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, long: int) -> None:
    monkeypatch.setattr(package, "_LONG", long)
    data = _rebuilt(
        lambda found: [_member(m.path, b"jello") if m.path.endswith("notes.txt") else (m, b) for m, b in found]
    )
    with pytest.raises(FileAlteredError, match=r"files/notes\.txt"):
        _open(data, tmp_path)


@pytest.mark.parametrize(
    "change",
    [
        lambda found: [*found, _member("files/more.txt", b"x")],
        lambda found: found[:-1],
        lambda found: [*found[:-2], found[-1], found[-2]],
        lambda found: found[1:],
        lambda found: [*found, found[-1]],
        lambda found: [*found, _member("../escape", b"x")],
    ],
    ids=["added", "removed", "reordered", "no-readme", "twice", "climbing"],
)
def test_entries_that_are_not_the_listed_ones_are_refused(
    tmp_path: Path, change: Callable[[list[tuple[Member, bytes]]], list[tuple[Member, bytes]]]
) -> None:
    with pytest.raises(ZipFormatError):
        _open(_rebuilt(change), tmp_path)
    assert not (tmp_path / "out").exists()


def test_a_bomb_stops_at_the_listed_size() -> None:
    bomb = entry("files/a", b"\0" * 50_000_000, deflate=True)
    member = Member("files/a", crc32(b""), 1000, bomb.deflated_size or 0, DEFLATED)
    sink = io.BytesIO()
    archive = ZipWriter(sink)
    archive.add(member, bomb.content())
    archive.close()
    blocks = ZipReader(_Memory(sink.getvalue())).read(member, 0)
    with pytest.raises(FileAlteredError, match="unpacks to more"):
        assert sum(len(block) for block in blocks) <= 1000


@pytest.mark.parametrize(
    "change",
    [
        lambda data: data + b"\0",
        lambda data: b"\0" + data,
        lambda data: data[:-2] + b"\1\0!",
        lambda data: data.replace(struct.pack("<HH", 20, 0x0800), struct.pack("<HH", 20, 0x0801)),
        lambda data: data.replace(struct.pack("<HH", 20, 0x0800), struct.pack("<HH", 20, 0x0808)),
        lambda data: data.replace(struct.pack("<I", 0o100644 << 16), struct.pack("<I", 0o120777 << 16)),
    ],
    ids=["trailing", "leading", "comment", "encrypted", "descriptor", "link"],
)
def test_other_forms_of_zip_are_refused(change: Callable[[bytes], bytes]) -> None:
    with pytest.raises(ZipFormatError):
        list(ZipReader(_Memory(change(PLAIN))).entries())


@pytest.mark.parametrize(
    ("old", "new"),
    [
        (b'"version":1,"workflow"', b'"version":2,"workflow"'),
        (b'{"audit', b'{ "audit'),
        (b'"version":1}}', b'"version":1},"x":1}'),
        (b'"count":4', b'"count":5'),
    ],
)
def test_a_manifest_in_another_form_is_refused(tmp_path: Path, old: bytes, new: bytes) -> None:
    def change(found: list[tuple[Member, bytes]]) -> list[tuple[Member, bytes]]:
        return [_member(m.path, b.replace(old, new, 1)) if m.path == "MANIFEST.json" else (m, b) for m, b in found]

    assert old in SEALED.result.manifest
    with pytest.raises(ManifestError):
        _open(_rebuilt(change), tmp_path)


@pytest.mark.parametrize(
    "path", ["files/../x", "/etc/passwd", "files/a:b", "files/CON", "x", "files/a\u202eb", "files/ｅ\u0301́/"]
)
def test_unsafe_paths_in_the_list_are_refused(path: str) -> None:
    line = manifest_format.FileLine(
        path=path, size=0, sha256=sha256().hexdigest(), media_type="", level="", records=0, redaction="", salt="00" * 16
    )
    with pytest.raises(UnsafePathError):
        list(read_listing([manifest_format.encode_lines([line])], Totals()))


def test_paths_that_meet_after_folding_are_refused() -> None:
    lines = [
        manifest_format.FileLine(
            path=path, size=0, sha256="0" * 64, media_type="", level="", records=0, redaction="", salt="00" * 16
        )
        for path in ("files/Straße", "files/STRASSE")
    ]
    with pytest.raises(UnsafePathError):
        list(read_listing([manifest_format.encode_lines([line]) for line in lines], Totals()))


@pytest.mark.parametrize("fault", ["disk", "program"])
def test_a_package_that_was_written_wrong_is_discarded(monkeypatch: pytest.MonkeyPatch, fault: str) -> None:
    """A changed byte of ciphertext does not verify; one changed before it was sealed does, and is still not what was given."""
    body = b"".join(entries()[0].content())[100:200]
    real = Cipher.seal_into

    def faulty(self: Cipher, plain: memoryview, sealed: memoryview, first: int, *, final: bool) -> int:
        changed = bytearray(plain)
        changed[changed.index(body)] ^= 1
        return real(self, memoryview(changed), sealed, first, final=final)

    if fault == "program":
        monkeypatch.setattr(Cipher, "seal_into", faulty)
    sink = io.BytesIO()
    sealed = Plan(entries(), recipients=[RECIPIENT], facts=FACTS, keys=KEYS).write(sink)
    if fault == "disk":
        written = sink.getbuffer()
        written[len(written) // 2] ^= 1
        written.release()
    with pytest.raises(DamagedChunkError if fault == "disk" else FileAlteredError):
        sealed.verify_written(sink)

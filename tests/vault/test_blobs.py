import io
import itertools
import os
import random
import subprocess
import uuid
from collections.abc import Callable
from pathlib import Path

import msgspec
import pytest

from handover.crypto import age
from handover.crypto.errors import CryptoError
from handover.settings import Settings
from handover.storage import BlobMissingError
from handover.vault import (
    CopyBinding,
    ForeignBlobError,
    KeyDestroyedError,
    KeyMismatchError,
    Keyring,
    SealedBlob,
    Vault,
    VaultSealedError,
)

Make = Callable[[str], CopyBinding]
CANARY = "哨兵 CANARY-7f3a 张䶮"


def store(vault: Vault, key_id: str, data: bytes) -> SealedBlob:
    with vault.writer(key_id) as sink:
        sink.write(data)
    return sink.blob


@pytest.mark.parametrize("size", [0, 1, 65535, 65536, 65537, 3_000_000])
def test_a_blob_comes_back_as_it_was(vault: Vault, make_copy: Make, size: int) -> None:
    make_copy("copy:1")
    data = random.Random(size).randbytes(size)
    blob = store(vault, "copy:1", data)
    assert blob.plain_size == size
    with vault.reader("copy:1", blob) as plain:
        assert plain.read() == data
        plain.seek(size // 2)
        assert plain.read(100) == data[size // 2 :][:100]


def test_an_interrupted_writer_leaves_nothing(vault: Vault, make_copy: Make) -> None:
    make_copy("copy:1")
    sink = vault.writer("copy:1")

    def interrupted() -> None:
        with sink:
            sink.write(b"x" * 100_000)
            raise RuntimeError

    with pytest.raises(RuntimeError):
        interrupted()
    assert list(vault.storage.keys()) == []
    assert vault.storage.sweep() == 0
    with pytest.raises(ValueError, match="not stored"):
        _ = sink.blob


def test_no_swapped_blob_opens(vault: Vault, make_copy: Make, settings: Settings) -> None:
    """500 swaps between copies, of the recorded blob and of the file under it."""
    blobs = []
    for number in range(5):
        make_copy(f"copy:{number}")
        blobs += [(f"copy:{number}", store(vault, f"copy:{number}", b"same size")) for _ in range(5)]
    objects = settings.data_dir / "objects"
    pairs = [pair for pair in itertools.permutations(blobs, 2) if pair[0][0] != pair[1][0]]
    dice = random.Random(1)
    for (key_a, a), (_, b) in dice.sample(pairs, 250):
        with pytest.raises(CryptoError):
            vault.reader(key_a, b)
        original = (objects / a.key).read_bytes()
        (objects / a.key).write_bytes((objects / b.key).read_bytes())
        with pytest.raises(ForeignBlobError):
            vault.reader(key_a, a)
        (objects / a.key).write_bytes(original)


def test_two_blobs_of_one_copy_do_not_stand_for_each_other(vault: Vault, make_copy: Make, settings: Settings) -> None:
    make_copy("copy:1")
    one, two = store(vault, "copy:1", b"first"), store(vault, "copy:1", b"other")
    objects = settings.data_dir / "objects"
    (objects / one.key).write_bytes((objects / two.key).read_bytes())
    with pytest.raises(ForeignBlobError):
        vault.reader("copy:1", one)


def test_a_blob_that_someone_else_encrypted_to_the_recipient_is_refused(
    vault: Vault, make_copy: Make, settings: Settings
) -> None:
    make_copy("copy:1")
    blob = store(vault, "copy:1", b"genuine")
    forged = io.BytesIO()
    with age.Writer(forged, [vault.keyring.entry("copy:1").recipient or ""]) as writer:
        writer.write(b"forgery")
    (settings.data_dir / "objects" / blob.key).write_bytes(forged.getvalue())
    with pytest.raises(ForeignBlobError):
        vault.reader("copy:1", blob)


def test_a_damaged_or_shortened_blob_is_refused(vault: Vault, make_copy: Make, settings: Settings) -> None:
    make_copy("copy:1")
    blob = store(vault, "copy:1", os.urandom(200_000))
    path = settings.data_dir / "objects" / blob.key
    whole = path.read_bytes()
    path.write_bytes(whole[:-1])
    with pytest.raises(ForeignBlobError):
        vault.reader("copy:1", blob)
    path.write_bytes(whole[:100_000] + bytes([whole[100_000] ^ 1]) + whole[100_001:])
    with pytest.raises(CryptoError), vault.reader("copy:1", blob) as plain:
        plain.read()
    path.write_bytes(b"no age file")
    with pytest.raises(ForeignBlobError):
        vault.reader("copy:1", msgspec.structs.replace(blob, size=11))


def test_a_reader_can_demand_the_copy(vault: Vault, make_copy: Make) -> None:
    bound = make_copy("copy:1")
    blob = store(vault, "copy:1", b"x")
    vault.reader("copy:1", blob, binding=bound).close()
    other = CopyBinding(case=bound.case, copy=uuid.uuid4(), role=bound.role, level=bound.level)
    with pytest.raises(KeyMismatchError):
        vault.reader("copy:1", blob, binding=other)


def test_after_destruction_the_blob_opens_neither_now_nor_from_an_older_copy_of_the_data(
    vault: Vault, make_copy: Make, settings: Settings, tmp_path: Path
) -> None:
    """The installation's keys of after, with the data directory copied before, open nothing of it."""
    make_copy("copy:1")
    blob = store(vault, "copy:1", b"content")
    before = tmp_path / "copied"
    subprocess.run(["cp", "-a", settings.data_dir, before], check=True)
    vault.destroy(["copy:1"])
    with pytest.raises(KeyDestroyedError):
        vault.reader("copy:1", blob)
    with pytest.raises(VaultSealedError):
        Keyring(before / "keyring", settings.master_key_file).secret("copy:1")


def test_a_deleted_blob_is_gone(vault: Vault, make_copy: Make) -> None:
    make_copy("copy:1")
    blob = store(vault, "copy:1", b"x")
    assert vault.blob_exists(blob.key)
    vault.delete_blob(blob.key)
    vault.delete_blob(blob.key)
    assert not vault.blob_exists(blob.key)
    with pytest.raises(BlobMissingError):
        vault.reader("copy:1", blob)


def test_no_plaintext_and_no_secret_lies_in_any_file(vault: Vault, make_copy: Make, settings: Settings) -> None:
    vault.create_secret("accounts")
    make_copy("copy:1")
    sealed = vault.seal_text("accounts", CANARY, field="people.name", row=uuid.uuid4())
    store(vault, "copy:1", CANARY.encode() * 1000)
    (settings.data_dir / "row").write_bytes(sealed)
    secrets = [vault.secret("accounts"), vault.keyring.secret("copy:1"), settings.master_key_file.read_bytes()]
    needles = [CANARY.encode(), CANARY.encode("utf-16-le"), *secrets, *(secret.hex().encode() for secret in secrets)]
    files = [path for path in settings.data_dir.rglob("*") if path.is_file()]
    assert len(files) >= 3
    for path in files:
        data = path.read_bytes()
        assert not [needle for needle in needles if needle in data], path

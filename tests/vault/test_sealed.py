"""Without the right master key nothing is read and nothing is written."""

import os
import resource
import subprocess
import sys
import time
import uuid
from collections.abc import Callable
from pathlib import Path

import pytest

from handover.errors import Kind
from handover.settings import Settings, SettingsError
from handover.vault import (
    AlreadyInitialisedError,
    CopyBinding,
    Keyring,
    KeyringDamagedError,
    NotInitialisedError,
    SealedBlob,
    Vault,
    VaultSealedError,
)
from handover.vault.short_lived import ShortLived

ROW = uuid.uuid4()


@pytest.fixture
def blob(vault: Vault, make_copy: Callable[[str], CopyBinding]) -> SealedBlob:
    vault.create_secret("accounts")
    make_copy("copy:1")
    with vault.writer("copy:1") as sink:
        sink.write(b"content")
    return sink.blob


def files_of(settings: Settings) -> dict[Path, tuple[int, bytes]]:
    found = (path for path in settings.data_dir.parent.rglob("*") if path.is_file())
    return {path: (path.stat().st_mtime_ns, path.read_bytes()) for path in found}


def operations(vault: Vault, blob: SealedBlob) -> dict[str, Callable[[], object]]:
    copy = CopyBinding(case=ROW, copy=ROW, role="source", level="L2")
    return {
        "check": vault.check,
        "installation": lambda: vault.installation,
        "seal": lambda: vault.seal_text("accounts", "x", field="a.b", row=ROW),
        "open": lambda: vault.open_text("accounts", b"x" * 40, field="a.b", row=ROW),
        "digest": lambda: vault.digest("accounts", "email", "x"),
        "secret": lambda: vault.secret("accounts"),
        "has": lambda: vault.has("accounts"),
        "create_secret": lambda: vault.create_secret("new"),
        "create_copy": lambda: vault.create_copy("copy:2", copy),
        "writer": lambda: vault.writer("copy:1"),
        "reader": lambda: vault.reader("copy:1", blob),
        "delete": lambda: vault.delete_blob(blob.key),
        "exists": lambda: vault.blob_exists(blob.key),
        "destroy": lambda: vault.destroy(["accounts"]),
        "rotate": vault.keyring.rotate,
    }


@pytest.mark.parametrize("state", ["absent", "another", "too short", "empty"])
def test_every_operation_is_refused_and_writes_nothing(
    vault: Vault, blob: SealedBlob, settings: Settings, state: str
) -> None:
    master = settings.master_key_file
    key = master.read_bytes()
    if state == "absent":
        master.unlink()
    else:
        master.write_bytes({"another": os.urandom(32), "too short": key[:31], "empty": b""}[state])
    before = files_of(settings)
    for vault_state in (vault, Vault.open(settings)):
        for name, operation in operations(vault_state, blob).items():
            with pytest.raises(VaultSealedError) as caught:
                operation()
            assert caught.value.kind is Kind.UNAVAILABLE, name
    assert files_of(settings) == before
    master.touch(0o600)
    master.write_bytes(key)
    with vault.reader("copy:1", blob) as plain:
        assert plain.read() == b"content"


@pytest.mark.parametrize("loose", ["master.key", "data/keyring", "data/keyring/ring.json"])
def test_keys_that_others_may_read_refuse_to_open(vault: Vault, settings: Settings, loose: str) -> None:
    path = settings.data_dir.parent / loose
    path.chmod(0o750 if path.is_dir() else 0o640)
    with pytest.raises(SettingsError, match=r"chmod [67]00"):
        Vault.open(settings).check()


def test_key_files_are_made_readable_by_their_owner_alone(vault: Vault, settings: Settings) -> None:
    previous = os.umask(0)
    try:
        vault.create_secret("a")
        vault.destroy(["a"])
    finally:
        os.umask(previous)
    modes = {path.name: path.stat().st_mode & 0o777 for path in settings.keyring_dir.iterdir()}
    assert modes == {"ring.json": 0o600, "tombstones.jsonl": 0o600}
    assert settings.keyring_dir.stat().st_mode & 0o777 == 0o700
    assert settings.master_key_file.stat().st_mode & 0o777 == 0o600


def test_a_ring_altered_without_the_master_key_is_refused(vault: Vault, blob: SealedBlob, settings: Settings) -> None:
    """Else whoever may write there could put a recipient of their own and have uploads encrypted to it."""
    path = settings.keyring_dir / "ring.json"
    original = path.read_bytes()
    recipient = (vault.keyring.entry("copy:1").recipient or "").encode()
    altered = original.replace(recipient, recipient[:-1] + (b"q" if recipient[-1:] != b"q" else b"p"))
    for data in (altered, original.replace(b"L3", b"L1"), original[:-10], original + b" ", b"", b"{}\n{}"):
        path.write_bytes(data)
        with pytest.raises(KeyringDamagedError):
            Vault.open(settings).check()


def test_without_a_ring_the_error_says_how_to_make_one(settings: Settings) -> None:
    with pytest.raises(NotInitialisedError, match="handover init"):
        Vault.open(settings)


def test_keys_are_never_overwritten(vault: Vault, settings: Settings, tmp_path: Path) -> None:
    before = files_of(settings)
    with pytest.raises(AlreadyInitialisedError):
        Keyring.create(settings.keyring_dir, tmp_path / "another.key")
    with pytest.raises(AlreadyInitialisedError):
        Keyring.create(tmp_path / "another", settings.master_key_file)
    assert files_of(settings) == before


def test_an_open_vault_leaves_no_core_dumps() -> None:
    code = "from handover.vault.vault import forbid_core_dumps as f; import resource as r; f(); print(r.getrlimit(4))"
    assert resource.RLIMIT_CORE == 4
    child = subprocess.run([sys.executable, "-c", code], check=True, capture_output=True, text=True)
    assert child.stdout.strip() == "(0, 0)"


def test_no_secret_is_in_a_repr_or_an_error(vault: Vault, blob: SealedBlob, settings: Settings) -> None:
    secrets = [vault.secret("accounts"), vault.keyring.secret("copy:1"), settings.master_key_file.read_bytes()]
    texts = [repr(thing) for thing in (vault, vault.keyring, vault.keyring.entry("copy:1"), vault.keyring._secrets)]
    settings.master_key_file.write_bytes(os.urandom(32))
    for operation in operations(vault, blob).values():
        with pytest.raises(VaultSealedError) as caught:
            operation()
        texts.append(f"{caught.value} {caught.value.details}")
    for text in texts:
        assert not [secret for secret in secrets if secret.hex() in text or repr(secret)[2:-1] in text]


def test_unwrapped_secrets_are_dropped_after_a_moment_and_with_the_ring(monkeypatch: pytest.MonkeyPatch) -> None:
    kept = ShortLived()
    assert kept.get("ring 1", "a") is None
    kept.keep("ring 1", "a", b"secret")
    assert kept.get("ring 1", "a") == b"secret"
    kept.clear()
    monkeypatch.setattr("handover.vault.short_lived.LIFE_SECONDS", 0.02)
    kept.keep("ring 1", "a", b"secret")
    deadline = time.monotonic() + 5
    while len(kept) and time.monotonic() < deadline:
        time.sleep(0.01)
    assert len(kept) == 0
    monkeypatch.undo()
    kept.keep("ring 1", "a", b"secret")
    assert kept.get("ring 2", "a") is None
    assert len(kept) == 0
    kept.keep("ring 1", "a", b"of a ring that is gone")
    assert len(kept) == 0
    kept.clear()

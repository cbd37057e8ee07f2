"""An installation is made whole or not at all, and never over another one."""

import os
import signal
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pytest
import sqlalchemy as sa
from click.testing import CliRunner
from cryptography import x509

from handover import setup
from handover.audit.database import verify_rows
from handover.cli.doctor import doctor, examine
from handover.cli.init import init
from handover.crypto.trust import load_trust
from handover.db import Database
from handover.settings import Settings, load
from handover.storage import new_blob_key, open_storage
from handover.vault import AlreadyInitialisedError, NotInitialisedError, Vault
from handover.vault.signers import ALL, Signers

EMAIL = "admin@example.com"
TRUST = {"ca.pem", "allowed_signers", "mldsa65.pem", "log.vkey"}


@pytest.fixture
def settings(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Settings:
    for name in [name for name in os.environ if name.startswith("HANDOVER_")]:
        monkeypatch.delenv(name)
    monkeypatch.setenv("HANDOVER_DATA_DIR", str(tmp_path / "site" / "data"))
    (tmp_path / "site").mkdir()
    return load()


@pytest.fixture
def made(settings: Settings) -> setup.InitResult:
    return setup.initialise(settings, admin_email=EMAIL, admin_name="管理员", demo=True)


def snapshot(settings: Settings) -> dict[Path, tuple[int, bytes]]:
    """Every file around the data directory, but SQLite's shared memory, which any reader touches."""
    found = (path for path in settings.data_dir.parent.rglob("*") if path.is_file() and path.suffix != ".db-shm")
    return {path: (path.stat().st_mtime_ns, path.read_bytes()) for path in found}


def modes(settings: Settings) -> dict[str, int]:
    root = settings.data_dir.parent
    return {str(path.relative_to(root)): path.stat().st_mode & 0o777 for path in root.rglob("*")}


def test_everything_is_there_and_private(settings: Settings, made: setup.InitResult) -> None:
    vault = Vault.open(settings)
    assert {"accounts", "server", "evidence", *ALL} == set(vault.keyring.key_ids())
    found = modes(settings)
    public = {path for path, mode in found.items() if mode & 0o077}
    assert public == {"data/trust", *(f"data/trust/{name}" for name in TRUST)}
    assert {path.name for path in settings.trust_dir.iterdir()} == TRUST
    assert made.ca_key_file.parent == settings.data_dir.parent
    assert made.link.startswith("http")


def test_the_public_halves_are_those_of_the_keys_and_all_keys_are_distinct(
    settings: Settings, made: setup.InitResult
) -> None:
    signers, trust = Signers.load(Vault.open(settings).keyring), load_trust(settings.trust_dir)
    manifest = signers.manifest_ed25519.public_key().public_bytes_raw()
    assert [signer.public_key for signer in trust.signers] == [manifest]
    assert list(trust.log_keys) == [signers.log_ed25519.key, signers.log_mldsa.key]
    assert signers.log_ed25519.key.public != manifest
    assert signers.log_mldsa.key.public != signers.manifest_mldsa.public_key().public_bytes_raw()
    signer, authority = (
        x509.load_pem_x509_certificate(pem) for pem in (signers.pdf.certificate_pem, trust.ca_pem or b"")
    )
    signer.verify_directly_issued_by(authority)
    assert "DEMO 演示" in authority.subject.rfc4514_string()


def test_the_link_is_nowhere_in_the_data_directory(settings: Settings, made: setup.InitResult) -> None:
    token = made.link.rsplit("/", 1)[-1].encode()
    assert len(token) >= 22
    needles = (token, EMAIL.encode(), "管理员".encode())
    assert not [path for path, (_, data) in snapshot(settings).items() if any(needle in data for needle in needles)]


def test_the_log_begins_with_the_installation(settings: Settings, made: setup.InitResult) -> None:
    signers, database = Signers.load(Vault.open(settings).keyring), Database(settings.database_url)
    with database.transaction(write=False) as session:
        assert verify_rows(session, signers.origin, [signers.log_ed25519.key]).size >= 1
    database.close()


def test_a_second_run_refuses_and_changes_nothing(settings: Settings, made: setup.InitResult) -> None:
    before = snapshot(settings)
    with pytest.raises(AlreadyInitialisedError):
        setup.initialise(settings, admin_email=EMAIL)
    assert snapshot(settings) == before


@pytest.mark.parametrize("existing", ["data.master.key", "data.ca.key", "data/something"])
def test_what_is_there_already_is_never_touched(settings: Settings, existing: str) -> None:
    path = settings.data_dir.parent / existing
    path.parent.mkdir(exist_ok=True)
    path.write_bytes(b"precious")
    before = snapshot(settings)
    with pytest.raises(AlreadyInitialisedError):
        setup.initialise(settings, admin_email=EMAIL)
    assert snapshot(settings) == before


@pytest.mark.parametrize("step", ["_make_keys", "_make_signers", "_write_trust", "_make_database"])
@pytest.mark.parametrize("after", [False, True])
def test_a_failure_at_any_step_leaves_nothing(
    settings: Settings, monkeypatch: pytest.MonkeyPatch, step: str, after: bool
) -> None:
    real: Callable[..., object] = getattr(setup, step)

    def failing(*arguments: object, **named: object) -> None:
        if after:
            real(*arguments, **named)
        raise OSError("no")

    monkeypatch.setattr(setup, step, failing)
    with pytest.raises(OSError, match="no"):
        setup.initialise(settings, admin_email=EMAIL)
    assert list(settings.data_dir.parent.iterdir()) == []


_KILLED = """
import os, signal, sys
from handover import setup
from handover.settings import load
real = getattr(setup, sys.argv[1])
def killed(*arguments, **named):
    real(*arguments, **named)
    os.kill(os.getpid(), signal.SIGKILL)
setattr(setup, sys.argv[1], killed)
setup.initialise(load(), admin_email="admin@example.com")
"""


@pytest.mark.parametrize("step", ["_make_signers", "_make_database"])
def test_after_a_kill_nothing_opens_and_the_next_run_starts_anew(settings: Settings, step: str) -> None:
    child = subprocess.run([sys.executable, "-c", _KILLED, step], check=False, cwd=Path.cwd())
    assert child.returncode == -signal.SIGKILL
    with pytest.raises(NotInitialisedError, match="run handover init again"):
        Vault.open(settings)
    setup.initialise(settings, admin_email=EMAIL)
    assert [check.name for check in examine() if check.state == "failed"] == []


def test_an_empty_data_directory_is_used_and_kept(settings: Settings, monkeypatch: pytest.MonkeyPatch) -> None:
    (settings.data_dir / "lost+found").mkdir(parents=True)
    with monkeypatch.context() as patch:
        patch.setattr(setup, "_write_trust", lambda *_: 1 / 0)
        with pytest.raises(ZeroDivisionError):
            setup.initialise(settings, admin_email=EMAIL)
    assert [path.name for path in settings.data_dir.iterdir()] == ["lost+found"]
    setup.initialise(settings, admin_email=EMAIL)
    Vault.open(settings).check()


def test_the_command_prints_the_link_alone_on_stdout(settings: Settings) -> None:
    result = CliRunner().invoke(init, ["--admin", EMAIL, "--demo"])
    assert result.exit_code == 0, result.output
    assert result.stdout.count("\n") == 1
    assert result.stdout.startswith("http")
    assert str(settings.master_key_file) in result.stderr


def test_the_doctor_finds_a_new_installation_whole(settings: Settings, made: setup.InitResult) -> None:
    states = {check.name: check.state for check in examine()}
    assert states.pop("permissions") == "warning"
    assert set(states.values()) == {"ok"}
    made.ca_key_file.unlink()
    assert {check.state for check in examine()} == {"ok"}
    assert CliRunner().invoke(doctor, ["--json"]).exit_code == 0


def _loose(settings: Settings) -> None:
    settings.master_key_file.chmod(0o644)


def _another_key(settings: Settings) -> None:
    settings.master_key_file.write_bytes(os.urandom(32))


def _swapped_trust(settings: Settings) -> None:
    (settings.trust_dir / "log.vkey").write_text("")


def _altered_log(settings: Settings) -> None:
    database = Database(settings.database_url)
    with database.transaction(write=True) as session:
        session.execute(sa.text("DELETE FROM audit_entries"))
    database.close()


@pytest.mark.parametrize(
    ("harm", "name"),
    [(_loose, "permissions"), (_another_key, "keys"), (_swapped_trust, "keys"), (_altered_log, "audit log")],
)
def test_the_doctor_names_what_is_wrong(
    settings: Settings, made: setup.InitResult, harm: Callable[[Settings], None], name: str
) -> None:
    harm(settings)
    result = CliRunner().invoke(doctor)
    assert result.exit_code == 1
    assert name in {check.name for check in examine() if check.state == "failed"}
    assert any(line.startswith(name) and " failed " in line for line in result.stdout.splitlines())


def test_where_nothing_was_made_the_doctor_says_how_and_makes_nothing(settings: Settings) -> None:
    checks = {check.name: check for check in examine()}
    assert checks["installation"].state == "failed"
    assert "handover init" in checks["installation"].detail
    assert checks["database"].state == "not checked"
    assert list(settings.data_dir.parent.iterdir()) == []


def test_the_doctor_changes_nothing(settings: Settings, made: setup.InitResult) -> None:
    before = snapshot(settings)
    examine()
    after = snapshot(settings)
    assert {path: data for path, (_, data) in after.items()} == {path: data for path, (_, data) in before.items()}


def test_a_blob_of_no_row_is_reported_and_removed_on_request(settings: Settings, made: setup.InitResult) -> None:
    storage = open_storage(settings.storage_url)
    with storage.create(new_blob_key()) as target:
        target.write(b"orphan")
    assert {check.name: check.state for check in examine()}["blobs"] == "warning"
    assert len(list(storage.keys())) == 1
    examine(repair=True)
    assert list(storage.keys()) == []
    assert {check.name: check.state for check in examine()}["blobs"] == "ok"

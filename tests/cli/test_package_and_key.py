"""The offline commands as a person runs them: key, seal, inspect, open, receipt; data on stdout, the rest on stderr."""

import json
import subprocess
from pathlib import Path

import pytest
from click.testing import CliRunner

from handover.archive.errors import NotSignedError, TargetExistsError
from handover.archive.receipt import verify_receipt
from handover.cli.key import key
from handover.cli.package import package
from handover.crypto import sshsig
from handover.crypto.age import Passphrase, encrypt_bytes, recipient_of
from handover.crypto.errors import KeyFormatError
from handover.crypto.safety_number import safety_number
from handover.crypto.signers import Signer, format_allowed_signers


@pytest.fixture
def place(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.chdir(tmp_path)
    (tmp_path / "in").mkdir()
    (tmp_path / "in" / "a.csv").write_text("1,2\n")
    signer = sshsig.generate()
    Path("signer").write_bytes(sshsig.private_to_openssh(signer))
    Path("trust").mkdir()
    public = signer.public_key().public_bytes_raw()
    Path("trust/allowed_signers").write_text(format_allowed_signers([Signer("me", public)]))
    return tmp_path


def _run(group: object, *args: str, code: int = 0, text: str | None = None) -> str:
    result = CliRunner().invoke(group, list(args), input=text, catch_exceptions=False)  # type: ignore[arg-type]
    assert result.exit_code == code, result.output
    return result.stdout


@pytest.mark.parametrize("kind", [[], ["--post-quantum"]], ids=["x25519", "post-quantum"])
def test_a_package_goes_from_key_to_receipt(place: Path, kind: list[str]) -> None:
    recipient = _run(key, "new", *kind, "-o", "id.txt").strip()
    assert Path("id.txt").stat().st_mode & 0o777 == 0o600
    shown = json.loads(
        _run(package, "seal", "in", "--to", recipient, "--out", "p.age", "--sign-key", "signer", "--json")
    )
    assert Path("HOW-TO-OPEN.html").exists()
    assert json.loads(_run(package, "inspect", "p.age", "--json"))["manifest"] is None
    assert "files/in/a.csv" in _run(package, "inspect", "p.age", "-i", "id.txt")
    opened = _run(package, "open", "p.age", "-i", "id.txt", "-o", "out", "--trust", "trust", "--json")
    assert json.loads(opened)["pinned"] is True
    assert Path("out/files/in/a.csv").read_text() == "1,2\n"
    _run(package, "open", "p.age", "-i", "id.txt", "-o", "out2", "--only", "in/a.csv", code=3)
    _run(package, "receipt", "p.age", "-i", "id.txt", "--out", "r.txt", "--trust", "trust", "--defect", "x", "y")
    receipt = verify_receipt(
        Path("r.txt").read_bytes(), receipt_key=shown["receipt_key"], manifest_sha256=shown["manifest_sha256"]
    )
    assert receipt.counts.files == 1


def test_an_untrusted_signer_stops_the_opening(place: Path) -> None:
    recipient = _run(key, "new", "-o", "id.txt").strip()
    _run(package, "seal", "in", "--to", recipient, "--out", "p.age")
    with pytest.raises(NotSignedError):
        _run(package, "open", "p.age", "-i", "id.txt", "-o", "out", "--trust", "trust")
    assert not Path("out").exists()


def test_nothing_is_overwritten(place: Path) -> None:
    recipient = _run(key, "new", "-o", "id.txt").strip()
    with pytest.raises(TargetExistsError):
        _run(key, "new", "-o", "id.txt")
    Path("p.age").write_text("mine")
    with pytest.raises(TargetExistsError):
        _run(package, "seal", "in", "--to", recipient, "--out", "p.age")
    assert Path("p.age").read_text() == "mine"


def test_a_passphrase_protected_identity_is_asked_for(place: Path) -> None:
    identity = _run(key, "new").splitlines()[-1]
    Path("id.age").write_bytes(encrypt_bytes(identity.encode(), [Passphrase("words", 8)], armored=True))
    _run(package, "seal", "in", "--to", recipient_of(identity), "--out", "p.age")
    _run(package, "open", "p.age", "-i", "id.age", "-o", "out", code=3, text="words\n")
    assert Path("out/files/in/a.csv").exists()


def test_age_keygen_reads_our_identity_file(place: Path) -> None:
    Path("id.txt").write_text(_run(key, "new"))
    derived = subprocess.run(["age-keygen", "-y", "id.txt"], capture_output=True, check=True, text=True)
    assert f"# public key: {derived.stdout.strip()}" in Path("id.txt").read_text()


def test_safety_number_is_computed_offline() -> None:
    recipient = json.loads(_run(key, "new", "--json"))["recipient"]
    shown = _run(key, "number", recipient, "--case", "C-1", "--person", "P-2")
    expected = safety_number(recipient, "C-1", "P-2")
    assert shown.splitlines()[0] == expected.text
    assert expected.sha256 in shown
    with pytest.raises(KeyFormatError):
        _run(key, "number", recipient[:-1], "--case", "C-1", "--person", "P-2")

"""A package is sealed, verified, opened with our reader, and opened and checked with foreign tools alone."""

import io
import os
import subprocess
from collections.abc import Callable
from datetime import UTC, datetime
from hashlib import sha256
from pathlib import Path

import pytest

from handover.archive.errors import NotSignedError, ReceiptError, TargetExistsError, WrongRecipientError
from handover.archive.head import SigningKeys
from handover.archive.manifest import decode_manifest
from handover.archive.open import inspect, open_package, verify_package
from handover.archive.package import Package
from handover.archive.receipt import Defect, make_receipt, verify_receipt
from handover.archive.seal import Plan, seal
from handover.archive.standalone import seal_paths
from handover.crypto import mldsa, sshsig
from handover.crypto.age import decrypt_bytes, encrypt_bytes, generate_identity, recipient_of
from handover.crypto.errors import NoMatchError
from handover.crypto.signers import format_allowed_signers
from handover.crypto.trust import load_trust
from tests.archive.samples import FACTS, FILES, IDENTITY, KEYS, SIGNER, TRUST, build, entries, entry


@pytest.fixture(params=[False, True], ids=["x25519", "post-quantum"])
def identity(request: pytest.FixtureRequest) -> str:
    return generate_identity(post_quantum=request.param)


def test_package_opens_whole_with_pinned_signers(tmp_path: Path, identity: str) -> None:
    sealed = build(tmp_path / "p.age", [recipient_of(identity)])
    opened = open_package(tmp_path / "p.age", [identity], tmp_path / "out", trust=TRUST)
    assert opened.signed_by.ed25519 == sshsig.fingerprint(SIGNER.public_key)
    assert opened.signed_by.mldsa65
    assert opened.manifest_sha256 == sealed.result.manifest_sha256
    assert opened.verified == len(FILES)
    for path, data in FILES.items():
        assert (tmp_path / "out" / path).read_bytes() == data
    assert sealed.result.ciphertext_sha256 == sha256((tmp_path / "p.age").read_bytes()).hexdigest()
    assert {path.name for path in tmp_path.iterdir()} == {"p.age", "out"}


def test_size_is_known_before_a_byte_is_written() -> None:
    plan = Plan(entries(), recipients=[recipient_of(IDENTITY)], facts=FACTS, keys=KEYS)
    sink = io.BytesIO()
    sealed = plan.write(sink)
    assert len(sink.getvalue()) == sealed.result.size
    assert len(decrypt_bytes(sink.getvalue(), [IDENTITY])) == plan.plain_size


def test_foreign_tools_open_and_check_a_package(tmp_path: Path) -> None:
    build(tmp_path / "p.age", [recipient_of(IDENTITY)])
    (tmp_path / "id.txt").write_text(f"# mine\n{IDENTITY}\n")
    (tmp_path / "allowed_signers").write_text(format_allowed_signers([SIGNER]))
    run: Callable[..., subprocess.CompletedProcess[bytes]] = lambda *args, **more: subprocess.run(  # noqa: E731
        args, cwd=tmp_path, capture_output=True, check=True, timeout=30, **more
    )
    run("age", "-d", "-i", "id.txt", "-o", "p.zip", "p.age")
    run("unzip", "-q", "p.zip", "-d", "out")
    out = tmp_path / "out"
    readme = (out / "README.txt").read_text()
    recipe = next(line.strip() for line in readme.splitlines() if line.strip().startswith("sed -n"))
    check = run("sh", "-c", f"cd out && {recipe.replace('--quiet', '')}")
    assert check.stdout.count(b": OK") == len(FILES)
    manifest = (out / "MANIFEST.json").read_bytes()
    assert decode_manifest(manifest).files.sha256 in run("sha256sum", "out/FILES.jsonl").stdout.decode()
    verify = ["-Y", "verify", "-f", "allowed_signers", "-I", SIGNER.principal, "-n", "handover-manifest@v1"]
    run("ssh-keygen", *verify, "-s", "out/MANIFEST.json.sig", input=manifest)
    run("unzip", "-tq", "p.zip")


def test_without_trust_the_result_says_not_pinned(tmp_path: Path) -> None:
    build(tmp_path / "p.age", [recipient_of(IDENTITY)])
    assert not open_package(tmp_path / "p.age", [IDENTITY], tmp_path / "out").signed_by.pinned


@pytest.mark.parametrize(
    "keys",
    [
        SigningKeys(),
        SigningKeys(KEYS.ed25519),
        SigningKeys(None, KEYS.mldsa65),
        SigningKeys(sshsig.generate(), KEYS.mldsa65),
        SigningKeys(KEYS.ed25519, mldsa.generate()),
    ],
    ids=["none", "no-mldsa", "no-ed25519", "other-ed25519", "other-mldsa"],
)
def test_both_signatures_by_pinned_keys_are_demanded(tmp_path: Path, keys: SigningKeys) -> None:
    build(tmp_path / "p.age", [recipient_of(IDENTITY)], keys)
    with pytest.raises(NotSignedError):
        open_package(tmp_path / "p.age", [IDENTITY], tmp_path / "out", trust=TRUST)
    assert not (tmp_path / "out").exists()


def test_wrong_key_is_told_apart(tmp_path: Path) -> None:
    build(tmp_path / "p.age", [recipient_of(IDENTITY)])
    with pytest.raises(NoMatchError, match="wrong key"):
        open_package(tmp_path / "p.age", [generate_identity()], tmp_path / "out")


def test_content_encrypted_again_for_somebody_else_is_refused(tmp_path: Path) -> None:
    build(tmp_path / "p.age", [recipient_of(IDENTITY)])
    other = generate_identity()
    plain = decrypt_bytes((tmp_path / "p.age").read_bytes(), [IDENTITY])
    (tmp_path / "q.age").write_bytes(encrypt_bytes(plain, [recipient_of(other)]))
    with pytest.raises(WrongRecipientError):
        open_package(tmp_path / "q.age", [other], tmp_path / "out", trust=TRUST)


def test_single_files_can_be_taken_out(tmp_path: Path) -> None:
    build(tmp_path / "p.age", [recipient_of(IDENTITY)])
    opened = open_package(tmp_path / "p.age", [IDENTITY], tmp_path / "out", trust=TRUST, only=["notes.txt"])
    assert opened.verified == 1
    assert [path.name for path in (tmp_path / "out" / "files").iterdir()] == ["notes.txt"]


def test_a_single_file_costs_its_own_chunks_only() -> None:
    class Counted(io.BytesIO):
        taken = 0

        def read(self, size: int | None = -1, /) -> bytes:
            data = super().read(size)
            self.taken += len(data)
            return data

        def readinto(self, buffer: object, /) -> int:
            size = super().readinto(buffer)  # type: ignore[arg-type] # any buffer, as io defines it
            self.taken += size
            return size

    sink = Counted()
    many = [*entries(), *(entry(f"files/{number}.bin", os.urandom(4 << 20)) for number in range(4))]
    seal(many, recipients=[recipient_of(IDENTITY)], facts=FACTS, sink=sink)
    package = Package(sink, [IDENTITY])
    assert b"".join(package.read(package.files[package.number("notes.txt")])) == FILES["files/notes.txt"]
    assert 0 < sink.taken < 1 << 20 < len(sink.getvalue()) // 16


def test_a_folder_with_something_in_it_is_never_written_to(tmp_path: Path) -> None:
    build(tmp_path / "p.age", [recipient_of(IDENTITY)])
    (tmp_path / "out").mkdir()
    (tmp_path / "out" / "mine").touch()
    with pytest.raises(TargetExistsError):
        open_package(tmp_path / "p.age", [IDENTITY], tmp_path / "out")


def test_inspection_shows_the_outside_to_everybody_and_the_manifest_to_the_recipient(tmp_path: Path) -> None:
    sealed = build(tmp_path / "p.age", [recipient_of(IDENTITY)])
    outside = inspect(tmp_path / "p.age")
    assert (outside.stanzas, outside.manifest) == (("X25519",), None)
    assert outside.header_sha256 == sealed.result.header_sha256
    assert outside.sha256 == sealed.result.ciphertext_sha256
    inside = inspect(tmp_path / "p.age", [IDENTITY])
    assert inside.manifest_sha256 == sealed.result.manifest_sha256
    assert [line.path for line in inside.files] == list(FILES)


def test_receipt_is_about_this_package_and_by_its_key(tmp_path: Path) -> None:
    first = build(tmp_path / "p.age", [recipient_of(IDENTITY)]).result
    second = build(tmp_path / "q.age", [recipient_of(IDENTITY)]).result
    at = datetime(2026, 11, 23, tzinfo=UTC)
    data = make_receipt(tmp_path / "p.age", [IDENTITY], trust=TRUST, defects=[Defect("files/notes.txt", "旧")], at=at)
    receipt = verify_receipt(data, receipt_key=first.receipt_key, manifest_sha256=first.manifest_sha256)
    assert (receipt.package, receipt.verified_at) == ("P-7", "2026-11-23T00:00:00Z")
    assert (receipt.counts.files, receipt.counts.records, receipt.counts.persons) == (4, 8, 3)
    assert receipt.defects == [Defect("files/notes.txt", "旧")]
    with pytest.raises(ReceiptError):
        verify_receipt(data, receipt_key=second.receipt_key, manifest_sha256=first.manifest_sha256)
    with pytest.raises(ReceiptError):
        verify_receipt(data, receipt_key=first.receipt_key, manifest_sha256=second.manifest_sha256)
    with pytest.raises(ReceiptError):
        verify_receipt(
            data.replace(b'"files":4', b'"files":5'),
            receipt_key=first.receipt_key,
            manifest_sha256=first.manifest_sha256,
        )


def test_standalone_seal_over_folders_roundtrips(tmp_path: Path) -> None:
    source = tmp_path / "in"
    (source / "子").mkdir(parents=True)
    (source / "子" / "a.csv").write_bytes(b"1,2\n")
    (source / "A:b.txt").write_bytes(b"x")
    other = generate_identity()
    seal_paths([source, source / "子" / "a.csv"], [recipient_of(IDENTITY), recipient_of(other)], tmp_path / "p.age")
    opened = open_package(tmp_path / "p.age", [other], tmp_path / "out")
    assert opened.verified == 3
    written = {path.relative_to(tmp_path / "out").as_posix() for path in (tmp_path / "out").rglob("*.*")}
    assert written >= {"files/in/A_b.txt", "files/in/子/a.csv", "files/a.csv"}
    assert verify_package(tmp_path / "p.age", [IDENTITY]).verified == 3
    with (tmp_path / "p.age").open("rb") as file:
        assert Package(file, [IDENTITY]).manifest.package.purpose == "standalone"


def test_trust_directory_is_read_from_its_files(tmp_path: Path) -> None:
    assert TRUST.mldsa65 is not None
    (tmp_path / "allowed_signers").write_text(format_allowed_signers([SIGNER]))
    (tmp_path / "mldsa65.pem").write_bytes(mldsa.public_to_pem(TRUST.mldsa65))
    trust = load_trust(tmp_path)
    build(tmp_path / "p.age", [recipient_of(IDENTITY)])
    assert verify_package(tmp_path / "p.age", [IDENTITY], trust=trust).signed_by.pinned


def test_foreign_tools_check_a_receipt_as_documented(tmp_path: Path) -> None:
    result = build(tmp_path / "p.age", [recipient_of(IDENTITY)]).result
    (tmp_path / "receipt.txt").write_bytes(make_receipt(tmp_path / "p.age", [IDENTITY]))
    (tmp_path / "allowed").write_text(f"receipt {result.receipt_key}\n")
    document = (Path(__file__).parents[2] / "docs" / "package-format.md").read_text()
    recipe = document.partition("With foreign tools:\n\n```\n")[2].partition("```")[0]
    assert "ssh-keygen -Y verify" in recipe
    done = subprocess.run(["sh", "-e", "-c", recipe], cwd=tmp_path, capture_output=True, check=True, text=True)
    assert done.stdout.startswith("Good")

"""Signatures hold for one key, one namespace and one message, and agree with ssh-keygen and the C2SP examples."""

import subprocess
from pathlib import Path

import pytest
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from handover.crypto import aead, mldsa, sshsig
from handover.crypto.checkpoint import Checkpoint, read_checkpoint, sign_checkpoint, verify_checkpoint
from handover.crypto.errors import KeyFormatError, NoteError, SealedValueError, SignatureError
from handover.crypto.note import Ed25519Signer, MldsaSigner, parse_vkey, parse_vkeys, sign_note, verify_note
from handover.crypto.safety_number import safety_number
from handover.crypto.signers import Signer, format_allowed_signers, keys_for, parse_allowed_signers

KEY = Ed25519PrivateKey.from_private_bytes(bytes(range(32)))
PUBLIC = KEY.public_key().public_bytes_raw()
MLDSA = mldsa.generate()
EXAMPLE_VKEY = "example.com/foo+530d903a+AekyeRrm56hApGFkyQR4ZCbV54Id2LKaANYcrnKv3U2k"
EXAMPLE_NOTE = (
    "This is an example message.\n\n— example.com/foo "
    "Uw2QOkn8srV1yJGh2VYRlL1Tnagv1YEq6TfXppzi2ONncAlTgK7Ztg1ERYNZXsYjOBH3mFXmRKuwHjG1Yu72IneyaQM=\n"
).encode()


def test_ssh_keygen_verifies_ours_and_makes_the_same_bytes(tmp_path: Path) -> None:
    (tmp_path / "sig").write_bytes(sshsig.sign(KEY, "space@v1", b"message"))
    (tmp_path / "allowed").write_text(format_allowed_signers([Signer("me@here", PUBLIC, ("space@v1",))]))
    verify = ["ssh-keygen", "-Y", "verify", "-f", "allowed", "-I", "me@here", "-s", "sig", "-n"]
    good = subprocess.run([*verify, "space@v1"], cwd=tmp_path, input=b"message", capture_output=True, check=False)
    bad = subprocess.run([*verify, "other@v1"], cwd=tmp_path, input=b"message", capture_output=True, check=False)
    assert (good.returncode, bad.returncode != 0) == (0, True)
    (tmp_path / "key").write_bytes(sshsig.private_to_openssh(KEY))
    (tmp_path / "key").chmod(0o600)
    (tmp_path / "text").write_bytes(b"message")
    command = ["ssh-keygen", "-Y", "sign", "-f", "key", "-n", "space@v1", "text"]
    subprocess.run(command, cwd=tmp_path, check=True, capture_output=True)
    assert (tmp_path / "text.sig").read_bytes() == (tmp_path / "sig").read_bytes()
    shown = subprocess.run(["ssh-keygen", "-l", "-f", "key"], cwd=tmp_path, check=True, capture_output=True, text=True)
    assert sshsig.fingerprint(PUBLIC) in shown.stdout


def test_ssh_signature_holds_for_its_key_namespace_and_message_only() -> None:
    signature = sshsig.sign(KEY, "space@v1", b"message")
    other = sshsig.generate().public_key().public_bytes_raw()
    assert sshsig.verify(signature, "space@v1", b"message", [other, PUBLIC]) == PUBLIC
    for namespace, message, allowed in [
        ("other@v1", b"message", [PUBLIC]),
        ("space@v1", b"massage", [PUBLIC]),
        ("space@v1", b"message", [other]),
        ("space@v1", b"message", []),
    ]:
        with pytest.raises(SignatureError):
            sshsig.verify(signature, namespace, message, allowed)


def test_every_changed_byte_of_an_ssh_signature_is_refused() -> None:
    signature = sshsig.sign(KEY, "space@v1", b"message")
    changed = [signature[:i] + bytes([signature[i] ^ 1]) + signature[i + 1 :] for i in range(len(signature))]
    for data in [*changed, signature[:-1], signature + b"\n", b"", signature.replace(b"\n", b"\r\n")]:
        with pytest.raises(SignatureError):
            sshsig.verify(data, "space@v1", b"message", [PUBLIC])


def test_openssh_private_key_roundtrips_and_other_kinds_are_refused() -> None:
    key = sshsig.private_from_openssh(sshsig.private_to_openssh(KEY))
    assert key.private_bytes_raw() == KEY.private_bytes_raw()
    for data in (b"", b"-----BEGIN OPENSSH PRIVATE KEY-----\n", mldsa.private_to_pem(MLDSA)):
        with pytest.raises(KeyFormatError):
            sshsig.private_from_openssh(data)


def test_allowed_signers_keep_their_namespaces() -> None:
    signers = [Signer("a@b", PUBLIC, ("x@v1", "y@v1")), Signer("c", PUBLIC)]
    text = "# who\n\n" + format_allowed_signers(signers)
    assert parse_allowed_signers(text) == signers
    assert keys_for(signers[:1], "z@v1") == []
    assert keys_for(signers, "x@v1") == [PUBLIC, PUBLIC]


@pytest.mark.parametrize(
    "line",
    [
        "a cert-authority {key}",
        'a namespaces="x",valid-before="20200101" {key}',
        'a valid-after="20200101" {key}',
        "{key}",
        "a ssh-rsa AAAA",
        "a ssh-ed25519 AAAA",
    ],
)
def test_a_restriction_that_is_not_understood_is_refused(line: str) -> None:
    with pytest.raises(KeyFormatError):
        parse_allowed_signers(line.format(key=sshsig.public_line(PUBLIC)))


def test_mldsa_signature_is_bound_to_its_context() -> None:
    public = MLDSA.public_key()
    signature = mldsa.sign(MLDSA, "a@v1", b"message")
    assert len(signature) == mldsa.SIGNATURE_SIZE
    mldsa.verify(public, "a@v1", b"message", signature)
    for context, message, data in [
        ("b@v1", b"message", signature),
        ("a@v1", b"massage", signature),
        ("a@v1", b"message", signature[:-1]),
        ("a@v1", b"message", b""),
    ]:
        with pytest.raises(SignatureError):
            mldsa.verify(public, context, message, data)
    assert mldsa.public_from_pem(mldsa.public_to_pem(public)) == public
    assert mldsa.private_from_pem(mldsa.private_to_pem(MLDSA)).public_key() == public


def test_the_example_of_the_note_specification_holds() -> None:
    assert verify_note(EXAMPLE_NOTE, [parse_vkey(EXAMPLE_VKEY)]).text == "This is an example message.\n"
    with pytest.raises(SignatureError):
        verify_note(EXAMPLE_NOTE.replace(b"This", b"That"), [parse_vkey(EXAMPLE_VKEY)])


def _checkpoint() -> tuple[Checkpoint, bytes, str]:
    signers = [Ed25519Signer("log.test/1", KEY), MldsaSigner("log.test/1", MLDSA)]
    checkpoint = Checkpoint("log.test/1", 7, bytes(32))
    return checkpoint, sign_checkpoint(checkpoint, signers), "".join(f"{s.key.vkey}\n" for s in signers)


def test_checkpoint_needs_a_line_of_every_pinned_key() -> None:
    checkpoint, data, vkeys = _checkpoint()
    keys = parse_vkeys(vkeys)
    assert verify_checkpoint(data, keys, "log.test/1") == checkpoint == read_checkpoint(data)
    lines = data.decode().splitlines(keepends=True)
    for missing in (4, 5):
        with pytest.raises(SignatureError):
            verify_checkpoint("".join(lines[:missing] + lines[missing + 1 :]).encode(), keys)
    with pytest.raises(SignatureError):
        verify_checkpoint(data, [])
    with pytest.raises(NoteError):
        verify_checkpoint(data, keys, "log.test/2")


def test_every_changed_byte_of_a_checkpoint_is_refused() -> None:
    _, data, vkeys = _checkpoint()
    keys = parse_vkeys(vkeys)
    for position in [*range(220), *range(220, len(data), 97)]:
        changed = data[:position] + bytes([data[position] ^ 1]) + data[position + 1 :]
        with pytest.raises((NoteError, SignatureError)):
            verify_checkpoint(changed, keys)


@pytest.mark.parametrize(
    "text",
    ["o\n01\n{r}\n", "o\n-1\n{r}\n", "\n1\n{r}\n", "o\n1\nAAAA\n", "o\n1\n{r}\nextension\n", "o\n1\n", "o\n٣\n{r}\n"],
)
def test_malformed_checkpoints_are_refused_even_when_signed(text: str) -> None:
    root = "A" * 43 + "="
    signer = Ed25519Signer("o", KEY)
    with pytest.raises(NoteError):
        verify_checkpoint(sign_note(text.format(r=root), [signer]), [signer.key])


@pytest.mark.parametrize(
    "vkey", ["", "a+b", EXAMPLE_VKEY[:-1], EXAMPLE_VKEY.replace("530d", "530e"), "a b" + EXAMPLE_VKEY]
)
def test_malformed_verifier_keys_are_refused(vkey: str) -> None:
    with pytest.raises(KeyFormatError):
        parse_vkey(vkey)


def test_sealed_values_open_in_their_place_only() -> None:
    key = aead.new_key()
    sealed = aead.seal(key, b"secret", ("installation", 7, "copy"))
    assert aead.unseal(key, sealed, ("installation", 7, "copy")) == b"secret"
    assert sealed != aead.seal(key, b"secret", ("installation", 7, "copy"))
    for other_key, data, place in [
        (aead.new_key(), sealed, ("installation", 7, "copy")),
        (key, sealed, ("installation", 8, "copy")),
        (key, sealed, ("installation", "7", "copy")),
        (key, sealed[:-1], ("installation", 7, "copy")),
        (key, b"\x02" + sealed[1:], ("installation", 7, "copy")),
        (key, b"", ("installation", 7, "copy")),
    ]:
        with pytest.raises(SealedValueError):
            aead.unseal(other_key, data, place)


def test_safety_number_is_the_published_computation() -> None:
    found = safety_number("age1abc", "C-1", "person-2")
    command = r"printf 'handover-safety-v1\nage1abc\nC-1\nperson-2' | sha256sum"
    expected = subprocess.run(["sh", "-c", command], capture_output=True, text=True, check=True).stdout.split()[0]
    assert found.sha256 == expected
    assert found.groups == tuple(f"{int(expected[i : i + 10], 16) % 100000:05d}" for i in range(0, 60, 10))
    for parts in (("age1abc\n", "C", "p"), ("age1abc", "C\nx", "p"), ("age1abc", "", "p")):
        with pytest.raises(KeyFormatError):
            safety_number(*parts)

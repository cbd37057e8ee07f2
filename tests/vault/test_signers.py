import pytest

from handover.crypto import mldsa, sshsig
from handover.crypto.checkpoint import Checkpoint, sign_checkpoint, verify_checkpoint
from handover.vault import AlreadyInitialisedError, KeyMissingError, Vault, signers
from handover.vault.signers import PdfSigningKey, Signers

PDF = PdfSigningKey(private_pem=b"private half", certificate_pem=b"certificate", chain_pem=b"authority")


def test_signing_keys_come_back_as_they_were_made(vault: Vault) -> None:
    made = signers.create(vault.keyring, PDF)
    again = Signers.load(vault.keyring)
    public = made.manifest_ed25519.public_key().public_bytes_raw()
    signature = sshsig.sign(again.manifest_ed25519, "handover-manifest@v1", b"manifest")
    assert sshsig.verify(signature, "handover-manifest@v1", b"manifest", [public]) == public
    raw = mldsa.sign(again.manifest_mldsa, "handover-manifest@v1", b"manifest")
    mldsa.verify(made.manifest_mldsa.public_key(), "handover-manifest@v1", b"manifest", raw)
    checkpoint = Checkpoint(again.origin, 1, bytes(32))
    note = sign_checkpoint(checkpoint, [again.log_ed25519, again.log_mldsa])
    assert verify_checkpoint(note, [made.log_ed25519.key, made.log_mldsa.key], made.origin) == checkpoint
    assert again.pdf == PDF


def test_signing_keys_survive_a_destruction_of_others(vault: Vault) -> None:
    made = signers.create(vault.keyring, PDF)
    vault.create_secret("case:1:metadata")
    vault.destroy(["case:1:metadata"])
    assert Signers.load(vault.keyring).log_ed25519.key == made.log_ed25519.key


def test_signing_keys_are_never_made_twice(vault: Vault) -> None:
    signers.create(vault.keyring, PDF)
    with pytest.raises(AlreadyInitialisedError):
        signers.create(vault.keyring, PDF)


def test_without_signing_keys_none_are_invented(vault: Vault) -> None:
    with pytest.raises(KeyMissingError):
        Signers.load(vault.keyring)


def test_a_signer_shows_no_key(vault: Vault) -> None:
    shown = repr(signers.create(vault.keyring, PDF)) + repr(PDF)
    assert "private half" not in shown

"""The installation's own signing keys, one per purpose, so that a signature can never be taken for another.

They live in the key ring and outlive every case: what they signed must stay verifiable. The private halves leave it
only into the memory of the process that signs. Receipts are signed with the one-time key inside each package.
"""

from dataclasses import dataclass
from typing import Self

import msgspec
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from cryptography.hazmat.primitives.asymmetric.mldsa import MLDSA65PrivateKey

from handover.crypto import mldsa, sshsig
from handover.crypto.note import Ed25519Signer, MldsaSigner
from handover.vault.errors import AlreadyInitialisedError
from handover.vault.keyring import Keyring

MANIFEST_ED25519 = "signing:manifest:ed25519"
MANIFEST_MLDSA = "signing:manifest:mldsa65"
LOG_ED25519 = "signing:log:ed25519"
LOG_MLDSA = "signing:log:mldsa65"
PDF = "signing:pdf"
ALL = (MANIFEST_ED25519, MANIFEST_MLDSA, LOG_ED25519, LOG_MLDSA, PDF)


class PdfSigningKey(msgspec.Struct, frozen=True, kw_only=True):
    """The PDF signer: its private key, its certificate, and the certificates up to the CA, all PEM."""

    private_pem: bytes
    certificate_pem: bytes
    chain_pem: bytes

    def __repr__(self) -> str:
        return "PdfSigningKey(…)"


@dataclass(frozen=True, slots=True, repr=False)
class Signers:
    """Loaded signing keys; a service of the installation."""

    #: Name of the audit log, and of the keys that sign its checkpoints.
    origin: str
    manifest_ed25519: Ed25519PrivateKey
    manifest_mldsa: MLDSA65PrivateKey
    log_ed25519: Ed25519Signer
    log_mldsa: MldsaSigner
    pdf: PdfSigningKey

    @classmethod
    def load(cls, keyring: Keyring) -> Self:
        """Unwraps them from the ring.

        Raises:
            VaultSealedError: without the master key.
            KeyMissingError: the installation was not made whole.
        """
        origin = log_origin(keyring.installation)
        return cls(
            origin=origin,
            manifest_ed25519=sshsig.private_from_openssh(keyring.secret(MANIFEST_ED25519)),
            manifest_mldsa=mldsa.private_from_pem(keyring.secret(MANIFEST_MLDSA)),
            log_ed25519=Ed25519Signer(origin, sshsig.private_from_openssh(keyring.secret(LOG_ED25519))),
            log_mldsa=MldsaSigner(origin, mldsa.private_from_pem(keyring.secret(LOG_MLDSA))),
            pdf=msgspec.json.decode(keyring.secret(PDF), type=PdfSigningKey),
        )


def create(keyring: Keyring, pdf: PdfSigningKey) -> Signers:
    """Makes the keys of a new installation and stores them in its ring.

    Raises:
        AlreadyInitialisedError: the ring has signing keys; they are never replaced silently.
    """
    if any(keyring.has(name) for name in ALL):
        raise AlreadyInitialisedError("the key ring holds signing keys already; they are never overwritten")
    for name in (MANIFEST_ED25519, LOG_ED25519):
        keyring.add(name, "signing", sshsig.private_to_openssh(sshsig.generate()))
    for name in (MANIFEST_MLDSA, LOG_MLDSA):
        keyring.add(name, "signing", mldsa.private_to_pem(mldsa.generate()))
    keyring.add(PDF, "signing", msgspec.json.encode(pdf))
    return Signers.load(keyring)


def log_origin(installation: str) -> str:
    """The name of an installation's audit log (C2SP tlog-checkpoint, origin)."""
    return f"handover/{installation}"
